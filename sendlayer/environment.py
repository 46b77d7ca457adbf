"""Where settings come from: the process environment, then `.env` in VAR_DIR.

A secret may also be given as NAME_FILE, the path of a file that holds it, so that it
need not stand in the environment (systemd credentials, container secrets).
"""

import os
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()


def load() -> Path:
    """Read `VAR_DIR/.env` into the environment (what is set already wins); return VAR_DIR."""
    var_dir = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var"))).resolve()
    env_file = var_dir / ".env"
    if env_file.is_file():
        environ.Env.read_env(env_file)
    return var_dir


def secret(name: str) -> str:
    """Return the secret NAME, from NAME or from the file that NAME_FILE points to.

    Returns "" when neither is set: a system check then says so with its id and a hint.
    Raises ImproperlyConfigured when the file cannot be read.
    """
    path = os.environ.get(f"{name}_FILE")
    if not path:
        return os.environ.get(name, "")
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(f"{name}_FILE={path} cannot be read: {error}") from None
