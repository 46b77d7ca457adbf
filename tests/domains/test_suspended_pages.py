"""What members of a suspended domain read: on each page, in the numbers, in refusals and in their letters."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

import audit
from credentials.models import Credential
from credentials.outcome import Outcome
from tests.factories import SYSTEM, make_credential, make_domain, make_use, make_user, password_of
from tests.http import delivered, sign_in, smtp_url, text

pytestmark = pytest.mark.django_db
HOME = "/domains/sl.example.com/"
BANNER = "Support suspended this domain on"
REASON = "Phishing was reported"
PAGES = (
    "",
    "activity/",
    "settings/",
    "settings/dns/",
    "settings/smtp/",
    "settings/smtp/deleted/",
    "settings/members/",
)
CREDENTIAL_PAGES = ("page", "reveal", "reset")


@pytest.fixture
def suspended(domain, credential):
    domain.suspend(by=SYSTEM, reason=REASON)
    return domain


def flat(response) -> str:
    return " ".join(text(response).split())


@pytest.mark.parametrize("path", PAGES)
def test_each_page_says_that_domain_is_suspended_and_why(as_alice, suspended, path):
    page = flat(as_alice.get(HOME + path))
    assert page.count(BANNER) == 1 and f"Reason: <bdi>{REASON}</bdi>" in page
    suspended.resume(by=SYSTEM, reason="It was a mistake")
    assert BANNER not in text(as_alice.get(HOME + path))


@pytest.mark.parametrize("act", CREDENTIAL_PAGES)
def test_pages_of_credential_say_that_domain_is_suspended(as_alice, credential, suspended, act):
    assert flat(as_alice.get(smtp_url(credential, act))).count(BANNER) == 1


def test_viewer_reads_the_reason(client, bob, suspended):
    assert REASON in text(sign_in(client, bob).get(HOME))


def test_suspension_without_reason_says_whom_to_ask(as_alice, domain):
    domain.suspend(by=SYSTEM)
    assert "Support gave no reason." in text(as_alice.get(HOME))


def test_reason_is_shown_as_text(as_alice, domain):
    domain.suspend(by=SYSTEM, reason="<script>alert(1)</script>")
    assert "&lt;script&gt;" in text(as_alice.get(HOME)) and "<script>alert" not in text(as_alice.get(HOME))


def test_add_is_disabled_with_the_reason_beside_it(as_alice, suspended):
    page = flat(as_alice.get(smtp_url(suspended)))
    assert 'disabled aria-describedby="why-no-add">Add New SMTP User</button>' in page
    assert 'id="why-no-add">Not while the domain is suspended.' in page
    assert 'id="add"' not in page
    said = text(as_alice.post(smtp_url(suspended, "add"), follow=True))
    assert "No SMTP user was added: support suspended this domain. Contact support." in said
    assert suspended.credentials.count() == 1


def test_viewer_gets_no_disabled_button(client, bob, suspended):
    assert "Add New SMTP User" not in text(sign_in(client, bob).get(smtp_url(suspended)))


def test_no_credential_of_suspended_domain_counts_as_in_use(as_alice, domain):
    now = timezone.now()
    make_use(make_credential(domain), at=now)
    make_credential(domain, expires_at=now + timedelta(days=2))
    make_credential(domain, suspended_at=now)

    def tiles():
        return re.findall(r"<strong>(\d+)</strong>", text(as_alice.get(HOME)))

    assert (tiles()[0], tiles()[3]) == ("1", "1")
    domain.suspend(by=SYSTEM, reason=REASON)
    assert (tiles()[0], tiles()[3]) == ("0", "3")
    assert "none while the domain is suspended" in text(as_alice.get(HOME))


def test_refused_login_is_called_domain_suspended(as_alice, credential, suspended):
    login = Credential.objects.authenticate(credential.username, password_of(credential))
    assert login.outcome is Outcome.DOMAIN_SUSPENDED
    make_use(credential, "192.0.2.1", outcome=login.outcome)
    assert "from 192.0.2.1: domain suspended." in flat(as_alice.get(smtp_url(suspended)))
    assert "refused since yesterday (domain suspended)" in flat(as_alice.get(HOME))
    details = flat(as_alice.get(smtp_url(credential, "page")))
    assert "Domain suspended" in details and "until support resumes it" in details
    assert "wasn't authorized" not in details


@pytest.mark.parametrize(
    "line",
    [
        "535 5.7.8 Authentication credentials invalid",
        "550 5.7.1 This SMTP user is no longer valid, message not accepted",
        "553 5.7.1 <info@sl.example.com>: Sender address rejected: not owned by user 0F",
    ],
)
def test_explain_says_domain_suspended(as_alice, credential, suspended, line):
    answer = flat(as_alice.post(smtp_url(credential, "explain"), {"line": line}))
    assert "Domain suspended" in answer and "Support suspended sl.example.com" in answer


class TestLetters:
    def test_owners_are_notified_of_suspension_and_resumption(self, domain, alice, bob):
        olga = make_user("olga@example.com", tell_credentials=False, tell_dns=False, tell_members=False)
        domain.memberships.create(user=olga, role="owner")
        domain.suspend(by=SYSTEM, reason=REASON)
        letters = delivered()
        assert sorted(letter.to[0] for letter in letters) == [alice.email, olga.email]
        assert {letter.subject for letter in letters} == {"Support suspended sl.example.com"}
        assert f"Reason: {REASON}" in letters[0].body and HOME in letters[0].body
        domain.suspend(by=SYSTEM, reason="again")
        assert len(delivered()) == 2
        domain.resume(by=SYSTEM, reason="Cleared")
        letter = delivered()[-1]
        assert letter.subject == "Support resumed sl.example.com" and "Reason: Cleared" in letter.body
        assert "accepted again, with the same passwords" in letter.body

    def test_letter_without_reason_has_no_empty_line_for_it(self, domain):
        domain.suspend(by=SYSTEM)
        assert "Reason" not in delivered()[-1].body and "\n\n\n" not in delivered()[-1].body


@pytest.mark.django_db(transaction=True)
def test_migration_copies_the_reason_of_domains_that_are_suspended():
    leaves = MigrationExecutor(connection).loader.graph.leaf_nodes()
    held, free = make_domain("held.example"), make_domain("free.example")
    for domain, reason in ((held, "first"), (held, REASON), (free, "over")):
        audit.record("domain.suspended", by=SYSTEM, domain=domain, data={"reason": reason})
    type(held).objects.filter(pk=held.pk).update(suspended_at=timezone.now())
    try:
        MigrationExecutor(connection).migrate([("domains", "0003_invitations")])
    finally:
        MigrationExecutor(connection).migrate(leaves)
    held.refresh_from_db()
    free.refresh_from_db()
    assert (held.suspended_reason, free.suspended_reason) == (REASON, "")
