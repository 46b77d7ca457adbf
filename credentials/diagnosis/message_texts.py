"""Texts about failures after the login: sender, message, limits, and other servers."""

from credentials.diagnosis.findings import Finding
from credentials.diagnosis.wording import Step, Words

MESSAGE = {
    Finding.NULL_SENDER: Words(
        "The message has no sender",
        "The sender (MAIL FROM) is empty, as in bounces, which no SMTP user may send. Set it to an address "
        "at {domain}, like info@{domain}.",
        Step.CONNECT,
    ),
    Finding.WRONG_SENDER: Words(
        "The sender is not at {domain}",
        "This SMTP user may send from any address at {domain}, and from no other. {named}Set the site's From "
        "address (and Return-Path) to one at {domain}, or use an SMTP user of the other domain.",
        Step.CONNECT,
    ),
    Finding.SENDER_SYNTAX: Words(
        "The sender's address is not complete",
        "Something is missing from it or too much is in it: a space, a name, the part after the @. Set the "
        "site's From address to one at {domain}, like info@{domain}.",
        Step.CONNECT,
    ),
    Finding.WRONG_HEADER_FROM: Words(
        "The From header is not at {domain}",
        "The login and the sender (MAIL FROM) are right, but each address in the From and Sender headers "
        "has to be at {domain} too. Put a visitor's address into Reply-To instead.",
        Step.CONNECT,
    ),
    Finding.NO_SINGLE_FROM: Words(
        "The message must have exactly one From header",
        "It needs exactly one From header, and at most one Sender header with one address, at {domain}. "
        "Look for a plugin or template that adds another.",
        Step.CONNECT,
    ),
    Finding.UNQUOTED_NAME: Words(
        "The From or Sender header can't be read",
        "Often it's a name with a comma, colon, semicolon, @ or brackets, which needs double quotes: "
        '"Smith, John" <info@{domain}>. Put quotes around the name in the site\'s settings, and check that the '
        "address is complete.",
        Step.CONNECT,
    ),
    Finding.HIDDEN_SENDER: Words(
        "The name in From or Sender could mislead its reader",
        "It shows an address of another domain outside of quotes, or contains invisible characters or many "
        "blanks; the words after the code say which. Take them out of the name. A visitor's address belongs in "
        "Reply-To.",
        Step.CONNECT,
    ),
    Finding.BARE_NEWLINE: Words(
        "Invalid line endings",
        "SMTP requires CRLF at the end of each line, but the message contains a lone CR or LF. Update the "
        "site's mail library, or let it convert the text (curl: --crlf, PHP: \\r\\n in headers).",
        Step.CHECK,
    ),
    Finding.LONG_LINE: Words(
        "A line of the message is too long",
        "SMTP allows at most 998 characters. Let the site encode its text as quoted-printable or base64, "
        "as mail libraries do automatically.",
        Step.CHECK,
    ),
    Finding.BAD_MESSAGE: Words(
        "The message is not valid e-mail",
        "Its header or its characters break RFC 5322; the words after the code say what to change. Build it "
        "with a mail library, instead of putting the text together by hand.",
        Step.CHECK,
    ),
    Finding.UTF8: Words(
        "An address contains characters that aren't ASCII",
        "Not every mail server on the way accepts those. Write the domain in its xn-- form, and use an "
        "address whose part before the @ is ASCII.",
        Step.CHECK,
    ),
    Finding.TOO_BIG: Words(
        "The message is too big",
        "With its attachments, which grow by a third on the way, it's larger than the mail server accepts "
        "({megabytes} MB unless the operator set another limit). Send a link instead of the file.",
        Step.CHECK,
    ),
    Finding.TOO_MANY_LOGINS: Words(
        "The site tried to log in too often",
        "The mail server hung up for now. Correct the password first, otherwise this continues. See Recent "
        "clients for who tries.",
        Step.CLIENTS,
    ),
    Finding.TOO_MANY_CONNECTIONS: Words(
        "The site opens too many connections at once",
        "Let it send one message after another through one connection, or with a pool of a few "
        "(Nodemailer: pool and maxConnections), and try again later.",
        Step.CLIENTS,
    ),
    Finding.TOO_MANY_ERRORS: Words(
        "The mail server hung up after too many errors",
        "The cause is in the lines before this one in the site's log: paste the first that was refused.",
        Step.CLIENTS,
    ),
    Finding.TOO_MANY_RECIPIENTS: Words(
        "One message has too many recipients",
        "The mail server takes the others in another transaction, which mail servers do and many sites don't. "
        "Send one message to each recipient, or split the list.",
        Step.CHECK,
    ),
    Finding.TOO_MUCH: Words(
        "The site sends too much in a short time",
        "The mail server slows it down; nothing is wrong with the login. Let the site send its queue more "
        "slowly, and retry what was refused.",
        Step.CLIENTS,
    ),
    Finding.TOO_SLOW: Words(
        "The site was silent for too long",
        "The mail server closes a connection when it receives nothing. Let the site connect again for the "
        "next message, instead of keeping the connection open.",
        Step.CHECK,
    ),
    Finding.LOGIN_UNAVAILABLE: Words(
        "The mail server can't check passwords right now",
        "The fault is its own, not the password's: don't change that. Try again in a moment. If it "
        "continues, contact the operator.",
        Step.CHECK,
    ),
    Finding.TEMPORARY: Words(
        "The mail server couldn't do it right now",
        "An answer that begins with 4 asks to try again later, which a good mail library or queue does "
        "automatically. If it continues for an hour, contact the operator.",
        Step.CHECK,
    ),
    Finding.OUT_OF_ORDER: Words(
        "The mail server didn't understand the site",
        "The site's commands are out of order or misspelt, or a firewall in between changes them. Use a "
        "mail library, and no virus scanner for outgoing mail.",
        Step.CHECK,
    ),
    Finding.UNAUTHENTICATED_MAIL: Words(
        "The recipient's server finds no proof that it's from {domain}",
        "SPF, DKIM or DMARC did not pass there. The domain's DNS Records say which one is missing or wrong.",
        Step.OVERVIEW,
    ),
    Finding.SPAM: Words(
        "A server on the way classifies it as spam",
        "The login works. Check the text, its links and the list of recipients. If the answer names an "
        "IP address or a block list, contact the operator.",
        Step.CLIENTS,
    ),
    Finding.GREYLISTED: Words(
        "The recipient's server wants a second attempt",
        "That is greylisting: it accepts mail from strangers at the second attempt, some minutes later. The "
        "mail server retries automatically; there is nothing to change.",
        Step.CLIENTS,
    ),
    Finding.RECIPIENT_FULL: Words(
        "The recipient's mailbox is full",
        "The login and the sender work. Only the recipient can fix this.",
        Step.CLIENTS,
    ),
    Finding.RECIPIENT_UNKNOWN: Words(
        "There is no such recipient",
        "The login and the sender work, but the recipient's own server doesn't know the address. Correct "
        "it, or take it off the list.",
        Step.CLIENTS,
    ),
    Finding.RECIPIENT_SYNTAX: Words(
        "The recipient's address is not complete",
        "Something is missing from it or too much is in it: a space, a comma, the part after the @. Correct "
        "it in the site.",
        Step.CLIENTS,
    ),
    Finding.RECIPIENT_DOMAIN: Words(
        "The recipient's domain accepts no mail",
        "The DNS knows no mail server for it: most often, there's a typo after the @. Correct the address.",
        Step.CLIENTS,
    ),
    Finding.NEXT_SERVER: Words(
        "A mail server refused the message for good",
        "An answer that begins with 5 is about the message or its recipient, not about the login. The "
        "words after the code give the reason. If they aren't clear, ask the operator.",
        Step.CHECK,
    ),
    Finding.UNEXPLAINED_REFUSAL: Words(
        "A mail server refused something",
        "The line doesn't say what: it may be the sender, a recipient or the message. Look for the server's "
        "answer in the site's log, which begins with three digits, and paste that.",
        Step.CHECK,
    ),
    Finding.SUCCESS: Words(
        "This line shows no error",
        "The mail server said yes. If the message doesn't arrive, check the recipient's spam folder; "
        "anything that went wrong later is in another line.",
        Step.CLIENTS,
    ),
    Finding.UNKNOWN: Words(
        "This line is not known here",
        "It may have nothing to do with the mail server, or the words around it are missing. Check this "
        "credential shows whether the mail server accepts it. Otherwise, send the line to the operator.",
        Step.CHECK,
    ),
}
