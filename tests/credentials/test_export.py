"""The list and the Activity page as CSV: read back, harmless in a spreadsheet, in constant queries."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from audit.models import Event
from credentials.models import Credential
from domains.models import Domain
from tests.factories import SYSTEM, make_credential, make_domain, password_of
from tests.http import smtp_url
from web.csv_export import safe

pytestmark = pytest.mark.django_db
ACTIVITY = "/domains/sl.example.com/activity/export/"
HOSTILE = {
    '=HYPERLINK("http://evil.example";"x")': '\'=HYPERLINK("http://evil.example";"x")',
    "+1": "'+1",
    "-1+1|cmd": "'-1+1|cmd",
    "@SUM(1)": "'@SUM(1)",
    "＝1+1": "'＝1+1",
    "shop;=1+1": "shop;'=1+1",
    "shop; @x": "shop;' @x",
    'say "hi", he said': 'say "hi", he said',
    "متجر": "متجر",
    "a-b=c": "a-b=c",
    "'=1": "'=1",
}


def body(response):
    return b"".join(response.streaming_content)


def table(response):
    return list(csv.DictReader(io.StringIO(body(response).decode("utf-8-sig"), newline="")))


def export(domain):
    return f"{smtp_url(domain)}export/"


@pytest.mark.parametrize(("label", "cell"), HOSTILE.items())
def test_no_label_is_a_formula_and_each_reads_back(as_alice, domain, label, cell):
    make_credential(domain, label=label)
    (row,) = table(as_alice.get(export(domain)))
    assert row["Label"] == cell
    rows = table(as_alice.get(ACTIVITY))
    assert all(value[:1] not in "=+-@" for row in rows for value in row.values() if value)


@pytest.mark.parametrize("cell", ["\t=1", "\r=1", "\n=1", "  =1", "a\t=1", " +1"])
def test_csv_neutralizes_formulas_that_no_label_can_contain(cell):
    assert safe(cell)[:1] == "'" or safe(cell) == "a\t'=1"


def test_csv_has_what_the_list_shows_and_no_secret(as_alice, alice, domain):
    created = datetime(2022, 4, 11, 14, 3, 22, 999, tzinfo=UTC)
    credential = make_credential(
        domain,
        label="Shop",
        created_at=created,
        created_by=alice,
        last_used_at=created + timedelta(days=1),
        last_used_ip="2001:db8::1",
        allowed_networks="192.0.2.0/24,2001:db8::/32",
        expires_at=created + timedelta(days=9999),
    )
    response = as_alice.get(export(domain))
    content = body(response)
    (row,) = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    assert row == {
        "Label": "Shop",
        "Username": credential.username,
        "Host": "smtp.sendlayer.net",
        "Port": "587",
        "Created": "2022-04-11T14:03:22+00:00",
        "Created by": "alice@example.com",
        "Last used": "2022-04-12T14:03:22+00:00",
        "Last used from": "2001:db8::1",
        "State": "active",
        "Allowed networks": "192.0.2.0/24, 2001:db8::/32",
        "Expires": "2049-08-26T14:03:22+00:00",
    }
    for secret in (password_of(credential), credential.password_sealed, credential.verifier):
        assert secret.encode() not in content


def test_csv_state_is_the_outcome_of_a_login(as_alice, domain):
    now = timezone.now()
    for fields in ({}, {"suspended_at": now}, {"expires_at": now}):
        make_credential(domain, **fields)
    assert [row["State"] for row in table(as_alice.get(export(domain)))] == ["active", "suspended", "expired"]
    Domain.objects.update(suspended_at=now)
    assert table(as_alice.get(export(domain)))[0]["State"] == "domain suspended"


@pytest.mark.parametrize(("path", "name"), [("smtp", "smtp-credentials"), ("activity", "activity")])
def test_csv_is_a_download_that_no_cache_stores(as_alice, credential, path, name):
    response = as_alice.get(ACTIVITY if path == "activity" else export(credential.domain))
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == f'attachment; filename="sl.example.com-{name}.csv"'
    assert response["Cache-Control"] == "no-store"
    content = body(response)
    assert content.startswith(b'\xef\xbb\xbf"') and content.endswith(b'"\r\n')
    assert content.count(b"\n") == content.count(b"\r\n")


def test_csv_follows_the_search(as_alice, domain):
    made = [make_credential(domain, label=label) for label in ("Shop one", "Blog", "Shop two")]
    rows = table(as_alice.get(export(domain), {"q": "shop"}))
    assert [row["Username"] for row in rows] == [made[0].username, made[2].username]
    assert table(as_alice.get(export(domain), {"q": "\x00nothing"})) == []


def test_export_link_includes_the_search(as_alice, domain):
    make_credential(domain, label='a&b"')
    page = as_alice.get(smtp_url(domain), {"q": 'a&b"'}).content.decode()
    assert f'href="{export(domain)}?q=a%26b%22"' in page


def test_activity_csv_reads_like_the_page(as_alice, alice, credential):
    credential.rename("Shop & <Blog>", by=SYSTEM)
    credential.suspend(by=SYSTEM, reason="abuse")
    as_alice.post(smtp_url(credential, "copy"), headers={"Accept": "text/plain"})
    copied, suspended, labelled, *_ = table(as_alice.get(ACTIVITY))
    short = credential.username[:8]
    assert copied["What"] == f"copied the password of {short}… Shop & <Blog>"
    assert (copied["Who"], copied["SMTP user"]) == ("alice@example.com", credential.username)
    assert copied["IP address"] == "127.0.0.1" and datetime.fromisoformat(copied["Time"]).tzinfo == UTC
    assert suspended["What"] == f"suspended the SMTP user {short}… Shop & <Blog> (reason: abuse)"
    assert labelled["What"] == f"labelled {short}… “Shop & <Blog>”"


def test_csv_files_have_no_rows_of_other_domains(as_alice, domain):
    theirs = make_credential(make_domain("other.example.com"))
    assert table(as_alice.get(export(domain))) == []
    assert theirs.username.encode() not in body(as_alice.get(ACTIVITY))


@pytest.mark.parametrize("number", [1, 1200])
def test_csv_needs_constant_queries(as_alice, domain, number, django_assert_num_queries):
    first = make_credential(domain)
    columns = {name: getattr(first, name) for name in ("password_sealed", "verifier", "password_changed_at")}
    Credential.objects.bulk_create(Credential(domain=domain, **columns) for _ in range(number - 1))
    Event.objects.bulk_create(Event(tag="domain.added", domain=domain) for _ in range(number))
    for url in (export(domain), ACTIVITY):
        # Session, person, domain with role, rows.
        with django_assert_num_queries(4):
            assert len(table(as_alice.get(url))) >= number


def test_csv_rows_are_streamed(as_alice, domain, django_assert_num_queries):
    make_credential(domain)
    with django_assert_num_queries(3):
        response = as_alice.get(export(domain))
    with django_assert_num_queries(1):
        body(response)
