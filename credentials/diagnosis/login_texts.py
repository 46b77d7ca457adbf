"""Texts about refused logins, by what is recorded about the credential or by the line itself."""

from credentials.diagnosis.findings import Finding, Known
from credentials.diagnosis.wording import Step, Words

LOGIN: dict[Finding | Known, Words] = {
    Known.SUSPENDED: Words(
        "This SMTP user is suspended",
        "The mail server has refused it since {since}. Resume it, and it's accepted again with the same "
        "password.",
        Step.RESUME,
    ),
    Known.SUSPENDED_BY_SUPPORT: Words(
        "This SMTP user is suspended",
        "The mail server has refused it since {since}. Support suspended it: ask them why.",
        Step.LIST,
    ),
    Known.EXPIRED: Words(
        "This SMTP user has expired",
        "The mail server has refused it since {since}. Set a later date, or connect the site with a new "
        "SMTP user.",
        Step.EXPIRY,
    ),
    Known.ANOTHER_USERNAME: Words(
        "The line is about another SMTP user",
        "It names {label} ({named}), not this one. Paste it there for an answer.",
        Step.EXPLAIN_OTHER,
    ),
    Known.NO_SUCH_USERNAME: Words(
        "The site uses another username",
        "The line names {named}, which isn't an SMTP user of {domain}; this one is {username}. "
        "It may be deleted or mistyped. Copy the username and password together, and save them in the site.",
        Step.CONNECT,
    ),
    Known.OLD_PASSWORD: Words(
        "The site still has the old password",
        "{ip} used the password from before the reset on {reset}, last {ago}. Copy the password again and "
        "save it there.",
        Step.CONNECT,
    ),
    Known.OLD_PASSWORD_ONCE: Words(
        "The site still has the old password",
        "{ip} used the password from before a reset, last {ago}. Copy the password again and save it there.",
        Step.CONNECT,
    ),
    Known.NETWORK: Words(
        "It may not be used from {ip}",
        "That address was refused {ago}: this SMTP user is accepted only from {listed}. If the site is "
        "yours, add its network.",
        Step.NETWORKS,
    ),
    Known.WRONG_PASSWORD: Words(
        "The password is wrong",
        "{ip} tried this username {ago} with another password. It has a typo in it, or it belongs to another "
        "SMTP user. Copy the password again and save it there.",
        Step.CONNECT,
    ),
    Known.PADDED_PASSWORD: Words(
        "The password has a blank or line end too many",
        "{ip} sent the right password {ago}, but with a blank or a line end before or after it. Remove that "
        "where the password is saved. A file may only contain the password itself, without a line end.",
        Step.CONNECT,
    ),
    Known.CUT_PASSWORD: Words(
        "The password was cut off",
        "What {ip} sent {ago} is shorter than the 41 characters of a password: it wasn't copied completely, or "
        "the field for it is too short. The device can only be used if its field takes all of them.",
        Step.CONNECT,
    ),
    Known.OVER: Words(
        "It was refused, but is accepted now",
        "The reason for the last refusal, {ago}, no longer applies. Let the site try again. If it's still "
        "refused, check this credential.",
        Step.CHECK,
    ),
    Known.NEVER_REFUSED: Words(
        "The refused login wasn't one of this SMTP user",
        "The mail server noted no refused login of it in the last 7 days, so the site sends another "
        "username or connects to another server. Compare with {username} at {host}, port {port}.",
        Step.CONNECT,
    ),
    Known.NEVER_SEEN: Words(
        "The login didn't get to the mail server",
        "It noted no refused login of this SMTP user in the last 7 days. Turn on encryption in the site first "
        "(STARTTLS on port {port}): without it, no login is possible. Then compare its username and host with "
        "{username} and {host}.",
        Step.CONNECT,
    ),
    Known.CUT_USERNAME: Words(
        "The site cuts the username off",
        "The line has only its first {length} characters ({cut}). A username has 32: look for a field in the "
        "site that takes them all.",
        Step.CONNECT,
    ),
    Finding.NOT_LOGGED_IN_OR_TLS: Words(
        "The site sends before it has logged in",
        "{host} accepts mail only after STARTTLS and a login. Turn both on in the site, on port {port}, with "
        "the username and password of this SMTP user.",
        Step.CONNECT,
    ),
    Finding.OTHER_SERVER: Words(
        "This answer is from another mail server",
        "These aren't the words of {host}: the site logs in somewhere else. Set its host to {host}, its "
        "port to {port}, and its username and password to those of this SMTP user.",
        Step.CONNECT,
    ),
    Finding.NO_LONGER_VALID: Words(
        "The password was changed while the site was connected",
        "The mail server accepts nothing more in a session that was opened with the old password. Copy the "
        "new password and save it in the site.",
        Step.CONNECT,
    ),
    Finding.NOT_LOGGED_IN: Words(
        "The site didn't log in",
        "{host} accepts mail only after a login. Turn authentication on in the site, with the username and "
        "password of this SMTP user.",
        Step.CONNECT,
    ),
    Finding.NO_PASSWORD: Words(
        "The site has no password",
        "Where it looks for one, there is nothing, or only the placeholder from an example. Copy the "
        "password, save it there under the name that the site reads, and restart the site.",
        Step.CONNECT,
    ),
    Finding.MECHANISM: Words(
        "The site wants another way to log in",
        "{host} accepts AUTH PLAIN and LOGIN, once the connection is encrypted. Choose one of these in the "
        "site; Postfix needs the package libsasl2-modules and smtp_sasl_security_options = noanonymous.",
        Step.CONNECT,
    ),
}
