"""Words for what goes wrong after the login: sender, message, limits, and the servers further on."""

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
        "The sender is not of {domain}",
        "This SMTP user may send as any address at {domain}, and as no other. {named}Set the site's From "
        "address (and Return-Path) to one at {domain}, or use an SMTP user of the other domain.",
        Step.CONNECT,
    ),
    Finding.WRONG_HEADER_FROM: Words(
        "The From header is not of {domain}",
        "The login and the sender (MAIL FROM) are right, but each address in the headers From and Sender "
        "has to be at {domain} too. Put a visitor's address into Reply-To instead.",
        Step.CONNECT,
    ),
    Finding.NO_SINGLE_FROM: Words(
        "The message must say once who it is from",
        "It needs exactly one From header, and at most one Sender header with one address, at {domain}. "
        "Look for a plugin or template that adds another.",
        Step.CONNECT,
    ),
    Finding.BARE_NEWLINE: Words(
        "The message's lines end wrongly",
        "SMTP wants CRLF at the end of each line, and there is a CR or LF alone. Update the site's mail "
        "library, or let it convert the text (curl: --crlf, PHP: \\r\\n in headers).",
        Step.CHECK,
    ),
    Finding.LONG_LINE: Words(
        "A line of the message is too long",
        "998 characters are what SMTP takes. Let the site encode its text as quoted-printable or base64, "
        "as mail libraries do by themselves.",
        Step.CHECK,
    ),
    Finding.BAD_MESSAGE: Words(
        "The message is not made as mail has to be",
        "Its header or its characters break RFC 5322; the words after the code say what to change. Let a "
        "mail library make it, instead of putting the text together by hand.",
        Step.CHECK,
    ),
    Finding.UTF8: Words(
        "An address holds other letters than ASCII",
        "Not every mail server on the way takes those. Write the domain in its xn-- form, and use an "
        "address whose part before the @ is plain.",
        Step.CHECK,
    ),
    Finding.TOO_BIG: Words(
        "The message is too big",
        "With its attachments, which grow by a third on the way, it is more than the mail server takes "
        "({megabytes} MB unless the operator set another limit). Send a link instead of the file.",
        Step.CHECK,
    ),
    Finding.TOO_MANY_LOGINS: Words(
        "The site tried to log in too often",
        "The mail server hung up for now. Correct the password first, else it goes on like this; Recent "
        "clients tells who tries.",
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
        "What counts are the lines before this one in the site's log: paste the first that was refused.",
        Step.CLIENTS,
    ),
    Finding.TOO_MANY_RECIPIENTS: Words(
        "One message has too many recipients",
        "100 are taken. Split the list into several messages, one for each recipient where they shall not "
        "see each other.",
        Step.CHECK,
    ),
    Finding.TOO_MUCH: Words(
        "The site sends too much in a short time",
        "The mail server slows it down; nothing is wrong with the login. Let the site send a queue more "
        "slowly and try again what was refused.",
        Step.CLIENTS,
    ),
    Finding.TOO_SLOW: Words(
        "The site was silent for too long",
        "The mail server closes a connection that nothing comes on. Let the site connect anew for the next "
        "message, instead of keeping the connection open.",
        Step.CHECK,
    ),
    Finding.LOGIN_UNAVAILABLE: Words(
        "The mail server can't check passwords now",
        "That is its own fault, not the password's: don't change that. Try again in a moment; when it "
        "stays so, tell the operator.",
        Step.CHECK,
    ),
    Finding.TEMPORARY: Words(
        "The mail server could not do it now",
        "An answer that begins with 4 asks to try again later, which a good mail library or queue does by "
        "itself. When it stays so for an hour, tell the operator.",
        Step.CHECK,
    ),
    Finding.OUT_OF_ORDER: Words(
        "The mail server did not understand the site",
        "The site's commands are out of order or misspelt, or a firewall in between changes them. Use a "
        "mail library, and no virus scanner for outgoing mail.",
        Step.CHECK,
    ),
    Finding.UNAUTHENTICATED_MAIL: Words(
        "The recipient's server finds no proof that it is from {domain}",
        "SPF, DKIM or DMARC did not pass there. The domain's DNS Records say which one is missing or wrong.",
        Step.OVERVIEW,
    ),
    Finding.SPAM: Words(
        "A server on the way takes it for spam",
        "The login works. Look at the text, its links and the list of recipients; when the answer names an "
        "IP address or a block list, tell the operator.",
        Step.CLIENTS,
    ),
    Finding.GREYLISTED: Words(
        "The recipient's server wants it tried once more",
        "That is greylisting: it takes strangers' mail at the second try, some minutes later. The mail "
        "server does that by itself; there is nothing to change.",
        Step.CLIENTS,
    ),
    Finding.RECIPIENT_FULL: Words(
        "The recipient's mailbox is full",
        "The login and the sender work. Only the recipient can help that.",
        Step.CLIENTS,
    ),
    Finding.RECIPIENT_UNKNOWN: Words(
        "There is no such recipient",
        "The login and the sender work; the recipient's own server does not know the address. Correct it, "
        "or take it off the list.",
        Step.CLIENTS,
    ),
    Finding.RECIPIENT_SYNTAX: Words(
        "The recipient's address is not a whole one",
        "Something is missing or too much in it: a space, a comma, the part after the @. Correct it in the "
        "site.",
        Step.CLIENTS,
    ),
    Finding.RECIPIENT_DOMAIN: Words(
        "The recipient's domain takes no mail",
        "The DNS knows no mail server for it: most often a typo after the @. Correct the address.",
        Step.CLIENTS,
    ),
    Finding.NEXT_SERVER: Words(
        "A mail server refused the message for good",
        "An answer that begins with 5 is about the message or its recipient, not about the login. The "
        "words after the code say what it did not like; ask the operator when they are not clear.",
        Step.CHECK,
    ),
    Finding.SUCCESS: Words(
        "That line tells of no error",
        "The mail server said yes. When the message does not arrive, look into the recipient's spam "
        "folder; what went wrong later stands in another line.",
        Step.CLIENTS,
    ),
    Finding.UNKNOWN: Words(
        "This line is not known here",
        "It may have nothing to do with the mail server, or the words around it are missing. Check this "
        "credential tells whether the mail server accepts it; else ask the operator, with the line.",
        Step.CHECK,
    ),
}
