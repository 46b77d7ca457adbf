"""A thousand or a million rows by INSERT … SELECT, each a copy of one that the product made.

Columns that are not named here are the copied row's, so a new one needs no change.
"""

# ruff: noqa: S608  (names of tables and columns of our models)

import secrets

from django.db import connection

from accounts.models import User
from audit.models import Event
from bench import site
from credentials.models import Credential, LoginDay
from credentials.outcome import Outcome
from domains.models import Domain, Membership
from tests.factories import SYSTEM, make_use
from vault import keyring

FIRST = 10_000  # the first primary key of a copy
PER_USER = 5  # domains
MIN_USERS = 60  # more than a page of the admin
# More rows than a page has in a database of any size: the oldest, and a thousandth of the others.
RARE = "({0} %% 2 = 0 AND {0} <= 120 OR {0} %% 1000 = 1)"
SQLITE, POSTGRESQL = "sqlite", "postgresql"
NUMBERS = {
    SQLITE: "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {0}) SELECT n FROM s",
    POSTGRESQL: "SELECT generate_series(1, {0}) AS n",
}
UUID = {SQLITE: "lower(hex(randomblob(16)))", POSTGRESQL: "gen_random_uuid()"}
USERNAME = {SQLITE: "hex(randomblob(16))", POSTGRESQL: "upper(md5(random()::text || s.n))"}
HOURS_AGO = {
    SQLITE: "strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now', '-' || ({}) || ' hours')",
    POSTGRESQL: "now() - ({}) * interval '1 hour'",
}
DAYS_AGO = {SQLITE: "date('now', '-' || ({}) || ' days')", POSTGRESQL: "current_date - ({})::int"}
SITES = ("Shop", "Newsletter", "WordPress", "Billing", "Wiki", "Monitoring", "CRM", "Intranet")


def fill_agency(domains, word, address, issued) -> str:
    """Give the owner that many domains, and a credential its use; return a staff member's Cookie header."""
    owner = User.objects.get(email="bench@example.com")
    for number in range(1, domains):
        domain = Domain.objects.add(f"agency{number}.example.com", by=site.actor(owner))
        domain.authorize(by=site.actor(owner))
    for username, _password in issued:
        credential = Credential.objects.get(username=username)
        make_use(credential, address, number=7)
        make_use(credential, address, outcome=Outcome.WRONG_PASSWORD)
    credential.rename(word, by=SYSTEM)
    staff = User.objects.create_user("staff@example.org", secrets.token_hex(), is_staff=True, is_superuser=True)
    return site.cookie_of(staff)


def fill(credentials, domains):
    """Copy users, domains, credentials with one event and two days of logins each; refresh the statistics."""
    keyring.plant()  # otherwise the site would try the last copy's password at its start
    users = max(MIN_USERS, domains // PER_USER)
    owner, domain = User.objects.get(email="bench@example.com"), Domain.objects.earliest("pk")
    number = NUMBERS[connection.vendor].format
    user = {"id": f"{FIRST} + s.n", "email": "'user' || s.n || '@example.net'", "name": "'User ' || s.n"}
    _copy(owner, number(users), **user, is_staff="false", is_superuser="false")
    _copy(owner.emailaddress_set.get(), number(users), user_id=user["id"], email=user["email"])
    name = "'site' || s.n || '.example.net'"
    may_send = {
        "authorized_at": "CASE WHEN s.n %% 10 = 5 THEN NULL ELSE t.authorized_at END",
        "suspended_at": f"CASE WHEN {RARE.format('s.n')} THEN {_ago('s.n %% 900')} END",
    }
    names = {"name": name, "display_name": name}
    by = {"created_by_id": f"{FIRST} + 1 + s.n %% {users}"}
    _copy(
        domain, number(domains), id=f"{FIRST} + s.n", **names, **may_send, **by, created_at=_ago("s.n %% 9000")
    )
    member = {
        "user_id": by["created_by_id"],
        "domain_id": f"{FIRST} + s.n",
        "public_id": UUID[connection.vendor],
    }
    _copy(Membership.objects.earliest("pk"), number(domains), **member)
    _fill_credentials(number(credentials), domains, by)
    _fill_uses()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == POSTGRESQL else "ANALYZE")


def _fill_credentials(numbers, domains, by):
    used, rare = "CASE WHEN s.n %% 5 > 0 THEN {} END", RARE.format("s.n")
    sites = " ".join(f"WHEN {place} THEN '{site}'" for place, site in enumerate(SITES))
    _copy(
        Credential.objects.latest("pk"),
        numbers,
        id=f"{FIRST} + s.n",
        domain_id=f"{FIRST} + 1 + s.n %% {domains}",
        username=USERNAME[connection.vendor],
        label=f"CASE s.n %% {len(SITES)} {sites} END || ' ' || s.n",
        last_used_at=used.format(_ago("s.n %% 2500")),
        last_used_ip=used.format(_ip()),
        expires_at=f"CASE WHEN {RARE.format('(s.n + 1)')} OR s.n %% 50 = 3 THEN {_ago('s.n %% 900 + 1')} END",
        suspended_at=f"CASE WHEN {rare} THEN {_ago('s.n %% 900')} END",
        created_at=_ago("s.n %% 9000"),
        **by,
    )


def _fill_uses():
    """One event and one day of logins a credential, and refused ones of every fourth."""
    rows = f"SELECT id AS n, username, domain_id FROM {Credential._meta.db_table} WHERE id > {FIRST}"
    of = {"username": "s.username", "domain_id": "s.domain_id"}
    tags = f"CASE WHEN {RARE.format(f'(s.n - {FIRST})')} THEN 'credential.deleted' ELSE t.tag END"
    _copy(
        Event.objects.filter(tag="credential.created").latest("pk"),
        rows,
        tag=tags,
        credential="s.username",
        domain_id="s.domain_id",
        domain_name="'site' || (s.domain_id - 10000) || '.example.net'",
        actor_id=f"{FIRST} + 1 + s.n %% 1000",
        actor_name="'user' || (s.n %% 1000) || '@example.net'",
        number="NULL",
        at=_ago("s.n %% 9000"),
    )
    when = {"ip": _ip(), "day": DAYS_AGO[connection.vendor].format("s.n %% 29"), "last_at": _ago("s.n %% 700")}
    uses = LoginDay.objects.exclude(username="*")
    _copy(uses.filter(outcome=Outcome.ACCEPTED).latest("pk"), rows, **of, **when)
    refused = uses.exclude(outcome=Outcome.ACCEPTED).latest("pk")
    _copy(refused, f"{rows} AND id %% 4 = 0", **of, **when)


def _ago(hours) -> str:
    return HOURS_AGO[connection.vendor].format(hours)


def _ip() -> str:
    text = "'10.' || s.n / 65536 %% 256 || '.' || s.n / 256 %% 256 || '.' || s.n %% 256"
    return f"CAST({text} AS inet)" if connection.vendor == POSTGRESQL else text


def _copy(row, numbers, **columns):
    """Insert a copy of a row for each row `s` of a query, with these columns by SQL."""
    meta = row._meta
    names = [field.column for field in meta.concrete_fields if field.column in columns or not field.primary_key]
    values = ", ".join(columns.get(name, f't."{name}"') for name in names)
    quoted = ", ".join(f'"{name}"' for name in names)
    source = f"({numbers}) AS s, {meta.db_table} AS t WHERE t.id = %s"
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {meta.db_table} ({quoted}) SELECT {values} FROM {source}", [row.pk])
