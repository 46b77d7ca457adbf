"""Who may use which route: one table for the whole site, and the walk that finds the routes.

A right is PUBLIC, SIGNED_IN, STAFF, or a Permission in the domain that the address names; None: the
method is not allowed there. A route that is missing here fails the tests.
"""

from typing import Any, NamedTuple

from django.urls import get_resolver

from domains.access import Permission

PUBLIC, SIGNED_IN, STAFF = "public", "signed in", "staff"
MEMBERS, DOMAIN = Permission.MANAGE_MEMBERS, Permission.MANAGE_DOMAIN
VIEW, MANAGE, REVEAL = Permission.VIEW, Permission.MANAGE_CREDENTIALS, Permission.REVEAL_PASSWORDS


class Rights(NamedTuple):
    """`made_up`: what the address names beside the domain is not there: who is let in may find nothing."""

    get: Any = None
    post: Any = None
    made_up: bool = False


RIGHTS = {
    # who signs in
    "account_login": Rights(PUBLIC, PUBLIC),
    "account_logout": Rights(PUBLIC, PUBLIC),
    "account_signup": Rights(PUBLIC, PUBLIC),
    "account_inactive": Rights(PUBLIC),
    "account_email_verification_sent": Rights(PUBLIC),
    "account_confirm_email": Rights(PUBLIC, PUBLIC),
    "account_reset_password": Rights(PUBLIC, PUBLIC),
    "account_reset_password_done": Rights(PUBLIC),
    "account_reset_password_from_key": Rights(PUBLIC, PUBLIC),
    "account_reset_password_from_key_done": Rights(PUBLIC),
    "account_reauthenticate": Rights(SIGNED_IN, SIGNED_IN),
    "account_change_password": Rights(SIGNED_IN, SIGNED_IN),
    "account_set_password": Rights(SIGNED_IN, SIGNED_IN),
    "account_confirmed": Rights(SIGNED_IN),
    "account_profile": Rights(SIGNED_IN, SIGNED_IN),
    "account_notifications": Rights(SIGNED_IN, SIGNED_IN),
    "account_email": Rights(SIGNED_IN, SIGNED_IN),
    "account_email_again": Rights(None, SIGNED_IN),
    "account_email_keep": Rights(None, SIGNED_IN),
    "account_sessions": Rights(SIGNED_IN),
    "account_end_sessions": Rights(SIGNED_IN, SIGNED_IN),
    # off without a provider in the settings
    "openid_sign_in": Rights(None, PUBLIC),
    "openid_callback": Rights(PUBLIC),
    # two-factor; nobody here has any, so that some of it is not there
    "mfa_authenticate": Rights(PUBLIC, PUBLIC),
    "mfa_login_webauthn": Rights(PUBLIC, PUBLIC),
    "mfa_index": Rights(SIGNED_IN),
    "mfa_reauthenticate": Rights(SIGNED_IN, SIGNED_IN),
    "mfa_reauthenticate_webauthn": Rights(SIGNED_IN, SIGNED_IN),
    "mfa_activate_totp": Rights(SIGNED_IN, SIGNED_IN),
    "mfa_deactivate_totp": Rights(SIGNED_IN, SIGNED_IN, made_up=True),
    "mfa_view_recovery_codes": Rights(SIGNED_IN, made_up=True),
    "mfa_generate_recovery_codes": Rights(SIGNED_IN, SIGNED_IN, made_up=True),
    "mfa_download_recovery_codes": Rights(SIGNED_IN, SIGNED_IN, made_up=True),
    "mfa_list_webauthn": Rights(SIGNED_IN),
    "mfa_add_webauthn": Rights(SIGNED_IN, SIGNED_IN),
    "mfa_edit_webauthn": Rights(SIGNED_IN, SIGNED_IN, made_up=True),
    "mfa_remove_webauthn": Rights(SIGNED_IN, SIGNED_IN, made_up=True),
    "theme": Rights(None, SIGNED_IN),
    # domains
    "domains:home": Rights(SIGNED_IN),
    "domains:list": Rights(SIGNED_IN),
    "domains:add": Rights(SIGNED_IN, SIGNED_IN),
    "domains:menu": Rights(SIGNED_IN),
    "domains:overview": Rights(VIEW),
    "domains:settings": Rights(VIEW),
    "domains:rename": Rights(DOMAIN, DOMAIN),
    "domains:transfer": Rights(DOMAIN, DOMAIN),
    "domains:delete": Rights(DOMAIN, DOMAIN),
    "domains:dns": Rights(VIEW),
    "domains:verify": Rights(Permission.VERIFY_DOMAIN, Permission.VERIFY_DOMAIN),
    "audit:activity": Rights(VIEW),
    "audit:export": Rights(VIEW),
    # members, and the mailed link of an invitation: whom it is for is tested in tests/domains
    "domains:members": Rights(VIEW),
    "domains:leave": Rights(VIEW, VIEW),
    "domains:invite": Rights(MEMBERS, MEMBERS),
    "domains:invite_also": Rights(MEMBERS),
    "domains:change_role": Rights(MEMBERS, MEMBERS),
    "domains:remove": Rights(MEMBERS, MEMBERS),
    "domains:resend": Rights(MEMBERS, MEMBERS),
    "domains:revoke": Rights(MEMBERS, MEMBERS),
    "domains:invitation": Rights(PUBLIC),
    "domains:accept": Rights(None, PUBLIC),
    "domains:decline": Rights(None, PUBLIC),
    "domains:join": Rights(None, PUBLIC),
    # credentials
    "credentials:list": Rights(VIEW),
    "credentials:add": Rights(MANAGE, MANAGE),
    "credentials:reveal": Rights(REVEAL, REVEAL),
    "credentials:copy": Rights(None, REVEAL),
    "credentials:reset": Rights(MANAGE, MANAGE),
    "credentials:delete": Rights(MANAGE, MANAGE),
    "credentials:label": Rights(MANAGE, MANAGE),
    "credentials:networks": Rights(MANAGE, MANAGE),
    "credentials:refused": Rights(VIEW),
    "credentials:revoke_old": Rights(MANAGE, MANAGE),
    "credentials:suspend": Rights(MANAGE, MANAGE),
    "credentials:resume": Rights(MANAGE, MANAGE),
    "credentials:expiry": Rights(MANAGE, MANAGE),
    "credentials:extend": Rights(MANAGE, MANAGE),
    "credentials:export": Rights(VIEW),
    "credentials:suspend_chosen": Rights(MANAGE, MANAGE),
    "credentials:delete_chosen": Rights(MANAGE, MANAGE),
    "credentials:deleted": Rights(VIEW),
    "credentials:restore": Rights(MANAGE, MANAGE),
    "credentials:erase": Rights(MANAGE, MANAGE, made_up=True),
    "credentials:clients": Rights(VIEW),
    "credentials:connect": Rights(VIEW),
    "credentials:explain": Rights(VIEW, VIEW),
    "submission:check": Rights(MANAGE, MANAGE),
    "submission:check_run": Rights(MANAGE, made_up=True),
}


class Route(NamedTuple):
    """A route of the site; `parts` are the names in its address that take a value."""

    name: str
    parts: tuple[str, ...]

    @property
    def rights(self) -> Rights:
        return Rights(STAFF, STAFF) if self.name.startswith("admin:") else RIGHTS[self.name]


def routes() -> list[Route]:
    """Every route that has a name, in the order of the URLs."""
    return list(dict.fromkeys(_below(get_resolver(), "", ())))


def _below(resolver, namespace, parts):
    for pattern in resolver.url_patterns:
        inner = (*parts, *pattern.pattern.regex.groupindex)
        if hasattr(pattern, "url_patterns"):
            prefix = f"{pattern.namespace}:" if pattern.namespace else ""
            yield from _below(pattern, namespace + prefix, inner)
        elif pattern.name:
            yield Route(namespace + pattern.name, inner)
        elif namespace != "admin:":  # the admin's own redirects to what is walked anyway
            raise AssertionError(f"{pattern} has no name.")
