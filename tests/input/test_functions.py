"""Parsing functions with random text: only the documented exceptions, and results in one stable form."""

import email
import email.policy
import json
import re
from contextlib import suppress

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from credentials import networks
from credentials.usage.tally import Tally
from domains import names
from domains.dns import resolver
from domains.url_converters import DomainNameConverter
from submission import log
from submission.delivery import relay
from submission.listener import sasl
from submission.policy import addresses, headers
from submission.policy import sender as policy
from submission.reports.dovecot import NoReport, Reports
from submission.reports.postfix import Messages
from tests.input.test_anything import NASTY, limits
from web import text as labels
from web.logs import without_keys
from web.session_store import SessionStore

pytestmark = pytest.mark.one_database

texts = st.sampled_from(NASTY) | st.text(max_size=80)
# Nearly valid text reaches deeper than random text.
domains = st.lists(
    st.sampled_from([*"aé例еａ-.。_ß\u200d٣1", "xn--", "com", "co.uk", "example.", "\u0308"]), max_size=9
).map("".join)
ips = st.lists(st.sampled_from([*"0129:./%,x \n", "192.0.2.", "::", "ffff:", "/24", "::1"]), max_size=9).map(
    "".join
)
mailboxes = st.lists(
    st.sampled_from([*'a.@<>"\\ ()[],;:é\x00\t', "sl.example.com", "evil.test", "=?utf-8?q?a?="]), max_size=14
).map("".join)
raw_headers = st.lists(
    st.sampled_from(
        [b"From: ", b"Sender: ", b"a@sl.example.com", b"b@evil.test", b"\r\n", b"\r\n\r\n", b" ", b"\n", b"\r"]
        + [b":", b"<", b">", b",", b'"', b"(", b")", b"\\", b"\x00", b"\xff", b"X: y\r\n", b"=?utf-8?b?YQ==?="]
    ),
    max_size=16,
).map(b"".join)  # fmt: skip
jsons = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)


@limits(200)
@given(texts | domains)
def test_domain_names_are_normalised_or_refused(text):
    try:
        name = names.normalise(text)
    except names.InvalidDomainName as refusal:
        assert str(refusal).endswith((".", "?"))
        return
    assert names.normalise(name) == name and name.isascii() and len(name) <= names.MAX_DOMAIN_LENGTH
    assert addresses.domain_name(name) == name
    assert re.fullmatch(DomainNameConverter.regex + "/", name + "/")  # a URL can carry it
    assert names.organizational(name) and names.display(name) and names.u_label(name)


@limits(200)
@given(texts | domains)
def test_stored_invalid_domain_names_can_be_shown(text):
    assert names.u_label(text) is not None and names.display(text) is not None


@limits(200)
@given(texts)
def test_labels_are_cleaned_or_refused(text):
    try:
        label = labels.clean(text)
    except ValidationError:
        return
    assert labels.clean(label) == label and len(label) <= labels.MAX_LABEL
    assert not set(label) & set("\x00\n\u202e\ufeff")


@limits(200)
@given(texts | ips)
def test_networks_are_cleaned_or_refused(text):
    try:
        stored = networks.clean(text)
    except ValidationError:
        return
    assert networks.clean(stored) == stored and len(stored) <= networks.MAX_STORED
    assert networks.allows(stored, "192.0.2.7") in (True, False)


@limits(200)
@given(texts | mailboxes, st.sampled_from(["FROM:", "TO:"]))
def test_smtp_addresses_are_parsed_or_refused(text, keyword):
    with suppress(addresses.BadSyntax, addresses.BadAddress):
        text, _parameters = addresses.parse_argument(keyword, f"{keyword}{text}")
    try:
        address = addresses.parse_mailbox(text)
    except addresses.BadAddress:
        assert not text or policy.judge_sender(text, "sl.example.com")  # "" is the null sender
        return
    assert addresses.parse_mailbox(str(address)) == address
    assert policy.judge_sender(text, address.domain) is None or address.is_quoted


@limits(200)
@given(st.binary(max_size=200) | raw_headers | mailboxes.map(lambda text: f"From: {text}\r\n\r\n".encode()))
def test_messages_are_judged_without_error(content):
    try:
        fields, end = headers.split(content)
    except headers.BadHeader:
        return
    assert b"".join(field.raw for field in fields) == content[:end] and content[end : end + 2] in (b"", b"\r\n")
    if policy.judge_message(content, "sl.example.com") is None:
        # Another parser finds the same sender.
        [sender] = email.message_from_bytes(content, policy=email.policy.SMTPUTF8).get_all("From")
        assert {address.domain.lower() for address in sender.addresses} == {"sl.example.com"}


@limits(200)
@given(texts | mailboxes)
def test_header_addresses_are_parsed_without_error(text):
    try:
        found = headers.mailboxes(text)
    except headers.BadHeader:
        return
    assert found and all(addresses.parse_mailbox(str(address)) == address for address in found)


@limits(200)
@given(st.binary(max_size=100) | st.sampled_from([b"=", b"*", b"AGEAYg==", b"AGEAYgA=", b"====", b"A" * 9999]))
def test_smtp_logins_are_parsed_or_refused(line):
    for read in (sasl.decode, sasl.plain, lambda response: sasl.login(response, response)):
        try:
            result = read(line)
        except sasl.BadExchange as error:
            assert str(line) not in str(error) and error.__cause__ is None
        else:
            assert isinstance(result, bytes) or repr(result) == "LoginAttempt(…)"


@limits(200)
@given(texts | ips | st.builds("smtp://{}:{}@{}".format, texts, texts, texts))
def test_server_settings_are_parsed_or_refused(text):
    for read, refusal in (
        (resolver.parse_server, ValueError),
        (lambda url: relay.Relay.from_url(url, "x"), relay.BadURL),
    ):
        with suppress(refusal):
            read(text)


@limits(200)
@given(texts)
def test_log_and_query_texts_are_cleaned(text):
    word = log.printable(text)
    assert word.isascii() and word.isprintable() and " " not in word and len(word) <= log.MAX_LOGGED
    assert without_keys(without_keys(text)) == without_keys(text)
    assert SessionStore(text).session_key in (None, text)
    assert "\x00" not in (SessionStore(text).session_key or "")


FIELDS = ["login", "session", "remote", "success", "pwhash", "x"]


@limits(200)
@given(
    st.binary(max_size=200)
    | jsons.map(lambda value: json.dumps(value).encode())
    | st.dictionaries(st.sampled_from(FIELDS), jsons | st.sampled_from(["::1", "x.previous"])).map(
        lambda value: json.dumps(value).encode()
    )
)
def test_login_reports_are_parsed_or_refused(body):
    try:
        Reports("secret", Tally()).count(b"POST", b"Bearer secret", body)
    except NoReport as refused:
        assert refused.status == 400


@limits(200)
@given(st.binary(max_size=300))
def test_message_reports_are_parsed_or_refused(sent):
    known = b"protocol_state=END-OF-MESSAGE\nsasl_username=" + b"0" * 32 + b".1\nclient_address="
    for request in (sent, known + sent, known + b"::1\nhelo_name=" + sent):
        Messages(Tally()).count(request)
