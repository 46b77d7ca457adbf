"""System checks of the keys that seal what is stored."""

from django.conf import settings
from django.core.checks import Error, register
from django.db import DatabaseError

from vault import cipher

KEYS = "keys"

KEYS_HINT = (
    "Set CREDENTIAL_KEYS (or CREDENTIAL_KEYS_FILE) to `id:base64key`, 32 random bytes a key, newest first. "
    "On a server that has credentials already, take the keys it was using from your backup: "
    "with other keys their passwords can't be shown again."
)


# Not for START: a server without its keys is up, sealed, and says why (vault/sealed_mode.py).
@register(KEYS)
def check_credential_keys(app_configs, **extra):
    from vault import keyring

    if not settings.CREDENTIAL_KEYS:
        return [Error("CREDENTIAL_KEYS is not set.", hint=KEYS_HINT, id="sendlayer.E002")]
    try:
        cipher.parse(settings.CREDENTIAL_KEYS)
    except cipher.KeyringError as error:
        return [Error(f"CREDENTIAL_KEYS can't be used: {error}.", hint=KEYS_HINT, id="sendlayer.E003")]
    try:
        problem = keyring.problem()
    except DatabaseError:
        return []  # not migrated yet, or out of reach: another message says so
    return [Error(f"{problem}.", hint=KEYS_HINT, id="sendlayer.E004")] if problem else []
