"""The rights table of all routes of the site, and the walk that finds the routes.

A right is PUBLIC, SIGNED_IN, STAFF, or a Permission in the domain that the address names; None: the
method is not allowed there. A route that is missing here fails the tests.
"""

from typing import Any, NamedTuple

from django.urls import get_resolver

from domains.access import Permission

PUBLIC, SIGNED_IN, STAFF = "public", "signed in", "staff"
MEMBERS, DOMAIN = Permission.MANAGE_MEMBERS, Permission.MANAGE_DOMAIN
VIEW, MANAGE, REVEAL = Permission.VIEW, Permission.MANAGE_CREDENTIALS, Permission.REVEAL_PASSWORDS

RECENT = "recent sign-in"
SIGNING_IN, MAILBOX, READS = "it is how one signs in", "the mailed link is the proof", "it changes nothing"


class Rights(NamedTuple):
    """`made_up`: what the address names beside the domain is not there: who is let in may find nothing.

    `asks`: POST asks for a recent sign-in (RECENT), or why it need not (any other text). Whoever sits
    down at an open session must not stop a site, give access away, silence an alarm or hide a trace.
    """

    get: Any = None
    post: Any = None
    made_up: bool = False
    asks: str = ""


RIGHTS = {
    # sign-in
    "account_login": Rights(PUBLIC, PUBLIC, asks=SIGNING_IN),
    "account_logout": Rights(PUBLIC, PUBLIC, asks="it only gives up what the session may"),
    "account_signup": Rights(PUBLIC, PUBLIC, asks=SIGNING_IN),
    "account_inactive": Rights(PUBLIC),
    "account_email_verification_sent": Rights(PUBLIC),
    "account_confirm_email": Rights(PUBLIC, PUBLIC, asks=MAILBOX),
    "account_reset_password": Rights(PUBLIC, PUBLIC, asks=MAILBOX),
    "account_reset_password_done": Rights(PUBLIC),
    "account_reset_password_from_key": Rights(PUBLIC, PUBLIC, asks=MAILBOX),
    "account_reset_password_from_key_done": Rights(PUBLIC),
    "account_reauthenticate": Rights(SIGNED_IN, SIGNED_IN, asks=SIGNING_IN),
    "account_change_password": Rights(SIGNED_IN, SIGNED_IN, asks="it asks for the password itself"),
    "account_set_password": Rights(SIGNED_IN, SIGNED_IN, asks="who has no password has nothing to confirm by"),
    "account_confirmed": Rights(SIGNED_IN),
    "account_nothing_done": Rights(SIGNED_IN),
    "account_profile": Rights(SIGNED_IN, SIGNED_IN, asks="a name; the event keeps who it was"),
    "account_notifications": Rights(SIGNED_IN, SIGNED_IN, asks=RECENT),
    "account_email": Rights(SIGNED_IN, SIGNED_IN, asks=RECENT),
    "account_email_again": Rights(None, SIGNED_IN, asks=RECENT),
    "account_email_keep": Rights(None, SIGNED_IN, asks="the e-mail stays what it is"),
    "account_sessions": Rights(SIGNED_IN),
    "account_end_sessions": Rights(SIGNED_IN, SIGNED_IN, asks=RECENT),
    # off without a provider in the settings
    "openid_sign_in": Rights(None, PUBLIC, asks=SIGNING_IN),
    "openid_callback": Rights(PUBLIC),
    # two-factor; no user here has it, so some pages are missing
    "mfa_authenticate": Rights(PUBLIC, PUBLIC, asks=SIGNING_IN),
    "mfa_login_webauthn": Rights(PUBLIC, PUBLIC, asks=SIGNING_IN),
    "mfa_index": Rights(SIGNED_IN),
    "mfa_reauthenticate": Rights(SIGNED_IN, SIGNED_IN, asks=SIGNING_IN),
    "mfa_reauthenticate_webauthn": Rights(SIGNED_IN, SIGNED_IN, asks=SIGNING_IN),
    "mfa_activate_totp": Rights(SIGNED_IN, SIGNED_IN, asks=RECENT),
    "mfa_deactivate_totp": Rights(SIGNED_IN, SIGNED_IN, made_up=True, asks=RECENT),
    "mfa_view_recovery_codes": Rights(SIGNED_IN, made_up=True),
    "mfa_generate_recovery_codes": Rights(SIGNED_IN, SIGNED_IN, made_up=True, asks=RECENT),
    "mfa_download_recovery_codes": Rights(SIGNED_IN, SIGNED_IN, made_up=True, asks=READS),
    "mfa_list_webauthn": Rights(SIGNED_IN),
    "mfa_add_webauthn": Rights(SIGNED_IN, SIGNED_IN, asks=RECENT),
    "mfa_edit_webauthn": Rights(SIGNED_IN, SIGNED_IN, made_up=True, asks=RECENT),
    "mfa_remove_webauthn": Rights(SIGNED_IN, SIGNED_IN, made_up=True, asks=RECENT),
    "theme": Rights(None, SIGNED_IN, asks="a cookie of this browser"),
    # domains
    "domains:home": Rights(SIGNED_IN),
    "credentials:domains": Rights(SIGNED_IN),
    "domains:add": Rights(SIGNED_IN, SIGNED_IN, asks="a pending domain sends nothing before its DNS proves it"),
    "domains:add_several": Rights(SIGNED_IN, SIGNED_IN, asks="pending domains, as with domains:add"),
    "credentials:menu": Rights(SIGNED_IN),
    "credentials:overview": Rights(VIEW),
    "domains:settings": Rights(VIEW),
    "domains:rename": Rights(DOMAIN, DOMAIN, asks=RECENT),
    "domains:transfer": Rights(DOMAIN, DOMAIN, asks=RECENT),
    "domains:delete": Rights(DOMAIN, DOMAIN, asks=RECENT),
    "domains:dns": Rights(VIEW),
    "domains:verify": Rights(
        Permission.VERIFY_DOMAIN,
        Permission.VERIFY_DOMAIN,
        asks="the DNS decides; a proof that is gone cuts nothing off",
    ),
    "audit:activity": Rights(VIEW),
    "audit:export": Rights(VIEW),
    # members, and the mailed link of an invitation; tests/domains tests who may use it
    "domains:members": Rights(VIEW),
    "domains:leave": Rights(VIEW, VIEW, asks=RECENT),
    "domains:invite": Rights(MEMBERS, MEMBERS, asks=RECENT),
    "domains:invite_also": Rights(MEMBERS),
    "domains:change_role": Rights(MEMBERS, MEMBERS, asks=RECENT),
    "domains:remove": Rights(MEMBERS, MEMBERS, asks=RECENT),
    "domains:resend": Rights(MEMBERS, MEMBERS, asks=RECENT),
    "domains:revoke": Rights(MEMBERS, MEMBERS, asks=RECENT),
    "credentials:offboarding": Rights(MEMBERS),
    "credentials:offboarding_remove": Rights(MEMBERS, MEMBERS, asks=RECENT),
    "credentials:offboarding_reset": Rights(MEMBERS, MEMBERS, asks=RECENT),
    "domains:invitation": Rights(PUBLIC),
    "domains:accept": Rights(None, PUBLIC, asks=MAILBOX),
    "domains:decline": Rights(None, PUBLIC, asks=MAILBOX),
    "domains:join": Rights(None, PUBLIC, asks=MAILBOX),
    # credentials
    "credentials:list": Rights(VIEW),
    "credentials:add": Rights(MANAGE, MANAGE, asks="nobody can use it before Show, which asks"),
    "credentials:page": Rights(VIEW),
    "credentials:reveal": Rights(REVEAL, REVEAL, asks=RECENT),
    "credentials:copy": Rights(None, REVEAL, asks=RECENT),
    "credentials:reset": Rights(MANAGE, MANAGE, asks=RECENT),
    "credentials:delete": Rights(MANAGE, MANAGE, asks=RECENT),
    "credentials:label": Rights(MANAGE, MANAGE, asks="the event keeps the label of before"),
    "credentials:networks": Rights(MANAGE, MANAGE, asks=RECENT),
    "credentials:refused": Rights(VIEW),
    "credentials:revoke_old": Rights(MANAGE, MANAGE, asks=RECENT),
    "credentials:suspend": Rights(MANAGE, MANAGE, asks=RECENT),
    "credentials:resume": Rights(MANAGE, MANAGE, asks=RECENT),
    "credentials:expiry": Rights(MANAGE, MANAGE, asks=RECENT),
    "credentials:extend": Rights(MANAGE, MANAGE, asks=RECENT),
    "credentials:hand_over": Rights(REVEAL, REVEAL, asks=RECENT),
    "credentials:revoke_hand_over": Rights(REVEAL, REVEAL, made_up=True, asks=RECENT),
    "hand_over": Rights(PUBLIC, PUBLIC, asks="the link is the proof; tests/credentials tests who made it"),
    "credentials:export": Rights(VIEW),
    "credentials:suspend_chosen": Rights(MANAGE, MANAGE, asks=RECENT),
    "credentials:delete_chosen": Rights(MANAGE, MANAGE, asks=RECENT),
    "credentials:deleted": Rights(VIEW),
    "credentials:restore": Rights(MANAGE, MANAGE, asks=RECENT),
    "credentials:erase": Rights(MANAGE, MANAGE, made_up=True, asks=RECENT),
    "credentials:clients": Rights(VIEW),
    "credentials:connect": Rights(VIEW),
    "credentials:explain": Rights(VIEW, VIEW, asks=READS),
    "credentials:proof": Rights(VIEW),
    "credentials:receipt": Rights(MANAGE),
    "submission:check": Rights(
        MANAGE, MANAGE, asks="it logs in with the password and shows only whether that works"
    ),
    "submission:check_run": Rights(MANAGE, made_up=True),
}


class Route(NamedTuple):
    """A route of the site; `parts` are the names of the values in its path."""

    name: str
    parts: tuple[str, ...]

    @property
    def rights(self) -> Rights:
        return Rights(STAFF, STAFF) if self.name.startswith("admin:") else RIGHTS[self.name]


def routes() -> list[Route]:
    """Yield every named route, in the order of the URLs."""
    return list(dict.fromkeys(_below(get_resolver(), "", ())))


def _below(resolver, namespace, parts):
    for pattern in resolver.url_patterns:
        inner = (*parts, *pattern.pattern.regex.groupindex)
        if hasattr(pattern, "url_patterns"):
            prefix = f"{pattern.namespace}:" if pattern.namespace else ""
            yield from _below(pattern, namespace + prefix, inner)
        elif pattern.name:
            yield Route(namespace + pattern.name, inner)
        elif namespace != "admin:":  # the admin's redirects to pages that the walk visits
            raise AssertionError(f"{pattern} has no name.")
