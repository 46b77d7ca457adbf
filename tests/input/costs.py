"""How a test gives each function that takes a text apart one of any length (tests/input/readers.py)."""

from collections.abc import Callable
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

from accounts import email_addresses, openid, sessions
from accounts.models import User, UserManager
from accounts.openid import tokens
from accounts.openid.provider import Provider
from accounts.passwords import ServiceWordsValidator
from audit import checking, client_ip, exports, sentences
from audit.actor import Actor
from audit.admin import ReasonField
from audit.management.commands import export_audit
from audit.models import Event
from credentials import chosen, connect, networks, passwords, vault
from credentials.explaining import reading
from credentials.forms import ExpiryForm, ExplainForm
from credentials.lasting import is_username
from credentials.usage import Tally
from domains import dns as domain_dns
from domains import dns_page, dns_records, invitations, labels, member_forms, names, policies, records, scripts
from domains.forms import AddDomainForm
from domains.general_forms import DeleteDomainForm
from sendlayer import accept, htmx, jinja, logs, probes, search, spreadsheet, text
from sendlayer.backups import manifest
from sendlayer.bodies import BodiesMiddleware
from sendlayer.encodings import EncodingsMiddleware
from sendlayer.environ import bound
from sendlayer.sessions import SessionStore
from sendlayer.tracing import RequestIdMiddleware
from submission import addresses, headers, incoming, journal, limits, message, policy, sasl
from submission.livecheck import conversation
from submission.messages import Messages
from submission.reports import Reports

NAME = "sl.example.com"
USERNAME = "0" * 32
SPF = records.Record(records.Kind.SPF, "TXT", NAME, "v=spf1", include="spf.example.net")
DMARC = records.Record(records.Kind.DMARC, "TXT", f"_dmarc.{NAME}", "v=DMARC1")
OWNERSHIP = records.Record(records.Kind.OWNERSHIP, "TXT", NAME, f"{records.PREFIX}x", required=True)


UNUSED = SimpleNamespace(username=USERNAME, expires_at=None, was_used_lately=lambda at: False)


class Case(NamedTuple):
    """`call` takes a text; `heads` are what it waits for before it reads on."""

    call: Callable[[str], object]
    heads: tuple[str, ...] = ()


def header(name: str, read: Callable) -> Callable[[str], object]:
    """What reads a request's header; gunicorn bounds one at 8,190 bytes, which nothing here relies on."""

    def call(text):
        request = RequestFactory(headers={name: text}).get("/", REMOTE_ADDR="127.0.0.1")
        request.htmx = HtmxDetails(request)
        return read(request)

    return call


def environment(text):
    """What Django reads of each request before anybody can refuse it."""
    for value in (text, f'a="{text}"'):
        environ = RequestFactory().get("/").environ | {"HTTP_COOKIE": value, "CONTENT_TYPE": text}
        bound(environ)
        WSGIRequest(environ).COOKIES  # noqa: B018


def judged(record) -> Callable[[str], object]:
    """What a check makes of a DNS record: of one value, and of as many as it has words."""

    def call(text):
        for values in ((text,), tuple(text.split(" "))):
            dns_records.shown(records.judge(record, records.Heard(domain_dns.Found(values))).found)

    return call


def answered(text):
    """A DNS answer over TCP with as much of a text as one can hold."""
    data = text.encode(errors="replace")[:60_000]
    strings = [data[at : at + 255] for at in range(0, len(data), 255)]
    query = dns.message.make_query(f"_dmarc.{NAME}", "TXT")
    response = dns.message.make_response(query, recursion_available=True)
    rdata = TXT(dns.rdataclass.IN, dns.rdatatype.TXT, strings)
    response.answer.append(dns.rrset.from_rdata(query.question[0].name, 60, rdata))
    domain_dns.read(response)


def message_read(text):
    """A whole message, as it comes after DATA, judged and made ready for the next hop."""
    content = bytearray(f"From: <a@{NAME}>\r\nSubject: {text}\r\n\r\n{text}\r\n".encode(errors="replace"))
    policy.judge_message(content, NAME)
    envelope = SimpleNamespace(
        content=content, mail_from=f"a@{NAME}", rcpt_tos=["b@example.com"], smtp_utf8=True
    )
    message.finish(envelope, message.Trace(text[:255], "192.0.2.1", "mx.example.com", smtp_utf8=True), NAME)


def dotted(text):
    """What was sent after DATA, without its dots."""
    found = incoming.Message(1 << 30, limits.Memory())
    found._take(text.encode(errors="replace") + b"\r\n.")


def sender_shown(text):
    """A From whose name is a text, of its own domain, as it is judged for what it shows."""
    policy.judge_message(f"From: {text} <a@{NAME}>\r\n\r\n".encode(errors="replace"), NAME)


def event(text):
    return Event(tag="credential.labelled", credential=USERNAME, data={"label": text, "before": text})


def reported(text):
    Reports("secret", Tally()).take(b"POST", b"Bearer secret", text.encode(errors="replace"))


def account_of_message(text):
    known = f"protocol_state=END-OF-MESSAGE\nsasl_username={USERNAME}.1\nclient_address=192.0.2.1\n"
    Messages(Tally()).take(f"{known}helo_name={text}".encode(errors="replace"))


def invited(text):
    domain = SimpleNamespace(role="owner")
    form = member_forms.InviteForm({"emails": text, "role": "viewer"}, domain=domain, user=None)
    form.fields["emails"].clean(text)
    form.cleaned_data = {"emails": text}
    form._members = form._invited = lambda _: ()  # which ask the database for what was found
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
    "accounts.openid.tokens:verify": Case(
        lambda text: tokens.verify(text, {}, issuer="x", client_id="x", nonce="x"), ("e30.", "eyJ", "a.a.")
    ),
    "accounts.passwords:ServiceWordsValidator.validate": Case(ServiceWordsValidator().validate, ("sendlayer",)),
    "accounts.sessions:_first": Case(sessions.browser, ("Mozilla/5.0 ",)),
    # audit
    "audit.actor:Actor.of": Case(
        header("User-Agent", lambda request: Actor.of(request, User(email="a@b.example")))
    ),
    "audit.admin:ReasonField.clean": Case(ReasonField().clean),
    "audit.checking:noted_heads": Case(
        lambda text: checking.noted_heads([text]), ("1\t1\t", "1\t1\t" + "a" * 64)
    ),
    "audit.checking:_named": Case(lambda text: checking._named(1, text)),
    "audit.client_ip:client_ip": Case(header("X-Forwarded-For", client_ip.client_ip), ("192.0.2.1, ",)),
    "audit.exports:_time": Case(exports._time, ("2030-01-01",)),
    "audit.exports:_json": Case(exports._json, ("[", '{"')),
    "audit.exports:read": Case(lambda text: list(exports.read([text])), ("[", '{"')),
    "audit.management.commands.export_audit:_moment": Case(export_audit._moment, ("2030-01-01",)),
    "audit.sentences:sentence": Case(lambda text: sentences.sentence(event(text))),
    "audit.sentences:plain": Case(lambda text: sentences.plain(event(text))),
    # credentials
    "credentials.chosen:usernames": Case(lambda text: chosen.usernames(QueryDict(text)), ("username=",)),
    "credentials.connect:values": Case(
        lambda text: connect.values(
            SimpleNamespace(username=USERNAME, domain=SimpleNamespace(name=NAME)), text
        ),
        ("a@",),
    ),
    "credentials.explaining.reading:read": Case(
        reading.read, ("from=<>", "250 ", "535 ", "port ", "port=", "dsn=", "sl_", "tls is required, but ")
    ),
    "credentials.explaining.reading:visible": Case(reading.visible, ("sl_", "sl_\n")),
    "credentials.forms:ExplainForm": Case(lambda text: ExplainForm({"line": text}).is_valid(), ("sl_",)),
    "credentials.forms:ExpiryForm": Case(
        lambda text: ExpiryForm({"day": text}, credential=UNUSED).is_valid(),
        ("2030-01-01", "2030-01-"),
    ),
    "credentials.lasting:is_username": Case(is_username),
    "credentials.networks:clean": Case(networks.clean, ("192.0.2.1 ", "::")),
    "credentials.passwords:is_well_formed": Case(passwords.is_well_formed, ("sl_",)),
    "credentials.vault:open": Case(lambda text: vault.open(text, place="x"), ("v1.k1.",)),
    "credentials.vault:parse": Case(vault.parse, ("k1:",)),
    # domains
    "domains.dns:parse_server": Case(domain_dns.parse_server, ("[", "[::1]:", "192.0.2.1:")),
    "domains.dns:Resolver._ask": Case(lambda text: domain_dns.Resolver([]).ask(text, "TXT")),
    "domains.dns:_text": Case(answered),
    "domains.dns_page:Line.found": Case(lambda text: dns_page.Line(SPF, SimpleNamespace(found=text)).found),
    "domains.dns_records:shown": Case(lambda text: dns_records.shown(text.split(" "))),
    "domains.forms:AddDomainForm": Case(
        lambda text: AddDomainForm({"name": text}, user=None).is_valid(), ("a@", "http://")
    ),
    "domains.general_forms:DeleteDomainForm.clean_name": Case(
        lambda text: DeleteDomainForm({"name": text}, domain=SimpleNamespace(name=NAME)).is_valid()
    ),
    "domains.invitations:key_of": Case(invitations.key_of, (".", "a:a:")),
    "domains.labels:clean": Case(labels.clean, ("👩",)),
    "domains.member_forms:InviteForm.clean_emails": Case(invited, ("a@", '"')),
    "domains.names:normalise": Case(names.normalise, ("http://", "a@", "xn--", "münchen.")),
    "domains.names:a_label": Case(names.a_label, ("xn--", "münchen.")),
    "domains.names:u_label": Case(names.u_label, ("xn--",)),
    "domains.names:display": Case(names.display, ("xn--", "а")),
    "domains.names:organizational": Case(names.organizational),
    "domains.policies:is_host": Case(policies.is_host),
    "domains.policies:spf_records": Case(lambda text: policies.spf_records([text]), ("v=spf1 ",)),
    "domains.policies:includes": Case(
        lambda text: policies.includes(text, NAME), ("v=spf1 ", "v=spf1 include:")
    ),
    "domains.policies:with_include": Case(
        lambda text: policies.with_include([text], NAME), ("v=spf1 ", "v=spf1 include:")
    ),
    "domains.policies:dmarc_records": Case(
        lambda text: policies.dmarc_records([text]), ("v=DMARC1;", "v", "v=")
    ),
    "domains.policies:is_valid_dmarc": Case(
        policies.is_valid_dmarc, ("v=DMARC1;", "v=DMARC1; p=", "v=DMARC1; p")
    ),
    "domains.records:parse_cname": Case(records.parse_cname, ("sl1:",)),
    "domains.records:_judge_spf": Case(judged(SPF), ("v=spf1 ", "v=spf1 v=spf1 ")),
    "domains.records:_judge_dmarc": Case(judged(DMARC), ("v=DMARC1;",)),
    "domains.records:_judge_ownership": Case(judged(OWNERSHIP), (records.PREFIX, "\\")),
    "domains.scripts:is_mixed": Case(scripts.is_mixed, ("а",)),
    "domains.scripts:reads_as_latin": Case(scripts.reads_as_latin, ("а", "ο")),
    "domains.scripts:has_second_dot": Case(scripts.has_second_dot, ("i",)),
    "domains.scripts:without_second_dot": Case(scripts.without_second_dot, ("i",)),
    # the project
    "sendlayer.accept:wants_text": Case(header("Accept", accept.wants_text), ("text/html;", 'a/b;c="', "a/b,")),
    "sendlayer.backups.manifest:judge": Case(lambda text: manifest.judge({"database": text, "migrations": []})),
    "sendlayer.bodies:BodiesMiddleware.__call__": Case(header("Content-Length", BodiesMiddleware(id))),
    "sendlayer.encodings:EncodingsMiddleware.__call__": Case(
        header("Content-Encoding", EncodingsMiddleware(id))
    ),
    "sendlayer.environ:bound": Case(environment, ('"', "a=", 'a="', 'a/b;c="')),
    "sendlayer.htmx:page_of": Case(header("HX-Current-URL", htmx.page_of), ("//", "http://", "//[")),
    "sendlayer.jinja:_heading": Case(jinja._heading, ("<h2", "<h2>")),
    "sendlayer.logs:without_keys": Case(logs.without_keys, ("/key/", "/key")),
    "sendlayer.logs:one_line": Case(logs.one_line),
    "sendlayer.logs:WithoutValues.filter": Case(
        lambda text: logs.WithoutValues().filter(SimpleNamespace(sql=text, params=None)), ("SELECT '",)
    ),
    "sendlayer.logs:_Formatter.formatException": Case(
        lambda text: logs.Lines().formatException((ValueError, ValueError(text), None)),
        ("DETAIL:", "\nDETAIL:"),
    ),
    "sendlayer.probes:may_read_metrics": Case(
        lambda text: probes.may_read_metrics(RequestFactory().get("/", REMOTE_ADDR=text))
    ),
    "sendlayer.search:search_text": Case(lambda text: search.search_text({"q": text})),
    "sendlayer.sessions:SessionStore._validate_session_key": Case(SessionStore),
    "sendlayer.spreadsheet:safe": Case(spreadsheet.safe, ("\t", ";", "=")),
    "sendlayer.text:has_invisible": Case(text.has_invisible),
    "sendlayer.text:has_many_marks": Case(text.has_many_marks),
    "sendlayer.text:harmless": Case(text.harmless),
    "sendlayer.tracing:RequestIdMiddleware.__call__": Case(
        header(
            "X-Request-ID", lambda request: RequestIdMiddleware(lambda _: SimpleNamespace(headers={}))(request)
        )
    ),
    # submission
    "submission.addresses:parse_argument": Case(
        lambda text: addresses.parse_argument("FROM:", f"FROM:{text}"),
        ("<", '<"', "<a@b.example> ", "<a@b.example> A="),
    ),
    "submission.addresses:parse_mailbox": Case(addresses.parse_mailbox, ('"', "a@", "é@")),
    "submission.addresses:domain_name": Case(addresses.domain_name, ("é", "xn--")),
    "submission.disguise:shows_other_domain": Case(
        sender_shown, ('"', "(", "a@b ", "=?utf-8?q?", "=?utf-8?b?")
    ),
    "submission.headers:split": Case(
        lambda text: headers.split(text.encode(errors="replace")), ("From:", "From: a\r\n", "From: a\r\n ")
    ),
    "submission.headers:Field.value": Case(
        lambda text: headers.Field("x", f"x:{text}".encode(errors="replace")).value
    ),
    "submission.headers:mailboxes": Case(
        headers.mailboxes, ("a@b.example,", "<", '"', "(", 'a "', "a (", "a <", "=?utf-8?q?")
    ),
    "submission.incoming:Message._take": Case(dotted, ("\r\n.",)),
    "submission.journal:printable": Case(journal.printable),
    "submission.limits:plain_ip": Case(limits.plain_ip, ("::", "fe80::1%")),
    "submission.limits:client_of": Case(limits.client_of, ("::",)),
    "submission.livecheck.conversation:Conversation._read": Case(
        conversation._REPLY_LINE.fullmatch, ("250-", "250 ")
    ),
    "submission.livecheck.conversation:Conversation._name_recipient": Case(
        conversation._ADDRESS.fullmatch, ("a@",)
    ),
    "submission.message:finish": Case(message_read),
    "submission.messages:Messages.take": Case(account_of_message),
    "submission.policy:_judge_form": Case(
        lambda text: policy.judge_message(text.encode(errors="replace"), NAME)
    ),
    "submission.reports:Reports.take": Case(reported, ("[", '{"', '{"login": "')),
    "submission.sasl:decode": Case(lambda text: sasl.decode(text.encode(errors="replace"))),
    "submission.sasl:plain": Case(lambda text: sasl.plain(text.encode(errors="replace"))),
}
