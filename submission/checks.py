"""System checks of the settings for the SMTP listener."""

from pathlib import Path

from django.conf import settings
from django.core.checks import Error, Warning, register

from web.startup import START

LOCAL_NAMES = {"localhost", "127.0.0.1", "::1"}


@register(START)
def check_submission_certificate(app_configs, **kwargs):
    pair = {
        "SUBMISSION_TLS_CERT": settings.SUBMISSION_TLS_CERT,
        "SUBMISSION_TLS_KEY": settings.SUBMISSION_TLS_KEY,
    }
    if not any(pair.values()):
        return []
    missing = [name for name, path in pair.items() if not Path(path).is_file()]
    if not missing:
        return []
    hint = "Set both to PEM files that this process can read, or neither for a self-signed certificate."
    return [Error(f"{' and '.join(missing)}: no such file.", hint=hint, id="sendlayer.E006")]


@register(START, deploy=True)
def check_smtp_host(app_configs, **kwargs):
    if settings.SMTP_HOST not in LOCAL_NAMES:
        return []
    problem = f"SMTP_HOST is {settings.SMTP_HOST}: users are shown a host name that is their own machine."
    hint = "Set SMTP_HOST to the name that sites and apps connect to, like smtp.example.com."
    return [Warning(problem, hint=hint, id="sendlayer.W011")]
