"""What a line from a site's log means for a credential as it is now.

A refused login has the same line for every cause (as RFC 4954 wants it), so the answer comes from
what the database has about the credential.
"""

from datetime import timedelta
from typing import NamedTuple

from django.conf import settings
from django.utils.html import format_html

from credentials import networks
from credentials.diagnosis.advice import DOMAIN_NOT_AUTHORIZED, DOMAIN_SUSPENDED
from credentials.diagnosis.connection_texts import CONNECTION
from credentials.diagnosis.findings import Finding, Known
from credentials.diagnosis.login_texts import LOGIN
from credentials.diagnosis.message_texts import MESSAGE
from credentials.diagnosis.parser import read
from credentials.diagnosis.wording import Step, Words
from credentials.models import LoginDay
from credentials.models.base import short
from credentials.models.login_day import REFUSAL_SHOWN_FOR
from credentials.models.retired import Why
from credentials.outcome import Outcome
from web.dates import long_ago, moment

WORDS = LOGIN | CONNECTION | MESSAGE
OLD_PASSWORD_COUNTS_FOR = timedelta(hours=24)
PASSWORD_CAUSES = {
    Outcome.OLD_PASSWORD: Known.OLD_PASSWORD_ONCE,
    Outcome.WRONG_PASSWORD: Known.WRONG_PASSWORD,
    Outcome.PADDED_PASSWORD: Known.PADDED_PASSWORD,
    Outcome.CUT_PASSWORD: Known.CUT_PASSWORD,
}
OR_TLS = " Or keep it, and set the port to {tls_port}."
SMTP_PORTS = {25, 465, 587, 2465, 2525, 2587}
# What a failure means at the port with TLS from the start.
ON_TLS_PORT = {
    Finding.TIMED_OUT: Finding.PLAIN_TO_TLS,
    Finding.DROPPED: Finding.PLAIN_TO_TLS,
    Finding.IMPLICIT_TLS: Finding.NOT_SMTP,
}
_CONNECTION_FAILURES = {
    Finding.NAME_NOT_FOUND,
    Finding.CONNECTION_REFUSED,
    Finding.TIMED_OUT,
    Finding.UNREACHABLE,
    Finding.NOT_CONNECTED,
    Finding.DROPPED,
    Finding.IMPLICIT_TLS,
}
_AFTER_THE_LOGIN = {Finding.NO_LONGER_VALID, Finding.WRONG_SENDER}
_LOGIN = {Finding.LOGIN_REFUSED, Finding.LOGIN_FAILED}
_ABOUT_THE_CREDENTIAL = {*_LOGIN, *_AFTER_THE_LOGIN}


class Explanation(NamedTuple):
    """`of` is the username that the step is about, if it is not the page's."""

    title: str
    text: str
    step: Step
    of: str = ""


def explain(line: str, credential, *, now) -> Explanation:
    """Explain what a line means for this credential, and what to do next."""
    reading = read(line)
    if reading.finding in _ABOUT_THE_CREDENTIAL and (answer := _of_another(reading, credential)):
        return answer
    if reading.finding in _LOGIN:
        return _login_refused(credential, now, has_answer=reading.finding is Finding.LOGIN_REFUSED)
    # In a session that was open before, Postfix refuses the sender, since the lookup finds none any more.
    if reading.finding in _AFTER_THE_LOGIN and (answer := state_of(credential, now)):
        return answer
    extra = {}
    if reading.finding is Finding.RECIPIENT_DOMAIN and f"name={settings.SMTP_HOST} " in line:
        reading = reading._replace(finding=Finding.NAME_NOT_FOUND)  # a Postfix that relays
    if reading.finding is Finding.WRONG_SENDER:
        extra["named"] = _named(reading, credential.domain.name)
    finding = reading.finding
    if finding in _CONNECTION_FAILURES:
        finding, extra["wrong_port"] = _connection_failure(reading)
    return _fill(WORDS[finding], credential, **extra)


def state_of(credential, now) -> Explanation | None:
    """Why every login of a credential is refused now; None if they are not."""
    match credential.outcome(now):
        case Outcome.SUSPENDED:
            by_support = credential.suspended_by_support
            known = Known.SUSPENDED_BY_SUPPORT if by_support else Known.SUSPENDED
            return _fill(WORDS[known], credential, since=moment(credential.suspended_at))
        case Outcome.EXPIRED:
            return _fill(WORDS[Known.EXPIRED], credential, since=moment(credential.expires_at))
        case Outcome.DOMAIN_SUSPENDED:
            return _fill(Words(*DOMAIN_SUSPENDED, Step.OVERVIEW), credential)
        case Outcome.DOMAIN_NOT_AUTHORIZED:
            return _fill(Words(*DOMAIN_NOT_AUTHORIZED, Step.OVERVIEW), credential)
        case _:
            return None


def _of_another(reading, credential) -> Explanation | None:
    """The answer if the line has usernames, but not this one."""
    cut = reading.cut_username
    if not reading.usernames and cut and credential.username.startswith(cut):
        return _fill(WORDS[Known.CUT_USERNAME], credential, cut=cut, length=len(cut))
    if not reading.usernames or credential.username in reading.usernames:
        return None
    username = reading.usernames[0]
    other = credential.domain.credentials.filter(username=username).values_list("label", flat=True).first()
    if other is None:
        return _fill(WORDS[Known.NO_SUCH_USERNAME], credential, named=username)
    label = other or "an unnamed one"
    answer = _fill(WORDS[Known.ANOTHER_USERNAME], credential, named=short(username), label=label)
    return answer._replace(of=username)


def _login_refused(credential, now, *, has_answer) -> Explanation:
    """The answer from what is known of the credential, the most certain first.

    Without the server's answer in the line, the login may never have got there.
    """
    if answer := state_of(credential, now):
        return answer
    at, ip, cause = credential.last_refused_at, credential.last_refused_ip, credential.last_refused_cause
    if at is None or at < now - REFUSAL_SHOWN_FOR:
        return _fill(WORDS[Known.NEVER_REFUSED if has_answer else Known.NEVER_SEEN], credential)
    facts = {"ip": ip or "A client", "ago": long_ago(at)}
    if cause == Outcome.NETWORK_NOT_ALLOWED:
        still = ip and not networks.allows(credential.allowed_networks, ip)
        facts["listed"] = ", ".join(networks.listed(credential.allowed_networks))
        return _fill(WORDS[Known.NETWORK if still else Known.OVER], credential, **facts)
    since = now - OLD_PASSWORD_COUNTS_FOR
    if cause == Outcome.OLD_PASSWORD:
        since = min(since, at)
    if old := _newest_old_password(credential, since):
        facts = {
            "ip": old.ip or "A client",
            "ago": long_ago(old.last_at),
            "reset": moment(old.retired_password.since),
        }
        return _fill(WORDS[Known.OLD_PASSWORD], credential, **facts)
    return _fill(WORDS[PASSWORD_CAUSES.get(cause, Known.OVER)], credential, **facts)


def _newest_old_password(credential, since) -> LoginDay | None:
    tries = LoginDay.objects.filter(username=credential.username, retired_password__why=Why.RESET)
    return tries.since(since).select_related("retired_password").order_by("-last_at").first()


def _named(reading, own: str) -> str:
    """A sentence about a sender's domain in the line other than the credential's."""
    foreign = next((domain for domain in reading.sender_domains if domain != own), None)
    if foreign is None:
        return ""
    if foreign.endswith(f".{own}"):
        return f"The line names {foreign}: a subdomain counts as another domain. "
    return f"The line names {foreign}. "


def _connection_failure(reading) -> tuple[Finding, int | None]:
    """A failed connection: the finding, and the port if it was the wrong one."""
    if reading.names_this_machine and settings.SMTP_HOST not in ("localhost", "127.0.0.1", "::1"):
        return Finding.WRONG_HOST, None
    tls_port, own = settings.SMTP_TLS_PORT, {settings.SMTP_PORT, settings.SMTP_TLS_PORT}
    ports = [port for port in reading.ports if port in SMTP_PORTS | own]
    if ports and not own & set(ports):
        return Finding.WRONG_PORT, ports[0]
    if tls_port in ports and settings.SMTP_PORT not in ports:
        return ON_TLS_PORT.get(reading.finding, reading.finding), None
    return reading.finding, None


def _fill(words, credential, **extra) -> Explanation:
    tls_port = settings.SMTP_TLS_PORT
    values = {
        "host": settings.SMTP_HOST,
        "port": settings.SMTP_PORT,
        "tls_port": tls_port,
        "or_tls": OR_TLS.format(tls_port=tls_port) if tls_port else "",
        "domain": credential.domain.name,
        "username": credential.username,
        "megabytes": settings.SUBMISSION_MAX_SIZE // (1024 * 1024),
        **extra,
    }
    title, text = (format_html(text, **values) for text in words[:2])
    return Explanation(title, text, words.step)
