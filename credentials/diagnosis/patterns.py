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


def _replied(words: str) -> str:
    """Return the pattern of words in a line with a refusal of SMTP: they occur in other logs as well."""
    code = _code("[45][0-7][0-9]")
    reply = rf"(?:^|[:(<'\"=] ?){code}|{code}.{{1,6}}[45]\.\d|recipient|rcpt|smtp|mailbox|dsn=|status="
    return rf"^(?=.*(?:{reply})).*?(?:{words})"


# Words of other services, whose errors read like those of mail, and words of mail, which make up for them.
OTHER_SERVICES = (
    r"sqlstate|mysql|mariadb|postgresql|\bpsql|for user \"|redis|\bnoauth\b|mongo|memcached|elasticsearch"
    r"|rabbitmq|\bamqp|kafka|\bldaps?\b|\bs?ftp\b|\bimaps?\b|\bpop3s?\b|\bsshd?\b|pam_unix|\bsudo\b|upstream"
    r"|https?://(?!curl\.)|curl error \d|\bnfs\b|\bsmbd?\b"
    r"|[:='](?:110|143|389|443|636|993|995|3306|5432|5672|6379|8080|8443|9200|11211|27017)\b"
)
MAIL = (
    r"smtp|submission|starttls|sendmail|phpmailer|mailer|mail from|rcpt to|recipient|[45]\d\d[ -][45]\.\d\.\d"
    r"|(?:\bport\W{1,3}|[a-z\]]:|\d\.\d{1,3}:)(?:25|465|587|2465|2525|2587)\b"
)

# The first that fits is what counts: what says most about the cause stands before what merely follows from it.
RULES = (
    (Finding.NOT_BY_SMTP, r"could not instantiate mail function|could not execute: .{0,40}sendmail"),
    (
        Finding.NO_PASSWORD,
        r"keyerror: 'smtp_password'|key not found: \"smtp_password\"|no password specified",
        r"missing credentials for \"?(plain|login)|undefined (array key|index) \"?smtp_password",
        r"password is missing|no password (given|found)|your-smtp-password",
    ),
    # TLS from the first byte on a port where it begins later
    (
        Finding.IMPLICIT_TLS,
        r"typically reserved for plain-text|unexpected packet format|cannot determine the frame size",
        r"invalidcontenttype|error: corruptmessage|unrecognized ssl message",
        r"record packet of unknown type",
    ),
    # certificates, before the failed handshake that they end in
    (
        Finding.CERTIFICATE_EXPIRED,
        r"certificate (has )?expired|cert_has_expired|expired or is not yet valid|certificateexpired",
        r"certificate is not yet valid|expired certificate|not yet activated|nottimevalid",
        r"peer certificate: (expired|notvalidyet)|validity check failed|certificatenotyetvalid",
    ),
    (
        Finding.CERTIFICATE_NAME,
        r"hostname mismatch|ip address mismatch|did not match expected (cn|name)|certificatenamemismatch",
        r"altnames: |altname_invalid|altname (does not|doesn't) match|no subject alternative",
        r"certificate is valid for|doesn't contain any ip sans|not valid for any names|notvalidforname",
        r"(does not|doesn't|did not|not) match (the )?(target )?(host( ?name)?\b|certificate|expected)",
        r"certificate subject name|certificate owner does not match|hostname verification failed",
        r"did not match the name given|certificate (does not|doesn't) match|legacy common name",
        r"(can't|cannot) verify identity of server|certificate not valid for name|wrong_principal",
    ),
    # MailKit's list of all that may be wrong
    (Finding.TLS_FAILED, r"reasons: ?(\\n)* ?1\. the server is using a self-signed"),
    (
        Finding.CERTIFICATE_SELF_SIGNED,
        r"self[- _]signed|unknown ?(authority|issuer)|unable_to_verify|issuer is unknown",
        r"unable to (get|verify).{0,20}(issuer|first) cert|untrusted ?(issuer|certificate|root)|partialchain",
        r"issuer is not trusted|doesn't have a known issuer|certificate issuer",
        r"no trusted certificate|untrusted_root",
        r"pkix path building failed|unable to find valid certification path",
    ),
    (
        Finding.CERTIFICATE,
        r"certificate verif|certificate (is )?not (trusted|verified)|certificate_verify_failed",
        r"error setting certificate|bad certificate|peer certificate cannot be|ssl certificate problem",
        r"x509:|tls certificate check|certificate_unknown|certificate unknown|error in the certificate",
        r"remote certificate (is invalid|was rejected)|certificate could not be validated",
        r"certificate is untrusted|invalid peer certificate|pkix path|certificate check failed",
    ),
    (
        Finding.IMPLICIT_TLS,
        r"wrong[ _]version[ _]number|does not look like a tls handshake|unexpected tls packet",
        r"record_too_long|packet length too long|1408f10b|0a00010b|ssl23_get_server_hello",
        r"unable to connect to ssl://|unsupported or un(known|recognized) (protocol|ssl)",
    ),
    (
        Finding.TLS_MISSING,
        r"must issue a starttls|encryption required|authentication is not allowed before encryp",
        r"unencrypted connection|smtp auth extension (is )?not supported|doesn't support auth\b",
        r"did not advertise (smtp )?auth|authentication not enabled|auth not advertised",
        r"does not support authentication(?! (method|mechanism|type))|command unknown: 'auth'",
        r"no authentication type supported|auth\w* (is )?not supported",
    ),
    # PEAR says so of a server that agreed to start TLS.
    (Finding.TLS_FAILED, r"starttls failed \(code: 220"),
    # A fault of the server, that the next rule would take for its wish.
    (
        Finding.TEMPORARY,
        r"(?<!start)tls (is )?(currently |temporarily )?(not |un)available",
        rf"starttls (command )?(denied|failed|rejected).{{1,40}}{_code('454')}",
    ),
    (
        Finding.NO_STARTTLS,
        r"starttls (extension )?(is )?(not |un)(supported|available|offered)|not advertise (the )?starttls",
        r"(not|n't) support (the )?starttls|not support tls via the starttls|requested ssl level failed",
        r"tls is required,? but|starttls (is )?required|starttls (command )?(denied|failed|rejected)",
        r"does not support secure connections|tls not possible",
    ),
    (
        Finding.OLD_SERVER,
        r"unsupported[ _]protocol|legacy sigalg|unsafe legacy|\b(dh|ee) key too small|version too low",
    ),
    (
        Finding.TLS_TOO_OLD,
        r"protocol[ _]version(?! ?:)|no shared cipher|no_protocols_available|inappropriate fallback",
        r"alert:? (number 40|handshake[ _]failure)|remote error: tls: handshake failure",
        r"no appropriate protocol|common algorithm",
    ),
    (
        Finding.TLS_FAILED,
        r"handshake[ _]fail|completing tls handshake|establish an ssl or tls connection",
        r"unable to connect with starttls|starttls not working|terminated the handshake",
        r"setting up tls session|starttls=client, error",
        r"client -> server: starttls.{0,300}could not connect",  # PHPMailer, after the server agreed
    ),
    # the sender, distinguished from the header by the words around it
    (Finding.NO_LONGER_VALID, r"smtp user is no longer valid"),
    (Finding.WRONG_HEADER_FROM, r"from or sender address not allowed"),
    (Finding.NO_SINGLE_FROM, r"exactly one from header|sender header must hold"),
    (Finding.NOT_LOGGED_IN, r"sender address rejected: (not logged in|authentication required)"),
    (Finding.NULL_SENDER, r"<>: sender address rejected|mail from: ?<>|from=<>.*reject|reject.*from=<>"),
    (
        Finding.WRONG_SENDER,
        r"sender address not allowed|not owned by (auth )?user|mail failed: 553",
    ),
    (Finding.SENDER_SYNTAX, r"bad sender address syntax", _status(r"5\.1\.7")),
    # limits, before the refused login that some of them go with
    (
        Finding.TOO_MANY_LOGINS,
        r"too many (authentication attempts|auth commands|login attempts|failed login|wrong logins)",
    ),
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
        r"no worthy mechs|no mechanism available|no suitable auth|no authenticators available",
        r"(invalid|unrecognized|unsupported) auth(entication)? (mechanism|type|method)",
        rf"{_code('504')}.{{0,8}}5\.(5|7)\.4|usable authentication method|cram-md5|xoauth2",
        r"authentication aborted|authentication (mechanism|method).{0,30}not (supported|available)",
        r"(no|any) supported auth\w*( method)?|no authentication mechanisms|do not fulfill requirements",
        r"not support authentication (method|mechanism|type)|requested type not available",
    ),
    (
        Finding.OTHER_SERVER,
        rf"{_code('53[045]')}.*(gsmtp|google|outlook|office ?365|yahoo|sendgrid|mailgun|amazon)",
        r"username and password not accepted",
    ),
    (
        Finding.LOGIN_REFUSED,
        rf"{_code('535')}.{{0,40}}(5\.7\.|auth|login|password|credential|username|denied)",
        r"code[^a-z0-9]{0,3}535\b|authentication credentials invalid|bad credentials",
    ),
    # a tool's own words, without the answer of the server
    (
        Finding.LOGIN_FAILED,
        r"could not authenticate|\beauth\b|invalid login|authenticationerror|login (not possible|denied)",
        r"auth(entication|orization)? (attempt\S* )?(has )?fail|failed to authenticate",
        r"no authentication type succeeded|password (was )?(incorrect|rejected|not accepted|command failed)",
        r"incorrect authentication data|auth rejected|like our auth login|smtp-auth: authentication to",
        r"(smtp|auth) login failed(?! to)",
    ),
    (
        Finding.NOT_LOGGED_IN,
        rf"authentication required|not logged in|{_code('530')}.{{0,8}}5\.7\.[01]",
        r"relay(ing)? access denied|relaying denied|client host rejected: access denied",
    ),
    (
        Finding.NOT_LOGGED_IN_OR_TLS,
        r"secure connection or the client was(n't| not) authenticated|mail failed: 530",
    ),
    # the message
    (Finding.BARE_NEWLINE, r"bare (<?lf>?|<?cr>?|newline|line ?feed)\b|bare <lf>|stray newline"),
    # a command, not a line of the message
    (Finding.OUT_OF_ORDER, r"authentication exchange line|500 5\.5\.2 (\S+ )?(error: )?line too long"),
    (Finding.LONG_LINE, r"line of more than 998|lines? (is )?too long|line length exceeded"),
    (Finding.UTF8, r"(declare|without|support) smtputf8|smtputf8 is required"),
    (Finding.UNQUOTED_NAME, r"put names in double quotes"),
    (Finding.HIDDEN_SENDER, r"name in from or sender (shows|holds)"),
    (Finding.BAD_MESSAGE, r"message header is not valid|holds nul|disallowed character|not support 8bitmime"),
    (
        Finding.TOO_BIG,
        rf"{_code('552')}.{{0,8}}5\.3\.4|size exceeds|message (file )?too (big|large)",
        _replied(r"exceeds.{0,20}size"),
    ),
    # the recipient, and the servers further on
    (
        Finding.UNAUTHENTICATED_MAIL,
        _status(r"5\.7\.(?:2[0-7]|515)"),
        _replied(r"dmarc|\bspf\b|\bdkim\b|sender policy framework|unauthenticated e?mail"),
    ),
    (Finding.GREYLISTED, _replied(r"gr[ea]y ?list")),
    (
        Finding.SPAM,
        _replied(r"\bspam|spamhaus|block ?list|black ?list|\bdnsbl|\brbl\b|(poor|low|bad) reputation"),
        _status(r"[45]\.7\.28"),
        _replied(r"unsolicited|content rejected"),
    ),
    (
        Finding.RECIPIENT_FULL,
        _status(r"[45]\.2\.2"),
        _replied(r"over ?quota|mailbox (is )?full|quota exceeded"),
    ),
    (
        Finding.RECIPIENT_SYNTAX,
        _status(r"5\.1\.3"),
        r"recipient address not valid|bad recipient address|need fully-qualified address",
    ),
    (
        Finding.RECIPIENT_DOMAIN,
        _status(r"[45]\.1\.2|[45]\.4\.4|5\.1\.10"),
        r"name service error|recipient address rejected: domain not found|null ?mx",
    ),
    (
        Finding.RECIPIENT_UNKNOWN,
        _status(r"5\.1\.[16]"),
        _replied(r"user unknown|unknown user|no such user|(user|account|mailbox).{0,20}(not|n't) exist"),
        _replied(r"no mailbox|recipient address rejected|(unknown|invalid) recipient"),
    ),
    (Finding.NEXT_SERVER, r"next mail server refused|status=bounced|rcpt failed: 55"),
    # faults of the server
    (Finding.TOO_SLOW, r"timeout, closing connection|error: timeout exceeded"),
    # before the answer 421 that Net::SMTP makes up itself
    (Finding.TIMED_OUT, r"421 \[net::\w{1,9}\] timeout"),
    (Finding.DROPPED, r"421 \[net::\w{1,9}\] connection closed"),
    (Finding.NOT_SMTP, r"net::smtp: 421 (at|$)|unexpected smtp-server response: 421"),
    (
        Finding.TEMPORARY,
        rf"{_code('45[0-9]')}.{{0,8}}4\.[0-9]\.[0-9]|{_code('421')}|next mail server deferred",
        _replied(r"try again later|server is shutting down|insufficient (system )?storage"),
    ),
    (
        Finding.OUT_OF_ORDER,
        rf"{_code('50[0-5]')}.{{0,8}}5\.5\.[0-9]|{_code('555')}|send ehlo first|improper use of",
        rf"{_code('500')}.{{0,9}}command .{{0,20}}not recognized",
    ),
    # the connection, reported by a tool that could not connect
    (
        Finding.NAME_NOT_FOUND,
        r"enotfound|eai_again|getaddrinfo|no such host|name or service not known|nxdomain",
        r"could ?n[o']t resolve|nodename nor servname|name resolution|getaddresses|name does not resolve",
        r"could not (be resolved|resolve)|cannot (resolve|locate) (the )?host|host name lookup failure",
        r"server misbehaving|unknown ?(smtp )?host",
    ),
    (
        Finding.UNREACHABLE,
        r"network is unreachable|enetunreach|ehostunreach|no route to host|unreachable network",
    ),
    (
        Finding.FORBIDDEN_BY_SYSTEM,
        r"connect.{0,80}(permission denied|operation not permitted)|connect (eacces|eperm)\b",
        r"socket.{0,40}(permission denied|operation not permitted)",
    ),
    (
        Finding.CONNECTION_REFUSED,
        r"connection refused|econnrefused|actively refused|curl: \(7\)|errno[ =]111\b|connect call failed",
        r"could ?n[o']t connect to server",
    ),
    (
        Finding.TIMED_OUT,
        # not a tool's setting, as in timeout=300
        r"timed out|time ?out(?! ?[=:] ?(\d|off|on\b)| \d)|execution expired|curl: \(28\)",
        r"resource temporarily unavailable \(os error 11\)",
        r"opentimeout|readtimeout|greeting never received|deadline exceeded|connection attempt failed because",
    ),
    (
        Finding.NOT_SMTP,
        r"bad greeting|invalid greeting|weird server reply|(short response|invalid response code): ",
        r"malformed smtp response|unexpected greeting|smtpunknownerror|sent an invalid reply",
        r"smtpconnecterror: \(-1|smtp server: http/|with no success or error code",
    ),
    (
        Finding.DROPPED,
        r"econnreset|connection reset|connection (was )?(unexpectedly )?(closed|aborted)|lost connection",
        r"\beof\b|closed (the )?(connection )?unexpectedly|remote host closed",
        r"server (has )?(unexpectedly )?disconnected",
        r"forcibly closed|broken pipe|\bepipe\b|curl: \((52|55|56)\)|end of file(?! in )|got an empty response",
        r"(non-|im)properly terminated|transport connection|sent an empty reply|zero byte response",
        r"unexpected socket close|errno=32\b|ssl_connect syscall|got empty code",
    ),
    (
        Finding.NOT_CONNECTED,
        r"smtp connect\(\) failed|(could not|failed to|unable to|cannot|can't) connect|\besocket\b|econnection",
        r"connection could not be established",
        r"without being connected|run connect\(\) first|cannot open (a connection|\S{1,253}:\d)",
    ),
    (Finding.WRONG_SENDER, r"from address failed|sender refused"),
    (
        Finding.NEXT_SERVER,
        _code("55[0-4]"),
        _replied(r"mailbox unavailable|recipients? (address(es)? )?(failed|refused)"),
    ),
    # A Postfix of the site's says so of whatever it tries again, also of what it could not connect to.
    (Finding.TEMPORARY, r"status=deferred"),
    (Finding.UNEXPLAINED_REFUSAL, r"smtp error: data not accepted|operation rejected by remote party"),
    (Finding.SUCCESS, r"\b250\b.{0,30}(ok|accepted|queued)|status=sent|235 2\.7\.0"),
)
