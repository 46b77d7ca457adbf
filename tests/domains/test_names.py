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
        ("نامه\u200cای.com", "xn--mgba3gch31f060k.com"),
        ("ශ්\u200dරී.lk", "xn--10cl1a0b660p.lk"),
        ("STRAẞE.de", "xn--strae-oqa.de"),
        ("ΣΊΣΥΦΟς.gr", "xn--kxa6ajbbmh.gr"),
        ("\u212aelvin.com", "kelvin.com"),
        ("bücher.xn--p1ai", "xn--bcher-kva.xn--p1ai"),
        ("हिन्दी.com", "xn--j2bd4cyah0f.com"),
        ("a" * 63 + ".com", "a" * 63 + ".com"),
        (LONG + "." + "b" * 61, LONG + "." + "b" * 61),
        (LONG + "." + "b" * 61 + ".", LONG + "." + "b" * 61),
        ("1and1.com", "1and1.com"),
        ("123.com", "123.com"),
        ("a.xn--p1ai", "a.xn--p1ai"),
        ("пример.рф", "xn--e1afmkfd.xn--p1ai"),
        ("東京カメラabc.jp", "xn--abc-jj4buktb9766amo2b.jp"),
        ("서울abc.kr", "xn--abc-h94nm8t.kr"),
        ("shop.co.uk", "shop.co.uk"),
        ("me.github.io", "me.github.io"),
        ("sub.example.com", "sub.example.com"),
    ],
)
def test_name_is_stored_in_one_form_that_urls_accept(text, stored):
    assert names.normalise(text) == stored
    assert names.normalise(stored) == stored
    assert reverse("credentials:overview", args=[stored]) == f"/domains/{stored}/"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        *((text, "Enter a domain name") for text in ("", "   ", ".", "..")),
        *((text, "isn't a valid domain name") for text in ("example.com..", ".example.com", "ex..com")),
        *((text, "isn't a valid domain name") for text in ("💩.la", "xn--a.com", "a..b.com.", "\ud800.com")),
        *((text, "isn't a valid domain name") for text in ("-a.com", "a-.com", "ab--cd.com", "a!b.com")),
        *((text, "no spaces or line breaks") for text in ("exam ple.com", "example.com\n", "example.com\t")),
        *((text, "no spaces or line breaks") for text in ("a.com b.com", "a\u3000b.com", "a\xa0b.com")),
        *((text, "one domain name at a time") for text in ("a,b.com", "a.com;b.com")),
        *((text, "control character") for text in ("exa\x00mple.com", "a\x1bb.com", "a\x7fb.com")),
        *((text, "changes the writing direction") for text in ("a\u202eb.com", "a\u2066b.com", "\u200fa.com")),
        *((text, "invisible") for text in ("a\u200db.com", "a\u200bb.com", "\ufeffa.com", "exa\u00admple.com")),
        *((text, "invisible") for text in ("نا\u200dمه.com", "ක\u200dක.lk", "a.\u200cb.com")),
        *((text, "Type the name in lower case") for text in ("ΒΌΛΟΣ.com", "ΑΣ-Β.gr")),
        *((text, "invisible") for text in ("a\u2060b.com", "a\ufe0fb.com", "a\u3164b.com")),
        ("a" + "\u0301\u0302" * 30 + ".com", "accents or marks"),
        ("①.test", "are not on the public Internet"),
        *((text, "full-width") for text in ("ｅｘａｍｐｌｅ．ｃｏｍ", "a／b.com", "１.２.３", "ｶﾒﾗ.jp")),
        *(
            (text, "mixes letters")
            for text in ("раypal.com", "mail.gοοgle.com", "xn--pypal-4ve.com", "ㄅか.jp")
        ),
        ("%65xample.com", "percent-encoded"),
        *((text, "Enter only the domain name") for text in ("user@", "@", "ex@am@ple.com", "a\\b.com")),
        *((text, "Enter only the domain name") for text in ("http://", "http://localhost/", "localhost:25")),
        *((text, "Anyone can have a name") for text in ("co.uk", "github.io", "CO.UK.", "個人.hk")),
        *(
            (text, "are not on the public Internet")
            for text in ("x.test", "x.local", "x.onion", "x.localhost", "x.invalid", "shop.example")
        ),
        *((text, "are not on the public Internet") for text in ("x.internal", "x.alt", "x.home.arpa")),
        *((text, "underscore") for text in ("_dmarc.example.com", "a_b.example.com")),
        *((text, "wildcard") for text in ("*.example.com", "*")),
        *(
            (text, "too long")
            for text in ("a" * 64 + ".com", LONG + "." + "b" * 62, "a." * 5000, "é" * 60 + ".de")
        ),
        *((text, "has no ending") for text in ("localhost", "com", "com.", "münchen")),
        *((text, "end in a number") for text in ("1.2.3", "example.123", "1.2.3.4.5", "a.0x1f")),
        *((text, "An IP address") for text in ("127.0.0.1", "[::1]", "::1", "[192.0.2.1]", "2001:db8::1")),
    ],
)
def test_invalid_mail_domain_is_refused_with_next_step(text, sentence):
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
def test_host_inside_url_or_address_is_suggested(text):
    with pytest.raises(names.InvalidDomainName, match=r"Did you mean example\.com\?") as refusal:
        names.normalise(text)
    assert "secret" not in str(refusal.value)


def test_suggested_host_is_shown_as_it_was_written():
    with pytest.raises(names.InvalidDomainName, match=r"Did you mean münchen\.de\?"):
        names.normalise("https://münchen.de/")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("example。com", "example.com"),
        ("example.com。", "example.com"),
        ("①.com", "1.com"),
        ("℡.com", "tel.com"),
        ("ﬁsh.com", "fish.com"),
        ("x².com", "x2.com"),
        ("ſhop.com", "shop.com"),
        ("İSTANBUL.com", "istanbul.com"),
        ("mail.DİYARBAKIR.com.tr", "mail.diyarbakir.com.tr"),
        ("ǅ.hr", "dž.hr"),
        ("ĳsberg.nl", "ijsberg.nl"),
        ("i̇stanbul.com", "istanbul.com"),
    ],
)
def test_mapped_name_is_not_accepted_silently(text, meant):
    with pytest.raises(names.InvalidDomainName) as refusal:
        names.normalise(text)
    assert str(refusal.value).endswith(f"Did you mean {meant}?")
    assert names.u_label(names.normalise(meant)) == meant


@pytest.mark.parametrize("text", ["http://", "http://localhost/", "user@127.0.0.1", "127.0.0.1:25", "[::1]:25"])
def test_no_invalid_host_is_suggested(text):
    with pytest.raises(names.InvalidDomainName) as refusal:
        names.normalise(text)
    assert "Did you mean" not in str(refusal.value)


@pytest.mark.parametrize(
    ("stored", "shown", "other"),
    [
        ("xn--mnchen-3ya.de", "münchen.de", "xn--mnchen-3ya.de"),
        ("example.com", "example.com", ""),
        ("xn--a.com", "xn--a.com", ""),
        ("xn--80ak6aa92e.com", "xn--80ak6aa92e.com", "аррӏе.com"),
        ("mail.xn--mxayg.com", "mail.xn--mxayg.com", "mail.ανο.com"),
        ("xn--e1afmkfd.xn--p1ai", "пример.рф", "xn--e1afmkfd.xn--p1ai"),
        ("xn--istanbul-o0e.com", "xn--istanbul-o0e.com", "i\u0307stanbul.com"),
        ("xn--mgba3gch31f060k.com", "xn--mgba3gch31f060k.com", "نامه\u200cای.com"),
    ],
)
def test_unicode_form_is_displayed_unless_it_looks_like_another_name(stored, shown, other):
    assert (names.display(stored), names.other_form(stored)) == (shown, other)


@pytest.mark.parametrize("text", ["x.test", "mail.internal", "x.home.arpa"])
def test_test_domains_are_accepted_if_operator_allows_them(settings, text):
    settings.ALLOW_TEST_DOMAINS = True
    assert names.normalise(text) == text


def test_registered_name_is_found_offline():
    assert names.organizational("a.b.example.co.uk") == "example.co.uk"
    assert names.organizational("example.com") == "example.com"
