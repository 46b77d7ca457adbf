"""The pages of Check this credential, against the real listener and faulty servers."""

import base64
import re
import threading
import time
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import Event
from credentials.models import Credential
from domains.models import Domain
from submission.listener import tls
from submission.livecheck import runs
from tests.factories import SYSTEM, make_credential, make_domain, make_user, password_of
from tests.http import text
from tests.servers import free_port
from tests.submission.clients import wait_until
from tests.submission.scripted_server import Scripted, be_silent, echo, hang_up

pytestmark = [pytest.mark.one_database, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def ended():
    """Wait for all runs to end, so that none uses the database of another test."""
    yield
    wait_until(lambda: not [thread for thread in threading.enumerate() if thread.name == "livecheck"])


@pytest.fixture
def own(settings, tmp_path):
    """Certificate and key in the place of those of the dashboard's own listener."""
    settings.SMTP_HOST, settings.VAR_DIR = "localhost", tmp_path
    return tls.self_signed(tmp_path / "tls", "localhost")


@pytest.fixture
def embedded(settings, listener):
    """The real listener is the mail server."""
    settings.SMTP_HOST, settings.SMTP_PORT, settings.VAR_DIR = "127.0.0.1", listener.port, listener.var_dir
    return listener


def url_of(credential):
    return reverse("submission:check", args=[credential.domain.name, credential.username])


def begin(client, credential, **fields) -> str:
    """Press Check without JavaScript; return the address of the run."""
    response = client.post(url_of(credential), fields)
    assert response.status_code == 302
    return response["Location"]


def result(client, address) -> str:
    """The run's page once it has ended."""
    page = wait_until(lambda: (page := text(client.get(address))) and "http-equiv" not in page and page)
    return re.sub(r"&#39;", "'", page)


def check(client, credential, **fields) -> str:
    return result(client, begin(client, credential, **fields))


def titles(page):
    """The title of the result."""
    [title] = re.findall(r"<h3[^>]*><svg.*?</svg>(.*?)</h3>", page)
    return title


class TestAgainstTheListener:
    def test_check_of_a_good_credential_succeeds(self, as_alice, credential, embedded, outbox):
        page = check(as_alice, credential)
        assert titles(page) == "This credential works"
        assert (
            "the sender info@sl.example.com and the recipient alice@example.com. No message was sent." in page
        )
        assert "C: AUTH PLAIN ********\nS: 235 2.7.0 Authentication successful" in page
        assert "C: RSET" in page
        assert outbox() == []

    def test_self_signed_certificate_is_shown_and_explained(self, as_alice, credential, embedded):
        page = check(as_alice, credential)
        assert "* TLSv1.3" in page
        assert "* Certificate: CN=smtp.sendlayer.net" in page
        assert "Clients that verify certificates refuse it until it's replaced" in page

    def test_test_message_is_delivered_to_the_user(self, as_alice, credential, embedded, outbox):
        page = check(as_alice, credential, sends="on")
        assert titles(page) == "This credential works"
        assert "Test message accepted for alice@example.com: 250 2.0.0 OK, message " in page
        [message] = outbox()
        for line in (
            b"From: info@sl.example.com",
            b"To: alice@example.com",
            b"Subject: Test message for sl.example.com",
        ):
            assert line + b"\r\n" in message
        assert len(re.findall(rb"^(?:Date|Message-ID): ", message, re.MULTILINE)) == 2
        assert credential.username.encode() not in message

    def test_check_does_not_count_as_use_of_the_credential(self, as_alice, credential, embedded):
        check(as_alice, credential)
        credential.refresh_from_db()
        assert credential.checked_from == "127.0.0.1"
        assert credential.last_used_at is None
        login = f"AUTH username={credential.username} peer=127.0.0.1 outcome=accepted"
        assert login in embedded.log.read_text()

    def test_check_is_in_the_activity(self, as_alice, credential, embedded):
        check(as_alice, credential)
        event = Event.objects.get(tag="credential.checked")
        assert (event.actor_name, event.credential) == ("alice@example.com", credential.username)
        activity = text(as_alice.get(reverse("audit:activity", args=[credential.domain.name])))
        assert "with a test login" in activity

    @pytest.mark.parametrize(
        ("fields", "title"),
        [
            ({"suspended_at": timezone.now()}, "This SMTP user is suspended"),
            ({"expires_at": timezone.now() - timedelta(days=1)}, "This SMTP user has expired"),
            ({"allowed_networks": "192.0.2.0/24,198.51.100.7"}, "It may not be used from here"),
        ],
    )
    def test_refusal_is_explained_by_the_state_of_the_credential(
        self, as_alice, credential, embedded, fields, title
    ):
        Credential.objects.update(**fields)
        page = check(as_alice, credential)
        assert titles(page) == title
        assert "<code>535 5.7.8 Authentication credentials invalid</code>" in page
        if "allowed_networks" in fields:
            assert (
                "came from 127.0.0.1, and this SMTP user is accepted only from 192.0.2.0/24, 198.51.100.7"
                in page
            )
        assert Credential.objects.get().last_refused_at is None

    @pytest.mark.parametrize(
        ("change", "title"),
        [
            ({"authorized_at": None}, "sl.example.com is not authorized to send"),
            ({"suspended_at": timezone.now()}, "Domain suspended"),
        ],
    )
    def test_domain_that_may_not_send_is_explained(self, as_alice, credential, embedded, change, title):
        Domain.objects.update(**change)
        assert titles(check(as_alice, credential)) == title

    def test_password_is_in_no_page_log_event_or_cache(self, as_alice, credential, embedded, caplog):
        caplog.set_level("DEBUG")
        page = check(as_alice, credential, sends="on")
        password = password_of(credential)
        login = base64.b64encode(f"\0{credential.username}\0{password}".encode()).decode()
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM sendlayer_cache WHERE cache_key LIKE '%livecheck%'")
            kept = [str(value) for row in cursor.fetchall() for value in row]
        assert kept
        kept += [base64.b64decode(value).decode("latin-1") for value in kept if value.startswith("gA")]
        places = [page, caplog.text, repr(list(Event.objects.values())), embedded.log.read_text(), *kept]
        assert any("AUTH PLAIN ********" in value for value in kept)
        for form in (password, base64.b64encode(password.encode()).decode(), login, login[-40:]):
            assert [place for place in places if form in place] == []


class TestAgainstOtherServers:
    @pytest.fixture
    def failing(self, as_alice, credential, own, settings):
        """Check at a scripted server; return (title, page, server)."""

        def failing(certificate=own, **options):
            with Scripted(certificate, **options) as server:
                settings.SMTP_PORT = server.port
                page = check(as_alice, credential)
            return titles(page), page, server

        return failing

    @pytest.mark.parametrize(
        ("answers", "title"),
        [
            ({"connect": "421 4.3.2 Too busy"}, "The mail server isn't serving right now"),
            ({"connect": "554 5.7.1 Go away"}, "The mail server refused"),
            ({"connect": hang_up}, "The mail server closed the connection"),
            ({"connect": "Hello"}, "localhost doesn't speak SMTP on port {port}"),
            ({"offers": ["PIPELINING"]}, "localhost doesn't offer STARTTLS"),
            ({"STARTTLS": "454 4.7.0 TLS not available"}, "localhost can't encrypt right now"),
            ({"offers_in_tls": []}, "localhost offers no login"),
            ({"AUTH": "454 4.7.0 Temporary failure"}, "The mail server can't check passwords right now"),
            ({"AUTH": "535 5.7.8 Wrong"}, "The mail server refuses a password that is right"),
            ({"AUTH": hang_up}, "The mail server closed the connection"),
            ({"AUTH": echo}, "The mail server refuses a password that is right"),
            ({"MAIL": "553 5.7.1 Not owned"}, "The login works, but info@sl.example.com may not send"),
            ({"MAIL": "451 4.3.0 Later"}, "The mail server couldn't do it right now"),
            ({"RCPT": "550 5.1.1 Unknown"}, "The login works, but mail to alice@example.com is refused"),
            ({"RCPT": "421 4.3.2 Closing"}, "The mail server isn't serving right now"),
        ],
    )
    def test_advice_fits_the_fault_of_the_server(self, failing, answers, title):
        found, page, server = failing(**answers)
        assert found == title.format(port=server.port)
        assert "Check again</button>" in page
        replies = [answer for answer in answers.values() if isinstance(answer, str) and answer[0].isdigit()]
        assert [reply for reply in replies if f"<code>{reply}</code>" not in page] == []

    def test_refused_connection_is_explained(self, as_alice, credential, own, settings):
        settings.SMTP_PORT = free_port()
        assert titles(check(as_alice, credential)).startswith("localhost refuses connections on port ")

    def test_silent_server_is_reported_after_the_time_limit(self, failing, monkeypatch):
        monkeypatch.setattr(runs, "CHECK_SECONDS", 1)
        title, page, server = failing(connect=be_silent)
        assert title == f"localhost says nothing on port {server.port}"
        assert "sent no greeting within 1 seconds" in page

    def test_password_is_not_sent_to_a_server_with_untrusted_certificate(self, failing, tmp_path):
        title, page, server = failing(tls.self_signed(tmp_path / "foreign", "localhost"))
        assert title == "The certificate of localhost can't be trusted"
        assert "The password wasn't sent. The check found: self-signed certificate." in page
        assert server.verbs == ["EHLO", "STARTTLS"]

    def test_login_repeated_by_the_server_is_masked(self, failing, credential):
        _, page, server = failing(AUTH=echo)
        assert server.commands[3].split()[2] not in page
        assert "S: 535 5.7.8 You said: AUTH PLAIN ********" in page

    def test_server_that_accepts_a_suspended_credential_is_reported(self, failing, credential):
        credential.suspend(by=SYSTEM)
        title, page, _ = failing()
        assert title == "The mail server accepts what it has to refuse"
        assert "(suspended)" in page

    @pytest.mark.parametrize(
        ("act", "title"),
        [("reset_password", "The password was changed"), ("remove", "This SMTP user was deleted")],
    )
    def test_reset_and_delete_during_a_check_are_shown(self, as_alice, credential, own, settings, act, title):
        def refuse(server, connection, line):
            held.wait(10)
            connection.sendall(b"535 5.7.8 Wrong\r\n")

        held = threading.Event()
        with Scripted(own, AUTH=refuse) as server:
            settings.SMTP_PORT = server.port
            address = begin(as_alice, credential)
            wait_until(lambda: "AUTH" in server.verbs)
            getattr(Credential.objects.get(), act)(by=SYSTEM)
            held.set()
            wait_until(lambda: not [thread for thread in threading.enumerate() if thread.name == "livecheck"])
        if act == "remove":
            assert as_alice.get(address).status_code == 404
        else:
            assert titles(result(as_alice, address)) == title

    def test_host_header_and_form_do_not_choose_the_server(self, as_alice, credential, own, settings):
        with Scripted(own) as server, Scripted(own) as other:
            settings.SMTP_PORT = server.port
            check(as_alice, credential, host="127.0.0.1", port=other.port, SMTP_PORT=other.port)
        assert server.verbs and not other.verbs


class TestPages:
    @pytest.fixture(autouse=True)
    def server(self, own, settings):
        with Scripted(own) as server:
            settings.SMTP_PORT = server.port
            yield server

    @pytest.fixture
    def slow(self, own, settings):
        """A mail server that is still silent."""
        with Scripted(own, connect=be_silent) as server:
            settings.SMTP_PORT = server.port
            yield server

    def test_page_has_the_link_for_managers_only(self, as_alice, bob, credential):
        page = credential.get_absolute_url()
        assert f'href="{page}check/?on=page"' in text(as_alice.get(page))
        as_alice.force_login(bob)
        assert "/check/" not in text(as_alice.get(page))

    def test_get_shows_the_form_and_changes_nothing(self, as_alice, credential, server):
        events = Event.objects.count()
        page = text(as_alice.get(url_of(credential)))
        assert "Also send a test message to alice@example.com" in page
        assert "<!doctype html>" in page
        assert server.commands == []
        assert Event.objects.count() == events

    @pytest.mark.parametrize("method", ["get", "post"])
    def test_viewer_gets_403_and_stranger_404(self, client, bob, carol, credential, server, method):
        for person, status in ((bob, 403), (carol, 404)):
            client.force_login(person)
            assert getattr(client, method)(url_of(credential)).status_code == status
        assert server.commands == []
        assert not Event.objects.filter(tag="credential.checked").exists()

    def test_credential_of_another_domain_gets_404(self, as_alice, alice, domain, credential):
        other = make_credential(make_domain("other.example", owner=alice))
        address = reverse("submission:check", args=[domain.name, other.username])
        assert as_alice.post(address).status_code == 404

    def test_deleted_credential_gets_404(self, as_alice, credential):
        address = url_of(credential)
        credential.remove(by=SYSTEM)
        response = as_alice.post(address)
        assert response.status_code == 404
        assert "This SMTP user no longer exists." in text(response)

    def test_post_without_csrf_token_is_refused(self, alice, credential, server):
        client = Client(enforce_csrf_checks=True)
        client.force_login(alice)
        assert client.post(url_of(credential)).status_code == 403
        assert server.commands == []

    def test_page_without_javascript_reloads_until_the_end(self, as_alice, credential, slow):
        address = begin(as_alice, credential, sends="on")
        page = wait_until(lambda: "Greet" in (page := text(as_alice.get(address))) and page)
        assert '<meta http-equiv="refresh" content="1">' in page
        slow.stopping.set()
        assert 'name="sends" id="id_sends" checked' in result(as_alice, address)

    def test_run_is_visible_only_to_its_user_and_for_its_credential(self, client, as_alice, domain, credential):
        address = begin(as_alice, credential)
        result(as_alice, address)
        other = make_credential(domain)
        run_id = address.rstrip("/").rpartition("/")[2]
        elsewhere = reverse("submission:check_run", args=[domain.name, other.username, run_id])
        unknown = address.replace(run_id, "0" * 8 + run_id[8:])
        assert as_alice.get(elsewhere).status_code == as_alice.get(unknown).status_code == 404
        dave = make_user("dave@example.com")
        domain.memberships.create(user=dave, role="owner")
        client.force_login(dave)
        response = client.get(address)
        assert response.status_code == 404
        assert "alice" not in text(response)

    def test_second_check_of_the_same_credential_is_refused(self, as_alice, domain, credential, slow):
        other = make_credential(domain)
        address = begin(as_alice, credential)
        response = as_alice.post(url_of(credential))
        assert response.status_code == 422
        assert "This SMTP user is already being checked. Try again in a moment." in text(response)
        begin(as_alice, other)
        assert Event.objects.filter(tag="credential.checked").count() == 2
        slow.stopping.set()
        result(as_alice, address)
        wait_until(lambda: as_alice.post(url_of(credential)).status_code == 302)

    def test_number_of_concurrent_checks_is_limited(self, as_alice, domain, slow):
        made = [make_credential(domain) for _ in range(runs.MAX_RUNS + 1)]
        for credential in made[:-1]:
            begin(as_alice, credential)
        response = as_alice.post(url_of(made[-1]))
        assert "Too many checks are running. Try again in a moment." in text(response)
        slow.stopping.set()
        wait_until(lambda: as_alice.post(url_of(made[-1])).status_code == 302)

    def test_run_whose_process_died_is_shown_as_interrupted(self, as_alice, alice, credential):
        run_id = "7f6f5a3e-98f2-4d0f-9f0c-0f8c1f5d2b11"
        address = reverse("submission:check_run", args=["sl.example.com", credential.username, run_id])
        step = {"title": "Connect", "state": "running", "lines": [], "ms": 0}
        state = {"sends": False, "started_at": time.time() - 14, "steps": [step], "result": None}
        cache.set(runs._cache_key(run_id, alice.pk, credential.pk), state)
        assert "http-equiv" in text(as_alice.get(address))
        cache.set(runs._cache_key(run_id, alice.pk, credential.pk), state | {"started_at": time.time() - 16})
        assert titles(text(as_alice.get(address))) == "The check was interrupted"

    def test_crash_is_reported_without_its_text(self, as_alice, credential, monkeypatch, caplog):
        def crash(*args):
            raise RuntimeError(f"with {password}")

        password = password_of(credential)
        monkeypatch.setattr(Credential, "note_check", crash)
        assert titles(check(as_alice, credential)) == "The check couldn't be finished"
        assert "RuntimeError" in caplog.text
        assert password not in caplog.text

    def test_password_that_no_key_opens_gets_503(self, as_alice, credential, server):
        Credential.objects.update(password_sealed="v1.k9.AAAA")
        for _ in range(2):  # the first one leaves nothing locked
            assert as_alice.post(url_of(credential)).status_code == 503
        assert server.commands == []

    def test_htmx_gets_the_dialog_and_then_only_changes(self, as_alice, credential, slow):
        htmx = {"HX-Request": "true"}
        response = as_alice.post(url_of(credential), headers=htmx)
        assert (response["HX-Retarget"], response["HX-Reswap"]) == ("#dialog", "innerHTML")
        [poll] = re.findall(r'hx-get="([^"]+)"', text(response))
        address = poll.partition("?")[0]
        wait_until(lambda: "Greet" in text(as_alice.get(address, {"seen": "0"}, headers=htmx)))
        same = as_alice.get(address, {"seen": "2"}, headers=htmx)
        assert (same["HX-Retarget"], same["HX-Reswap"]) == ("#dialog", "none")
        assert re.findall(r'id="([^"]+)"', text(same)) == ["check-poll"]
        slow.stopping.set()
        result(as_alice, address)
        ended = text(as_alice.get(address, {"seen": "2"}, headers=htmx))
        assert "hx-get" not in ended
        assert titles(ended) == "The mail server closed the connection"
