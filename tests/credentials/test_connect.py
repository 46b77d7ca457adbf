"""Connect your site: ready settings of each tool, without the password in them."""

import html
import re

import pytest

from audit.models import Event
from credentials.snippets import PLACEHOLDER, TOOLS
from tests.factories import SYSTEM, make_credential, make_domain, password_of
from tests.http import sign_in, smtp_url, text

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
TOOL = pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.key)


def page(client, credential, tool="wordpress"):
    return text(client.get(smtp_url(credential, "page"), {"tool": tool}))


def snippets(page):
    return [html.unescape(each) for each in re.findall(r'<code id="snippet-\d+">(.*?)</code>', page, re.S)]


@TOOL
def test_every_tool_is_filled_in(as_alice, credential, tool):
    shown = page(as_alice, credential, tool.key)
    assert f'<option value="{tool.key}" selected>{tool.title}</option>' in shown
    assert len(snippets(shown)) == len(tool.snippets)
    whole = "".join(snippets(shown)) + "".join(re.findall(r"<dd>(?:<code>)?([^<]+)", shown))
    assert credential.username in whole and "smtp.sendlayer.net" in whole and "587" in whole
    given = "".join(snippets(shown)).replace(credential.username, "")
    assert not re.search(r"{{|{%|None|undefined|465", given)


@TOOL
def test_no_page_holds_the_password_and_the_placeholder_stands_where_it_is_promised(as_alice, credential, tool):
    shown = page(as_alice, credential, tool.key)
    assert password_of(credential) not in shown
    for snippet, filled in zip(tool.snippets, snippets(shown), strict=True):
        assert (PLACEHOLDER in filled) is snippet.has_password, snippet


@TOOL
def test_every_tool_sends_as_its_own_domain_over_starttls(as_alice, credential, tool):
    filled = "\n".join(snippets(page(as_alice, credential, tool.key)))
    assert set(re.findall(r"[\w.+-]+@[\w.-]+\w", filled)) - {f"{PLACEHOLDER}@smtp.sendlayer.net"} <= {
        "info@sl.example.com",
        "alice@example.com",
    }
    for implicit in ("EMAIL_USE_SSL =", "smtps", "ENCRYPTION_SMTPS", "secure: true", "SMTP_SSL", "'ssl' )"):
        assert implicit not in filled


def test_connect_page_changes_nothing_and_leaves_no_event(as_alice, credential):
    before = Event.objects.count(), type(credential).objects.values().get()
    page(as_alice, credential)
    assert (Event.objects.count(), type(credential).objects.values().get()) == before


@pytest.mark.parametrize("tool", ["", "nothing", "a\x00b", "../../etc/passwd", "x" * 5000])
def test_no_tool_shows_what_there_is(as_alice, credential, tool):
    shown = page(as_alice, credential, tool)
    assert "Ready settings for WordPress, Django," in shown
    assert " selected" not in shown and not snippets(shown)


def test_wordpress_has_its_form_in_the_plugins_words(as_alice, credential):
    shown = dict(re.findall(r"<dt>([^<]+)</dt><dd>(?:<code>)?([^<]+)", page(as_alice, credential)))
    assert shown["Mailer"] == "Other SMTP"
    assert shown["Encryption"].startswith("TLS")
    assert (shown["Auto TLS"], shown["Authentication"], shown["SMTP Port"]) == ("On", "On", "587")
    assert shown["SMTP Username"] == credential.username


def test_port_with_tls_from_the_start_is_shown_where_it_is_offered(as_alice, credential, settings):
    assert "SSL/TLS" not in page(as_alice, credential, "device")
    settings.SMTP_TLS_PORT = 465
    shown = dict(re.findall(r"<dt>([^<]+)</dt><dd>(?:<code>)?([^<]+)", page(as_alice, credential, "device")))
    assert (shown["Port"], shown["Port if it has only SSL/TLS"]) == ("587", "465")


@pytest.mark.parametrize("host", ["127.0.0.1", "[2001:db8::1]"])
def test_tool_that_needs_a_host_name_has_no_settings_for_an_address(as_alice, credential, settings, host):
    settings.SMTP_HOST = host
    shown = page(as_alice, credential, "postfix")
    assert "set SMTP_HOST to a host name" in shown and not snippets(shown)
    assert snippets(page(as_alice, credential, "msmtp"))


def test_connect_page_gives_a_viewer_settings_but_no_password(client, bob, credential):
    shown = page(sign_in(client, bob), credential, "laravel")
    assert credential.username in snippets(shown)[0]
    for way in ("data-copy-password", "data-reveal", "/copy/", "/check/"):
        assert way not in shown
    assert "An owner or manager of the domain can copy it." in shown


def test_snippets_with_the_placeholder_can_be_copied_with_the_password(as_alice, credential):
    with_password = 'data-copy-from="snippet-1" data-copy-password="' + smtp_url(credential, "copy")
    assert with_password in page(as_alice, credential, "laravel")
    assert with_password not in page(as_alice, credential, "django")


def test_connect_page_warns_first_of_an_unusable_credential(as_alice, credential):
    assert "alert warn" not in page(as_alice, credential)
    credential.suspend(by=SYSTEM)
    assert "This SMTP user is suspended." in page(as_alice, credential)


def test_connect_page_warns_of_the_self_signed_certificate(as_alice, credential, settings, tmp_path):
    settings.VAR_DIR = tmp_path
    assert "uses a self-signed certificate" not in page(as_alice, credential, "nodejs")
    (tmp_path / "tls").mkdir()
    (tmp_path / "tls" / "submission.crt").touch()
    assert "NODE_EXTRA_CA_CERTS" in page(as_alice, credential, "nodejs")
    settings.SUBMISSION_TLS_CERT = "/etc/ssl/smtp.pem"
    assert "uses a self-signed certificate" not in page(as_alice, credential, "nodejs")


def test_address_that_needs_quoting_is_not_filled_in(client, alice, credential):
    type(alice).objects.filter(pk=alice.pk).update(email="o'brien$(id)@example.com")
    alice.refresh_from_db()
    shown = snippets(page(sign_in(client, alice), credential, "curl"))[1]
    assert "brien" not in shown and "you@example.com" in shown


def test_connect_page_is_not_found_by_strangers_and_for_other_domains(client, alice, carol, credential):
    assert sign_in(client, carol).get(smtp_url(credential, "page")).status_code == 404
    theirs = make_credential(make_domain("other.example.com"))
    path = smtp_url(credential, "page").replace(credential.username, theirs.username)
    assert sign_in(client, alice).get(path).status_code == 404
