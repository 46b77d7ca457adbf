"""How to call each parsing function with a text of any length (tests/input/readers.py)."""

from collections.abc import Callable
from contextlib import suppress
from types import SimpleNamespace
from typing import NamedTuple

import dns.message
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from django.core.handlers.wsgi import WSGIRequest
from django.http import QueryDict
from django.test import RequestFactory
from django_htmx.middleware import HtmxDetails
from dns.rdtypes.ANY.TXT import TXT

from accounts import email_addresses, ended_session, openid
from accounts.models import User, UserManager
from accounts.openid.provider import Provider
from accounts.password_validators import ServiceWordsValidator
from accounts.sessions import listing
from audit import export, receipts, verification
from audit.actor import Actor
from audit.management.commands import export_audit
from audit.models import Event
from audit.search import words
from audit.support import LineField
from credentials import networks, passwords, snippets
from credentials.diagnosis import parser
from credentials.forms import ExpiryForm, ExplainForm
from credentials.models.base import canonical_username, is_username
from credentials.usage.tally import Tally
from credentials.views import selection
from domains import homographs, names
from domains.activity import filters, sentences
from domains.dns import dmarc, hosts, judging, records, resolver, spf
from domains.forms import AddDomainForm, AddSeveralForm
from domains.general.forms import DeleteDomainForm
from domains.members import forms
from domains.models import dns_record, invitation
from domains.verification import page
from operations import health
from operations.backups import manifest
from sendlayer import jinja
from submission import ip, log
from submission.delivery import message
from submission.listener import data_reader, limits, normal_form, sasl
from submission.livecheck import conversation
from submission.milter import packets
from submission.policy import addresses, headers, sender
from submission.reports.dovecot import Reports
from submission.reports.postfix import Messages
from tests.dns.names import lookups
from vault import cipher
from web import characters, client_ip, csv_export, logs
from web import text as labels
from web.header_limits import bound
from web.middleware import BodiesMiddleware, EncodingsMiddleware
from web.request import htmx_page, query_of_page_before, search_text, wants_text
from web.request_id import RequestIdMiddleware
from web.search import query
from web.session_store import SessionStore

NAME = "sl.example.com"
USERNAME = "0" * 32
OWNERSHIP, SPF, DMARC = records.expected(
    NAME, "x", records.Operator(spf_include="spf.example.net"), organizational="example.com"
)


RELAY = {"spf.example.net TXT": ["v=spf1 -all"]}
UNUSED = SimpleNamespace(username=USERNAME, expires_at=None, was_used_recently=lambda now: False)


class Case(NamedTuple):
    """`call` takes a text; `heads` are beginnings that make it read on."""

    call: Callable[[str], object]
    heads: tuple[str, ...] = ()


def header(name: str, read: Callable) -> Callable[[str], object]:
    """Call a reader of a request's header, without relying on gunicorn's limit of 8,190 bytes."""

    def call(text):
        request = RequestFactory(headers={name: text}).get("/", REMOTE_ADDR="127.0.0.1")
        request.htmx = HtmxDetails(request)
        return read(request)

    return call


def environment(text):
    """Parse what Django reads of each request before any middleware."""
    for value in (text, f'a="{text}"'):
        environ = RequestFactory().get("/").environ | {"HTTP_COOKIE": value, "CONTENT_TYPE": text}
        bound(environ)
        WSGIRequest(environ).COOKIES  # noqa: B018


def judged(record) -> Callable[[str], object]:
    """Judge a DNS record with the text as one value, and with each of its words as one."""

    def call(text):
        for values in ((text,), tuple(text.split(" "))):
            dns_record.shortened(judging.judge(record, resolver.Found(values), lookups(RELAY)).found)

    return call


def parsed_spf(text):
    with suppress(spf.Invalid):
        spf.parse(text)


def answered(text):
    """Parse a DNS answer over TCP with as much of a text as fits."""
    data = text.encode(errors="replace")[:60_000]
    strings = [data[at : at + 255] for at in range(0, len(data), 255)]
    query = dns.message.make_query(f"_dmarc.{NAME}", "TXT")
    response = dns.message.make_response(query, recursion_available=True)
    rdata = TXT(dns.rdataclass.IN, dns.rdatatype.TXT, strings)
    response.answer.append(dns.rrset.from_rdata(query.question[0].name, 60, rdata))
    resolver._found(response.answer[0], "")


def message_read(text):
    """Judge a whole message, as after DATA, and prepare it for the next hop."""
    content = bytearray(f"From: <a@{NAME}>\r\nSubject: {text}\r\n\r\n{text}\r\n".encode(errors="replace"))
    sender.judge_message(content, NAME)
    envelope = message.Envelope(f"a@{NAME}", ["b@example.com"], smtp_utf8=True, content=content)
    message.prepare(envelope, message.Origin(text[:255], "192.0.2.1", "mx.example.com"), NAME)


def dotted(text):
    """Unstuff the dots of a message after DATA."""
    found = data_reader.IncomingMessage(1 << 30, limits.Memory())
    found._take(text.encode(errors="replace") + b"\r\n")


def sender_shown(text):
    """Judge a From of the own domain with the text as its display name."""
    sender.judge_message(f"From: {text} <a@{NAME}>\r\n\r\n".encode(errors="replace"), NAME)


def event(text):
    return Event(tag="credential.labelled", credential=USERNAME, data={"label": text, "before": text})


def reported(text):
    Reports("secret", Tally()).count(b"POST", b"Bearer secret", text.encode(errors="replace"))


def account_of_message(text):
    known = f"protocol_state=END-OF-MESSAGE\nsasl_username={USERNAME}.1\nclient_address=192.0.2.1\n"
    Messages(Tally()).count(f"{known}helo_name={text}".encode(errors="replace"))


def invited(text):
    domain = SimpleNamespace(role="owner")
    form = forms.InviteForm({"emails": text, "role": "viewer"}, domain=domain, user=None)
    form.fields["emails"].clean(text)
    form.cleaned_data = {"emails": text}
    form._members = form._invited = lambda _: ()  # which query the database
    form.clean_emails()


CASES = {
    # accounts
    "accounts.email_addresses:clean": Case(email_addresses.clean, ('"', "a@")),
    "accounts.models:User.initials": Case(lambda text: User(name=text).initials),
    "accounts.models:UserManager.normalize_email": Case(UserManager.normalize_email),
    "accounts.openid.__init__:is_safe_url": Case(openid.is_safe_url, ("https://", "http://[")),
    "accounts.openid.provider:_printable": Case(
        lambda text: Provider.extract_common_fields(None, {"name": text})
    ),
    "accounts.openid.provider:Provider.extract_uid": Case(
        lambda text: Provider.extract_uid(None, {"sub": text or "1"})
    ),
    "accounts.password_validators:ServiceWordsValidator.validate": Case(
        ServiceWordsValidator().validate, ("sendlayer",)
    ),
    "accounts.sessions.listing:_first": Case(listing.browser, ("Mozilla/5.0 ",)),
    # audit
    "audit.actor:Actor.of": Case(
        header("User-Agent", lambda request: Actor.of(request, User(email="a@b.example")))
    ),
    "audit.support:LineField.clean": Case(LineField().clean),
    "audit.search:words": Case(words),
    "audit.verification:noted_heads": Case(
        lambda text: verification.noted_heads([text]), ("1\t1\t", "1\t1\t" + "a" * 64)
    ),
    "audit.verification:_named": Case(lambda text: verification._named(1, text)),
    "web.client_ip:client_ip": Case(header("X-Forwarded-For", client_ip.client_ip), ("192.0.2.1, ",)),
    "audit.export:_time": Case(export._time, ("2030-01-01",)),
    "audit.export:_json": Case(export._json, ("[", '{"')),
    "audit.export:read": Case(lambda text: list(export.read([text])), ("[", '{"')),
    "audit.receipts:read": Case(receipts.read, ("[", '{"')),
    "audit.management.commands.export_audit:_moment": Case(export_audit._moment, ("2030-01-01",)),
    "domains.activity.filters:Filters.of": Case(
        lambda text: filters.Filters.of(QueryDict(f"person={text}&credential={text}&kind={text}")),
        ("1", "A..."),
    ),
    "domains.activity.sentences:sentence": Case(lambda text: sentences.sentence(event(text))),
    "domains.activity.sentences:plain": Case(lambda text: sentences.plain(event(text))),
    # credentials
    "credentials.views.selection:usernames": Case(
        lambda text: selection.usernames(QueryDict(text)), ("username=",)
    ),
    "credentials.snippets:values": Case(
        lambda text: snippets.values(
            SimpleNamespace(username=USERNAME, domain=SimpleNamespace(name=NAME)), text
        ),
        ("a@",),
    ),
    "credentials.diagnosis.parser:read": Case(
        parser.read, ("from=<>", "250 ", "535 ", "port ", "port=", "dsn=", "sl_", "tls is required, but ")
    ),
    "credentials.diagnosis.parser:visible": Case(parser.visible, ("sl_", "sl_\n")),
    "credentials.forms:ExplainForm": Case(lambda text: ExplainForm({"line": text}).is_valid(), ("sl_",)),
    "credentials.forms:ExpiryForm": Case(
        lambda text: ExpiryForm({"day": text}, credential=UNUSED).is_valid(),
        ("2030-01-01", "2030-01-"),
    ),
    "credentials.models.base:is_username": Case(is_username),
    "web.search.query:parse": Case(
        query.parse, ("sasl_username=", "user=<", "x[", "0", "ABCD…", f"{USERNAME}.", "::ffff:")
    ),
    "credentials.networks:clean": Case(networks.clean, ("192.0.2.1 ", "::", "#", "1 -", "::-")),
    "credentials.passwords:is_well_formed": Case(passwords.is_well_formed, ("sl_",)),
    "vault.cipher:open": Case(lambda text: cipher.open(text, associated_data="x"), ("v1.k1.",)),
    "vault.cipher:parse": Case(cipher.parse, ("k1:",)),
    # domains
    "domains.dns.resolver:parse_server": Case(resolver.parse_server, ("[", "[::1]:", "192.0.2.1:")),
    "domains.dns.resolver:Resolver.ask": Case(lambda text: resolver.Resolver([]).ask(text, "TXT")),
    "domains.dns.resolver:_text": Case(answered),
    "domains.verification.page:Line.found": Case(
        lambda text: page.Line(SPF, SimpleNamespace(found=text)).found
    ),
    "domains.models.dns_record:shortened": Case(lambda text: dns_record.shortened(text.split(" "))),
    "domains.forms:AddSeveralForm.clean_names": Case(
        lambda text: AddSeveralForm({"names": text}).is_valid(), ("a,", "\n")
    ),
    "domains.forms:AddDomainForm": Case(
        lambda text: AddDomainForm({"name": text}, user=None).is_valid(), ("a@", "http://")
    ),
    "domains.general.forms:DeleteDomainForm.clean_name": Case(
        lambda text: DeleteDomainForm({"name": text}, domain=SimpleNamespace(name=NAME)).is_valid()
    ),
    "domains.models.invitation:read_token": Case(invitation.read_token, (".", "a:a:")),
    "web.text:clean": Case(labels.clean, ("👩",)),
    "domains.members.forms:InviteForm.clean_emails": Case(invited, ("a@", '"')),
    "domains.names:normalise": Case(names.normalise, ("http://", "a@", "xn--", "münchen.")),
    "domains.names:a_label": Case(names.a_label, ("xn--", "münchen.")),
    "domains.names:u_label": Case(names.u_label, ("xn--",)),
    "domains.names:display": Case(names.display, ("xn--", "а")),
    "domains.names:organizational": Case(names.organizational),
    "domains.dns.hosts:is_host": Case(hosts.is_host),
    "domains.dns.hosts:parent": Case(hosts.parent, ("a.",)),
    "domains.dns.spf:spf_records": Case(lambda text: spf.spf_records([text]), ("v=spf1 ",)),
    "domains.dns.spf:lookalikes": Case(lambda text: spf.lookalikes([text]), ('"', "v =", "v=spf1")),
    "domains.dns.spf:repaired": Case(spf.repaired, ("v=spf1 ", "v=spf1 include: ", "v=spf1 a=")),
    "domains.dns.spf:parse": Case(parsed_spf, ("v=spf1 ", "v=spf1 include:", "v=spf1 a/", "v=spf1 a:%{")),
    "domains.dns.spf:merge": Case(lambda text: spf.merge([text], NAME), ("v=spf1 ", "v=spf1 include:")),
    "domains.dns.dmarc:dmarc_records": Case(lambda text: dmarc.dmarc_records([text]), ("v=DMARC1;", "v", "v=")),
    "domains.dns.dmarc:lookalikes": Case(
        lambda text: dmarc.lookalikes([text]), ('"', "v", "v=", "p", "dmarc1")
    ),
    "domains.dns.dmarc:problem": Case(
        dmarc.problem, ("v=DMARC1;", "v=DMARC1; p=", "v=DMARC1; p", "v=DMARC1; a=b;")
    ),
    "domains.dns.dmarc:mended": Case(dmarc.mended, ("v=DMARC1;", "p=none", "\\;", '"')),
    "domains.dns.records:parse_cname": Case(records.parse_cname, ("sl1:",)),
    "domains.dns.spf_judging:judge": Case(judged(SPF), ("v=spf1 ", "v=spf1 v=spf1 ", "v=spf1 ip4:")),
    "domains.dns.judging:_judge_dmarc": Case(judged(DMARC), ("v=DMARC1;",)),
    "domains.dns.judging:_is_at": Case(
        lambda text: judging._is_at(SPF, resolver.Found((text,))), ("v=spf1 ", "v=spf1 include:")
    ),
    "domains.dns.judging:_judge_ownership": Case(judged(OWNERSHIP), (records.PROOF_PREFIX, "\\")),
    "domains.homographs:is_mixed": Case(homographs.is_mixed, ("а",)),
    "domains.homographs:looks_like_another": Case(homographs.looks_like_another, ("а", "ο")),
    "domains.homographs:has_second_dot": Case(homographs.has_second_dot, ("i",)),
    "domains.homographs:without_second_dot": Case(homographs.without_second_dot, ("i",)),
    # the project
    "web.request:wants_text": Case(header("Accept", wants_text), ("text/html;", 'a/b;c="', "a/b,")),
    "operations.backups.manifest:refuse_unknown_version": Case(
        lambda text: manifest.refuse_unknown_version({"database": text, "migrations": []})
    ),
    "web.middleware:BodiesMiddleware.__call__": Case(header("Content-Length", BodiesMiddleware(id))),
    "web.middleware:EncodingsMiddleware.__call__": Case(header("Content-Encoding", EncodingsMiddleware(id))),
    "web.header_limits:bound": Case(environment, ('"', "a=", 'a="', 'a/b;c="')),
    "accounts.ended_session:_question": Case(ended_session._question, ("/", "//", "/domains/")),
    "accounts.ended_session:_referring_page": Case(
        header("Referer", ended_session._referring_page), ("//", "http://testserver/", "http://[")
    ),
    "accounts.ended_session:places": Case(
        lambda text: ended_session.places(SimpleNamespace(GET={"page": text}, path="/")),
        ("/", "//", "/domains/"),
    ),
    "web.request:query_of_page_before": Case(header("Referer", query_of_page_before), ("//", "http://", "a=&")),
    "web.request:htmx_page": Case(header("HX-Current-URL", htmx_page), ("//", "http://", "//[")),
    "sendlayer.jinja:_heading": Case(jinja._heading, ("<h2", "<h2>")),
    "web.logs:without_keys": Case(logs.without_keys, ("/key/", "/key")),
    "web.logs:one_line": Case(logs.one_line),
    "web.logs:WithoutValues.filter": Case(
        lambda text: logs.WithoutValues().filter(SimpleNamespace(sql=text, params=None)), ("SELECT '",)
    ),
    "web.logs:_Formatter.formatException": Case(
        lambda text: logs.Lines().formatException((ValueError, ValueError(text), None)),
        ("DETAIL:", "\nDETAIL:"),
    ),
    "operations.health:may_read_metrics": Case(
        lambda text: health.may_read_metrics(RequestFactory().get("/", REMOTE_ADDR=text))
    ),
    "web.request:search_text": Case(lambda text: search_text({"q": text})),
    "web.session_store:SessionStore._validate_session_key": Case(SessionStore),
    "web.csv_export:safe": Case(csv_export.safe, ("\t", ";", "=")),
    "web.characters:has_invisible": Case(characters.has_invisible),
    "web.characters:has_many_marks": Case(characters.has_many_marks),
    "web.characters:harmless": Case(characters.harmless),
    "web.request_id:RequestIdMiddleware.__call__": Case(
        header(
            "X-Request-ID", lambda request: RequestIdMiddleware(lambda _: SimpleNamespace(headers={}))(request)
        )
    ),
    # submission
    "submission.policy.addresses:parse_argument": Case(
        lambda text: addresses.parse_argument("FROM:", f"FROM:{text}"),
        ("<", '<"', "<a@b.example> ", "<a@b.example> A="),
    ),
    "submission.policy.addresses:parse_mailbox": Case(addresses.parse_mailbox, ('"', "a@", "é@")),
    "submission.policy.addresses:domain_name": Case(addresses.domain_name, ("é", "xn--")),
    "submission.policy.disguise:shows_other_domain": Case(
        sender_shown, ('"', "(", "a@b ", "=?utf-8?q?", "=?utf-8?b?")
    ),
    "submission.policy.headers:split": Case(
        lambda text: headers.split(text.encode(errors="replace")), ("From:", "From: a\r\n", "From: a\r\n ")
    ),
    "submission.policy.headers:Field.value": Case(
        lambda text: headers.Field("x", f"x:{text}".encode(errors="replace")).value
    ),
    "submission.policy.headers:mailboxes": Case(
        headers.mailboxes, ("a@b.example,", "<", '"', "(", 'a "', "a (", "a <", "=?utf-8?q?")
    ),
    "submission.listener.data_reader:IncomingMessage._take": Case(dotted, ("\r\n.",)),
    "submission.log:printable": Case(log.printable),
    "submission.ip:plain_ip": Case(ip.plain_ip, ("::", "fe80::1%")),
    "submission.ip:client_of": Case(ip.client_of, ("::",)),
    "submission.livecheck.conversation:Conversation._name_recipient": Case(
        conversation._ADDRESS.fullmatch, ("a@",)
    ),
    "submission.delivery.message:prepare": Case(message_read),
    "submission.reports.postfix:Messages.count": Case(account_of_message),
    "submission.milter.packets:macros_of": Case(lambda text: packets.macros_of(text.encode(errors="replace"))),
    "submission.policy.sender:_judge_header": Case(
        lambda text: sender.judge_message(text.encode(errors="replace"), NAME)
    ),
    "submission.listener.data_reader:IncomingMessage._take_pieces": Case(
        lambda text: data_reader.IncomingMessage(1 << 30, limits.Memory())._take_pieces(
            bytearray(text.encode(errors="replace"))
        ),
        (" ", ",", "\r", "é"),
    ),
    "submission.listener.normal_form:normalize": Case(
        lambda text: normal_form.normalize(text.encode(errors="replace") + b"\n"),
        ("\r", "\n", "\r\n", " ", ",", "é", "\r\r\n"),
    ),
    "submission.listener.normal_form:mend_header": Case(
        lambda text: normal_form.mend_header(bytearray(text.encode(errors="replace") + b"\r\n"), f"a@{NAME}"),
        ("\r\n ", "\r\n \r\n", ">", "From a\r\n", "\nfrom ", "a\r\n \t"),
    ),
    "submission.policy.addresses:parse_recipient": Case(addresses.parse_recipient, ('"', "a.", ".", "a@")),
    "credentials.models.base:canonical_username": Case(canonical_username, (" ", "\r\n", "é", "ﬀ")),
    "credentials.passwords:is_cut_off": Case(passwords.is_cut_off, ("sl_",)),
    "submission.reports.dovecot:Reports.count": Case(reported, ("[", '{"', '{"login": "')),
    "submission.listener.sasl:decode": Case(lambda text: sasl.decode(text.encode(errors="replace"))),
    "submission.listener.sasl:plain": Case(lambda text: sasl.plain(text.encode(errors="replace"))),
}
