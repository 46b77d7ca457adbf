"""Loaded before Django (`-p tests.environment`): the settings that every test runs under.

The database is DATABASE_URL where one is given (tests/with_postgres.py does), else SQLite.
"""

import base64
import os
import secrets
import tempfile
from pathlib import Path

VAR_DIR = Path(tempfile.mkdtemp(prefix="sendlayer-test-"))

os.environ.update(
    VAR_DIR=str(VAR_DIR),
    SECRET_KEY=secrets.token_urlsafe(50),
    CREDENTIAL_KEYS="k1:" + base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    HTTPS_ONLY="no",
    EMAIL_URL="memorymail://",
    SMTP_HOST="smtp.sendlayer.net",
    SMTP_PORT="587",
    DNS_RESOLVERS="127.0.0.1:9",  # nobody, until a test names one
)
DNS = ("ALLOW_TEST_DOMAINS", "SPF_INCLUDE", "DKIM_CNAME", "RETURN_PATH_CNAME")
for name in (
    "DEBUG",
    "SMTP_TLS_PORT",
    "SUBMISSION_TLS_PORT",
    "SMTP_RELAY_URL",
    "CACHE_URL",
    "SIGNUP_OPEN",
    "TRUSTED_PROXIES",
    "OIDC_ISSUER",
    *DNS,
):
    os.environ.pop(name, None)
# Where collectstatic would write; WhiteNoise warns when it is not there.
(VAR_DIR / "static").mkdir()
# A folder of its own, which tests/mail opens to the mail servers.
(VAR_DIR / "database").mkdir()
