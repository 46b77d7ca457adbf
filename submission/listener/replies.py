"""Every reply of the listener: code, enhanced status code (RFC 3463), text.

After 4yz the client keeps the message and retries; 5yz is a fault of the client. An unavailable
database never leads to 535: clients would discard the password.
"""

from credentials.outcome import Outcome
from submission import log
from submission.delivery.next_hop import NotDelivered, Reason
from submission.listener.sasl import Problem
from submission.policy.sender import Refusal

GREETING = "220 {host} ESMTP"
START_TLS = "220 Ready to start TLS"
OK = "250 2.0.0 OK"
SENDER_OK = "250 2.1.0 OK"
RECIPIENT_OK = "250 2.1.5 OK"
START_DATA = "354 End data with <CR><LF>.<CR><LF>"
ACCEPTED_MESSAGE = "250 2.0.0 OK, message {id} accepted"
AUTHENTICATED = "235 2.7.0 Authentication successful"

# Refused logins, and what a session may not do.
BAD_LOGIN = "535 5.7.8 Authentication credentials invalid"
LOGIN_UNAVAILABLE = "454 4.7.0 Temporary authentication failure"
TLS_FIRST = "530 5.7.0 Must issue a STARTTLS command first"
LOGIN_FIRST = "530 5.7.0 Authentication required"
WRONG_SENDER = "553 5.7.1 Sender address not allowed for this SMTP user"
# After a refused AUTH. Exim and sendmail go on without a login then, and would return each message to its
# sender; now they keep it until the login is right.
LOGIN_FAILED = "450 4.7.0 Authentication failed, message not accepted"
# So that a program with a pool of connections gets a new one, and there the reply to its login.
NO_LONGER_VALID = "421 4.7.0 This SMTP user is no longer valid, closing connection"

# Faults on our side.
INTERNAL_ERROR = "451 4.3.0 Internal error, try again later"
NO_SPACE = "452 4.3.1 Insufficient storage, try again later"

# Limits.
TOO_MANY_CONNECTIONS = "421 4.7.0 Too many connections, try again later"
TOO_MANY_LOGINS = "421 4.7.0 Too many authentication attempts"
TOO_MANY_GUESSES = "421 4.7.0 Too many wrong logins, try again later"
TOO_MANY_ERRORS = "421 4.7.0 Too many errors"
TOO_MANY_RECIPIENTS = "452 4.5.3 Too many recipients"
TOO_BIG = "552 5.3.4 Message size exceeds the limit"
LINE_TOO_LONG = "500 5.5.2 Line too long"
TIMED_OUT = "421 4.4.2 Timeout, closing connection"
BYE = "221 2.0.0 Bye"
SHUTTING_DOWN = "421 4.3.2 Server is shutting down"

# Order and syntax.
HELLO_FIRST = "503 5.5.1 Send EHLO first"
MAIL_FIRST = "503 5.5.1 Send MAIL first"
RECIPIENT_FIRST = "503 5.5.1 Send RCPT first"
NESTED_MAIL = "503 5.5.1 Nested MAIL command"
TLS_ALREADY = "503 5.5.1 TLS is active already"
LOGGED_IN_ALREADY = "503 5.5.1 Already authenticated"
BARE_LF = "500 5.5.2 Bare LF received, lines must end with CRLF, closing connection"
BARE_CR = "500 5.5.2 Bare CR received, lines must end with CRLF"
UNKNOWN_COMMAND = "500 5.5.2 Command not recognized"
NOT_IMPLEMENTED = "502 5.5.1 Command not implemented"
BAD_ARGUMENT = "501 5.5.4 Syntax error in the argument"
BARE_NEWLINE = "550 5.7.1 The message ends with a bare CR or LF, lines must end with CRLF"
UNKNOWN_MECHANISM = "504 5.5.4 Unrecognized authentication type"
UNKNOWN_PARAMETER = "555 5.5.4 Parameter not recognized"
BAD_SENDER = "501 5.1.7 Sender address not valid"
BAD_RECIPIENT = "553 5.1.3 Recipient address not valid"
UTF8_NOT_ASKED = "553 5.6.7 Non-ASCII address without SMTPUTF8"

# Why a message was refused while it was received, as the log names it.
REFUSED_CAUSES = {BARE_NEWLINE: "bare_newline", TOO_BIG: "too_big", NO_SPACE: "no_memory"}

MAX_NAMED = 3  # recipients in a reply, whose line has 512 octets
MAX_NAME = 100

# Why a message was not delivered to a next hop.
DELIVERY_REPLIES = {
    Reason.UNAVAILABLE: "451 4.3.0 Message not accepted now, try again later",
    Reason.NO_SPACE: NO_SPACE,
    Reason.REFUSED: "554 5.0.0 The next mail server refused the message with code {code}",
    # One reply for all recipients: a client that retries must send the message to nobody twice.
    Reason.RECIPIENT_REFUSED: (
        "554 5.1.0 Nobody got the message: the next mail server refused {recipients} with code {code}"
    ),
    Reason.RECIPIENT_DEFERRED: (
        "451 4.1.0 Nobody got the message yet: the next mail server deferred {recipients} with code {code}"
    ),
    Reason.PARTLY: "451 4.3.0 The message was delivered, but not yet to {recipients}, try again later",
    Reason.NEEDS_SMTPUTF8: "554 5.6.7 The next mail server does not support SMTPUTF8",
    Reason.NEEDS_8BITMIME: "554 5.6.3 The next mail server does not support 8BITMIME",
}

# One reply for all refused logins, so that nobody learns which usernames exist.
LOGIN_REPLIES = {
    Outcome.ACCEPTED: AUTHENTICATED,
    Outcome.UNKNOWN_USERNAME: BAD_LOGIN,
    Outcome.WRONG_PASSWORD: BAD_LOGIN,
    Outcome.PADDED_PASSWORD: BAD_LOGIN,
    Outcome.CUT_PASSWORD: BAD_LOGIN,
    Outcome.SUSPENDED: BAD_LOGIN,
    Outcome.EXPIRED: BAD_LOGIN,
    Outcome.DOMAIN_SUSPENDED: BAD_LOGIN,
    Outcome.DOMAIN_NOT_AUTHORIZED: BAD_LOGIN,
    Outcome.NETWORK_NOT_ALLOWED: BAD_LOGIN,
}
AUTH_REPLIES = {
    Problem.ABORTED: "501 5.7.0 Authentication aborted",
    Problem.LINE_TOO_LONG: "500 5.5.6 Authentication exchange line is too long",
    Problem.NOT_BASE64: "501 5.5.2 Cannot decode base64",
    Problem.NOT_PLAIN: "501 5.5.2 Malformed PLAIN response",
    Problem.NOT_A_LOGIN: BAD_LOGIN,
}
MESSAGE_REPLIES = {
    Refusal.FOREIGN_SENDER: WRONG_SENDER,
    Refusal.FOREIGN_HEADER: "553 5.7.1 From or Sender address not allowed for this SMTP user",
    Refusal.NO_SINGLE_FROM: "550 5.7.1 The message must have exactly one From header",
    Refusal.BAD_SENDER_FIELD: "550 5.7.1 The Sender header must hold exactly one address",
    Refusal.BAD_HEADER: "550 5.7.1 The message header is not valid (RFC 5322)",
    Refusal.BAD_ADDRESSES: (
        "550 5.7.1 The message header is not valid: From and Sender have to be "
        'name@domain or "Name" <name@domain>, put names in double quotes'
    ),
    Refusal.OTHER_ADDRESS: (
        "550 5.7.1 The message header is not valid: the name in From or Sender shows an address "
        "of another domain, put that into Reply-To"
    ),
    Refusal.HIDDEN_TEXT: (
        "550 5.7.1 The message header is not valid: the name in From or Sender holds invisible or control "
        "characters or too many blanks, remove them"
    ),
    Refusal.NUL: "550 5.7.1 The message holds NUL characters",
}


def delivery_failed(failure: NotDelivered) -> str:
    """Return the reply to a message that the next hop didn't accept."""
    names = [f"<{log.printable(name, MAX_NAME)}>" for name in failure.recipients[:MAX_NAMED]]
    if more := len(failure.recipients) - len(names):
        names.append(f"{more} more")
    return DELIVERY_REPLIES[failure.reason].format(code=failure.code, recipients=", ".join(names))
