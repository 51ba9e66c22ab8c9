"""Django settings; everything that differs between installations comes from the environment (docs/operations.md)."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from lti_tool import env
from lti_tool.logs import logging_config

SHORTEST_SECRET_KEY = 16
BASE_DIR = Path(__file__).resolve().parent.parent

DEBUG = env.parsed("DEBUG", "0", env.to_bool)
SECRET_KEY = env.text("SECRET_KEY")
ENCRYPTION_KEYS = env.parsed("ENCRYPTION_KEYS", None, env.to_fernet_keys)
ALLOW_HTTP = env.parsed("ALLOW_HTTP", "0", env.to_bool)
TOOL_URL = env.parsed("TOOL_URL", None, env.to_origin)
UNDO_DAYS = env.parsed("UNDO_DAYS", "14", env.to_days)
# Canvas's data service signs Live Events with these keys, the same for every school it hosts.
EVENTS_JWKS_URL = env.parsed(
    "EVENTS_JWKS_URL", "https://8axpcl50e4.execute-api.us-east-1.amazonaws.com/main/jwks", env.to_https
)
METRICS_TOKEN = env.text("METRICS_TOKEN", "")
METRICS_DIR = env.parsed("METRICS_DIR", "", env.to_folder)
if METRICS_DIR:
    # prometheus_client reads it when it is imported.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = METRICS_DIR
EVENTS_SIGNED_ONLY = env.parsed("EVENTS_SIGNED_ONLY", "0", env.to_bool)
LOGINS_PER_MINUTE = env.parsed("LOGINS_PER_MINUTE", "600", env.to_count)
# One fewer than the slots of a worker: a second school finds one free.
JOBS_PER_SCHOOL = env.parsed("JOBS_PER_SCHOOL", "3", env.to_count)

_tool = urlsplit(TOOL_URL)
_tool_host = _tool.hostname or ""
if ALLOW_HTTP and _tool_host not in env.LOOPBACK:
    raise ImproperlyConfigured("ALLOW_HTTP: refused, because TOOL_URL is not a loopback address.")
if not ALLOW_HTTP and len(SECRET_KEY) < SHORTEST_SECRET_KEY:
    raise ImproperlyConfigured(
        f"SECRET_KEY: use at least {SHORTEST_SECRET_KEY} random characters; whoever guesses it can forge launches."
    )
if DEBUG and not ALLOW_HTTP:
    raise ImproperlyConfigured(
        "DEBUG: refused with a public TOOL_URL, because its error pages show what is secret."
    )
if not ALLOW_HTTP and (_tool.scheme != "https" or _tool_host in env.LOOPBACK):
    raise ImproperlyConfigured(
        "TOOL_URL: use https and a public host (ALLOW_HTTP=1 is for the demo and tests)."
    )

ALLOWED_HOSTS = [f"[{_tool_host}]" if ":" in _tool_host else _tool_host]
CSRF_TRUSTED_ORIGINS = [TOOL_URL]

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "procrastinate.contrib.django",
    "lti_tool",
    "canvas",
    "alignments",
    "grading",
]

MIDDLEWARE = [
    "lti_tool.headers.SecurityHeadersMiddleware",
    "lti_tool.health.HealthMiddleware",
    "lti_tool.metrics.MetricsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "lti_tool.sessions.LaunchSessionMiddleware",
    "lti_tool.pages.MethodMiddleware",
]

ROOT_URLCONF = "lti_tool.urls"
WSGI_APPLICATION = "lti_tool.wsgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["lti_tool.templatetags.counts"],
            "context_processors": [
                "django.template.context_processors.request",
                "lti_tool.sessions.page_context",
            ],
        },
    }
]

_database = env.parsed(
    "DATABASE_URL", env.embedded_postgres_url(BASE_DIR / "var" / "postgres"), env.to_postgres
)
# A pool of our own connections; Django requires CONN_MAX_AGE 0 with it. A worker's four runs hold two each, and up to
# eight helper threads of each need one for the moment in which a token is renewed.
_database["OPTIONS"] |= {"pool": {"min_size": 1, "max_size": 40, "timeout": 5}}
# A process frozen in the middle of a transaction, with a row locked, is cut off, or nobody else could go on. The
# longest that waits for something in one is the renewal of a token: four calls of up to 45 seconds. A DATABASE_URL with
# `options` of its own has the last word.
_at_start = "-c idle_in_transaction_session_timeout=300s"
_database["OPTIONS"]["options"] = f"{_at_start} {_database['OPTIONS'].get('options', '')}".strip()
# One that died in the pool, with a restart of PostgreSQL for instance, is replaced instead of failing a page.
_database["CONN_HEALTH_CHECKS"] = True
DATABASES = {"default": _database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Locked and retried jobs are found by polling only; new ones by NOTIFY at once.
PROCRASTINATE_WORKER_DEFAULTS = {"fetch_job_polling_interval": 0.5}
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"

# lti_tool knows neither canvas nor the teacher's pages: what follows a launch is named here.
LAUNCH_OBSERVERS = ["canvas.accounts.remember_grader"]
METRICS_SOURCES = ["grading.metrics.collect"]
LANDING_PATHS = {"teacher": "/course/", "teaching_assistant": "/course/", "admin": "/course/check/"}
INSTALL_PATH = "/canvas/install"
DEEP_LINK_PATH = "/course/deep-link/"
LINK_PAGE = "alignments.deeplinking.page_of_link"

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# The tool lives in Canvas's frame: frame-ancestors (set per registration) replaces X-Frame-Options.
SECURE_CONTENT_TYPE_NOSNIFF = True
# Not no-referrer: browsers would then send `Origin: null` with our own forms.
SECURE_REFERRER_POLICY = "same-origin"
# The window that asks for consent tells the page that opened it, in the same origin.
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin-allow-popups"
SECURE_SSL_REDIRECT = not ALLOW_HTTP
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 0 if ALLOW_HTTP else 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = False
SILENCED_SYSTEM_CHECKS = [
    "security.W002",  # X-Frame-Options cannot name Canvas; frame-ancestors does (lti_tool/headers.py)
    "security.W003",  # no request changes anything by cookie alone: the session token is in a header or field
    "security.W005",  # the school's other host names are not ours to promise https for
    "security.W021",  # nor is its place on the browsers' preload list
]
DATA_UPLOAD_MAX_MEMORY_SIZE = 6_000_000

LOGGING = logging_config(
    env.parsed("LOG_LEVEL", "INFO", env.to_choice("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")),
    env.parsed("LOG_FORMAT", "text", env.to_choice("text", "json")),
)
