"""System checks of the settings for sign-in."""

from django.conf import settings
from django.core.checks import Error, Warning, register

from accounts import emails, openid
from web.startup import START

SHORTEST_TIMEOUT = 60  # seconds


@register(START)
def check_reauthentication_timeout(app_configs, **kwargs):
    if settings.REAUTHENTICATION_TIMEOUT >= SHORTEST_TIMEOUT:
        return []
    problem = f"REAUTHENTICATION_TIMEOUT is {settings.REAUTHENTICATION_TIMEOUT} seconds: too short to act in."
    hint = f"Set it to {SHORTEST_TIMEOUT} seconds or more, or leave it out for 15 minutes."
    return [Error(problem, hint=hint, id="sendlayer.E021")]


@register(START)
def check_openid(app_configs, **kwargs):
    names = ("OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET")
    missing = [name for name in names if not getattr(settings, name)]
    errors = []
    if 0 < len(missing) < len(names):
        hint = "Set all three as the provider gave them to you, or none."
        problem = f"{' and '.join(missing)}: not set, but {' and '.join(sorted(set(names) - set(missing)))} is."
        errors.append(Error(problem, hint=hint, id="sendlayer.E040"))
    if settings.OIDC_ISSUER and not openid.is_usable_issuer(settings.OIDC_ISSUER):
        hint = (
            "Give the provider's address: https://, without ? and #, at most 200 characters. "
            "Plain http:// only for one on this machine."
        )
        problem = f"OIDC_ISSUER={settings.OIDC_ISSUER} can't be used."
        errors.append(Error(problem, hint=hint, id="sendlayer.E041"))
    return errors


@register(START, deploy=True)
def check_mail_is_sent(app_configs, **kwargs):
    if emails.are_sent():
        return []
    problem = (
        "EMAIL_URL is not set to a mail server: invitations, password resets and warnings reach nobody, and "
        "owners get the links of invitations to pass on."
    )
    hint = "Set EMAIL_URL to smtp+tls://user:password@host:587, and DEFAULT_FROM_EMAIL to the sender."
    return [Warning(problem, hint=hint, id="sendlayer.W022")]
