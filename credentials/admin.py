from datetime import timedelta

from django.contrib import admin
from django.db.models import Q
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe

from accounts.models import User
from audit.lists import ChosenFilter
from audit.search import keys
from audit.support import MEMBERS_AND_OWNERS, Act, SupportAdmin
from credentials import hand_over_admin, networks, support  # noqa: F401  (the first registers its list)
from credentials.models import Credential, LoginDay, RefusedLogins
from credentials.models.login_day import ALL_LOGINS
from credentials.nodes import admin as node_admin  # noqa: F401
from credentials.outcome import CAUSES, Outcome
from credentials.support import SECRETS, STATES
from domains.admin import DomainAdmin
from domains.models import Domain
from web.dates import ago, date, day, moment

DomainAdmin.sections = (support.credentials_of, support.refusals_of_domain, *DomainAdmin.sections)


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


class OfDomain(SupportAdmin):
    """A list of rows of domains and their credentials, searched by both."""

    list_filter = (ChosenFilter.of("domain", "domain"),)

    def by_username(self, username):
        return username.condition("username")

    def by_email(self, email):
        of_them = Domain.objects.filter(memberships__user__in=keys(User.objects.search_email(email)))
        return Q(domain__in=keys(of_them.distinct()))

    def by_text(self, text):
        return Q(domain__in=keys(Domain.objects.search(text)))

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False  # of fields; acts check has_act_permission

    def history_of(self, row):
        return {"q": row.username}


@admin.register(Credential)
class CredentialAdmin(OfDomain):
    """Credentials without their secrets, for support to find, suspend, resume, reset and delete.

    They can't be added here, since the admin can't show a password, and only acts change them.
    """

    list_display = (
        "short_name",
        "label",
        "domain",
        "state",
        "last_used",
        "expires",
        "created",
    )
    list_filter = (StateFilter, LastUsedFilter, *OfDomain.list_filter)
    list_select_related = ()
    sortable_by = ("short_name", "created")  # by an index
    search_fields = ("username", "label", "domain")
    search_help_text = (
        "Username (whole, its beginning, or as pages and logs show it), part of a label or domain, "
        f"a member's e-mail, or the IP address of a client in the last {support.DAYS} days"
    )
    sections = (support.clients_of, support.events_of_credential)
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
    actions = ("reset", "suspend", "resume", "remove")

    @admin.display
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

    @admin.display(description="expires", empty_value="Never")
    def expires(self, credential):
        return date(credential.expires_at) or None

    @admin.display(description="username", ordering="username")
    def short_name(self, credential):
        return support.username_text(credential.username)

    @admin.display(ordering="pk")
    def created(self, credential):
        return day(credential.created_at)

    def get_queryset(self, request):
        # Nothing is joined: among a million, SQLite would read all domains and PostgreSQL all people for that.
        return super().get_queryset(request).prefetch_related("domain").defer(*SECRETS)

    def by_address(self, address):
        return Q(username__in=keys(LoginDay.objects.filter(ip=address).distinct(), "username"))

    def by_email(self, email):
        # By their keys: where PostgreSQL expects many, the order of the list leads it past all rows.
        return Q(pk__in=keys(Credential.objects.filter(super().by_email(email))))

    def by_text(self, text):
        return Q(label__icontains=text) | super().by_text(text)

    def has_act_permission(self, request):
        return request.user.has_perm("credentials.change_credential")

    def has_remove_permission(self, request):
        return request.user.has_perm("credentials.delete_credential")

    @admin.action(description="Reset", permissions=["act"])
    def reset(self, request, queryset):
        return self.ask_and_do(request, queryset, support.RESET)

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
class RefusedLoginsAdmin(OfDomain):
    """Refused logins per day, read-only; unknown usernames are counted together."""

    list_display = ("day", "user", "domain", "cause", "count", "last")
    list_filter = (CauseFilter, *OfDomain.list_filter)
    sortable_by = ()
    search_fields = ("username", "label", "domain", "ip")
    search_help_text = (
        "Username (whole, its beginning, or as pages and logs show it), part of a label or domain, "
        "a member's e-mail, or the IP address of a client"
    )
    ordering = ("-day", "-pk")  # newest first, by an index
    fields = readonly_fields = ("user", "cause", "day", "count", "last_at", "ip")

    def get_queryset(self, request):
        rows = super().get_queryset(request).select_related("domain")
        return rows.exclude(outcome=Outcome.ACCEPTED).exclude(username=ALL_LOGINS)

    def by_address(self, address):
        # By their keys: the order of the list would otherwise lead SQLite past all of them.
        return Q(pk__in=keys(LoginDay.objects.filter(ip=address).exclude(outcome=Outcome.ACCEPTED)))

    def by_email(self, email):
        rows = LoginDay.objects.filter(super().by_email(email))
        return Q(pk__in=keys(rows.exclude(outcome=Outcome.ACCEPTED)))

    def by_text(self, text):
        labelled = Credential.objects.filter(label__icontains=text)
        return Q(username__in=keys(labelled, "username")) | super().by_text(text)

    @admin.display(description="credential")
    def user(self, refused):
        return support.username_text(refused.username)

    @admin.display
    def cause(self, refused):
        return refused.get_outcome_display()

    @admin.display
    def last(self, refused):
        return _lines(ago(refused.last_at), refused.ip)
