"""Fill one database and print the milliseconds of each page as JSON."""

import json
import os
import sys
import time
from pathlib import Path
from urllib.parse import urlencode

from bench import pages, site

AGENCY = 60  # domains of one owner, in a database of any size
PER_DOMAIN = 10  # credentials
WORD, ADDRESS = "Zeppelin", "203.0.113.7"


def main(credentials: int):
    site.manage("migrate", "-v0")
    site.manage("collectstatic", "--no-input", "-v0")
    started = time.monotonic()
    owner, _domain, issued = site.fill()
    from bench.scale import rows

    staff = rows.fill_agency(AGENCY, WORD, ADDRESS, issued)
    rows.fill(credentials - len(issued), credentials // PER_DOMAIN)
    print(f"{credentials} SMTP users in {time.monotonic() - started:.0f} s", file=sys.stderr)
    paths = [
        (cookie, name, path) for cookie, found in ((owner, own()), (staff, admin())) for name, path in found
    ]
    print(json.dumps(measure(paths)))


def own():
    """The pages of a member."""
    from django.urls import reverse

    from credentials.models import Credential

    credential = Credential.objects.get(label=WORD)
    domain = credential.domain.name
    yield "SMTP Credentials", reverse("credentials:list", args=[domain])
    for query in ("q=zeppelin", "state=unused", "sort=last-used"):
        yield f"SMTP Credentials, {query}", f"{reverse('credentials:list', args=[domain])}?{query}"
    yield "an SMTP user's page", credential.get_absolute_url()
    yield "Overview", reverse("credentials:overview", args=[domain])
    yield "Activity", reverse("audit:activity", args=[domain])
    yield f"/domains/ of {AGENCY}", reverse("credentials:domains")


def admin():
    """The pages of the support admin."""
    from django.urls import reverse

    from credentials.models import Credential

    credential = Credential.objects.get(label=WORD)
    searches = {
        "username": credential.username,
        "short username": credential.short_username,
        "domain": credential.domain.name,
        "member": "bench@example.com",
        "IP": ADDRESS,
    }
    lists = {
        "users": (
            "accounts_user",
            {"e-mail": "bench@example.com", "part of one": "bench@"},
            ["is_staff__exact=1"],
        ),
        "domains": ("domains_domain", {"part of a name": "sl.exam"} | searches, ["state=suspended"]),
        "credentials": (
            "credentials_credential",
            {"label": WORD.lower(), "label and domain": "zepp sl.example"} | searches,
            ["state=suspended", "state=expired", "state=domain_not_authorized", "used=1", "used=never", "o=1"],
        ),
        "refused": ("credentials_refusedlogins", searches, ["cause=expired"]),
        "events": ("audit_event", searches, ["tag=credential.deleted"]),
    }
    for name, (model, found, filters) in lists.items():
        path = reverse(f"admin:{model}_changelist")
        yield f"admin: {name}", path
        for what, text in found.items():
            yield f"admin: {name} by {what}", f"{path}?{urlencode({'q': text})}"
        for query in filters:
            yield f"admin: {name}, {query}", f"{path}?{query}"
    yield "admin: a domain", reverse("admin:domains_domain_change", args=[credential.domain_id])
    yield "admin: a credential", reverse("admin:credentials_credential_change", args=[credential.pk])


def measure(paths) -> dict[str, float]:
    """Return the CPU milliseconds of each page, the database server's included."""
    from sendlayer.wsgi import application

    cheapest = {}
    for cookie, name, path in paths:
        seconds = []
        pages.get(application, path, cookie)  # compiles templates
        began = time.monotonic()
        while len(seconds) < 3 or (len(seconds) < 20 and time.monotonic() - began < 1):
            before = cpu_of_servers()
            seconds.append(pages.get(application, path, cookie) + cpu_of_servers() - before)
        cheapest[name] = min(seconds) * 1000
    return cheapest


def cpu_of_servers() -> float:
    """The CPU seconds that the processes of this process's connections to PostgreSQL took so far."""
    if "postgres" not in os.environ["DATABASE_URL"]:
        return 0
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE backend_type LIKE '%%client%%'")
        processes = [pid for (pid,) in cursor.fetchall()]
    return sum(int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) for pid in processes) / 1e9


if __name__ == "__main__":
    main(int(sys.argv[1]))
