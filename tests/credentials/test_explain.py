"""Explain an error: the answer to a pasted line, from what is known about the credential."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import Event
from credentials import digests
from credentials.diagnosis.explain import explain
from credentials.models import Credential
from credentials.outcome import Outcome
from credentials.passwords import generate
from tests.credentials.test_explain_lines import KNOWN, OTHERS
from tests.factories import SYSTEM, make_credential, make_domain, make_use, password_of
from tests.http import sign_in, smtp_url, text

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
REFUSED = "535 5.7.8 Authentication credentials invalid"
IP = "203.0.113.7"


def ask(client, credential, line, **headers):
    return client.post(smtp_url(credential, "explain"), {"line": line}, headers=headers)


@pytest.fixture
def answer(as_alice, credential):
    """What a line is answered with, as text; the state of the credential as it is in the database."""

    def answer(line=REFUSED):
        page = text(ask(as_alice, credential, line))
        found = re.search(r'<div class="explanation">(.*?)</div>', page, re.S)[1]
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found.replace("&#x27;", "'").replace("&#39;", "'")))

    return answer


def set_fields(credential, **fields):
    Credential.objects.filter(pk=credential.pk).update(**fields)


class TestRefusedLogin:
    def test_old_password_names_who_used_it_and_the_reset(self, answer, credential):
        old = password_of(credential)
        credential.reset_password(by=SYSTEM)
        digest = digests.digest(credential.username, old)
        make_use(credential, IP, outcome=Outcome.WRONG_PASSWORD, digest=digest)
        said = answer()
        assert "The site still has the old password" in said
        assert f"{IP} used the password from before the reset on" in said and "Connect your site" in said

    def test_old_password_counts_although_somebody_guessed_since(self, answer, credential):
        old = password_of(credential)
        credential.reset_password(by=SYSTEM)
        digest, now = digests.digest(credential.username, old), timezone.now()
        make_use(credential, IP, outcome=Outcome.WRONG_PASSWORD, digest=digest, at=now - timedelta(hours=2))
        make_use(credential, "198.51.100.1", outcome=Outcome.WRONG_PASSWORD, at=now)
        assert f"{IP} used the password from before the reset" in answer()

    def test_old_password_of_days_ago(self, answer, credential):
        old = password_of(credential)
        credential.reset_password(by=SYSTEM)
        at, digest = timezone.now() - timedelta(days=3), digests.digest(credential.username, old)
        make_use(credential, IP, outcome=Outcome.WRONG_PASSWORD, digest=digest, at=at)
        assert f"{IP} used the password from before the reset" in answer()

    def test_wrong_password(self, answer, credential):
        make_use(credential, IP, outcome=Outcome.WRONG_PASSWORD)
        said = answer()
        assert "The password is wrong" in said and f"{IP} tried this username just now" in said

    @pytest.mark.parametrize(
        ("outcome", "title"),
        [
            (Outcome.PADDED_PASSWORD, "The password has a blank or line end too many"),
            (Outcome.CUT_PASSWORD, "The password was cut off"),
        ],
    )
    def test_password_that_was_padded_or_cut(self, answer, credential, outcome, title):
        make_use(credential, IP, outcome=outcome)
        assert title in answer() and f"{IP} sent" in answer()

    def test_network_names_the_refused_address(self, answer, credential):
        set_fields(credential, allowed_networks="192.0.2.0/24")
        make_use(credential, IP, outcome=Outcome.NETWORK_NOT_ALLOWED)
        said = answer()
        assert f"It may not be used from {IP}" in said and "accepted only from 192.0.2.0/24" in said
        assert "Edit allowed networks" in said

    def test_a_network_that_was_allowed_since(self, answer, credential):
        make_use(credential, IP, outcome=Outcome.NETWORK_NOT_ALLOWED)
        set_fields(credential, allowed_networks=f"{IP},192.0.2.0/24")
        assert "It was refused, but is accepted now" in answer()

    def test_suspended(self, answer, credential):
        credential.suspend(by=SYSTEM)
        assert re.search(r"This SMTP user is suspended .* Resume it", answer())
        set_fields(credential, suspended_by_support=True)
        assert re.search(r"This SMTP user is suspended .* Support suspended it", answer())

    def test_resumed_since(self, answer, credential):
        make_use(credential, IP, outcome=Outcome.SUSPENDED)
        assert "It was refused, but is accepted now" in answer()

    def test_expired(self, answer, credential):
        set_fields(credential, expires_at=timezone.now() - timedelta(days=1))
        assert re.search(r"This SMTP user has expired .* Expiry date", answer())

    def test_domain_not_authorized(self, answer, credential):
        type(credential.domain).objects.filter(pk=credential.domain_id).update(authorized_at=None)
        assert re.search(r"sl.example.com is not authorized to send .* Overview", answer())

    def test_domain_suspended(self, answer, credential):
        type(credential.domain).objects.filter(pk=credential.domain_id).update(suspended_at=timezone.now())
        found = answer()
        assert re.search(r"Domain suspended Support suspended sl.example.com: .* Overview", found)
        assert "not authorized" not in found

    @pytest.mark.parametrize("days", [None, 8])
    def test_never_seen_by_the_mail_server(self, answer, credential, days):
        if days:
            at = timezone.now() - timedelta(days=days)
            make_use(credential, IP, outcome=Outcome.WRONG_PASSWORD, at=at)
        said = answer()
        assert "The refused login wasn't one of this SMTP user" in said
        assert f"Compare with {credential.username} at smtp.sendlayer.net, port 587" in said

    def test_transcript_of_another_smtp_user_links_to_it(self, as_alice, answer, credential):
        other = make_credential(credential.domain, label="Shop <b>")
        said = answer(f"535 5.7.8 login as {other.username} failed")
        assert "The line is about another SMTP user It names Shop &lt;b&gt;" in said
        page = text(ask(as_alice, credential, f"535 5.7.8 {other.username}"))
        assert f'href="{smtp_url(other, "page")}#check"' in page

    def test_transcript_of_an_unknown_username_says_so(self, answer, credential):
        theirs = make_credential(make_domain("other.example.com"))
        said = answer(f"535 5.7.8 login as {theirs.username} failed")
        assert f"The line names {theirs.username}, which isn't an SMTP user of sl.example.com" in said

    def test_tools_own_words_without_a_recorded_refusal_blame_no_password(self, answer, credential):
        assert "The login didn't get to the mail server" in answer("SMTP Error: Could not authenticate.")
        make_use(credential, IP, outcome=Outcome.WRONG_PASSWORD)
        assert "The password is wrong" in answer("SMTP Error: Could not authenticate.")

    def test_username_that_is_cut_off_is_named(self, answer, credential):
        cut = credential.username[:20]
        assert f"only its first 20 characters ({cut})" in answer(f"{REFUSED} (user {cut})")
        assert "cuts the username" not in answer(f"{REFUSED} (user {'0' * 20})")

    def test_transcript_of_another_server_says_so(self, answer):
        assert "This answer is from another mail server" in answer(
            "535-5.7.8 Username and Password not accepted - gsmtp"
        )


@pytest.mark.one_database
class TestOthers:
    def test_wrong_sender_names_both_domains(self, answer):
        said = answer("553 5.7.1 <shop@news.sl.example.com>: Sender address rejected: not owned by user")
        assert "may send from any address at sl.example.com" in said
        assert "The line names news.sl.example.com: a subdomain counts as another domain." in said
        assert "The line names evil.example. Set" in answer(
            "(553, b'Sender address not allowed', 'a@evil.example')"
        )

    def test_not_owned_by_another_smtp_user(self, answer, credential):
        other = make_credential(credential.domain, label="Shop")
        assert "It names Shop" in answer(f"Sender address rejected: not owned by user {other.username}")

    def test_recipients_domain_is_not_taken_for_the_senders(self, answer):
        said = answer("Failed to send emails [bob@example.org]: MAIL: 553 5.7.1 Sender address not allowed for")
        assert "The sender is not at sl.example.com" in said and "example.org" not in said

    def test_refusal_that_is_over_is_named_by_the_current_state(self, answer, credential):
        line = "550 5.7.1 This SMTP user is no longer valid, message not accepted"
        assert "The password was changed while the site was connected" in answer(line)
        credential.suspend(by=SYSTEM)
        assert "This SMTP user is suspended" in answer(line)

    @pytest.mark.parametrize("line", [
        "connect ECONNREFUSED 192.0.2.1:465", "dial tcp 192.0.2.1:25: i/o timeout",
        "Failed to connect to server ssl://smtp.sendlayer.net:465", "port=25 Connection refused",
    ])  # fmt: skip
    def test_wrong_port(self, answer, line):
        assert re.search(r"The site connects to port (465|25) .* accepts logins on port 587", answer(line))

    @pytest.mark.parametrize(("line", "without", "offered"), [
        ("wrong version number", "starts TLS too early(?!.*to 465)", "Or keep it, and set the port to 465"),
        ("Unrecognized SSL message, plaintext connection?", "starts TLS too early", "set the port to 465"),
        ("smtp.x.example:465: wrong version number", "connects to port 465", "sent no SMTP greeting"),
        ("localhost:587: wrong version number", "to its own machine", "to its own machine"),
        ("reserved: port 587. try port 465. unexpected packet format", "TLS too early", "TLS too early"),
        ("connect ECONNREFUSED 192.0.2.1:465", "connects to port 465", "Nothing answers where"),
        ("read tcp 192.0.2.1:465: i/o timeout", "connects to port 465", "without TLS on port 465"),
        ("read tcp 192.0.2.1:587: i/o timeout", "No answer came in time", "No answer came in time"),
        ("dial tcp 192.0.2.1:25: i/o timeout", "connects to port 25", "connects to port 25"),
    ])  # fmt: skip
    def test_port_with_implicit_tls_is_named_only_if_there_is_one(
        self, credential, settings, line, without, offered
    ):
        for port, words in ((None, without), (465, offered)):
            settings.SMTP_TLS_PORT = port
            said = explain(line, credential, now=timezone.now())
            assert re.search(words, f"{said.title} {said.text}"), said

    @pytest.mark.parametrize(
        "line", ["connect ECONNREFUSED ::1:587", "connect to localhost port 25: refused, timed out"]
    )
    def test_wrong_host_on_the_sites_own_machine(self, answer, settings, line):
        assert "The site connects to its own machine" in answer(line)
        settings.SMTP_HOST = "localhost"
        assert "its own machine" not in answer(line)

    def test_a_relaying_postfix_that_does_not_find_our_name(self, answer):
        line = "Host or domain name not found. Name service error for name={} type=AAAA: Host not found"
        assert "The site finds no address for the host" in answer(line.format("smtp.sendlayer.net"))
        assert "The recipient's domain accepts no mail" in answer(line.format("exmaple.org"))

    def test_an_unknown_line_is_said_to_be_one(self, answer):
        said = answer("PHP Notice: Undefined variable")
        assert "This line is not known here" in said and said.rstrip().endswith("Check this credential")

    @pytest.mark.parametrize("line", dict(KNOWN + OTHERS).values(), ids=dict(KNOWN + OTHERS))
    def test_every_finding_has_an_answer_without_gaps(self, answer, line):
        said = answer(line)
        assert len(said) < 500 and not re.search(r"[{}]|None|&lt;|  ", said)


@pytest.mark.one_database
class TestPage:
    def test_form_is_on_the_page(self, as_alice, credential):
        page = text(as_alice.get(smtp_url(credential, "explain"), follow=True))
        assert '<textarea name="line"' in page and 'class="explanation"' not in page

    def test_the_page_gets_the_answer_into_itself(self, as_alice, credential):
        response = ask(as_alice, credential, REFUSED, **HTMX)
        target = response.headers["HX-Retarget"], response.headers["HX-Reswap"]
        assert target == (f"#cred-{credential.username}", "outerHTML")
        assert "<html" not in text(response)

    def test_pasted_line_is_not_stored(self, as_alice, credential, caplog):
        before = Event.objects.count(), list(Credential.objects.values())
        caplog.set_level("DEBUG")
        ask(as_alice, credential, f"a peculiar line {REFUSED}")
        assert (Event.objects.count(), list(Credential.objects.values())) == before
        assert "peculiar" not in caplog.text

    @pytest.mark.parametrize("line", ["{}", "x{}", "535 {} {}", "{}\n" * 30, "{}" + "x" * 3000])
    def test_a_pasted_password_is_not_shown_again(self, as_alice, credential, line):
        for password in (password_of(credential), generate()):
            response = ask(as_alice, credential, line.replace("{}", password))
            assert response.status_code in (200, 422)
            assert password[3:] not in text(response) and "sl_(password)" in text(response)

    @pytest.mark.parametrize(("line", "words"), [
        ("", "Paste a line first."), (" \n", "Paste a line first."), ("x" * 2001, "up to 2,000 characters"),
    ])  # fmt: skip
    def test_empty_and_too_long_lines_are_errors(self, as_alice, credential, line, words):
        for headers in ({}, HTMX):
            response = ask(as_alice, credential, line, **headers)
            assert response.status_code == 422 and words in text(response)

    def test_lines_that_a_browser_counts_as_one_character_fit(self, as_alice, credential):
        assert ask(as_alice, credential, "a\r\n" * 1000).status_code == 200

    @pytest.mark.parametrize("line", [
        "<script>alert(1)</script>", "</textarea><b>x", "{{ 7*7 }}", "{host}", "%00", "\x00\x07\x1b[2J",
        "\u202e",
        "é" * 2000,
        "\ud83d".encode(errors="surrogatepass"), b"\xff\xfe535", "'\"; DROP",
        "535 <img src=x onerror=y@z.example>",
    ])  # fmt: skip
    def test_odd_input_is_shown_as_text(self, as_alice, credential, line):
        page = text(ask(as_alice, credential, line))
        assert not re.search("<script>alert|<b>x|<img|[\x00\x07\x1b\u202e]", page)
        assert "</html>" in page

    def test_a_viewer_gets_answers_and_no_links_to_what_only_managers_do(self, client, bob, credential):
        set_fields(credential, suspended_at=timezone.now())
        page = text(ask(sign_in(client, bob), credential, REFUSED))
        assert "This SMTP user is suspended" in page and "/resume/" not in page

    def test_a_stranger_and_another_domains_credential_find_nothing(self, client, alice, carol, credential):
        assert ask(sign_in(client, carol), credential, REFUSED).status_code == 404
        theirs = make_credential(make_domain("other.example.com"))
        path = smtp_url(credential, "explain").replace(credential.username, theirs.username)
        assert sign_in(client, alice).post(path, {"line": "x"}).status_code == 404

    def test_explain_needs_few_queries(self, as_alice, credential, django_assert_num_queries):
        make_use(credential, IP, outcome=Outcome.WRONG_PASSWORD)
        # Session, person, domain with role, credential, old passwords; logins, links, names, events.
        with django_assert_num_queries(9):
            ask(as_alice, credential, REFUSED)
