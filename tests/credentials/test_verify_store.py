"""`manage.py verify_store` finds what is inconsistent, and names it."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts import emails
from accounts.emails import Letter
from audit.models import Event
from credentials.integrity import faults
from credentials.models import Credential
from tests.accounts.codes import make_totp
from tests.factories import SYSTEM, make_credential, make_domain

pytestmark = pytest.mark.django_db


@pytest.fixture
def life(alice, domain):
    """Credentials that went through everything; return the first."""
    make_totp(alice)
    emails.post("alice@example.com", "Hello", "sl_secret")
    first, second, third, fourth = (make_credential(domain, label=f"Site {number}") for number in range(4))
    first.reset_password(by=SYSTEM)
    first.reset_password(by=SYSTEM, keep_old_for=timedelta(hours=1))
    second.suspend(by=SYSTEM)
    third.remove(by=SYSTEM)
    return first


def said(username):
    return [fault for fault in faults() if username in fault]


def test_verify_store_finds_no_fault_after_the_usual_acts(life, capsys):
    call_command("verify_store")
    assert "3 SMTP users: everything agrees." in capsys.readouterr().out


def test_verify_store_finds_no_fault_after_a_domain_was_deleted(life):
    other = make_domain("other.example.com")
    make_credential(other)
    other.delete()
    assert list(faults()) == []


def swapped(life):
    other = Credential.objects.exclude(pk=life.pk).first()
    Credential.objects.filter(pk=life.pk).update(password_sealed=other.password_sealed)


def torn(life):
    other = Credential.objects.exclude(pk=life.pk).first()
    Credential.objects.filter(pk=life.pk).update(verifier=other.verifier)


def reset_without_event(life):
    Event.objects.filter(credential=life.username, tag="credential.reset").first().delete()


def changed_by_hand(life):
    Credential.objects.filter(pk=life.pk).update(password_changed_at=life.created_at - timedelta(days=1))


def added_by_hand(life):
    Event.objects.filter(credential=life.username).delete()


def gone_without_event(life):
    Credential.objects.filter(pk=life.pk).delete()


def back_from_the_dead(life):
    Event.objects.create(tag="credential.deleted", credential=life.username, domain=life.domain, actor_name="x")


def let_in(life):
    other = Credential.objects.exclude(pk=life.pk).first()
    life.reset_password(by=SYSTEM)
    until = timezone.now() + timedelta(hours=1)
    Credential.objects.filter(pk=life.pk).update(previous_verifier=other.verifier, previous_valid_until=until)


def kept_for_longer(life):
    Credential.objects.filter(pk=life.pk).update(previous_valid_until=timezone.now() + timedelta(days=30))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (let_in, "no event records that its old password is kept"),
        (kept_for_longer, "no event records that its old password is kept this long"),
        (swapped, "can't be unsealed"),
        (torn, "does not match its verifier"),
        (reset_without_event, "1 events record a reset"),
        (changed_by_hand, "no event records the last change"),
        (added_by_hand, "no event records it"),
        (gone_without_event, "it is missing"),
        (back_from_the_dead, "1 events record that it was deleted"),
    ],
)
def test_verify_store_names_each_kind_of_fault(life, spoil, words, capsys):
    spoil(life)
    with pytest.raises(CommandError, match="1 fault"):
        call_command("verify_store")
    line = capsys.readouterr().err
    assert life.username in line and words in line and "sl_" not in line


def test_verify_store_unseals_letters_too(life):
    Letter.objects.update(sealed="v1.k9.AAAA")
    assert {fault.partition(",")[0] for fault in faults()} == {"letters"}


def test_verify_store_needs_constant_queries(domain, django_assert_max_num_queries):
    for _ in range(30):
        make_credential(domain)
    with django_assert_max_num_queries(10):
        assert list(faults()) == []
