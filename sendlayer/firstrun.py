"""`python -m sendlayer.firstrun`: create VAR_DIR and an `.env` with new keys on a fresh machine.

Only `make run` calls this. It never replaces keys: if a database exists without its `.env`, the keys are lost
or elsewhere, and new ones would hide that.
"""

import os
import secrets
import sys
from pathlib import Path

from sendlayer.environment import load

ENV = """\
# Written at the first start. Keep a copy apart from the database: without CREDENTIAL_KEYS
# the stored SMTP passwords can't be shown again. Every setting: see .env.example.
SECRET_KEY={secret_key}
CREDENTIAL_KEYS=k1:{credential_key}
# This trial serves plain HTTP on the loopback address. Behind TLS remove the next line.
HTTPS_ONLY=no
SMTP_HOST=127.0.0.1
SMTP_PORT=2587
SMTP_TLS_PORT=2465
"""


def main() -> int:
    """Write `.env` unless the keys exist; return the exit code."""
    from vault.cipher import new_key

    var_dir = load()
    env_file = var_dir / ".env"
    if env_file.exists() or all(map(_is_given, ("SECRET_KEY", "CREDENTIAL_KEYS"))):
        return 0
    if (var_dir / "db.sqlite3").exists():
        sys.stderr.write(
            f"{var_dir} contains a database but no .env: its keys are missing.\n"
            "Put the .env back from your backup. To start over, move the folder away.\n"
        )
        return os.EX_CONFIG
    try:
        _write(env_file, ENV.format(secret_key=secrets.token_urlsafe(50), credential_key=new_key()))
    except OSError as error:
        sys.stderr.write(f"{env_file} can't be written: {error}.\nGive another folder: VAR_DIR=…\n")
        return os.EX_CONFIG
    return 0


def _is_given(name: str) -> bool:
    return name in os.environ or f"{name}_FILE" in os.environ


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    sys.exit(main())
