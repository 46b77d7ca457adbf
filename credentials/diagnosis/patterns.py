"""Known lines, as patterns → Finding.

They come from our listener (submission/listener/replies.py), from Postfix 3.7 and 3.10 under deploy/, from the
servers behind them, and from the tools that sites send with; in lower case, with single spaces.
transcripts.py has removed the lines that tools print in any session.
"""

from credentials.diagnosis.findings import Finding


def _code(digits: str) -> str:
    """Return the pattern of a reply code (RFC 5321), not of other numbers."""
    return rf"(?<![\w.])(?<!line )(?<!size=)(?<!\d,){digits}(?![\w.]|\]:| ?ms\b| bytes\b)"


def _status(digits: str) -> str:
    """Return the pattern of an enhanced status code (RFC 3463), not of version numbers."""
    return rf"(?:(?<![\w.])[45]\d\d.{{1,6}}|dsn=|status: )(?:{digits})(?![\d.])"


# The first that fits is what counts: what says most about the cause stands before what merely follows from it.
RULES = (
    (
        Finding.NO_PASSWORD,
        r"keyerror: 'smtp_password'|key not found: \"smtp_password\"",
        r"missing credentials for \"?(plain|login)|undefined (array key|index) \"?smtp_password",
        r"password is missing|no password (given|found)|your-smtp-password",
    ),
    # certificates, before the failed handshake that they end in
    (
        Finding.CERTIFICATE_EXPIRED,
        r"certificate (has )?expired|cert_has_expired|expired or is not yet valid",
        r"certificate is not yet valid|expired certificate|not yet activated",
    ),
    (
        Finding.CERTIFICATE_NAME,
        r"hostname mismatch|ip address mismatch|did not match expected cn",
        r"altnames: |altname_invalid|altname (does not|doesn't) match",
        r"certificate is valid for|doesn't contain any ip sans|not valid for any names",
        r"(does not|doesn't|not) match (the )?(target )?(host( ?name)?\b|certificate)",
        r"certificate subject name|certificate owner does not match",
    ),
    (
        Finding.CERTIFICATE_SELF_SIGNED,
        r"self[- _]signed|unknown authority|unable_to_verify|issuer is unknown|no trusted certificate",
        r"unable to (get|verify).{0,20}(issuer|first) cert|untrusted (issuer|certificate)",
        r"issuer is not trusted|doesn't have a known issuer|certificate issuer",
    ),
    (
        Finding.CERTIFICATE,
        r"certificate verif|certificate (is )?not (trusted|verified)|certificate_verify_failed",
        r"error setting certificate|bad certificate|peer certificate cannot be|ssl certificate problem",
        r"x509:|tls certificate check",
    ),
    # TLS from the first byte on a port where it begins later
    (
        Finding.IMPLICIT_TLS,
        r"wrong[ _]version[ _]number|does not look like a tls handshake|unexpected tls packet",
        r"record_too_long|packet length too long|1408f10b|0a00010b|unsupported or unknown protocol",
        r"unable to connect to ssl://|ssl23_get_server_hello",
    ),
    (
        Finding.TLS_MISSING,
        r"must issue a starttls|encryption required|authentication is not allowed before encryp",
        r"unencrypted connection|smtp auth extension not supported|doesn't support auth\b",
        r"did not advertise (smtp )?auth|authentication not enabled|does not support authentication",
        r"no authentication type supported|auth\w* (is )?not supported",
    ),
    # A fault of the server, that the next rule would take for its wish.
    (Finding.TEMPORARY, r"tls (is )?(currently |temporarily )?(not |un)available"),
    (
        Finding.NO_STARTTLS,
        r"starttls (extension )?(is )?(not |un)(supported|available|offered)|not advertise starttls",
        r"(not|n't) support starttls|not support tls via the starttls|requested ssl level failed",
        r"tls is required, but|starttls (is )?required|starttls denied|starttls failed",
    ),
    (
        Finding.TLS_TOO_OLD,
        r"unsupported[ _]protocol|protocol[ _]version(?! ?:)|no shared cipher|version too low",
        r"handshake[ _]fail|no_protocols_available|inappropriate fallback",
    ),
    # the sender, distinguished from the header by the words around it
    (Finding.WRONG_HEADER_FROM, r"from or sender address not allowed"),
    (Finding.NO_SINGLE_FROM, r"exactly one from header|sender header must hold"),
    (Finding.NOT_LOGGED_IN, r"sender address rejected: (not logged in|authentication required)"),
    (Finding.NULL_SENDER, r"<>: sender address rejected|mail from: ?<>|from=<>.*reject|reject.*from=<>"),
    (
        Finding.WRONG_SENDER,
        r"sender address not allowed|not owned by user|sender address rejected",
        r"bad sender address|from address failed|sender refused",
    ),
    (Finding.NO_LONGER_VALID, r"smtp user is no longer valid"),
    # limits, before the refused login that some of them go with
    (Finding.TOO_MANY_LOGINS, r"too many (authentication attempts|auth commands|login attempts|failed login)"),
    (
        Finding.TOO_MANY_CONNECTIONS,
        r"too many (concurrent |new tls )?(smtp )?(connections|sessions)|(?<!max )connection rate",
    ),
    (Finding.TOO_MANY_ERRORS, r"too many errors"),
    (Finding.TOO_MUCH, r"too much mail|too many recipients from|too many messages|rate limit"),
    (Finding.TOO_MANY_RECIPIENTS, r"too many recipients"),
    (
        Finding.LOGIN_UNAVAILABLE,
        rf"temporary authentication failure|{_code('454')}.{{0,8}}4\.7\.0",
        r"connection lost to authentication server",
    ),
    (
        Finding.MECHANISM,
        r"no worthy mechs|no mechanism available|no suitable auth",
        r"(invalid|unrecognized|unsupported) auth(entication)? (mechanism|type|method)",
        rf"{_code('504')}.{{0,8}}5\.(5|7)\.4|usable authentication method|cram-md5|xoauth2",
        r"authentication aborted|authentication mechanism.{0,30}not (supported|available)",
    ),
    (
        Finding.OTHER_SERVER,
        rf"{_code('53[45]')}.*(gsmtp|google|outlook|office ?365|yahoo|sendgrid|mailgun|amazon)",
        r"username and password not accepted",
    ),
    (
        Finding.LOGIN_REFUSED,
        rf"{_code('535')}|authentication credentials invalid|authenticationerror",
        r"could not authenticate|\beauth\b|login denied|invalid login|bad credentials",
        r"auth(entication)? (has )?fail|failed to authenticate|incorrect authentication data",
        r"no authentication type succeeded|password (was )?(incorrect|rejected|not accepted|command failed)",
    ),
    (
        Finding.NOT_LOGGED_IN,
        rf"authentication required|not logged in|{_code('530')}.{{0,8}}5\.7\.[01]",
        r"relay(ing)? access denied|relaying denied|client host rejected: access denied",
    ),
    # the message
    (Finding.BARE_NEWLINE, r"bare (<?lf>?|<?cr>?|newline|line ?feed)\b|bare <lf>|stray newline"),
    (Finding.LONG_LINE, r"line of more than 998|lines? (is )?too long|line length exceeded"),
    (Finding.UTF8, r"(declare|without|support) smtputf8|smtputf8 is required"),
    (Finding.BAD_MESSAGE, r"message header is not valid|holds nul|not support 8bitmime"),
    (
        Finding.TOO_BIG,
        rf"{_code('552')}.{{0,8}}5\.3\.4|size exceeds|message (file )?too (big|large)|exceeds.{{0,20}}size",
    ),
    # the recipient, and the servers further on
    (
        Finding.UNAUTHENTICATED_MAIL,
        _status(r"5\.7\.(?:2[0-7]|515)"),
        r"dmarc|\bspf\b|\bdkim\b|sender policy framework|unauthenticated e?mail",
    ),
    (Finding.GREYLISTED, r"gr[ea]y ?list"),
    (
        Finding.SPAM,
        r"\bspam|spamhaus|block ?list|black ?list|\bdnsbl|\brbl\b|(poor|low|bad) reputation",
        _status(r"[45]\.7\.28"),
        r"unsolicited|content rejected",
    ),
    (Finding.RECIPIENT_FULL, _status(r"[45]\.2\.2"), r"over ?quota|mailbox (is )?full|quota exceeded"),
    (
        Finding.RECIPIENT_SYNTAX,
        _status(r"5\.1\.3"),
        r"recipient address not valid|bad recipient address|need fully-qualified address",
    ),
    (
        Finding.RECIPIENT_DOMAIN,
        _status(r"[45]\.1\.2|[45]\.4\.4|5\.1\.10"),
        r"name service error|domain not found|null ?mx",
    ),
    (
        Finding.RECIPIENT_UNKNOWN,
        _status(r"5\.1\.[16]"),
        r"user unknown|unknown user|no such user|(user|account|mailbox).{0,20}(not|n't) exist",
        r"mailbox unavailable|no mailbox|recipient address rejected|(unknown|invalid) recipient",
    ),
    (Finding.NEXT_SERVER, r"next mail server refused|status=bounced"),
    # faults of the server
    (Finding.TOO_SLOW, r"timeout, closing connection|error: timeout exceeded"),
    (
        Finding.TEMPORARY,
        rf"{_code('45[0-9]')}.{{0,8}}4\.[0-9]\.[0-9]|{_code('421')}",
        r"try again later|server is shutting down|insufficient (system )?storage",
    ),
    (
        Finding.OUT_OF_ORDER,
        rf"{_code('50[0-5]')}.{{0,8}}5\.5\.[0-9]|{_code('555')}|send ehlo first|improper use of",
    ),
    # the connection, reported by a tool that could not connect
    (
        Finding.NAME_NOT_FOUND,
        r"enotfound|eai_again|getaddrinfo|no such host|name or service not known|nxdomain|unknown host",
        r"could ?n[o']t resolve|nodename nor servname|name resolution|getaddresses|name does not resolve",
        r"could not resolve|cannot (resolve|locate) (the )?host|host name lookup failure",
    ),
    (
        Finding.UNREACHABLE,
        r"network is unreachable|enetunreach|ehostunreach|no route to host|unreachable network",
    ),
    (Finding.FORBIDDEN_BY_SYSTEM, r"permission denied|\beacces\b|operation not permitted|\beperm\b"),
    (
        Finding.CONNECTION_REFUSED,
        r"connection refused|econnrefused|actively refused|curl: \(7\)",
        r"could ?n[o']t connect to server",
    ),
    (
        Finding.TIMED_OUT,
        # not a tool's setting, as in timeout=300
        r"timed out|time ?out(?! ?[=:] ?(\d|off|on\b))|execution expired|curl: \(28\)|opentimeout|readtimeout",
        r"greeting never received|deadline exceeded|connection attempt failed because",
    ),
    (
        Finding.DROPPED,
        r"econnreset|connection reset|connection (was )?(unexpectedly )?(closed|aborted)|lost connection",
        r"\beof\b|closed (the )?(connection )?unexpectedly|remote host closed|server disconnected",
        r"forcibly closed|broken pipe|\bepipe\b|curl: \((52|55|56)\)|end of file",
    ),
    (
        Finding.NOT_CONNECTED,
        r"smtp connect\(\) failed|(could not|failed to|unable to|cannot|can't) connect|\besocket\b|econnection",
        r"connection could not be established",
    ),
    (Finding.NEXT_SERVER, _code("55[0-4]")),
    # A Postfix of the site's says so of whatever it tries again, also of what it could not connect to.
    (Finding.TEMPORARY, r"status=deferred"),
    (Finding.SUCCESS, r"\b250\b.{0,30}(ok|accepted|queued)|status=sent|235 2\.7\.0"),
)
