"""The acts of the Credential model: issue, authenticate, reveal, reset, suspend, rename, remove."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.views.debug import ExceptionReporter
from passlib.hash import ldap_salted_sha512

from audit.models import Event
from credentials.models import Credential, PasswordChanged
from credentials.outcome import Outcome
from domains.models import Domain
from tests.factories import SYSTEM, make_credential, make_domain, password_of
from vault import cipher

pytestmark = pytest.mark.django_db


def login(credential, password):
    return Credential.objects.authenticate(credential.username, password).outcome


def tags():
    return list(Event.objects.order_by("pk").values_list("tag", flat=True))


def test_issue_returns_the_password_and_keeps_it_only_sealed(domain):
    credential, password = domain.credentials.issue(by=SYSTEM)
    row = Credential.objects.filter(pk=credential.pk).values().get()
    assert password not in str(row) + repr(credential) + str(vars(credential))
    assert login(credential, password) is Outcome.ACCEPTED
    assert tags()[-1] == "credential.created"


def test_one_press_of_add_makes_one_credential(domain):
    key = "6f1c5a34-0000-4000-8000-000000000001"
    first, created = domain.credentials.issue_once(key, by=SYSTEM)
    second, again = domain.credentials.issue_once(key, by=SYSTEM)
    assert (created, again) == (True, False)
    assert first == second
    assert domain.credentials.count() == 1
    assert tags().count("credential.created") == 1


def test_issue_key_of_another_domain_creates_none(domain):
    key = "6f1c5a34-0000-4000-8000-000000000001"
    domain.credentials.issue_once(key, by=SYSTEM)
    other = make_domain("other.example.com")
    with pytest.raises(Domain.DoesNotExist):
        other.credentials.issue_once(key, by=SYSTEM)


@pytest.mark.django_db(transaction=True)  # the database looks at foreign keys when it commits
def test_domain_deleted_in_the_meantime_gets_no_credential(domain):
    Domain.objects.all().delete()
    with pytest.raises(Domain.DoesNotExist):
        domain.credentials.issue_once("6f1c5a34-0000-4000-8000-000000000001", by=SYSTEM)
    assert not Credential.objects.exists() and "credential.created" not in tags()


def test_reset_refuses_the_old_password_at_once(credential):
    old = password_of(credential)
    new = credential.reset_password(by=SYSTEM)
    assert login(credential, old) is Outcome.WRONG_PASSWORD
    assert login(credential, new) is Outcome.ACCEPTED
    assert password_of(credential) == new
    assert tags()[-1] == "credential.reset"


def test_one_of_two_resets_of_the_same_password_wins(credential):
    seen = credential.password_changed_at
    new = credential.reset_password(by=SYSTEM, seen=seen)
    other = Credential.objects.get(pk=credential.pk)
    with pytest.raises(PasswordChanged):
        other.reset_password(by=SYSTEM, seen=seen)
    assert password_of(credential) == new
    assert tags().count("credential.reset") == 1


def test_acts_on_a_removed_credential_raise(credential):
    other = Credential.objects.get(pk=credential.pk)
    password = password_of(credential)
    credential_username = credential.username
    credential.remove(by=SYSTEM)
    assert Credential.objects.authenticate(credential_username, password).outcome is Outcome.UNKNOWN_USERNAME
    for act in (
        lambda: other.reveal("credential.password_shown", by=SYSTEM),
        lambda: other.reset_password(by=SYSTEM),
        lambda: other.rename("x", by=SYSTEM),
        lambda: other.remove(by=SYSTEM),
    ):
        with pytest.raises(Credential.DoesNotExist):
            act()
    assert tags()[-1] == "credential.deleted"


def test_reveal_writes_its_event_first_and_none_when_it_fails(credential):
    assert credential.reveal("credential.password_shown", by=SYSTEM) == password_of(credential)
    assert tags()[-1] == "credential.password_shown"
    Credential.objects.filter(pk=credential.pk).update(password_sealed="v1.gone.AAAA")
    with pytest.raises(cipher.CannotOpen):
        credential.reveal("credential.password_copied", by=SYSTEM)
    assert "credential.password_copied" not in tags()


def test_a_ciphertext_copied_to_another_row_does_not_open(domain):
    mine, theirs = make_credential(domain), make_credential(domain)
    Credential.objects.filter(pk=mine.pk).update(password_sealed=theirs.password_sealed)
    with pytest.raises(cipher.CannotOpen):
        mine.reveal("credential.password_shown", by=SYSTEM)


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({"suspended_at": timezone.now()}, Outcome.SUSPENDED),
        ({"expires_at": timezone.now() - timedelta(seconds=1)}, Outcome.EXPIRED),
        ({"expires_at": timezone.now() + timedelta(hours=1)}, Outcome.ACCEPTED),
    ],
)
def test_only_usable_credentials_are_accepted(domain, change, outcome):
    credential = make_credential(domain, **change)
    assert login(credential, password_of(credential)) is outcome
    usable = Credential.objects.usable(timezone.now()).filter(pk=credential.pk).exists()
    assert usable == (outcome is Outcome.ACCEPTED)


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({"authorized_at": None}, Outcome.DOMAIN_NOT_AUTHORIZED),
        ({"suspended_at": timezone.now()}, Outcome.DOMAIN_SUSPENDED),
        ({"authorized_at": None, "suspended_at": timezone.now()}, Outcome.DOMAIN_SUSPENDED),
    ],
)
def test_no_login_is_accepted_for_a_domain_that_may_not_send(credential, change, outcome):
    Domain.objects.filter(pk=credential.domain_id).update(**change)
    assert login(credential, password_of(credential)) is outcome
    assert not Credential.objects.usable(timezone.now()).exists()


@pytest.mark.parametrize("username", ["", "x", "\x00" * 32, "' OR 1=1 --", "a" * 10_000, "é" * 32])
def test_a_username_of_another_form_is_unknown(username, db):
    assert Credential.objects.authenticate(username, "sl_x").outcome is Outcome.UNKNOWN_USERNAME


def test_usernames_are_case_sensitive(credential):
    lower = credential.username.lower()
    outcome = Credential.objects.authenticate(lower, password_of(credential)).outcome
    assert outcome is (Outcome.ACCEPTED if lower == credential.username else Outcome.UNKNOWN_USERNAME)


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ("{0}\n", Outcome.PADDED_PASSWORD),
        ("\t{0} ", Outcome.PADDED_PASSWORD),
        ("{0}\u00a0", Outcome.PADDED_PASSWORD),
        ("{0}x", Outcome.WRONG_PASSWORD),
        ("sl_" + "0" * 38 + "\n", Outcome.WRONG_PASSWORD),
        ("{0:.20}", Outcome.CUT_PASSWORD),
        ("{0:.40}", Outcome.CUT_PASSWORD),
        ("{0:.4}", Outcome.CUT_PASSWORD),
        ("{0:.3}", Outcome.WRONG_PASSWORD),
        ("{0:.20}-", Outcome.WRONG_PASSWORD),
        ("", Outcome.WRONG_PASSWORD),
        ("sl_" + "0" * 38, Outcome.WRONG_PASSWORD),
    ],
)
def test_wrong_password_is_recognized_by_its_form(credential, change, outcome):
    wrong = change.format(password_of(credential))
    assert login(credential, wrong) is outcome
    assert Credential.objects.authenticate("0" * 32, wrong).outcome is Outcome.UNKNOWN_USERNAME


def test_stale_verifier_is_replaced_at_login(credential):
    password = password_of(credential)
    stale = ldap_salted_sha512.using(salt_size=8).hash(password)
    Credential.objects.filter(pk=credential.pk).update(verifier=stale)
    assert login(credential, password) is Outcome.ACCEPTED
    credential.refresh_from_db()
    assert credential.verifier != stale
    assert login(credential, password) is Outcome.ACCEPTED


def test_suspend_and_resume_say_whether_they_changed_anything(credential):
    assert [credential.suspend(by=SYSTEM, reason="abuse"), credential.suspend(by=SYSTEM)] == [True, False]
    assert login(credential, password_of(credential)) is Outcome.SUSPENDED
    assert [credential.resume(by=SYSTEM), credential.resume(by=SYSTEM)] == [True, False]
    assert login(credential, password_of(credential)) is Outcome.ACCEPTED
    assert tags()[-2:] == ["credential.suspended", "credential.resumed"]
    assert Event.objects.get(tag="credential.suspended").data == {"reason": "abuse"}


def test_the_database_refuses_a_credential_with_one_secret_only(credential):
    for field in ("verifier", "password_sealed"):
        with pytest.raises(IntegrityError), transaction.atomic():
            Credential.objects.filter(pk=credential.pk).update(**{field: ""})


@pytest.mark.parametrize("act", ["issue", "reset", "reveal", "remove", "suspend"])
def test_when_the_event_cannot_be_written_nothing_is_changed_or_shown(credential, act, monkeypatch):
    before = list(Credential.objects.values())

    def refuse(*args, **kwargs):
        raise IntegrityError("audit is down")

    monkeypatch.setattr(Event.objects, "create", refuse)
    acts = {
        "issue": lambda: credential.domain.credentials.issue(by=SYSTEM),
        "reset": lambda: credential.reset_password(by=SYSTEM),
        "reveal": lambda: credential.reveal("credential.password_shown", by=SYSTEM),
        "remove": lambda: credential.remove(by=SYSTEM),
        "suspend": lambda: credential.suspend(by=SYSTEM),
    }
    with pytest.raises(IntegrityError):
        acts[act]()
    assert list(Credential.objects.values()) == before


@pytest.mark.parametrize("act", ["reset_password", "suspend", "remove"])
def test_traceback_of_a_failed_act_shows_no_password(credential, monkeypatch, rf, act):
    password = password_of(credential)
    monkeypatch.setattr("audit.record", None)
    with pytest.raises(TypeError) as failure:
        getattr(credential, act)(by=SYSTEM)
    below = failure.tb.tb_next  # this test's own frame holds it
    report = ExceptionReporter(rf.get("/"), failure.type, failure.value, below).get_traceback_html()
    assert act in report and password not in report
