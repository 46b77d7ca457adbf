"""Words for what goes wrong before the login: encryption, and the way to the mail server."""

from credentials.diagnosis.findings import Finding
from credentials.diagnosis.wording import Step, Words

CONNECTION = {
    Finding.TLS_MISSING: Words(
        "The connection is not encrypted",
        "{host} takes a login only after STARTTLS. Switch encryption on in the site: STARTTLS, which "
        "WordPress calls TLS, on port {port}.",
        Step.CONNECT,
    ),
    Finding.IMPLICIT_TLS: Words(
        "The site begins with TLS too early",
        "It speaks implicit TLS (SSL, as on port 465), but port {port} of {host} begins in plain text and "
        "encrypts by STARTTLS. Choose STARTTLS, or “TLS” where the other choice is “SSL”.",
        Step.CONNECT,
    ),
    Finding.NO_STARTTLS: Words(
        "Whoever answered offers no STARTTLS",
        "{host} does on port {port}. Check host and port in the site; when they are right, a firewall or "
        "virus scanner in between takes STARTTLS away.",
        Step.CONNECT,
    ),
    Finding.CERTIFICATE_SELF_SIGNED: Words(
        "The site does not trust the certificate of {host}",
        "Either the mail server signed it itself, as in a trial, or the list of authorities on the site's "
        "machine is old or missing: on Debian that is the package ca-certificates. Don't switch the "
        "verification off: the password would go to whoever answers.",
        Step.CONNECT,
    ),
    Finding.CERTIFICATE_NAME: Words(
        "The certificate is for another name",
        "The site connects to a name or address that is not in it. Set the host to {host}, word for word; "
        "when it is that already, ask the operator for a certificate for {host}.",
        Step.CONNECT,
    ),
    Finding.CERTIFICATE_EXPIRED: Words(
        "The certificate is out of date",
        "Check the clock of the site's machine; when it is right, ask the operator to renew the "
        "certificate of {host}. Don't switch the verification off: the password would go to whoever "
        "answers.",
        Step.CHECK,
    ),
    Finding.CERTIFICATE: Words(
        "The site does not trust the certificate of {host}",
        "Check that the site's host is {host}, word for word, and that its machine has a list of "
        "authorities of today (on Debian the package ca-certificates). Don't switch the verification off: "
        "the password would go to whoever answers.",
        Step.CHECK,
    ),
    Finding.TLS_TOO_OLD: Words(
        "Site and server agree on no TLS version",
        "{host} takes TLS 1.2 or later. Update the site's OpenSSL, PHP, Java or whatever it encrypts with.",
        Step.CHECK,
    ),
    Finding.NAME_NOT_FOUND: Words(
        "The site finds no address for the host",
        "Check that its host is {host}, without spaces, quotes or “smtp://”; when it is, the DNS of the "
        "site's machine doesn't answer: ask its hoster.",
        Step.CONNECT,
    ),
    Finding.CONNECTION_REFUSED: Words(
        "Nothing answers where the site connects to",
        "Check that host and port are {host} and {port}. When they are, a firewall turns the connection "
        "away, or the mail server is down: Check this credential tells.",
        Step.CHECK,
    ),
    Finding.TIMED_OUT: Words(
        "No answer came in time",
        "Most often the site's hoster blocks outgoing mail: ask them to open port {port} to {host}. "
        "Implicit TLS (SSL) on this port waits in vain as well: choose STARTTLS.",
        Step.CHECK,
    ),
    Finding.UNREACHABLE: Words(
        "The site's network has no way to {host}",
        "Its hoster blocks outgoing mail, or it tries IPv6 without having any. Ask the hoster to open port "
        "{port} to {host}.",
        Step.CHECK,
    ),
    Finding.FORBIDDEN_BY_SYSTEM: Words(
        "The site's own machine forbids the connection",
        "With SELinux, allow it by “setsebool -P httpd_can_sendmail 1” and “httpd_can_network_connect 1”; "
        "else its firewall or hoster does: ask them to open port {port} to {host}.",
        Step.CHECK,
    ),
    Finding.NOT_CONNECTED: Words(
        "No connection came about",
        "The line does not say why. Check that host and port are {host} and {port} with STARTTLS, then ask "
        "the site's hoster whether they block outgoing mail.",
        Step.CONNECT,
    ),
    Finding.DROPPED: Words(
        "The connection broke off",
        "With implicit TLS (SSL) on port {port} that comes at once: choose STARTTLS. Else it was idle for "
        "too long, or the mail server was being restarted: let the site try again.",
        Step.CHECK,
    ),
    Finding.WRONG_PORT: Words(
        "The site connects to port {told_port}",
        "The mail server takes logins on port {port}, with STARTTLS. Change the port in the site, and its "
        "encryption with it.",
        Step.CONNECT,
    ),
    Finding.WRONG_HOST: Words(
        "The site connects to its own machine",
        "It tries localhost, which is what many programs do while no host is set. Set the host to {host} "
        "and the port to {port}, then restart the site.",
        Step.CONNECT,
    ),
}
