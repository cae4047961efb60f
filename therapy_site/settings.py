"""Every setting of the site, read from the environment; docs/operations.md lists the variables."""

from pathlib import Path

import dj_database_url
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from therapy_site.environment import (
    env_bool,
    env_choice,
    env_int,
    env_text,
    private_directory,
    secret_from_file,
    socket_path,
)
from therapy_site.servers import Postgres

# --- Where things are -------------------------------------------------------------------------
BASE_DIR = Path(__file__).resolve().parent.parent
# real: a trial with real people. demo and test: synthetic people only, and a clock that can move.
NOCTURNE_MODE = env_choice("NOCTURNE_MODE", "real", ("real", "demo", "test"))
NOCTURNE_VAR = private_directory(Path(env_text("NOCTURNE_VAR") or BASE_DIR / "var").resolve())
NOCTURNE_SECRETS = private_directory(NOCTURNE_VAR / "secrets")
NOCTURNE_NIGHTS = NOCTURNE_VAR / "nights"  # rendered audio and its MIDI
NOCTURNE_MOVABLE_CLOCK = NOCTURNE_MODE in {"demo", "test"}
NOCTURNE_CLOCK_FILE = NOCTURNE_VAR / "clock"
NOCTURNE_PORT = env_int("NOCTURNE_PORT", 8000)
NOCTURNE_BIND = env_text("NOCTURNE_BIND", "127.0.0.1")  # the address the web server listens on
NOCTURNE_WORKERS = env_int("NOCTURNE_WORKERS", 1)
NOCTURNE_QUEUES = env_text("NOCTURNE_QUEUES", "cpu")  # a group for each worker
NOCTURNE_HELP_LINE = env_text("NOCTURNE_HELP_LINE")  # shown under "Need help now?"

# --- Security ---------------------------------------------------------------------------------
SECRET_KEY = env_text("SECRET_KEY") or secret_from_file(NOCTURNE_SECRETS / "secret_key")
# Outside the database on purpose: a stolen dump holds neither identities nor future allocations.
NOCTURNE_IDENTITY_KEYS = env_text("NOCTURNE_IDENTITY_KEYS") or secret_from_file(
    NOCTURNE_SECRETS / "identity_key"
)
NOCTURNE_ALLOCATION_KEY = env_text("NOCTURNE_ALLOCATION_KEY") or secret_from_file(
    NOCTURNE_SECRETS / "allocation_key"
)
DEBUG = env_bool("DEBUG")
ALLOWED_HOSTS = env_text("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(",")
CSRF_TRUSTED_ORIGINS = [o for o in env_text("CSRF_TRUSTED_ORIGINS").split(",") if o]
# Set when a proxy in front of us speaks HTTPS; its address is the only one whose word we take.
NOCTURNE_HTTPS = env_bool("NOCTURNE_HTTPS")
NOCTURNE_TRUSTED_PROXY = env_text("NOCTURNE_TRUSTED_PROXY", "127.0.0.1")
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]  # asked by the machine itself, without the proxy
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = NOCTURNE_HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if NOCTURNE_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = NOCTURNE_HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if NOCTURNE_HTTPS else None
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 8 * 3600
# A member of staff is signed out after this much silence, and after this long in any case.
NOCTURNE_STAFF_IDLE_S = 15 * 60
NOCTURNE_STAFF_SESSION_S = 8 * 3600
# Not "no-referrer": browsers then send forms with `Origin: null`, which the CSRF check refuses.
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "media-src": [SELF],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# --- Apps -------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "therapy_site.apps.TherapySiteConfig",
    "therapy_site.apps.TherapyAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "questionnaires",
    "generator",
    "studies",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "therapy_site.middleware.sign_out_idle_staff",
    "therapy_site.middleware.require_second_factor",
    "therapy_site.middleware.never_store_private_pages",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "therapy_site.urls"
WSGI_APPLICATION = "therapy_site.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "therapy_site.context.site",
            ],
        },
    },
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Staff accounts (participants are not users: they hold a private link and a PIN) -----------
AUTH_USER_MODEL = "studies.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/clinic/"
ACCOUNT_ADAPTER = "therapy_site.accounts.StaffAccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Nocturne"
# The demonstration shows the code on the page, so it must outlive being read and typed.
MFA_TOTP_TOLERANCE = 1 if NOCTURNE_MODE == "demo" else 0

# --- Database ---------------------------------------------------------------------------------
# `up` can run a PostgreSQL of its own beside the web server: ./run demo --postgres
NOCTURNE_POSTGRES = env_bool("NOCTURNE_POSTGRES")
NOCTURNE_POSTGRES_SOCKETS = socket_path(NOCTURNE_VAR, ".s.PGSQL.5432").parent
_own_database = (
    Postgres(NOCTURNE_VAR / "postgres", NOCTURNE_POSTGRES_SOCKETS).url
    if NOCTURNE_POSTGRES
    else f"sqlite:///{NOCTURNE_VAR / 'db.sqlite3'}"
)
DATABASES = {
    "default": dj_database_url.parse(
        env_text("DATABASE_URL") or _own_database, conn_max_age=60, conn_health_checks=True
    )
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # IMMEDIATE is what keeps concurrent writers from "database is locked". FULL survives a power
    # cut; a demonstration can do without, and a test needs neither.
    _synchronous = {"real": "FULL", "demo": "NORMAL", "test": "OFF"}[NOCTURNE_MODE]
    # A file, because several threads of a test cannot wait for each other in a memory database.
    DATABASES["default"]["TEST"] = {"NAME": NOCTURNE_VAR / "test.sqlite3"}
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": (
            f"PRAGMA journal_mode=WAL;PRAGMA synchronous={_synchronous};"
            "PRAGMA temp_store=MEMORY;PRAGMA cache_size=-16000;"
            "PRAGMA journal_size_limit=67108864"
        ),
    }
# In the database and not in the broker: sign-in and its rate limits work while the broker is down.
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "site_cache"}
}

# --- Queue ------------------------------------------------------------------------------------
NOCTURNE_BROKER_SOCKET = socket_path(NOCTURNE_VAR, "broker.sock")
CELERY_BROKER_URL = env_text("CELERY_BROKER_URL") or f"redis+socket://{NOCTURNE_BROKER_SOCKET}"
if CELERY_BROKER_URL.startswith("redis"):
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "visibility_timeout": 7200,
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,
        "socket_timeout": 30,
        "socket_connect_timeout": 2,
        "global_keyprefix": "nocturne:",
    }
elif CELERY_BROKER_URL.startswith("filesystem"):
    _mailbox = private_directory(NOCTURNE_VAR / "run" / "mailbox")
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(_mailbox),
        "data_folder_out": str(_mailbox),
        "control_folder": str(_mailbox),
        "polling_interval": 0.05,
    }
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_DEFAULT_QUEUE = "cpu"
# What takes minutes stands behind what looks after people: one night that is being rendered holds
# up its worker, a queue full of nights does not. (On Valkey and Redis 0 comes first, the default.)
CELERY_TASK_ROUTES = {
    "generator.render_playlist": {"priority": 9},
    "studies.run_analysis": {"priority": 6},
    "studies.run_export": {"priority": 6},
}
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(NOCTURNE_VAR / "run" / "beat-schedule")
CELERY_BEAT_SCHEDULE = {
    "sweep-renders": {
        "task": "generator.sweep_playlists",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    # A short tick: each participant's own clock decides, no local-time crontab does.
    "send-reminders": {
        "task": "studies.send_reminders",
        "schedule": 300.0,
        "options": {"expires": 300},
    },
    "look-after-people": {
        "task": "studies.look_after",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "keep-the-calendar": {
        "task": "studies.keep_calendar",
        "schedule": 30.0,
        "options": {"expires": 30},
    },
    "prepare-nights": {
        "task": "studies.prepare_nights",
        "schedule": 30.0,
        "options": {"expires": 30},
    },
    "sweep-analyses": {
        "task": "studies.sweep_analyses",
        "schedule": 30.0,
        "options": {"expires": 30},
    },
    "sweep-exports": {
        "task": "studies.sweep_exports",
        "schedule": 30.0,
        "options": {"expires": 30},
    },
    # Once a day is enough; asked hourly, a scheduler that was down at the time misses no day.
    "keep-audit-heads": {
        "task": "studies.keep_audit_heads",
        "schedule": 3600.0,
        "options": {"expires": 600},
    },
    "erase-contacts": {
        "task": "studies.erase_contacts",
        "schedule": 3600.0,
        "options": {"expires": 600},
    },
}
# How long a worker may be silent before its job goes to another one.
NOCTURNE_LEASE_S = env_int("NOCTURNE_LEASE_S", 60)
NOCTURNE_EXPORT_DAYS = env_int("NOCTURNE_EXPORT_DAYS", 7)  # how long an export's file is kept
NOCTURNE_RENDERER_PIN = env_text("NOCTURNE_RENDERER_PIN")  # JSON; empty: the built-in voices
NOCTURNE_ENGINE = env_choice("NOCTURNE_ENGINE", "numpy", ("numpy", "int8"))  # of new studies
NOCTURNE_POOL_MIXES = env_int("NOCTURNE_POOL_MIXES", 3)  # of each music arm, for nights that fail

# --- Languages and time -----------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
USE_TZ = True
FORMAT_MODULE_PATH = ["therapy_site.formats"]
TIME_ZONE = "UTC"

# --- Files ------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = None  # nothing is collected: files are served straight from the apps
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = NOCTURNE_MODE == "test"

# --- Mail and logs ----------------------------------------------------------------------------
# Reminders: without a mail server a real installation holds them back and says so on their page.
EMAIL_HOST = env_text("EMAIL_HOST")
EMAIL_PORT = env_int("EMAIL_PORT", 587)
EMAIL_HOST_USER = env_text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env_text("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = env_bool("EMAIL_USE_TLS", default=EMAIL_PORT == 587)
EMAIL_USE_SSL = env_bool("EMAIL_USE_SSL", default=EMAIL_PORT == 465)
EMAIL_TIMEOUT = env_int("EMAIL_TIMEOUT", 10)  # seconds; a server that hangs costs no more
EMAIL_BACKEND = env_text("EMAIL_BACKEND") or "django.core.mail.backends.{}.EmailBackend".format(
    "smtp" if EMAIL_HOST else "console"
)
DEFAULT_FROM_EMAIL = env_text("DEFAULT_FROM_EMAIL", "nocturne@localhost")
NOCTURNE_SENDS_MAIL = NOCTURNE_MODE != "real" or bool(EMAIL_HOST or env_text("EMAIL_BACKEND"))
# How people reach the site from outside: the addresses in mails.
NOCTURNE_SITE_URL = env_text("NOCTURNE_SITE_URL", f"http://localhost:{NOCTURNE_PORT}").rstrip("/")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"},
    },
    "filters": {"mask": {"()": "therapy_site.masking.MaskPrivateLinks"}},
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["mask"],
        }
    },
    "root": {"handlers": ["console"], "level": env_text("LOG_LEVEL", "INFO")},
}
