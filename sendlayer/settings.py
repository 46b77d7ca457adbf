"""All settings. Each environment variable is documented, with its default, in .env.example."""

import socket
from datetime import timedelta
from zoneinfo import ZoneInfo

from sendlayer import __version__, databases
from sendlayer.environment import BASE_DIR, env, load, refuse, secret

VERSION = __version__
VAR_DIR = load()

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = secret("SECRET_KEY")
CREDENTIAL_KEYS = secret("CREDENTIAL_KEYS")
ALLOWED_HOSTS = env.hosts("ALLOWED_HOSTS", default=["127.0.0.1", "localhost"])
CSRF_TRUSTED_ORIGINS = env.hosts("CSRF_TRUSTED_ORIGINS", default=[])
HTTPS_ONLY = env.bool("HTTPS_ONLY", default=True)
TRUSTED_PROXIES = env.list("TRUSTED_PROXIES", default=[])
# For links in e-mails, which timers write without a request.
DASHBOARD_URL = env.str(
    "DASHBOARD_URL",
    # Patterns like `*` or `.example.com` are skipped.
    default=f"https://{next((host for host in ALLOWED_HOSTS or ['localhost'] if host[0] not in '*.'), '')}"
    if HTTPS_ONLY
    else f"http://127.0.0.1:{env.port('PORT', default=8000)}",
)

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "sendlayer",
    "vault",
    "operations",
    "audit",
    "accounts",
    "domains",
    "credentials",
    "submission",
]

MIDDLEWARE = [
    "web.request_id.RequestIdMiddleware",
    "web.middleware.ForwardedMiddleware",
    "web.headers.SecurityHeadersMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "operations.health.ProbesMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "web.middleware.MethodsMiddleware",
    "web.middleware.EncodingsMiddleware",
    "web.middleware.BodiesMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "vault.sealed_mode.SealedMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "web.middleware.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.SessionLimitsMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.LastSeenMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "accounts.middleware.CameFromMiddleware",
    "accounts.middleware.SignInAgainMiddleware",
]

ROOT_URLCONF = "sendlayer.urls"
WSGI_APPLICATION = "sendlayer.wsgi.application"

TEMPLATES = [
    # Our own pages; first, so that they replace allauth's.
    {
        "NAME": "jinja2",
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [BASE_DIR / "templates" / "jinja2"],
        "OPTIONS": {
            "environment": "sendlayer.jinja.environment",
            "context_processors": ["web.csrf.csrf_input_once"],
        },
    },
    # The admin, and allauth's e-mails and messages.
    {
        "NAME": "django",
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# The largest form, an invitation of 20 people to 100 domains, has some 40 KB in UTF-8, 3 times as much
# percent-encoded.
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024

# --- data ---------------------------------------------------------------------

# In lower case, since a setting would be shown by DEBUG.
if url := secret("DATABASE_URL"):
    DATABASES = {"default": databases.primary("DATABASE_URL", url)}
else:
    DATABASES = {"default": databases.sqlite(VAR_DIR / "db.sqlite3")}
# Only what names it asks it, and nothing can be written there.
if url := secret("REPLICA_URL"):
    DATABASES["replica"] = databases.replica("REPLICA_URL", url)
EVENTS_LOG = env.str(
    "EVENTS_LOG",
    # SQLite has no standby that could lack anything.
    default="" if DATABASES["default"]["ENGINE"].endswith("sqlite3") else str(VAR_DIR / "events"),
)
LEASE_SECONDS = env.int("LEASE_SECONDS", default=5)
NODE_NAME = env.str("NODE_NAME", default=socket.gethostname())
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Rate limits count in the cache, so all workers have to share it.
CACHES = {"default": env.cache_url("CACHE_URL", default="dbcache://sendlayer_cache")}
if CACHES["default"]["BACKEND"].endswith("DatabaseCache"):
    # Django's default of 300 would let anyone flush the counts by trying many names.
    CACHES["default"].setdefault("OPTIONS", {}).setdefault("MAX_ENTRIES", 20_000)
    CACHES["default"]["BACKEND"] = "web.caches.TableCache"
elif "redis" in CACHES["default"]["BACKEND"].lower():
    CACHES["default"]["BACKEND"] = "web.caches.SharedCache"

# --- domains and their DNS --------------------------------------------------------

ALLOW_TEST_DOMAINS = env.bool("ALLOW_TEST_DOMAINS", default=False)
DNS_RESOLVERS = env.list("DNS_RESOLVERS", default=[])
SPF_INCLUDE = env.str("SPF_INCLUDE", default="")
DKIM_CNAME = env.str("DKIM_CNAME", default="")
RETURN_PATH_CNAME = env.str("RETURN_PATH_CNAME", default="")

# --- sign-in ---------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "accounts.password_validators.MaximumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "accounts.password_validators.ServiceWordsValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "domains:home"

SIGNUP_OPEN = env.bool("SIGNUP_OPEN", default=False)
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
# Also while sign-up is closed: users who signed up earlier with the address of another stay out.
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_NOTIFICATIONS = True
REAUTHENTICATION_TIMEOUT = env.int("REAUTHENTICATION_TIMEOUT", default=900)
ACCOUNT_REAUTHENTICATION_TIMEOUT = REAUTHENTICATION_TIMEOUT
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_CONFIRMATION_AUTHENTICATED_REDIRECT_URL = "account_profile"
ACCOUNT_FORMS = {
    "login": "accounts.forms.LoginForm",
    "reauthenticate": "accounts.forms.ReauthenticateForm",
    "reset_password": "accounts.forms.ResetPasswordForm",
    "reset_password_from_key": "accounts.forms.ResetPasswordKeyForm",
    "signup": "accounts.forms.SignupForm",
    "user_token": "accounts.forms.ResetLinkForm",
}
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "accounts.reset_links.TokenGenerator"  # noqa: S105

MFA_ADAPTER = "accounts.two_factor.TwoFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_FORMS = {
    "authenticate": "accounts.two_factor.AuthenticateForm",
    "reauthenticate": "accounts.two_factor.ReauthenticateForm",
    "activate_totp": "accounts.two_factor.ActivateTOTPForm",
    "authenticate_webauthn": "accounts.two_factor.AuthenticatePasskeyForm",
    "login_webauthn": "accounts.two_factor.LoginPasskeyForm",
    "reauthenticate_webauthn": "accounts.two_factor.ReauthenticatePasskeyForm",
    "add_webauthn": "accounts.two_factor.AddPasskeyForm",
    "edit_webauthn": "accounts.two_factor.RenamePasskeyForm",
}
MFA_TOTP_ISSUER = "SendLayer"
MFA_TOTP_TOLERANCE = 1
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS_ONLY
# Users may set up two-factor while a change of address is unconfirmed.
MFA_ALLOW_UNVERIFIED_EMAIL = True

# Without the discovery path or a final slash, which are often pasted with it.
OIDC_ISSUER = env.str("OIDC_ISSUER", default="").removesuffix("/.well-known/openid-configuration").rstrip("/")
OIDC_CLIENT_ID = env.str("OIDC_CLIENT_ID", default="")
OIDC_CLIENT_SECRET = secret("OIDC_CLIENT_SECRET")
OIDC_NAME = env.str("OIDC_NAME", default="single sign-on")
OIDC_TRUST_EMAIL = env.bool("OIDC_TRUST_EMAIL", default=False)
OIDC_SIGNUP = env.bool("OIDC_SIGNUP", default=False)
SOCIALACCOUNT_ADAPTER = "accounts.openid.people.SocialAdapter"
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "provider_class": "accounts.openid.provider.Provider",
        "OAUTH_PKCE_ENABLED": True,
        "APP": {
            "provider_id": OIDC_ISSUER,  # a link is bound to its issuer: `sub` means nothing at another
            "name": OIDC_NAME,
            "client_id": OIDC_CLIENT_ID,
            "secret": OIDC_CLIENT_SECRET,
            "settings": {"server_url": OIDC_ISSUER},
        },
    }
}
SOCIALACCOUNT_STORE_TOKENS = SOCIALACCOUNT_LOGIN_ON_GET = SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
SOCIALACCOUNT_REQUESTS_TIMEOUT = 5

SESSION_ENGINE = "web.session_store"
SESSION_COOKIE_AGE = int(timedelta(days=7).total_seconds())
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS_ONLY
SESSION_COOKIE_NAME = "__Host-session" if HTTPS_ONLY else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS_ONLY else "csrf"
CSRF_COOKIE_HTTPONLY = True
THEME_COOKIE_NAME = "__Host-theme" if HTTPS_ONLY else "theme"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# --- transport ------------------------------------------------------------------

SECURE_SSL_REDIRECT = HTTPS_ONLY
SECURE_REDIRECT_EXEMPT = ["^(healthz|readyz|metrics)$"]  # monitoring asks without TLS (operations/health.py)
SECURE_HSTS_SECONDS = int(timedelta(days=365).total_seconds()) if HTTPS_ONLY else 0
# Both affect other sites below this host's name, which then need TLS too.
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS_ONLY and env.bool("HSTS_INCLUDE_SUBDOMAINS", default=False)
SECURE_HSTS_PRELOAD = HTTPS_ONLY and env.bool("HSTS_PRELOAD", default=False)
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]  # which recommend both
# The other headers: web/headers.py.
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# --- mail -------------------------------------------------------------------------

vars().update(env.email_url("EMAIL_URL", default="consolemail://"))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="SendLayer <noreply@localhost>")

SMTP_HOST = env.host("SMTP_HOST", default="localhost")
SMTP_PORT = env.port("SMTP_PORT", default=587)
SMTP_TLS_PORT = env.port("SMTP_TLS_PORT", default=None)
SUBMISSION_ADDRESS = env.addresses("SUBMISSION_ADDRESS", default=["127.0.0.1"])
SUBMISSION_PORT = env.port("SUBMISSION_PORT", default=SMTP_PORT)
SUBMISSION_TLS_PORT = env.port("SUBMISSION_TLS_PORT", default=SMTP_TLS_PORT)
SUBMISSION_TLS_CERT = env.str("SUBMISSION_TLS_CERT", default="")
SUBMISSION_TLS_KEY = env.str("SUBMISSION_TLS_KEY", default="")
SUBMISSION_MAX_SIZE = env.int("SUBMISSION_MAX_SIZE", default=25 * 1024 * 1024)
SUBMISSION_MAX_RECIPIENTS = env.int("SUBMISSION_MAX_RECIPIENTS", default=1000)
SUBMISSION_MAX_CONNECTIONS = env.int("SUBMISSION_MAX_CONNECTIONS", default=500)
SUBMISSION_MAX_CONNECTIONS_PER_IP = env.int("SUBMISSION_MAX_CONNECTIONS_PER_IP", default=20)
SUBMISSION_MAX_WRONG_LOGINS_PER_IP = env.int("SUBMISSION_MAX_WRONG_LOGINS_PER_IP", default=50)
SUBMISSION_COMMAND_TIMEOUT = env.int("SUBMISSION_COMMAND_TIMEOUT", default=60)
SUBMISSION_LOGIN_TIMEOUT = env.int("SUBMISSION_LOGIN_TIMEOUT", default=60)
SMTP_RELAY_URL = secret("SMTP_RELAY_URL")

REPORTS_ADDRESS = env.host("REPORTS_ADDRESS", default="127.0.0.1")
REPORTS_PORT = env.port("REPORTS_PORT", default=2580)
MESSAGES_PORT = env.port("MESSAGES_PORT", default=2581)
REPORTS_SECRET = secret("REPORTS_SECRET")
MILTER_ADDRESS = env.str("MILTER_ADDRESS", default="127.0.0.1")
MILTER_PORT = env.port("MILTER_PORT", default=2582)

# --- periodic jobs ---------------------------------------------------------------------

BACKUP_DIR = env.str("BACKUP_DIR", default="").strip()
BACKUP_DAYS = env.int("BACKUP_DAYS", default=30)
HEARTBEAT_URL_LETTERS = secret("HEARTBEAT_URL_LETTERS")
HEARTBEAT_URL_TIDY = secret("HEARTBEAT_URL_TIDY")
HEARTBEAT_URL_DOMAINS = secret("HEARTBEAT_URL_DOMAINS")
HEARTBEAT_URL_BACKUP = secret("HEARTBEAT_URL_BACKUP")

# --- language, files, logs -----------------------------------------------------------

LANGUAGE_CODE = "en-us"
TIME_ZONE = env.str("TIME_ZONE", default="UTC").strip()
try:
    ZoneInfo(TIME_ZONE)
except (KeyError, ValueError, OSError):
    refuse("TIME_ZONE", "is not a time zone.", "Set it to a name like Europe/Berlin, or leave it out for UTC.")
USE_I18N = True
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = env.str("STATIC_ROOT", default="") or str(VAR_DIR / "static")
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "web.static_files.StaticFilesStorage"},
}
WHITENOISE_ALLOW_ALL_ORIGINS = False

LOG_FORMAT = env.str("LOG_FORMAT", default="line").strip().lower()
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO").strip().upper()
if LOG_LEVEL not in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"):
    refuse("LOG_LEVEL", "is not a level.", "Set it to DEBUG, INFO, WARNING or ERROR.")
METRICS_TOKEN = secret("METRICS_TOKEN")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"console": {"()": f"web.logs.{'Json' if LOG_FORMAT == 'json' else 'Lines'}"}},
    "filters": {
        "keys": {"()": "web.logs.WithoutKeys"},
        "values": {"()": "web.logs.WithoutValues"},
        "refusals": {"()": "web.logs.Refusals"},
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "console", "filters": ["keys", "refusals"]}
    },
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"handlers": [], "propagate": True, "level": "NOTSET"},
        "django.db.backends": {"filters": ["values"], "level": "NOTSET"},
        # Below it the paths of requests are logged, which are the secret of a heartbeat URL.
        "urllib3": {"level": "INFO"},
    },
}
