"""Move what five tables counted into one: a row a username, day, address, outcome and retired password.

Accepted logins and names move by SQL. Of refused ones ClientDay knew the address and RefusedLogins the
cause: each day of a username is distributed so that the sums by address and by cause stay what they were,
and so do the last address of each cause and the last cause of each address. RetiredTry then says how many
of them were of which retired password. What is older than 30 days is left behind.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import migrations
from django.utils import timezone

KEPT_FOR = timedelta(days=30)
SECOND = timedelta(seconds=1)
BATCH = 1000

ACCEPTED = """
INSERT INTO credentials_loginday
    (domain_id, username, day, ip, outcome, count, ehlo, mail_from, first_at, last_at)
SELECT domain_id, username, day, ip, 'accepted', accepted, '', '', first_at, last_at
FROM credentials_clientday WHERE accepted > 0
"""
# All names of an address go to the last day that it was accepted on.
NAMES = """
UPDATE credentials_loginday SET
    ehlo = COALESCE((SELECT {joined} FROM ({ehlo}) AS newest), ''),
    mail_from = COALESCE((SELECT {joined} FROM ({mail_from}) AS newest), '')
WHERE outcome = 'accepted'
  AND EXISTS (SELECT 1 FROM credentials_clientname name
    WHERE name.username = credentials_loginday.username AND name.ip = credentials_loginday.ip)
  AND day = (SELECT MAX(other.day) FROM credentials_loginday other
    WHERE other.username = credentials_loginday.username AND other.ip = credentials_loginday.ip
      AND other.outcome = 'accepted')
"""
NAMES_OF_KIND = """
SELECT name.name, name.last_at, name.id FROM credentials_clientname name
WHERE name.username = credentials_loginday.username AND name.ip = credentials_loginday.ip
  AND name.kind = '{kind}' ORDER BY name.last_at DESC, name.id LIMIT 20
"""
JOINED = {
    "postgresql": "string_agg(newest.name, chr(10) ORDER BY newest.last_at DESC, newest.id)",
    "sqlite": "group_concat(newest.name, char(10))",  # in the order of what it is from
}
CAUSE_OF_TRY = {"reset": "old_password", "suspended": "suspended", "deleted": "unknown_username"}


@dataclass
class Counted:
    domain_id: int | None
    count: int
    first_at: datetime
    last_at: datetime


def move(apps, schema_editor):
    oldest = timezone.now() - KEPT_FOR
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(ACCEPTED)
        kinds = {kind: NAMES_OF_KIND.format(kind=kind) for kind in ("ehlo", "mail_from")}
        cursor.execute(NAMES.format(joined=JOINED[schema_editor.connection.vendor], **kinds))
    logins = _refused(apps, oldest)
    logins |= _tries(apps, oldest, logins)
    model = apps.get_model("credentials", "LoginDay")
    rows = (
        model(
            domain_id=counted.domain_id,
            username=username,
            day=day,
            ip=ip,
            outcome=outcome,
            retired_password_id=password,
            count=counted.count,
            first_at=min(counted.first_at, counted.last_at),
            last_at=counted.last_at,
        )
        for (username, day, ip, outcome, password), counted in logins.items()
        if counted.count
    )
    model.objects.bulk_create([*rows, *_unknown(apps, model, oldest, logins), *_totals(apps, model)], BATCH)


def _refused(apps, oldest) -> dict[tuple, Counted]:
    """(username, day, ip, cause, None) → refused logins of credentials that there are, or were until now."""
    addresses, causes = defaultdict(dict), defaultdict(dict)
    for row in apps.get_model("credentials", "ClientDay").objects.filter(refused__gt=0).iterator():
        addresses[row.username, row.day][row.ip] = row
    rows = apps.get_model("credentials", "RefusedLogins").objects.filter(credential_id__isnull=False)
    rows = rows.filter(day__gt=oldest.date())
    owners = _owners(apps, rows.values("credential_id"))
    for row in rows.iterator():
        if row.credential_id in owners:
            username, row.domain_id = owners[row.credential_id]
            causes[username, row.day][row.cause] = row
    refused = {}
    for username, day in {**addresses, **causes}:
        for (ip, cause), counted in _distributed(addresses[username, day], causes[username, day]).items():
            refused[username, day, ip, cause, None] = counted
    return refused


def _owners(apps, keys) -> dict[int, tuple]:
    """Primary key of a credential, deleted or not → its username and domain."""
    found = {}
    for model, key in (("DeletedCredential", "former_id"), ("Credential", "id")):
        rows = apps.get_model("credentials", model).objects.filter(**{f"{key}__in": keys})
        found |= {key: rest for key, *rest in rows.values_list(key, "username", "domain_id").iterator()}
    return found


def _distributed(addresses, causes) -> dict[tuple, Counted]:
    """(ip, cause) → logins, from the rows of one day by ip and by cause."""
    by_ip = {ip: row.refused for ip, row in addresses.items()}
    by_cause = {cause: row.count for cause, row in causes.items()}
    found = defaultdict(int)

    def put(ip, cause, number):
        found[ip, cause] += number
        by_ip[ip], by_cause[cause] = by_ip.get(ip, 0) - number, by_cause.get(cause, 0) - number

    def put_at_most(ip, cause, most):
        if number := min(by_ip.get(ip, 0), by_cause.get(cause, 0), most):
            put(ip, cause, number)

    for cause, row in causes.items():
        put_at_most(row.last_ip or "", cause, 1)
    for ip, row in addresses.items():
        put_at_most(ip, row.last_cause, row.refused)
    for ip, row in addresses.items():
        for cause in causes:
            put_at_most(ip, cause, row.refused)
    # What only one of the two knew: they were not written in one transaction.
    for ip, row in addresses.items():
        put(ip, row.last_cause or "wrong_password", max(by_ip[ip], 0))
    for cause, row in causes.items():
        put(row.last_ip or "", cause, max(by_cause[cause], 0))
    return {
        (ip, cause): _counted(number, addresses.get(ip), causes.get(cause))
        for (ip, cause), number in found.items()
        if number
    }


def _counted(number, address, cause) -> Counted:
    """Their times: those of the row by cause are of refused logins alone."""
    domain_id = (address or cause).domain_id
    if cause is None:
        return Counted(domain_id, number, address.first_at, address.last_at)
    if address is None or address.ip == (cause.last_ip or ""):
        return Counted(domain_id, number, (address.first_at if address else cause.last_at), cause.last_at)
    # Before the last one of this cause, and before the address' last one if that was of another cause.
    last_at = address.last_at if address.last_cause == cause.cause else address.last_at - SECOND
    return Counted(domain_id, number, address.first_at, min(last_at, cause.last_at - SECOND))


def _tries(apps, oldest, logins) -> dict[tuple, Counted]:
    """The same with a retired password; as many are taken off `logins`, the newest first."""
    days = defaultdict(list)
    for (username, day, ip, outcome, _), counted in logins.items():
        days[username, ip].append((day, outcome, counted))
    found = {}
    rows = apps.get_model("credentials", "RetiredTry").objects.filter(last_at__gte=oldest)
    passwords = apps.get_model("credentials", "RetiredPassword").objects.in_bulk()
    for row in rows.order_by("-last_at").iterator():
        password, left = passwords.get(row.password_id), row.count
        if password is None:
            continue
        cause, last_at = CAUSE_OF_TRY[password.why], row.last_at
        username, domain_id = password.username, password.domain_id
        for day, outcome, counted in sorted(days[username, row.ip], key=lambda each: each[0], reverse=True):
            if number := min(left, counted.count) if outcome == cause else 0:
                left, counted.count = left - number, counted.count - number
                last_at = last_at if day == row.last_at.date() else counted.last_at
                moved = Counted(domain_id, number, max(row.first_at, counted.first_at), last_at)
                found[username, day, row.ip, cause, password.pk] = moved
        if left == row.count:  # of a deleted one, whose clients were not counted
            moved = Counted(domain_id, left, row.first_at, row.last_at)
            found[username, row.last_at.date(), row.ip, cause, password.pk] = moved
    return found


def _unknown(apps, model, oldest, logins):
    """Unknown usernames, without those at deleted ones that `logins` has by name."""
    known = defaultdict(int)
    for (_username, day, _ip, outcome, _password), counted in logins.items():
        known[day] += counted.count if outcome == "unknown_username" else 0
    rows = apps.get_model("credentials", "RefusedLogins").objects.filter(credential_id=None)
    for row in rows.filter(day__gt=oldest.date()).iterator():
        if (count := row.count - known[row.day]) > 0:
            times = {"first_at": row.last_at, "last_at": row.last_at}
            yield model(username="", day=row.day, ip=row.last_ip or "", outcome=row.cause, count=count, **times)


def _totals(apps, model):
    for row in apps.get_model("credentials", "LoginTotal").objects.iterator():
        times = {"first_at": row.last_at, "last_at": row.last_at}
        yield model(username="*", day=row.last_at.date(), outcome=row.outcome, count=row.count, **times)


class Migration(migrations.Migration):
    dependencies = [("credentials", "0007_login_day")]
    # Going back nothing is moved: charts and counts begin anew, last uses and refusals stay at their SMTP users.
    operations = [migrations.RunPython(move, migrations.RunPython.noop, elidable=True)]
