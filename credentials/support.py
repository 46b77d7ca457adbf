"""What the support admin shows of a domain's credentials and of one, and its reset of a password."""

from django import forms
from django.db.models import Max, OuterRef, Subquery, Sum
from django.utils import timezone
from django.utils.html import format_html

from audit.lists import Section, changelist, page_of
from audit.models import Event
from audit.support import MEMBERS_AND_OWNERS, Act, ReasonForm, Refused
from credentials import rotation
from credentials.models import Credential, PasswordChanged, RefusedLogins
from credentials.models.base import short
from credentials.models.login_day import LOGINS_KEPT_FOR
from credentials.outcome import Outcome
from credentials.usage.summary import summarize
from domains.support import ROWS, events_of
from web.dates import ago, day, how_long

SECRETS = ("password_sealed", "verifier", "previous_verifier", "issue_key")
STATES = {
    Outcome.ACCEPTED: "Active",
    Outcome.SUSPENDED: "Suspended",
    Outcome.EXPIRED: "Expired",
    Outcome.DOMAIN_SUSPENDED: "Domain suspended",
    Outcome.DOMAIN_NOT_AUTHORIZED: "Domain not authorized",
}
DAYS = LOGINS_KEPT_FOR.days


class ResetForm(ReasonForm):
    keep = forms.ChoiceField(
        label="Old password stops",
        choices=[("", "Now"), *((key, f"In {how_long(time)}") for key, time in rotation.KEEP_FOR.items())],
        required=False,
        help_text="Until then, both passwords work. Choose “Now” if the old one may be known to others.",
    )

    def clean_keep(self):
        return rotation.KEEP_FOR.get(self.cleaned_data["keep"])


def _reset(row, by, reason, keep):
    try:
        row.reset_password(by=by, reason=reason, keep_old_for=keep)
    except PasswordChanged:
        raise Refused(f"{row} was reset by another person a moment ago") from None
    return True


RESET = Act(
    name="reset",
    title="Reset passwords",
    effect="Each gets a new password, which the admin doesn't show: owners and managers of the domain see it "
    "there by Show Password. Sites and apps need it as soon as the old one stops. The owners are notified by "
    "e-mail.",
    done="reset",
    unchanged="",
    do=_reset,
    form=ResetForm,
    read_by=MEMBERS_AND_OWNERS,
)


def link(row, text):
    return format_html('<a href="{}">{}</a>', page_of(row), text)


def username_link(credential):
    return format_html(
        '<a href="{}" title="{}"><code>{}</code></a>',
        page_of(credential),
        credential.username,
        credential.short_username,
    )


def credentials_of(request, domain):
    """Return the section of a domain's credentials, the last used first."""
    if not request.user.has_perm("credentials.view_credential"):
        return None
    now = timezone.now()
    found = domain.credentials.without_secrets().select_related("domain")
    used = list(found.filter(last_used_at__isnull=False).order_by("-last_used_at")[:ROWS])
    unused = list(found.filter(last_used_at=None).order_by("-pk")[: ROWS - len(used)])
    rows = [
        (
            username_link(one),
            one.label or "-",
            STATES[one.outcome(now)],
            ago(one.last_used_at) or "Never",
            one.last_used_ip or "-",
            day(one.created_at),
        )
        for one in used + unused
    ]
    columns = ("Username", "Label", "State", "Last used", "From", "Created")
    all_of_them = changelist(Credential, domain=domain.pk)
    return Section("SMTP credentials, the last used first", columns, rows, "No SMTP credentials.", all_of_them)


def refusals_of_domain(request, domain):
    if not request.user.has_perm("credentials.view_refusedlogins"):
        return None
    refused = domain.login_days.recent(timezone.now()).refused()
    newest = refused.filter(outcome=OuterRef("outcome")).order_by("-last_at")
    last = {"last": Max("last_at"), "last_ip": Subquery(newest.values("ip")[:1])}
    causes = refused.values("outcome").annotate(total=Sum("count"), **last).order_by("-last")
    rows = [
        (
            Outcome(cause["outcome"]).label.capitalize(),
            f"{cause['total']:,}",
            ago(cause["last"]),
            cause["last_ip"] or "-",
        )
        for cause in causes
    ]
    columns = ("Cause", "Logins", "Last", "Last from")
    return Section(
        f"Refused logins of the last {DAYS} days",
        columns,
        rows,
        f"No login was refused in the last {DAYS} days.",
        changelist(RefusedLogins, domain=domain.pk),
    )


def clients_of(request, credential):
    """Return the section of the addresses that a credential was used or tried from."""
    rows = [
        (
            client.ip or "Other addresses",
            f"{client.accepted:,}",
            f"{client.refused:,}",
            Outcome(client.cause).label if client.cause else "-",
            ago(client.last),
        )
        for client in summarize(credential.username, timezone.now()).clients[:ROWS]
    ]
    columns = ("IP address", "Accepted", "Refused", "Last refused because", "Last seen")
    return Section(
        f"Who used it in the last {DAYS} days",
        columns,
        rows,
        f"No login in the last {DAYS} days.",
        changelist(RefusedLogins, q=credential.username),
        "See all refused logins",
    )


def events_of_credential(request, credential):
    if not request.user.has_perm("audit.view_event"):
        return None
    username = credential.username
    return events_of(Event.objects.filter(credential=username), q=username)


def username_text(username: str):
    """A username as lists show it: short, the whole one on hover."""
    return format_html('<code title="{}">{}</code>', username, short(username)) if username else "-"
