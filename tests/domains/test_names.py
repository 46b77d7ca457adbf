"""What people paste as a domain name, and the one form that is stored."""

import pytest
from django.urls import reverse

from domains import names

LONG = ".".join(["a" * 63] * 3)


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("example.com", "example.com"),
        ("Example.COM", "example.com"),
        ("example.com.", "example.com"),
        ("  example.com  ", "example.com"),
        ("a.b.c.example.co", "a.b.c.example.co"),
        ("münchen.de", "xn--mnchen-3ya.de"),
        ("MÜNCHEN.DE", "xn--mnchen-3ya.de"),
        ("mu\u0308nchen.de", "xn--mnchen-3ya.de"),
        ("XN--MNCHEN-3YA.DE", "xn--mnchen-3ya.de"),
        ("faß.de", "xn--fa-hia.de"),
        ("fass.de", "fass.de"),
        ("аррӏе.com", "xn--80ak6aa92e.com"),
        ("例え.jp", "xn--r8jz45g.jp"),
        ("example。com。", "example.com"),
        ("ｅｘａｍｐｌｅ．ｃｏｍ", "example.com"),
        ("exa\u00admple.com", "example.com"),
        ("a" * 63 + ".com", "a" * 63 + ".com"),
        (LONG + "." + "b" * 61, LONG + "." + "b" * 61),
        (LONG + "." + "b" * 61 + ".", LONG + "." + "b" * 61),
        ("1and1.com", "1and1.com"),
        ("123.com", "123.com"),
        ("a.xn--p1ai", "a.xn--p1ai"),
    ],
)
def test_a_name_is_stored_in_one_form_that_urls_can_carry(text, stored):
    assert names.normalise(text) == stored
    assert names.normalise(stored) == stored
    assert reverse("domains:overview", args=[stored]) == f"/domains/{stored}/"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        *((text, "Enter a domain name") for text in ("", "   ", ".", "..")),
        *((text, "not a valid domain name") for text in ("example.com..", ".example.com", "ex..com")),
        *((text, "not a valid domain name") for text in ("a\u200db.com", "a\u202eb.com", "💩.la", "xn--a.com")),
        *((text, "not a valid domain name") for text in ("-a.com", "a-.com", "ab--cd.com", "a..b.com.")),
        *((text, "not a valid domain name") for text in ("exam ple.com", "exa\x00mple.com", "example.com\n")),
        *(
            (text, "not a valid domain name")
            for text in ("example.com\t", "%65xample.com", "a,b.com", "a\\b.com")
        ),
        *(
            (text, "not a valid domain name")
            for text in ("a／b.com", "user@", "@", "ex@am@ple.com", "\ud800.com")
        ),
        *((text, "underscore") for text in ("_dmarc.example.com", "a_b.example.com")),
        *((text, "wildcard") for text in ("*.example.com", "*")),
        *(
            (text, "too long")
            for text in ("a" * 64 + ".com", LONG + "." + "b" * 62, "a." * 5000, "é" * 60 + ".de")
        ),
        *((text, "lacks its ending") for text in ("localhost", "com", "com.", "münchen")),
        *((text, "end in a number") for text in ("1.2.3", "example.123", "1.2.3.4.5", "a.0x1f", "１.２.３")),
        *((text, "An IP address") for text in ("127.0.0.1", "[::1]", "::1", "[192.0.2.1]", "2001:db8::1")),
    ],
)
def test_what_is_no_mail_domain_is_refused_with_what_to_do(text, sentence):
    with pytest.raises(names.InvalidDomainName, match=sentence) as refusal:
        names.normalise(text)
    assert str(refusal.value).endswith((".", "?"))


@pytest.mark.parametrize(
    "text",
    [
        "http://example.com/",
        "HTTPS://Example.com:8443/shop?a=b#c",
        "https://user:secret@example.com/",
        "user@example.com",
        "mailto:user@example.com",
        "example.com:25",
        "example.com/path",
        "example.com?x",
        "smtp://example.com.",
    ],
)
def test_the_host_inside_of_something_else_is_offered(text):
    with pytest.raises(names.InvalidDomainName, match=r"Did you mean example\.com\?") as refusal:
        names.normalise(text)
    assert "secret" not in str(refusal.value)


def test_the_offered_host_reads_as_it_was_written():
    with pytest.raises(names.InvalidDomainName, match=r"Did you mean münchen\.de\?"):
        names.normalise("https://münchen.de/")


@pytest.mark.parametrize("text", ["http://", "http://localhost/", "user@127.0.0.1", "127.0.0.1:25", "[::1]:25"])
def test_no_host_is_offered_that_would_be_refused(text):
    with pytest.raises(names.InvalidDomainName) as refusal:
        names.normalise(text)
    assert "Did you mean" not in str(refusal.value)


@pytest.mark.parametrize(
    ("stored", "shown"),
    [("xn--mnchen-3ya.de", "münchen.de"), ("example.com", "example.com"), ("xn--a.com", "xn--a.com")],
)
def test_people_read_the_unicode_form(stored, shown):
    assert names.display(stored) == shown
