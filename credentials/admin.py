from datetime import timedelta

from django.contrib import admin
from django.db.models import Exists, OuterRef, Subquery
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe

from audit.support import MEMBERS_AND_OWNERS, Act, SupportAdmin
from credentials import networks
from credentials.models import Credential, HandOver, RefusedLogins
from credentials.models.base import short
from credentials.models.login_day import ALL_LOGINS
from credentials.outcome import CAUSES, Outcome
from web.dates import ago, date, day, moment

SECRETS = ("password_sealed", "verifier", "previous_verifier", "issue_key")
STATES = {
    Outcome.ACCEPTED: "Active",
    Outcome.SUSPENDED: "Suspended",
    Outcome.EXPIRED: "Expired",
    Outcome.DOMAIN_SUSPENDED: "Domain suspended",
    Outcome.DOMAIN_NOT_AUTHORIZED: "Domain not authorized",
}


def _unchanged(row):
    """Raise DoesNotExist if an act changed nothing because the row is gone."""
    type(row).objects.only("pk").get(pk=row.pk)
    return False


def _remove(row, by, reason):
    row.remove(by=by, reason=reason)
    return True


def _lines(*parts):
    """The parts that aren't empty, one per line."""
    return format_html_join(mark_safe("<br>"), "{}", ((part,) for part in parts if part))


SUSPEND = Act(
    name="suspend",
    title="Suspend SMTP credentials",
    effect="Sites and apps that use them can't send mail until support resumes them. Nothing else is lost.",
    done="suspended",
    unchanged="already suspended",
    do=lambda row, by, reason: row.suspend(by=by, reason=reason, as_support=True) or _unchanged(row),
    read_by=MEMBERS_AND_OWNERS,
)
RESUME = Act(
    name="resume",
    title="Resume SMTP credentials",
    effect="Sites and apps that use them can send mail again, with the same password.",
    done="resumed",
    unchanged="not suspended",
    do=lambda row, by, reason: row.resume(by=by, reason=reason, as_support=True) or _unchanged(row),
)
REMOVE = Act(
    name="remove",
    title="Delete SMTP credentials",
    effect="Sites and apps that use them can no longer send mail. For 24 hours, members of the domain can "
    "restore them as they were: suspend them first if they must stay refused.",
    done="deleted",
    unchanged="",
    do=_remove,
)


class StateFilter(admin.SimpleListFilter):
    title = parameter_name = "state"

    def lookups(self, request, model_admin):
        return [(outcome.name.lower(), text) for outcome, text in STATES.items()]

    def queryset(self, request, queryset):
        # If several apply the first counts, as in Credential.outcome.
        now = timezone.now()
        running = queryset.filter(suspended_at=None)
        match self.value():
            case "accepted":
                return queryset.usable(now)
            case "suspended":
                return queryset.filter(suspended_at__isnull=False)
            case "expired":
                return running.filter(expires_at__lte=now)
            case "domain_suspended":
                return running.exclude(expires_at__lte=now).filter(domain__suspended_at__isnull=False)
            case "domain_not_authorized":
                return running.exclude(expires_at__lte=now).filter(
                    domain__suspended_at=None, domain__authorized_at=None
                )
        return queryset


class LastUsedFilter(admin.SimpleListFilter):
    title, parameter_name = "last used", "used"
    DAYS = {"1": "Past 24 hours", "7": "Past 7 days", "30": "Past 30 days"}

    def lookups(self, request, model_admin):
        return [*self.DAYS.items(), ("long", "Idle: no login for 90 days"), ("never", "Never used")]

    def queryset(self, request, queryset):
        now, value = timezone.now(), self.value()
        if value in self.DAYS:
            return queryset.filter(last_used_at__gt=now - timedelta(days=int(value)))
        if value == "long":
            return queryset.filter(last_used_at__lte=now - timedelta(days=90))
        return queryset.filter(last_used_at=None) if value == "never" else queryset


@admin.register(Credential)
class CredentialAdmin(SupportAdmin):
    """Credentials without their secrets, for support to find, suspend, resume and delete.

    They can't be added here, since the admin can't show a password, and only acts change them.
    """

    list_display = (
        "username",
        "label",
        "domain",
        "state",
        "last_used",
        "expires",
        "created",
    )
    list_filter = (StateFilter, LastUsedFilter)
    list_select_related = ("domain",)
    search_fields = ("username", "label", "domain__name", "domain__display_name")
    search_help_text = "Username, label or domain"
    ordering = ("-pk",)  # newest first, by an index
    fields = readonly_fields = (
        "username",
        "label",
        "domain",
        "state",
        "suspended_at",
        "suspended_by",
        "expires_at",
        "last_used_at",
        "last_used_ip",
        "last_refused",
        "networks",
        "password_changed_at",
        "created_at",
        "created_by",
    )
    actions = ("suspend", "resume", "remove")

    @admin.display(ordering="last_used_at")
    def last_used(self, credential):
        return _lines(ago(credential.last_used_at), credential.last_used_ip) or "Never"

    @admin.display
    def last_refused(self, credential):
        cause = credential.get_last_refused_cause_display()
        return _lines(moment(credential.last_refused_at), credential.last_refused_ip, cause) or "Never"

    @admin.display(description="allowed networks")
    def networks(self, credential):
        return _lines(*networks.listed(credential.allowed_networks)) or "Any address"

    @admin.display(description="suspended by")
    def suspended_by(self, credential):
        if not credential.suspended_at:
            return "-"
        return "Support" if credential.suspended_by_support else "A member of the domain"

    @admin.display(description="expires", ordering="expires_at", empty_value="Never")
    def expires(self, credential):
        return date(credential.expires_at) or None

    @admin.display(ordering="created_at")
    def created(self, credential):
        return day(credential.created_at)

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("domain", "created_by").defer(*SECRETS)

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False  # of fields; acts check has_act_permission

    def has_act_permission(self, request):
        return request.user.has_perm("credentials.change_credential")

    def has_remove_permission(self, request):
        return request.user.has_perm("credentials.delete_credential")

    @admin.action(description="Suspend", permissions=["act"])
    def suspend(self, request, queryset):
        return self.ask_and_do(request, queryset, SUSPEND)

    @admin.action(description="Resume", permissions=["act"])
    def resume(self, request, queryset):
        return self.ask_and_do(request, queryset, RESUME)

    @admin.action(description="Delete", permissions=["remove"])
    def remove(self, request, queryset):
        return self.ask_and_do(request, queryset, REMOVE)

    @admin.display(description="state")
    def state(self, credential):
        return STATES[credential.outcome(timezone.now())]

    def describe(self, row):
        used = f"{row.last_used_at:%Y-%m-%d %H:%M} UTC" if row.last_used_at else "never"
        label = f" “{row.label}”" if row.label else ""
        return f"{row.username}{label} of {row.domain}, {self.state(row).lower()}, last used: {used}"

    def useless_acts(self, row):
        # Support can still take over a suspension by a member.
        return {"suspend"} if row.suspended_by_support else set() if row.suspended_at else {"resume"}


class CauseFilter(admin.SimpleListFilter):
    title = parameter_name = "cause"

    def lookups(self, request, model_admin):
        return CAUSES.items()

    def queryset(self, request, queryset):
        # Only offered values: PostgreSQL fails on a NUL.
        return queryset.filter(outcome=self.value()) if self.value() in CAUSES else queryset


@admin.register(RefusedLogins)
class RefusedLoginsAdmin(SupportAdmin):
    """Refused logins per day, read-only; unknown usernames are counted together."""

    list_display = ("day", "user", "cause", "count", "last")
    list_filter = (CauseFilter,)
    search_fields = ("username", "label", "domain__name")
    search_help_text = "Username, label or domain"
    ordering = ("-day", "-pk")  # newest first, by an index
    fields = readonly_fields = ("user", "cause", "day", "count", "last_at", "ip")

    def get_queryset(self, request):
        labels = Credential.objects.filter(username=OuterRef("username")).values("label")
        rows = super().get_queryset(request).exclude(outcome=Outcome.ACCEPTED).exclude(username=ALL_LOGINS)
        return rows.annotate(label=Subquery(labels))

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    @admin.display(description="credential", ordering="username", empty_value="-")
    def user(self, refused):
        return refused.username or None

    @admin.display(ordering="outcome")
    def cause(self, refused):
        return refused.get_outcome_display()

    @admin.display(ordering="last_at")
    def last(self, refused):
        return _lines(ago(refused.last_at), refused.ip)


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
    search_fields = ("credential__username", "credential__domain__name", "made_by__email")
    search_help_text = "Username, domain, or the e-mail of the person who made it"
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

    @admin.action(description="Revoke", permissions=["act"])
    def revoke(self, request, queryset):
        return self.ask_and_do(request, queryset, REVOKE_LINKS)

    @admin.display(description="credential")
    def user(self, hand_over):
        return short(hand_over.credential.username)

    @admin.display
    def username(self, hand_over):
        return hand_over.credential.username

    @admin.display(ordering="made_at")
    def made(self, hand_over):
        return ago(hand_over.made_at)

    @admin.display(description="valid until", ordering="valid_until")
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
