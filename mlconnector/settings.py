"""Every setting, each with its reason; what differs between installations comes from the environment (.env.example)."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import django_stubs_ext
from cryptography.fernet import Fernet
from csp.constants import NONE, SELF
from django.core.management.utils import get_random_secret_key
from django.templatetags.static import static
from django.urls import reverse_lazy

from mlconnector import environment, postgres_files

django_stubs_ext.monkeypatch()  # lets Django's classes be written with the types that they hold: ModelAdmin[Tenant]

CHECKOUT = Path(__file__).resolve().parent.parent

# `local` (demo, development, tests) makes its own secrets and answers on this machine only; `production` does neither.
MODE = environment.text("MLCONNECTOR_MODE", "local")
if MODE not in {"local", "production"}:
    raise environment.SettingError(f"MLCONNECTOR_MODE is {MODE!r}. Set it to local or production.")
PRODUCTION = MODE == "production"
HOME = Path(environment.text("MLCONNECTOR_HOME", str(CHECKOUT / "var"))).expanduser().absolute()
DEBUG = environment.flag("DEBUG", False)  # shows settings and source code in the browser
if DEBUG and PRODUCTION:
    raise environment.SettingError("DEBUG is on while MLCONNECTOR_MODE is production. Turn DEBUG off.")

# Secrets. Changing SECRET_KEY empties the queue (which is rebuilt from our rows) and ends sessions.
# FERNET_KEYS encrypt credentials: the first encrypts, all decrypt, so that a new one is put in front.
if PRODUCTION:
    SECRET_KEY = environment.secret("SECRET_KEY")
    FERNET_KEYS = environment.fernet_keys("FERNET_KEYS")
else:
    SECRET_KEY = environment.text("SECRET_KEY", environment.made_once(HOME / "secret_key", get_random_secret_key))
    FERNET_KEYS = environment.fernet_keys(
        "FERNET_KEYS", environment.made_once(HOME / "fernet_keys", lambda: Fernet.generate_key().decode())
    )

# Where people and providers reach us. The OAuth redirect is built from it: exact, and not guessed from a request.
PUBLIC_URL = environment.url("PUBLIC_URL", None if PRODUCTION else "http://127.0.0.1:8000")
# Only connections marked as simulated go there.
SIMULATOR_URL = environment.url("SIMULATOR_URL", "http://127.0.0.1:9300", example="http://127.0.0.1:9300")
if PRODUCTION and not PUBLIC_URL.startswith("https://"):
    raise environment.SettingError(f"PUBLIC_URL is {PUBLIC_URL!r}. In production it must begin with https://.")
# The demo moves time in steps through this file; nothing else ever does, and production cannot.
CLOCK_SHIFT_FILE = None if PRODUCTION else HOME / "clock_shift.json"
ALLOWED_HOSTS = [str(urlsplit(PUBLIC_URL).hostname), *environment.hosts("ALLOWED_HOSTS")]
if not PRODUCTION:
    ALLOWED_HOSTS += ["127.0.0.1", "localhost", "[::1]"]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

INSTALLED_APPS = [
    "unfold",  # before the admin, whose templates it replaces
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_q",
    "csp",
    "mlconnector",  # for its commands: the demo, the measurements, the fault simulation
    "connectors",
    "syncs",
    "audit",
]
# Told when a connection stops and when it works again; named here because `connectors` knows nothing of `syncs`.
CONNECTION_WATCHER = "syncs.problems.connections"
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "mlconnector.content_security.ContentSecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "mlconnector.urls"
WSGI_APPLICATION = "mlconnector.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [CHECKOUT / "templates"],
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

# The database: DATABASE_URL, else the embedded server, which manage.py, wsgi.py and the tests start (not this file).
# Connections live for a minute and are no pool: a pool's sockets would be shared with the queue's forked workers.
# The application signs in as the owner of the tables and lays that down for `work` at once; only `migrate` keeps it.
WORK_ROLE = "mlconnector_work"
TENANT_ROLE = "mlconnector_tenant"
EMBEDDED_POSTGRES = None if environment.text("DATABASE_URL", None if PRODUCTION else "") else HOME
_server: dict[str, Any] = (
    {
        "NAME": postgres_files.NAME,
        "USER": postgres_files.NAME,
        "HOST": str(postgres_files.socket_folder(EMBEDDED_POSTGRES)),
        "OPTIONS": {},
    }
    if EMBEDDED_POSTGRES
    else environment.database("DATABASE_URL")
)
DATABASES = {
    "default": {
        **_server,
        "ENGINE": "django.db.backends.postgresql",
        "OPTIONS": {**_server["OPTIONS"], "assume_role": WORK_ROLE},
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Only django-q2's heartbeat is kept here; a table, because a cache in memory is not seen by the other processes.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "django_cache"}}

# The queue only wakes workers; retries and attempts are rows of ours, hence one attempt, acknowledged whatever happens.
# A task fetched ahead of time waits for a worker, and is delivered twice once it has waited longer than `retry`: so one
# is fetched at a time, and `retry` is beyond what the running and the waiting one can take together.
# The timeout in seconds; a slice works for 5 and waits for an answer, for a write up to the provider's own 120.
TASK_TIMEOUT = environment.number("TASK_TIMEOUT", 180, at_least=150)
Q_CLUSTER = {
    "name": "mlconnector",
    "orm": "default",
    "workers": environment.number("WORKERS", 2, at_least=1),
    "timeout": TASK_TIMEOUT,
    "retry": 3 * TASK_TIMEOUT + 30,
    "queue_limit": 1,
    "bulk": 1,
    "max_attempts": 1,
    "ack_failures": True,
    "save_limit": 0,  # pruning at every result costs four fifths of the speed; `manage.py work` prunes
    "catch_up": False,
    "recycle": 500,
    "poll": 0.5,
    "guard_cycle": 0.5,
    "label": "Queue",
}

# Mail: warnings before a sign-in ends. Without a server nothing is sent, and they are seen in the admin only.
EMAIL_HOST = environment.text("EMAIL_HOST", "")
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'dummy'}.EmailBackend"
EMAIL_PORT = environment.number("EMAIL_PORT", 587, at_least=1)
EMAIL_HOST_USER = environment.text("EMAIL_USER", "")
EMAIL_HOST_PASSWORD = environment.text("EMAIL_PASSWORD", "")
EMAIL_USE_SSL = EMAIL_PORT == 465  # that port begins with TLS, the others are asked for it
EMAIL_USE_TLS = environment.flag("EMAIL_TLS", True) and not EMAIL_USE_SSL
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = environment.text("EMAIL_FROM", f"ml-connector@{urlsplit(PUBLIC_URL).hostname}")
# Who runs this installation and is told everything of that sort, whichever tenant it is about.
OPERATIONS_EMAIL = [word.strip() for word in environment.text("OPERATIONS_EMAIL", "").split(",") if word.strip()]

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = reverse_lazy("admin:login")
LOGIN_REDIRECT_URL = reverse_lazy("admin:index")

LANGUAGE_CODE = "en-us"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"  # the admin's; pages about one tenant are in that tenant's
FORMAT_MODULE_PATH = "mlconnector.formats"

# Static files get their digest as a part of their name in production; locally they are served from where they lie.
STATIC_URL = "static/"
STATIC_ROOT = HOME / "static" if PRODUCTION else None
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not PRODUCTION

# Browsers: nothing from elsewhere, no frames, cookies over TLS only. A local start has no TLS.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = PRODUCTION
SESSION_COOKIE_SAMESITE = "Lax"  # Strict would lose the session on the way back from a provider's sign-in
SESSION_COOKIE_AGE = 12 * 3600
SECURE_HSTS_SECONDS = 365 * 86400 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = PRODUCTION
if environment.flag("BEHIND_PROXY", False):  # believed only if said so: without a proxy anybody can send this header
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# Logs go to standard error. httpx would log whole addresses, and with them authorization codes, at INFO.
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": environment.choice("LOG_LEVEL", "INFO", LOG_LEVELS)},
    "loggers": {
        "httpx": {"level": "WARNING"},
        "httpcore": {"level": "WARNING"},
        "django-q": {"handlers": ["stderr"], "propagate": False, "level": "WARNING"},
    },
}

UNFOLD = {
    "SITE_TITLE": "ml-connector",
    "SITE_HEADER": "ml-connector",
    "SITE_SYMBOL": "sync_alt",
    "SITE_URL": None,
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("connectors/icon.svg")},
    ],
    "SHOW_HISTORY": False,  # the audit has it
    "DASHBOARD_CALLBACK": "mlconnector.navigation.dashboard",
    "SIDEBAR": {"navigation": "mlconnector.navigation.sidebar"},
    "STYLES": [lambda request: static("connectors/operations.css")],
    "COLORS": {
        "primary": {
            "50": "#effaf9",
            "100": "#d3f1ee",
            "200": "#a9e2dd",
            "300": "#76cdc6",
            "400": "#43b0a8",
            "500": "#27938c",
            "600": "#157570",
            "700": "#115e5b",
            "800": "#104b49",
            "900": "#0f3e3d",
            "950": "#062524",
        },
    },
}
