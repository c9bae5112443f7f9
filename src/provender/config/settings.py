"""Settings, each read from the environment; docs/reference/environment.md has a heading for each (tests hold that)."""

import json
import os
import secrets
from pathlib import Path
from urllib.parse import unquote, urlsplit

from csp.constants import NONE, SELF

from provender.basics.secrets import keep_secret
from provender.config.errors import SettingUnusable

PACKAGE = Path(__file__).resolve().parent.parent


def _flag(name: str, default: bool) -> bool:
    return os.environ.get(name, "1" if default else "0").strip().lower() in {"1", "true", "yes", "on"}


def _number(name: str, default: float) -> float:
    """A number that isn't negative. Raises SettingUnusable."""
    written = os.environ.get(name, "")
    try:
        number = float(written or default)
    except ValueError:
        number = -1
    if not 0 <= number < float("inf"):
        raise SettingUnusable(name, f"“{written}”", f"it must be a number, such as {default:g}")
    return number


def _address(name: str, written: str, example: str) -> str:
    """The address of a web server, without a path. Raises SettingUnusable."""
    address = written.rstrip("/")
    try:
        parts = urlsplit(address)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.path or parts.query or parts.fragment:
        raise SettingUnusable(name, f"“{written}”", f"it must be an address such as {example}, without a path")
    return address


PROVENDER_HOME = Path(os.environ.get("PROVENDER_HOME", Path.cwd() / ".provender")).resolve()
DATABASE_URL = os.environ.get("DATABASE_URL", "")
PUBLIC_URL = _address(
    "PROVENDER_PUBLIC_URL",
    os.environ.get("PROVENDER_PUBLIC_URL", "http://localhost:8000"),
    "https://orders.example.com",
)
DEBUG = _flag("PROVENDER_DEBUG", default=False)


def _kept_secret(name: str) -> str:
    """A secret from the environment, or one made once and kept in a file that only this user can read."""
    if value := os.environ.get(name):
        return value
    path = PROVENDER_HOME / f"{name.lower()}.key"
    try:
        kept = path.read_text().strip() if path.exists() else keep_secret(path, secrets.token_urlsafe(48))
    except OSError as error:
        why = f"it can't be used ({error.strerror}). Its owner must be whoever runs Provender, with room on the disk"
        raise SettingUnusable("PROVENDER_HOME", str(PROVENDER_HOME), why) from error
    if not kept:
        raise SettingUnusable(
            name, f"kept in {path}", "the file is empty. Delete it: a new key is made at the next start"
        )
    return kept


SECRET_KEY = _kept_secret("PROVENDER_SECRET_KEY")
# Keys that encrypt Xero's tokens at rest, newest first, separated by commas; the last ones still read old tokens.
TOKEN_KEYS = os.environ.get("PROVENDER_TOKEN_KEYS", "")


def _databases() -> dict[str, dict[str, object]]:
    if not DATABASE_URL:
        return {
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": PROVENDER_HOME / "provender.sqlite3",
                "OPTIONS": {
                    "transaction_mode": "IMMEDIATE",
                    "timeout": 20,
                    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16000;"
                    " PRAGMA temp_store=MEMORY",
                },
                "TEST": {"NAME": os.environ.get("PROVENDER_TEST_DATABASE") or None},
            },
        }
    try:
        url = urlsplit(DATABASE_URL)
        usable = url.scheme in {"postgres", "postgresql"} and url.port != 0
    except ValueError:
        usable = False
    if not usable:
        # It may hold a password: it isn't repeated.
        like = "it must look like postgresql://provender:secret@db.example:5432/provender, or be left out for SQLite"
        raise SettingUnusable("DATABASE_URL", "not usable", like)
    options = dict(pair.split("=", 1) for pair in url.query.split("&") if "=" in pair)
    return {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(url.path.lstrip("/")),
            "USER": unquote(url.username or ""),
            "PASSWORD": unquote(url.password or ""),
            "HOST": unquote(options.pop("host", "") or url.hostname or ""),
            "PORT": str(url.port or ""),
            "CONN_MAX_AGE": 60,
            "CONN_HEALTH_CHECKS": True,
            "OPTIONS": options,
        },
    }


DATABASES = _databases()
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

_host = urlsplit(PUBLIC_URL)
ALLOWED_HOSTS = [
    *filter(None, [_host.hostname]),
    *(h for h in os.environ.get("PROVENDER_HOSTS", "localhost,127.0.0.1,[::1]").split(",") if h),
]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
# Only a site that is reached by https can keep its cookies to https; the demonstration runs on http://localhost.
SECURE = _host.scheme == "https"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.forms",
    "csp",
    "django_htmx",
    "django_filters",
    "provender.desk",  # before allauth: its templates for login and account pages win
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "provender.engine",
    "provender.suppliers",
    "provender.changes",
    "provender.people",
    "provender.timeline",
    "provender.properties",
    "provender.catalogue",
    "provender.customers",
    "provender.invoicing",
    "provender.payments",
    "provender.ordering",
    "provender.importing",
    "provender.sync",
    "provender.config.apps.ConfigApp",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "provender.desk.refusals.refuse_large",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "provender.desk.refusals.explain_method",
]

ROOT_URLCONF = "provender.config.urls"
WSGI_APPLICATION = "provender.config.wsgi.application"
FORM_RENDERER = "provender.desk.forms.FormRenderer"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "provender.desk.frame.frame",
            ],
            "libraries": {"heroicons": "provender.desk.icons"},
        },
    },
]

AUTH_USER_MODEL = "people.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.ScryptPasswordHasher"]
ACCOUNT_ADAPTER = "provender.desk.accounts.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "provender.desk.accounts.LoginForm",
    "reset_password": "provender.desk.accounts.ResetPasswordForm",
}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_ON_GET = False
LOGIN_REDIRECT_URL = "/"
LOGIN_URL = "account_login"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_ADAPTER = "provender.desk.accounts.TwoStepAdapter"

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"  # Xero sends the browser back to us: the session must come along
# Under https a browser takes cookies of these names from this very host alone: no neighbour under the domain sets them.
SESSION_COOKIE_NAME = "__Host-provender_session" if SECURE else "provender_session"
CSRF_COOKIE_NAME = "__Host-provender_csrf" if SECURE else "provender_csrf"
CSRF_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = SECURE and _flag("PROVENDER_SSL_REDIRECT", default=True)
BEHIND_PROXY = _flag("PROVENDER_BEHIND_PROXY", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
# Login limits count by the visitor's address; behind a proxy that is the last one the proxy names, else the caller's.
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if BEHIND_PROXY else 0
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
# For this host alone. What else is under the domain isn't ours to bind to https, and with `preload` any stranger could
# enter the whole domain into the browsers' lists, for years; a proxy may add both.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"


def _kept_xero() -> dict[str, str]:
    """Where the simulator is, if `provender connect --simulator` left it here; the environment goes before."""
    addresses = {"XERO_LOGIN_URL", "XERO_IDENTITY_URL", "XERO_API_URL"}
    if addresses & os.environ.keys() or os.environ.get("XERO_CLIENT_ID", "simulator") != "simulator":
        return {}
    path = PROVENDER_HOME / "xero.json"
    try:
        kept: dict[str, str] = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        again = "it can't be read. Delete it, and connect to the simulator again"
        raise SettingUnusable("XERO_API_URL", f"kept in {path}", again) from error
    return kept


_xero = {**_kept_xero(), **os.environ}


def _xero_address(name: str, real: str) -> str:
    return _address(name, _xero.get(name, real), real)


XERO_LOGIN_URL = _xero_address("XERO_LOGIN_URL", "https://login.xero.com")
XERO_IDENTITY_URL = _xero_address("XERO_IDENTITY_URL", "https://identity.xero.com")
XERO_API_URL = _xero_address("XERO_API_URL", "https://api.xero.com")
XERO_CLIENT_ID = _xero.get("XERO_CLIENT_ID", "")
XERO_CLIENT_SECRET = _xero.get("XERO_CLIENT_SECRET", "")
XERO_SCOPES = os.environ.get(
    "XERO_SCOPES",
    "offline_access accounting.invoices accounting.payments accounting.banktransactions accounting.contacts"
    " accounting.settings",
)
# Calls of the day and of the minute that background work leaves for people at the screen.
XERO_KEEP_BACK_DAY = int(_number("XERO_KEEP_BACK_DAY", 50))
XERO_KEEP_BACK_MINUTE = int(_number("XERO_KEEP_BACK_MINUTE", 5))

# How often changes in Xero are read while the day has calls enough, in seconds.
XERO_POLL_SECONDS = _number("XERO_POLL_SECONDS", 300)
XERO_WEBHOOK_KEY = os.environ.get("XERO_WEBHOOK_KEY", "")

# The waits of the write protocol (docs/why/exactly-once.md), in seconds. Tests of the protocol move the clock instead.
SYNC_LEASE_SECONDS = 90
SYNC_SETTLE_SECONDS = 150
SYNC_SETTLE_UNHELD_SECONDS = 360  # of what Xero doesn't hold unique: longer than a key lives
SYNC_SWEEP_SECONDS = _number("PROVENDER_SWEEP_SECONDS", 5)

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        # The consent form of a login page may send the browser on to Xero.
        "form-action": [SELF, XERO_LOGIN_URL],
    },
}

STATIC_URL = "/static/"
STATIC_ROOT = PROVENDER_HOME / "static"  # filled when a web server starts (cli.serving.collect_static)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    # Each file under a name with its hash: a browser keeps it for ever, and an update has another name.
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_ALLOW_ALL_ORIGINS = False
MEDIA_ROOT = PROVENDER_HOME / "files"
FILE_UPLOAD_PERMISSIONS = 0o600
DATA_UPLOAD_MAX_NUMBER_FIELDS = 6000
LARGEST_BODY = 101 * 1024 * 1024  # a file of the largest kind (desk.imports) and what stands around it
FILE_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024

LANGUAGE_CODE = "en-au"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

EMAIL_BACKEND = os.environ.get(
    "PROVENDER_EMAIL_BACKEND",
    "django.core.mail.backends.smtp.EmailBackend"
    if os.environ.get("PROVENDER_SMTP_HOST")
    else "django.core.mail.backends.console.EmailBackend",
)
EMAIL_HOST = os.environ.get("PROVENDER_SMTP_HOST", "localhost")
EMAIL_PORT = int(_number("PROVENDER_SMTP_PORT", 25))
EMAIL_HOST_USER = os.environ.get("PROVENDER_SMTP_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("PROVENDER_SMTP_PASSWORD", "")
EMAIL_USE_TLS = _flag("PROVENDER_SMTP_TLS", default=False)
EMAIL_TIMEOUT = 20  # a server that doesn't answer must not hold a thread of the web server
DEFAULT_FROM_EMAIL = os.environ.get("PROVENDER_FROM_EMAIL", "provender@localhost")

_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_level = os.environ.get("PROVENDER_LOG_LEVEL", "").upper()
if _level and _level not in _LEVELS:
    raise SettingUnusable("PROVENDER_LOG_LEVEL", f"“{_level}”", f"it must be one of {', '.join(_LEVELS)}")

# It holds the counts of the log-in limits. Django's own 300 entries are soon full, and then counts are thrown away that
# still hold: an attacker who tries many addresses would free himself of his limits.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "provender_cache",
        "OPTIONS": {"MAX_ENTRIES": 20_000},
    }
}
# To standard error, where a service manager picks it up. Tokens never reach a log: faults and records leave them out.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "filters": {"outages": {"()": "provender.basics.outage.InOneLine"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["outages"]}},
    "root": {"handlers": ["stderr"], "level": _level or "WARNING"},
    "loggers": {
        "provender": {"level": _level or "INFO"},
        # What strangers ask for in vain, and calls that go well at the second try, are nobody's trouble.
        "django.request": {"level": _level or "ERROR"},
        "stamina": {"level": _level or "ERROR"},
    },
}
TEST_RUNNER = "django.test.runner.DiscoverRunner"
