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


@register(START)
def check_tls_port(app_configs, **kwargs):
    hint = (
        "Use 587 for STARTTLS and 465 for TLS from the start. Leave SMTP_TLS_PORT out to offer STARTTLS only."
    )
    for name, tls_name in (("SMTP_PORT", "SMTP_TLS_PORT"), ("SUBMISSION_PORT", "SUBMISSION_TLS_PORT")):
        if getattr(settings, name) == getattr(settings, tls_name):
            return [Error(f"{name} and {tls_name} are the same port.", hint=hint, id="sendlayer.E012")]
    return []


@register(START, deploy=True)
def check_starttls_port(app_configs, **kwargs):
    if settings.SMTP_PORT != 465:
        return []
    problem = "SMTP_PORT is 465: clients start TLS at once there, but this is the port with STARTTLS."
    hint = "Set SMTP_PORT=587, and SMTP_TLS_PORT=465 for TLS from the start."
    return [Warning(problem, hint=hint, id="sendlayer.W012")]


@register(START)
def check_max_recipients(app_configs, **kwargs):
    if settings.SUBMISSION_MAX_RECIPIENTS >= 100:
        return []
    hint = "Set it to 100 or more (RFC 5321 section 4.5.3.1.8). Many programs can't split a message themselves."
    return [Error("SUBMISSION_MAX_RECIPIENTS is less than 100.", hint=hint, id="sendlayer.E013")]


@register(START, deploy=True)
def check_smtp_host(app_configs, **kwargs):
    if settings.SMTP_HOST not in LOCAL_NAMES:
        return []
    problem = f"SMTP_HOST is {settings.SMTP_HOST}: users are shown a host name that is their own machine."
    hint = "Set SMTP_HOST to the name that sites and apps connect to, like smtp.example.com."
    return [Warning(problem, hint=hint, id="sendlayer.W011")]
