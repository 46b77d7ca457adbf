"""The mail servers in the admin, for operators; and at an event that revokes, since when each refuses."""

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_safe

from audit.admin import EventAdmin
from audit.lists import Section
from audit.models import Event
from audit.support import SUPPORT_ALONE, Act, SupportAdmin
from credentials.models import Node
from credentials.nodes.proof import Proof, State
from credentials.nodes.receipt import download
from credentials.revocations import revokes
from web.dates import ago, second

ANSWERS = {
    State.PRIMARY: "Reads the primary database: from the commit on",
    State.WAITING: "Not confirmed. Lease ends, at the latest",
    State.ENDED: "Not confirmed. Lease ended, at the latest",
    State.EMPTY: "Refuses everything: no heartbeat yet",
}


def _remove(row, by, reason):
    row.remove(by=by, reason=reason)
    return True


REMOVE = Act(
    name="remove",
    title="Remove mail servers",
    effect="They are no longer listed, and proofs no longer name them. Remove only what was taken out of "
    "service: a mail server that still runs keeps accepting logins, and is listed again within seconds.",
    done="removed",
    unchanged="",
    do=_remove,
    read_by=SUPPORT_ALONE,
)


def refused_where(request, event):
    """Return the section of what each mail server does about an event, if it revokes something."""
    if event.number is None or not revokes(event):
        return None
    proof = Proof(event, event.credential)
    rows = [
        (answer.node, _answer(answer), second(answer.seen_at or answer.ends_at) or "-")
        for answer in proof.answers
    ]
    receipt = reverse("admin:credentials_node_receipt", args=[event.pk])
    columns = ("Mail server", "Refuses", "Time")
    return Section(
        format_html("Committed {}", second(proof.committed_at)),
        columns,
        rows,
        "No mail server has reported to this dashboard.",
        receipt,
        "Download receipt (JSON)",
    )


def _answer(answer) -> str:
    if answer.state != State.SEEN:
        return ANSWERS[answer.state]
    return "Confirmed" if answer.within is None else f"Within {answer.within:,} ms"


EventAdmin.sections = (refused_where, *EventAdmin.sections)


@admin.register(Node)
class NodeAdmin(SupportAdmin):
    """Mail servers as they report themselves. Support doesn't see them, only operators."""

    change_form_template = "admin/credentials/credential/change_form.html"
    list_display = ("name", "role", "version", "last_seen", "lag", "lease_ends", "clock", "unconfirmed")
    sortable_by = ()
    ordering = ("name", "role")
    fields = readonly_fields = (
        "name",
        "role",
        "version",
        "first_seen_at",
        "last_seen_at",
        "reads",
        "heartbeat_at",
        "lag",
        "lease_ends",
        "clock",
        "unconfirmed",
    )
    actions = ("remove",)

    def get_urls(self):
        receipt = self.admin_site.admin_view(require_safe(self.receipt))
        return [path("receipt/<int:event>/", receipt, name="credentials_node_receipt"), *super().get_urls()]

    def receipt(self, request, event):
        """Return the receipt of an event, for support too."""
        if not request.user.has_perm("audit.view_event"):
            raise PermissionDenied
        found = get_object_or_404(Event.objects.filter(number__isnull=False), pk=event)
        if not revokes(found):
            raise Http404
        return download(Proof(found, found.credential))

    def get_queryset(self, request):
        return super().get_queryset(request).with_lease().with_unconfirmed(timezone.now())

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_act_permission(self, request):
        return request.user.has_perm("credentials.delete_node")

    def history_of(self, row):
        return {"tag": "node.removed"}

    @admin.action(description="Remove", permissions=["act"])
    def remove(self, request, queryset):
        return self.ask_and_do(request, queryset, REMOVE)

    @admin.display(description="last seen")
    def last_seen(self, node):
        return ago(node.last_seen_at)

    @admin.display(description="database that it asks")
    def reads(self, node):
        return "A replica on its machine" if node.has_replica else "The primary"

    @admin.display(description="lag", empty_value="No replica")
    def lag(self, node):
        if node.has_replica and not node.heartbeat_at:
            return "No heartbeat yet"
        return node.lag and f"{node.lag.total_seconds():.1f} s"

    @admin.display(description="lease ends", empty_value="No lease")
    def lease_ends(self, node):
        return second(node.lease_ends_at) or None

    @admin.display(description="clock of the replica", empty_value="-")
    def clock(self, node):
        if not node.has_wrong_clock:
            return "Right" if node.clock_behind is not None else None
        return f"{node.clock_behind.total_seconds():.1f} s behind: it refuses logins"

    @admin.display(description="revocations not confirmed (24 h)", empty_value="-")
    def unconfirmed(self, node):
        return node.unconfirmed

    def describe(self, row):
        return f"{row}, last seen {row.last_seen_at:%Y-%m-%d %H:%M:%S} UTC"
