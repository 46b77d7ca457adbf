"""Hand-over links in the support admin."""

from django.contrib import admin
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from accounts.models import User
from audit.search import keys
from audit.support import Act, SupportAdmin
from credentials.models import HandOver
from credentials.support import SECRETS, username_text
from domains.models import Domain
from web.dates import ago, moment

REVOKE_LINKS = Act(
    name="revoke",
    title="Revoke hand-over links",
    effect="Whoever has such a link can no longer open it. The SMTP users and their passwords stay the same.",
    done="revoked",
    unchanged="no longer open",
    do=lambda row, by, reason: row.revoke(by=by, reason=reason),
)


@admin.register(HandOver)
class HandOverAdmin(SupportAdmin):
    """Hand-over links, for support to see and revoke. Nobody can read a link here: only a digest is stored."""

    change_form_template = "admin/credentials/credential/change_form.html"
    list_display = ("user", "state", "domain", "made_by", "made", "ends")
    list_select_related = ("credential__domain", "made_by")
    sortable_by = ()
    search_fields = ("username", "domain", "made_by")
    search_help_text = (
        "Username (whole, its beginning, or as pages and logs show it), part of a domain, or the e-mail of the "
        "person who made it"
    )
    ordering = ("-pk",)  # newest first, by an index
    fields = readonly_fields = (
        "username",
        "domain",
        "made_by",
        "made_at",
        "valid_until",
        "state",
        "opened_at",
        "opened_ip",
        "revoked_at",
    )
    actions = ("revoke",)

    def get_queryset(self, request):
        rows = super().get_queryset(request).select_related(*self.list_select_related)
        live = HandOver.objects.live(timezone.now()).filter(pk=OuterRef("pk"))
        return rows.annotate(is_live=Exists(live)).defer("digest", *(f"credential__{name}" for name in SECRETS))

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False  # of fields; the act checks has_act_permission

    def has_act_permission(self, request):
        return request.user.has_perm("credentials.change_handover")

    def by_username(self, username):
        return username.condition("credential__username")

    def by_email(self, email):
        return Q(made_by__in=keys(User.objects.search_email(email)))

    def by_text(self, text):
        return Q(credential__domain__in=keys(Domain.objects.search(text)))

    def history_of(self, row):
        return {"q": row.credential.username}

    @admin.action(description="Revoke", permissions=["act"])
    def revoke(self, request, queryset):
        return self.ask_and_do(request, queryset, REVOKE_LINKS)

    @admin.display(description="credential")
    def user(self, hand_over):
        return username_text(hand_over.credential.username)

    @admin.display
    def username(self, hand_over):
        return hand_over.credential.username

    @admin.display
    def made(self, hand_over):
        return ago(hand_over.made_at)

    @admin.display(description="valid until")
    def ends(self, hand_over):
        return moment(hand_over.valid_until)

    @admin.display
    def domain(self, hand_over):
        return hand_over.credential.domain

    @admin.display
    def state(self, hand_over):
        if hand_over.opened_at:
            return "Opened"
        if hand_over.revoked_at:
            return "Revoked"
        if hand_over.valid_until <= timezone.now():
            return "Expired"
        if hand_over.password_number != hand_over.credential.password_number:
            return "Ended by a reset"
        return "Open" if hand_over.is_live else "Void: its maker may not show the password any more"

    def describe(self, row):
        return f"{row.credential.username} of {row.credential.domain}, made by {row.made_by_name}"

    def useless_acts(self, row):
        return {"revoke"} if row.opened_at or row.revoked_at or self.state(row) == "Expired" else set()
