"""System checks of the settings for the SMTP listener."""

from pathlib import Path

from django.conf import settings
from django.core.checks import Error, register

from web.startup import START


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
