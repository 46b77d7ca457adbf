from dataclasses import replace

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import Q
from django.utils.html import format_html

import audit
from accounts.admin import UserAdmin
from accounts.models import User
from audit.actor import Actor
from audit.search import keys
from audit.support import MEMBERS_AND_OWNERS, Act, NoteField, ReasonField, Refused, SupportAdmin
from domains import support
from domains.admin_members import MembershipInline
from domains.members import actions
from domains.models import AlreadyAuthorized, Domain, NameSuspended
from domains.models.dns_record import DnsRecord
from domains.verification import background
from domains.verification.check import TooSoon
from web.dates import day
from web.workers import Busy


def _is_pending_elsewhere(row) -> bool:
    """Whether the name is pending in another account too: staff could have added a customer's name."""
    others = Domain.objects.filter(name=row.name, memberships__isnull=False).exclude(pk=row.pk)
    return others.filter(authorized_at=None, suspended_at=None).exists()


def _authorize(row, by, reason):
    if row.state == Domain.State.PENDING and _is_pending_elsewhere(row):
        raise Refused(f"{row} was added in several accounts: only its DNS can prove whose it is")
    try:
        return row.authorize(by=by, reason=reason) is not None
    except AlreadyAuthorized:
        raise Refused(f"{row} is authorized in another account") from None
    except NameSuspended:
        raise Refused(f"{row} is suspended, here or in another account: resume it first") from None


AUTHORIZE_DOMAINS = Act(
    name="authorize",
    title="Authorize domains",
    effect="Each may send mail from now on, without a DNS proof, and gets its first SMTP user.",
    done="authorized",
    unchanged="already authorized",
    do=_authorize,
)


@transaction.atomic
def _verify(row, by, reason):
    Domain.objects.hold(row.pk)
    audit.record("support.verify_asked", by=by, domain=row, data={"reason": reason})
    try:
        background.start(row, by=by)
    except TooSoon:
        raise Refused(f"{row} was checked a moment ago") from None
    except Busy:
        raise Refused(f"{row} can't be checked yet: too many checks are running") from None
    return True


VERIFY_DOMAINS = Act(
    name="verify",
    title="Verify now",
    effect="Their DNS records are checked, and proved domains are authorized. Their pages show the results.",
    done="being checked",
    unchanged="",
    do=_verify,
)
SUSPEND_DOMAINS = Act(
    name="suspend",
    title="Suspend domains",
    effect="All of their SMTP users are refused until support resumes the domains. Nothing else is lost. Until "
    "then, they can't be deleted, and the same name can't be authorized in this or any other account.",
    done="suspended",
    unchanged="already suspended",
    do=lambda row, by, reason: row.suspend(by=by, reason=reason),
    read_by="Members of the domain read this reason on its pages and in Activity, and owners in their letter.",
)
RESUME_DOMAINS = Act(
    name="resume",
    title="Resume domains",
    effect="Their SMTP users are accepted again, with the same passwords.",
    done="resumed",
    unchanged="not suspended",
    do=lambda row, by, reason: row.resume(by=by, reason=reason),
    read_by=MEMBERS_AND_OWNERS,
)


class DomainStateFilter(admin.SimpleListFilter):
    title = parameter_name = "state"

    def lookups(self, request, model_admin):
        return Domain.State.choices

    def queryset(self, request, queryset):
        match self.value():
            case Domain.State.SUSPENDED:
                return queryset.filter(suspended_at__isnull=False)
            case Domain.State.AUTHORIZED:
                return queryset.filter(Q(authorized_at__isnull=False), suspended_at=None)
            case Domain.State.PENDING:
                return queryset.filter(authorized_at=None, suspended_at=None)
        return queryset


MEMBERS_HERE = (
    "Here you can add members as viewers, lower roles and remove members. Only an owner of the domain can "
    "raise a role, under Members on the dashboard. If no owner can sign in any more, the operator makes one "
    "on the server: manage.py make_owner DOMAIN EMAIL."
)


class DomainForm(forms.ModelForm):
    """Only the members can be changed here, so saving always asks for a reason."""

    reason, note = ReasonField(), NoteField()

    class Meta:
        model = Domain
        fields = ()


class DnsRecordInline(admin.TabularInline):
    """The result of the last check, read-only."""

    model = DnsRecord
    fields = readonly_fields = ("kind", "host", "expected", "status", "found", "message", "checked_at")
    ordering = ("pk",)
    extra = 0

    def has_add_permission(self, request, obj=None):
        return False

    has_change_permission = has_delete_permission = has_add_permission


UserAdmin.sections = (support.domains_of,)


@admin.register(Domain)
class DomainAdmin(SupportAdmin):
    """Domains: support can change members and perform acts, each with a reason and an event."""

    form = DomainForm
    change_form_template = "admin/acts_below.html"
    list_display = ("domain", "state", "authorized", "added", "created_by")
    list_filter = (DomainStateFilter,)
    list_select_related = ("created_by",)
    sortable_by = ("domain", "added")  # by an index
    search_fields = ("name", "display_name", "title", "member")
    search_help_text = (
        "Part of a domain or of its display name, a member's e-mail, an SMTP username (whole, its beginning, "
        "or as pages and logs show it), or the IP address of a client in the last 30 days"
    )
    sections = (support.events_of_domain,)
    ordering = ("-pk",)  # the newest first, by the primary key's index
    readonly_fields = (
        "name",
        "display_name",
        "state",
        "authorized_at",
        "ownership_gone_at",
        "suspended_at",
        "created_at",
        "created_by",
    )
    inlines = (MembershipInline, DnsRecordInline)
    actions = ("verify", "authorize", "suspend", "resume")

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("created_by").defer("verification_token")

    def by_address(self, address):
        uses = Domain._meta.get_field("login_days").related_model.objects.filter(ip=address)
        return Q(pk__in=keys(uses, "domain"))  # without DISTINCT, for which SQLite would read them by domain

    def by_username(self, username):
        credentials = Domain._meta.get_field("credentials").related_model.objects
        return Q(pk__in=keys(credentials.filter(username.condition("username")), "domain"))

    def by_email(self, email):
        of_them = Domain.objects.filter(memberships__user__in=keys(User.objects.search_email(email)))
        return Q(pk__in=keys(of_them.distinct()))

    def by_text(self, text):
        return Q(name__icontains=text) | Q(display_name__icontains=text) | Q(title__icontains=text)

    def history_of(self, row):
        return {"domain": row.pk}

    @admin.display(ordering="name")
    def domain(self, domain):
        return format_html("{}<br>{}", domain, domain.other_form) if domain.other_form else str(domain)

    @admin.display
    def authorized(self, domain):
        return day(domain.authorized_at) or "-"

    @admin.display(ordering="pk")
    def added(self, domain):
        return day(domain.created_at)

    def get_fieldsets(self, request, obj=None):
        options = {"fields": self.readonly_fields}
        if self.has_change_permission(request, obj):
            options |= {"fields": (*self.readonly_fields, "reason", "note"), "description": MEMBERS_HERE}
        return [(None, options)]

    def useless_acts(self, row):
        is_settled = row.authorized_at or row.suspended_at
        return {"suspend" if row.suspended_at else "resume"} | ({"authorize"} if is_settled else set())

    def has_add_permission(self, request):
        return False  # `manage.py authorize_domain NAME --owner EMAIL` adds one

    @admin.action(description="Authorize", permissions=["change"])
    def authorize(self, request, queryset):
        return self.ask_and_do(request, queryset, AUTHORIZE_DOMAINS)

    @admin.action(description="Verify now", permissions=["change"])
    def verify(self, request, queryset):
        return self.ask_and_do(request, queryset, VERIFY_DOMAINS)

    @admin.action(description="Suspend", permissions=["change"])
    def suspend(self, request, queryset):
        return self.ask_and_do(request, queryset, SUSPEND_DOMAINS)

    @admin.action(description="Resume", permissions=["change"])
    def resume(self, request, queryset):
        return self.ask_and_do(request, queryset, RESUME_DOMAINS)

    @admin.display(description="state")
    def state(self, domain):
        return domain.state.label

    def describe(self, row):
        return f"{row.name}, {row.state.label.lower()}, added by {row.created_by or 'an unknown user'}"

    def save_model(self, request, obj, form, change):
        """Save nothing: no column of the domain itself is changed here."""

    def save_formset(self, request, form, formset, change):
        """Save the members, each change with its event, in the request's transaction."""
        by = replace(Actor.of(request), note=form.cleaned_data["note"])
        roles = form.instance.memberships.values_list("user__email", "role")
        before = dict(roles.all())
        formset.save()
        after = dict(roles.all())
        events = []
        for member in sorted(before.keys() | after.keys()):
            was, now = before.get(member), after.get(member)
            if was == now:
                continue
            act = "added" if was is None else "removed" if now is None else "changed"
            data = {"member": member, "role": now or was, "reason": form.cleaned_data["reason"]}
            if was and now:
                data["was"] = was
            events.append((f"support.member_{act}", data))
            if now is None:
                actions.delete_invitations(form.instance, member)
            if was is None:
                actions.notify_of_new_member(member, form.instance, now, by=by)
        ended = form.instance.invitations.delete_unvouched()
        for tag, data in events:
            audit.record(tag, by=by, domain=form.instance, data=data)
        for invitation in ended:
            invitation.record_ended(by=by)
