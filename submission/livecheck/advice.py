"""What the result of a check means and what to do: a title and one or two sentences.

A refusal is judged together with the Outcome that the dashboard has for the credential,
because all refused logins look the same to a client.
"""

from credentials.diagnosis.advice import (  # noqa: F401  (as those below)
    DOMAIN_NOT_AUTHORIZED,
    DOMAIN_SUSPENDED,
    SELF_SIGNED,
    Advice,
)
from credentials.outcome import Outcome
from submission.livecheck.conversation import Plan, Stage, Verdict
from submission.livecheck.faults import Fault

LOGIN_STAGES = (Stage.LOGIN, Stage.SENDER, Stage.RECIPIENT, Stage.MESSAGE)
NOT_SENT = "The password wasn't sent."


FAULT_ADVICE = {
    Fault.NAME_NOT_FOUND: Advice(
        "The name {host} wasn't found",
        "The DNS doesn't know it. Ask the operator to correct SMTP_HOST, or to give the name an address.",
    ),
    Fault.NAME_UNANSWERED: Advice(
        "The name {host} can't be looked up",
        "No DNS server answered in time. Try again in a moment. "
        "If it happens again, ask the operator to check the DNS servers of this machine.",
    ),
    Fault.REFUSED: Advice(
        "{host} refuses connections on port {port}",
        "Nothing is listening there, or a firewall rejects the connection. "
        "Ask the operator to start the mail server, and to check SMTP_PORT and the firewall.",
    ),
    Fault.UNREACHABLE: Advice(
        "{host} can't be reached",
        "The dashboard has no route to it ({detail}). Ask the operator to check the network.",
    ),
    Fault.TIMEOUT: Advice(
        "The mail server is too slow",
        "It wasn't finished after {seconds} seconds, at the step “{stage}”. Try again in a moment. "
        "If it happens again, ask the operator to check the mail server's load and log.",
    ),
    Fault.DROPPED: Advice(
        "The mail server closed the connection",
        "It hung up at the step “{stage}”, without an answer. "
        "Try again in a moment. If it happens again, the mail server's log says why.",
    ),
    Fault.NOT_SMTP: Advice(
        "{host} doesn't speak SMTP on port {port}",
        "It sent {detail}. Ask the operator to check that SMTP_HOST and SMTP_PORT name the mail server.",
    ),
    Fault.NO_STARTTLS: Advice(
        "{host} doesn't offer STARTTLS",
        f"{NOT_SENT} Ask the operator to give the mail server a certificate and to turn STARTTLS on.",
    ),
    Fault.HANDSHAKE: Advice(
        "Could not encrypt the connection to {host}",
        f"{NOT_SENT} The TLS handshake failed ({{detail}}). "
        "Ask the operator to check the mail server's TLS settings: TLS 1.2 or later is needed.",
    ),
    Fault.CERTIFICATE: Advice(
        "The certificate of {host} can't be trusted",
        f"{NOT_SENT} The check found: {{detail}}. Ask the operator for a valid certificate "
        "for {host}, together with its intermediate certificates.",
    ),
    Fault.NO_LOGIN: Advice(
        "{host} offers no login",
        f"{NOT_SENT} After STARTTLS, the mail server has to offer AUTH PLAIN. Ask the operator to turn it on.",
    ),
    Fault.ADDRESS: Advice(
        "Your e-mail address can't receive mail",
        "The login and the sender are accepted, but {recipient} can't be written in SMTP. "
        "Ask support to correct your e-mail address.",
    ),
}
TIMEOUT_ADVICE = {
    Stage.CONNECT: Advice(
        "{host} doesn't answer on port {port}",
        "Could not connect within {seconds} seconds. Ask the operator to check SMTP_HOST, SMTP_PORT, "
        "and whether a firewall drops the connection.",
    ),
    Stage.GREETING: Advice(
        "{host} says nothing on port {port}",
        "It accepted the connection, but sent no greeting within {seconds} seconds. "
        "Ask the operator to check the mail server. A port that starts with TLS, like 465, stays silent too: "
        "SMTP_PORT must be one with STARTTLS.",
    ),
}
REPLY_ADVICE = {
    (Stage.LOGIN, 454): Advice(
        "The mail server can't check passwords right now",
        "The fault is its own, not the password's. Try again in a moment. If it happens again, "
        "ask the operator whether the mail server reaches its database.",
    ),
    (Stage.TLS, 454): Advice(
        "{host} can't encrypt right now",
        f"{NOT_SENT} Ask the operator to check the mail server's certificate and key.",
    ),
    (Stage.SENDER, 553): Advice(
        "The login works, but {sender} may not send",
        "The mail server doesn't let this SMTP user send for {domain}. Ask the operator to check the rule for "
        "senders (in Postfix smtpd_sender_login_maps).",
    ),
}
REFUSED_RECIPIENT = Advice(
    "The login works, but mail to {recipient} is refused",
    "Other recipients may be accepted. If the answer mentions relaying, ask the operator to allow it for "
    "everyone who is logged in. Otherwise, check your e-mail address.",
)
REFUSED_MESSAGE = Advice(
    "The login works, but the test message is refused",
    "The mail server or the next one after it doesn't accept it. Its answer says why. "
    "If it isn't clear, ask the operator.",
)
CLOSING = Advice(
    "The mail server isn't serving right now",
    "It closed the connection: it is too busy, is being restarted, or had too many connections from {ip}. "
    "Try again in a few minutes.",
)
TEMPORARY = Advice(
    "The mail server couldn't do it right now",
    "At the step “{stage}” it asks to try again later. If it continues, ask the operator to check its log.",
)
PERMANENT = Advice(
    "The mail server refused",
    "It did so at the step “{stage}”. Its answer says why. If it isn't clear, ask the operator.",
)
OUTCOME_ADVICE = {
    Outcome.UNKNOWN_USERNAME: Advice(
        "This SMTP user was deleted",
        "Someone deleted it during the check. Nothing can log in with it any more.",
    ),
    Outcome.WRONG_PASSWORD: Advice(
        "The password was changed",
        "Someone reset it during the check. Check again: that uses the new one.",
    ),
    Outcome.SUSPENDED: Advice(
        "This SMTP user is suspended", "So the mail server refuses it. Ask support to resume it."
    ),
    Outcome.EXPIRED: Advice(
        "This SMTP user has expired",
        "So the mail server refuses it. Add a new SMTP user and use it in the site or app.",
    ),
    Outcome.DOMAIN_SUSPENDED: DOMAIN_SUSPENDED,
    Outcome.DOMAIN_NOT_AUTHORIZED: DOMAIN_NOT_AUTHORIZED,
    Outcome.NETWORK_NOT_ALLOWED: Advice(
        "It may not be used from here",
        "The check came from {ip}, and this SMTP user is accepted only from {networks}. "
        "A site within these networks can still log in.",
    ),
    Outcome.ACCEPTED: Advice(
        "The mail server refuses a password that is right",
        "The dashboard would accept it, so the mail server doesn't read this dashboard's database, "
        "or reads it wrongly. Ask the operator to check its password lookup (in Dovecot password_query).",
    ),
}
NOT_OBEYED = Advice(
    "The mail server accepts what it has to refuse",
    "The login succeeded although the dashboard says otherwise ({outcome}). The mail server doesn't read "
    "this dashboard's database, or remembers logins (in Dovecot auth_cache_size must be 0).",
)
WORKS = Advice(
    "This credential works",
    "The mail server accepted the login, the sender {sender} and the recipient {recipient}. "
    "No message was sent.",
)
WORKS_AND_SENT = Advice("This credential works", "Test message accepted for {recipient}: {reply}")
CRASHED = Advice(
    "The check couldn't be finished", "Something went wrong in the dashboard. See its log for details."
)
INTERRUPTED = Advice(
    "The check was interrupted", "The dashboard was probably restarted in the meantime. Check again."
)

# Logins that must fail, whenever and from wherever they are tried.
_MUST_FAIL = {Outcome.SUSPENDED, Outcome.EXPIRED, Outcome.DOMAIN_SUSPENDED, Outcome.DOMAIN_NOT_AUTHORIZED}


def works(verdict: Verdict, outcome: Outcome) -> bool:
    """Whether the credential works and the mail server follows the dashboard."""
    return verdict.fault is None and outcome not in _MUST_FAIL


def advise(verdict: Verdict, outcome: Outcome, plan: Plan, *, seconds: float, networks: str = "") -> Advice:
    """Return the advice for a verdict; `outcome` is the dashboard's own for the login."""
    advice = _choose(verdict, outcome, sent=bool(plan.message))
    words = {
        "host": plan.host,
        "port": plan.port,
        "sender": plan.sender,
        "domain": plan.sender.rpartition("@")[2],
        "recipient": plan.recipient,
        "ip": verdict.own_ip,
        "networks": networks,
        "seconds": f"{seconds:g}",
        "stage": verdict.stage.value,
        "detail": verdict.detail or "no reason given",
        "outcome": outcome.name.lower().replace("_", " "),
        "reply": verdict.reply or "",
    }
    return Advice(*(text.format(**words) for text in advice))


def _choose(verdict: Verdict, outcome: Outcome, *, sent: bool) -> Advice:
    if verdict.fault is None:
        if not works(verdict, outcome):
            return NOT_OBEYED
        return WORKS_AND_SENT if sent else WORKS
    if verdict.fault is Fault.TIMEOUT:
        return TIMEOUT_ADVICE.get(verdict.stage, FAULT_ADVICE[Fault.TIMEOUT])
    if verdict.fault is Fault.REPLY:
        return _of_reply(verdict.stage, verdict.reply.code, outcome)
    return FAULT_ADVICE[verdict.fault]


def _of_reply(stage: Stage, code: int, outcome: Outcome) -> Advice:
    if code == 421:
        return CLOSING
    if (stage, code) in REPLY_ADVICE and (code < 500 or outcome is Outcome.ACCEPTED):
        return REPLY_ADVICE[stage, code]
    if code < 500:
        return TEMPORARY
    # A refusal of a good credential is advice about the login only if the login itself was refused.
    if stage in LOGIN_STAGES and (outcome is not Outcome.ACCEPTED or code == 535):
        return OUTCOME_ADVICE[outcome]
    return {Stage.RECIPIENT: REFUSED_RECIPIENT, Stage.MESSAGE: REFUSED_MESSAGE}.get(stage, PERMANENT)
