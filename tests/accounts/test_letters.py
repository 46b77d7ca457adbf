"""E-mails to users through a real SMTP server: queued with the act, sent once, retried, finally dropped."""

import email
import smtplib
from datetime import timedelta
from email import policy

import pytest
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from accounts import emails
from accounts.emails import Letter
from audit.models import Event
from tests.factories import SYSTEM, make_user, password_of
from tests.servers import free_port
from tests.submission.next_hop_server import SinkServer

pytestmark = pytest.mark.django_db
BACKEND = "django.core.mail.backends.smtp.EmailBackend"


@pytest.fixture
def server(settings):
    """A mail server that accepts the dashboard's mail."""
    with SinkServer() as server:
        settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = BACKEND, "127.0.0.1", server.port
        yield server


def received(server):
    return [
        (to, email.message_from_bytes(content, policy=policy.default))
        for _, to, content in server.sink.messages
    ]


def parts(message):
    text, html = (message.get_body((kind,)).get_content() for kind in ("plain", "html"))
    return text, html


def later():
    """Make all queued letters due."""
    Letter.objects.update(due_at=timezone.now())


def test_owners_get_an_email_about_a_reset_as_text_and_html(server, credential, bob):
    credential.rename("Shop & <Blog>", by=SYSTEM)
    credential.reset_password(by=SYSTEM)
    assert emails.deliver() == (1, 0)
    ((to, message),) = received(server)
    text, html = parts(message)
    assert to == ["alice@example.com"]
    assert message["Subject"] == "SMTP password reset for sl.example.com"
    assert message["Auto-Submitted"] == "auto-generated"
    assert f"{credential.username} (Shop & <Blog>)" in text
    assert "Shop &amp; &lt;Blog&gt;" in html
    for body in (text, html):
        assert "http://127.0.0.1:8000/domains/sl.example.com/settings/smtp/" in body
        assert "http://127.0.0.1:8000/account/notifications/" in body
        assert password_of(credential) not in body


def test_letter_links_are_correct_when_dashboard_url_ends_with_a_slash(server, credential, settings):
    settings.DASHBOARD_URL = "https://send.example.com/"
    credential.reset_password(by=SYSTEM)
    emails.deliver()
    for body in parts(received(server)[0][1]):
        assert "https://send.example.com/account/notifications/" in body
        assert "https://send.example.com/domains/" in body


def test_owners_get_an_email_about_a_deletion(server, credential):
    credential.remove(by=SYSTEM)
    emails.deliver()
    ((_, message),) = received(server)
    assert message["Subject"] == "SMTP user deleted for sl.example.com"


def test_letter_goes_to_active_owners_who_want_it_only(server, credential, domain, alice):
    make_owner = domain.memberships.create
    for name, fields in {"quiet": {"tell_credentials": False}, "gone": {"is_active": False}}.items():
        make_owner(user=make_user(f"{name}@example.com", **fields), role="owner")
    credential.reset_password(by=SYSTEM)
    emails.deliver()
    assert [to for to, _ in received(server)] == [["alice@example.com"]]


def test_failed_act_leaves_no_letter(credential):
    with pytest.raises(RuntimeError), transaction.atomic():
        credential.reset_password(by=SYSTEM)
        raise RuntimeError
    assert not Letter.objects.exists()


def test_queued_letters_are_sealed():
    emails.post("alice@example.com", "Choose a new password", "https://mail.example.com/key/x")
    (stored,) = Letter.objects.values_list("sealed", flat=True)
    assert stored.startswith("v1.k1.")


def test_letter_is_deleted_after_it_is_sent_once(server):
    emails.post("alice@example.com", "Hello\nBcc: x@example.org", "Text")
    emails.deliver()
    emails.deliver()
    ((to, message),) = received(server)
    assert (to, message["Subject"], message["Bcc"]) == (["alice@example.com"], "Hello Bcc: x@example.org", None)
    assert not Letter.objects.exists()


def test_letter_is_sent_by_one_of_two_processes(server):
    emails.post("alice@example.com", "Hello", "Text")
    one, other = Letter.objects.get(), Letter.objects.get()
    assert (one.claim(), other.claim()) == (True, False)


def test_letter_is_sent_later_when_the_mail_server_is_down(server, settings):
    emails.post("alice@example.com", "Hello", "Text")
    settings.EMAIL_PORT = free_port()
    assert emails.deliver() == (0, 1)
    assert Letter.objects.get().due_at > timezone.now() + timedelta(seconds=50)
    assert emails.deliver() == (0, 0)
    settings.EMAIL_PORT = server.port
    later()
    assert emails.deliver() == (1, 0)


def test_permanently_refused_letter_does_not_delay_others(server, capsys):
    for to in ("r550@example.org", "r450@example.org", "alice@example.com"):
        emails.post(to, "Hello", "Text")
    call_command("deliver_letters")
    assert capsys.readouterr().out == "1 sent, 2 not sent.\n"
    assert list(Letter.objects.values_list("to", flat=True)) == ["r450@example.org"]


def test_letter_is_retried_for_two_days_then_dropped(monkeypatch):
    def down(self):
        raise smtplib.SMTPServerDisconnected

    monkeypatch.setattr("django.core.mail.EmailMultiAlternatives.send", down)
    emails.post("alice@example.com", "Hello", "Text")
    waited = timedelta(0)
    while letter := Letter.objects.first():
        asked_at = timezone.now()
        assert emails.deliver() == (0, 1)
        if left := Letter.objects.first():
            waited += left.due_at - asked_at
        later()
    assert letter is None and timedelta(days=2) < waited < timedelta(days=3)


def test_delivery_thread_starts_after_the_commit(monkeypatch, django_capture_on_commit_callbacks):
    started = []
    monkeypatch.setattr(emails, "start_delivery", lambda: started.append(True))
    with django_capture_on_commit_callbacks(execute=True):
        emails.post("alice@example.com", "Hello", "Text")
        assert not started
    assert started


class TestSwitches:
    URL = "/account/notifications/"

    def test_notifications_are_on_until_the_user_turns_them_off(self, as_alice, alice):
        assert as_alice.get(self.URL).content.decode().count(" checked") == 3
        assert as_alice.post(self.URL, {"tell_dns": "on"})["Location"] == self.URL
        alice.refresh_from_db()
        assert (alice.tell_dns, alice.tell_members, alice.tell_credentials) == (True, False, False)
        event = Event.objects.get(tag="account.notifications_set")
        assert event.data == {"tell_dns": True, "tell_members": False, "tell_credentials": False}

    def test_notifications_form_changes_no_other_field(self, as_alice, alice):
        as_alice.post(self.URL, {"is_staff": "on", "email": "x@example.com"})
        alice.refresh_from_db()
        assert (alice.is_staff, alice.email) == (False, "alice@example.com")
