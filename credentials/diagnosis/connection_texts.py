"""Texts about failures before the login: the connection and its encryption."""

from credentials.diagnosis.findings import Finding
from credentials.diagnosis.wording import Step, Words

CONNECTION = {
    Finding.TLS_MISSING: Words(
        "The connection is not encrypted",
        "{host} accepts a login only after STARTTLS. Turn encryption on in the site: STARTTLS, which "
        "WordPress calls TLS, on port {port}.",
        Step.CONNECT,
    ),
    Finding.IMPLICIT_TLS: Words(
        "The site starts TLS too early",
        "It uses implicit TLS (SSL, as on port 465), but port {port} of {host} starts in plain text and "
        "encrypts with STARTTLS. Choose STARTTLS, or “TLS” if the other choice is “SSL”.{or_tls}",
        Step.CONNECT,
    ),
    Finding.NO_STARTTLS: Words(
        "The server that answered doesn't offer STARTTLS",
        "{host} does on port {port}. Check the host and port in the site. If they are right, a firewall or "
        "virus scanner in between removes STARTTLS.",
        Step.CONNECT,
    ),
    Finding.CERTIFICATE_SELF_SIGNED: Words(
        "The site doesn't trust the certificate of {host}",
        "Either the mail server uses a self-signed certificate, as in a trial, or the list of authorities on "
        "the site's machine is old or missing: on Debian that is the package ca-certificates. Don't turn "
        "verification off: the password would go to any server that answers.",
        Step.CONNECT,
    ),
    Finding.CERTIFICATE_NAME: Words(
        "The certificate is for another name",
        "The site connects to a name or address that isn't in it. Set the host to exactly {host}. If it "
        "already is, ask the operator for a certificate for {host}.",
        Step.CONNECT,
    ),
    Finding.CERTIFICATE_EXPIRED: Words(
        "The certificate is out of date",
        "Check the clock of the site's machine. If it's right, ask the operator to renew the certificate "
        "of {host}. Don't turn verification off: the password would go to any server that answers.",
        Step.CHECK,
    ),
    Finding.CERTIFICATE: Words(
        "The site doesn't trust the certificate of {host}",
        "Check that the site's host is exactly {host}, and that its machine has an up-to-date list of "
        "authorities (on Debian, the package ca-certificates). Don't turn verification off: the password "
        "would go to any server that answers.",
        Step.CHECK,
    ),
    Finding.TLS_TOO_OLD: Words(
        "The site and the server have no TLS version in common",
        "{host} requires TLS 1.2 or later. Update the site's OpenSSL, PHP, Java or whatever it encrypts with, "
        "and look for a setting that limits its TLS versions.",
        Step.CHECK,
    ),
    Finding.OLD_SERVER: Words(
        "The server that answered has only old encryption",
        "{host} has TLS 1.2 and later. Check the host and port in the site. If they are right, a firewall or "
        "virus scanner in between decrypts the connection.",
        Step.CHECK,
    ),
    Finding.TLS_FAILED: Words(
        "The encryption could not be set up",
        "The line doesn't say why. Choose STARTTLS (not SSL) on port {port}, set the host to exactly {host}, "
        "and check that the site trusts its certificate and knows TLS 1.2.",
        Step.CHECK,
    ),
    Finding.NAME_NOT_FOUND: Words(
        "The site finds no address for the host",
        "Check that its host is {host}, without spaces, quotes or “smtp://”. If it is, the DNS of the "
        "site's machine doesn't answer: ask its hosting provider.",
        Step.CONNECT,
    ),
    Finding.CONNECTION_REFUSED: Words(
        "Nothing answers where the site connects",
        "Check that the host and port are {host} and {port}. If they are, a firewall rejects the "
        "connection, or the mail server is down: Check this credential shows which.",
        Step.CHECK,
    ),
    Finding.TIMED_OUT: Words(
        "No answer came in time",
        "Most often, the site's hosting provider blocks outgoing mail: ask them to open port {port} to "
        "{host}. Implicit TLS (SSL) on this port waits in vain as well: choose STARTTLS.",
        Step.CHECK,
    ),
    Finding.UNREACHABLE: Words(
        "The site's network can't reach {host}",
        "Its hosting provider blocks outgoing mail, or the site tries IPv6 without having any. Ask the "
        "hosting provider to open port {port} to {host}.",
        Step.CHECK,
    ),
    Finding.FORBIDDEN_BY_SYSTEM: Words(
        "The site's own machine forbids the connection",
        "With SELinux, allow it with “setsebool -P httpd_can_sendmail 1” and “httpd_can_network_connect 1”. "
        "Otherwise, its firewall or hosting provider blocks it: ask them to open port {port} to {host}.",
        Step.CHECK,
    ),
    Finding.NOT_CONNECTED: Words(
        "Could not connect",
        "The line doesn't say why. Check that the host and port are {host} and {port} with STARTTLS, then "
        "ask the site's hosting provider whether they block outgoing mail.",
        Step.CONNECT,
    ),
    Finding.DROPPED: Words(
        "The connection was closed",
        "With implicit TLS (SSL) on port {port}, that happens immediately: choose STARTTLS. Otherwise, it was "
        "idle for too long, refused before (see the lines above this one), or the mail server was restarted.",
        Step.CHECK,
    ),
    Finding.NOT_SMTP: Words(
        "What answered sent no SMTP greeting",
        "Another service is at that host or port, or the mail server refused the connection. Set the host to "
        "{host} and the port to {port}. If they are right, try again later, with fewer connections at once.",
        Step.CHECK,
    ),
    Finding.NOT_BY_SMTP: Words(
        "The site doesn't send by SMTP",
        "It uses PHP's mail function, which finds no mail program on its machine. Turn on SMTP in the site (in "
        "WordPress: by a plugin), with the username and password of this SMTP user.",
        Step.CONNECT,
    ),
    Finding.PLAIN_TO_TLS: Words(
        "The site starts without TLS on port {tls_port}",
        "That port expects TLS from the start: choose SSL or implicit TLS for it. For STARTTLS, set the port "
        "to {port}. If that is right already, its hosting provider may block outgoing mail.",
        Step.CONNECT,
    ),
    Finding.WRONG_PORT: Words(
        "The site connects to port {wrong_port}",
        "The mail server accepts logins on port {port}, with STARTTLS. Change the port in the site, and its "
        "encryption with it.",
        Step.CONNECT,
    ),
    Finding.WRONG_HOST: Words(
        "The site connects to its own machine",
        "It tries localhost, which many programs do when no host is set. Set the host to {host} and the "
        "port to {port}, then restart the site.",
        Step.CONNECT,
    ),
}
