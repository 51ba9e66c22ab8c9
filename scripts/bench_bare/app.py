"""A bare Django tool by PyLTI1p3's documentation: login, launch, a page. None of our checks, none of our code.

Tools in the database and launch data in the session, as its Django part does by default; what its README offers to
be faster is taken: the platform's keys are cached. The database has the same connection pool as our tool, and the
page is as long as the one our tool shows a student.
`python -m scripts.bench_bare.app` makes its tables and registers the platform that the environment names.
"""

import json
import os
from typing import Any

import django
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.template import Context, Engine
from django.urls import path
from django.utils.module_loading import import_string

LAUNCH_PATH = "/launch/"
PAGE = Engine().from_string(
    "<!doctype html><html lang=en><title>Bare</title><h1>Hello</h1>"
    "<p>{{ data.locale }} {{ course.title }} {{ course.label }}</p>"
    + "<p>A line of a page.</p>\n" * 96
    + "</html>"
)

if not settings.configured:
    from urllib.parse import parse_qs, urlsplit

    _address = urlsplit(os.environ["DATABASE_URL"])
    settings.configure(
        SECRET_KEY=os.environ["SECRET_KEY"],
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF=__name__,
        INSTALLED_APPS=["django.contrib.sessions", "pylti1p3.contrib.django.lti1p3_tool_config"],
        MIDDLEWARE=[
            "django.middleware.security.SecurityMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
        ],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": _address.path.lstrip("/"),
                "USER": _address.username or "",
                "PASSWORD": _address.password or "",
                "HOST": parse_qs(_address.query).get("host", [_address.hostname or ""])[0],
                "PORT": str(_address.port or ""),
                "OPTIONS": {"pool": {"min_size": 1, "max_size": 8, "timeout": 5}},
            }
        },
        CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        USE_TZ=True,
    )
    django.setup()

# PyLTI1p3 publishes no types for these, and can be imported only once Django has its settings.
_PART = "pylti1p3.contrib.django."
login_of: Any = import_string(_PART + "oidc_login.DjangoOIDCLogin")
launch_of: Any = import_string(_PART + "message_launch.DjangoMessageLaunch")
tools: Any = import_string(_PART + "lti1p3_tool_config.DjangoDbToolConf")
cache: Any = import_string(_PART + "launch_data_storage.cache.DjangoCacheDataStorage")


def login(request: HttpRequest) -> HttpResponse:
    answer: HttpResponse = login_of(request, tools()).redirect(request.POST["target_link_uri"])
    return answer


def launch(request: HttpRequest) -> HttpResponse:
    message = launch_of(request, tools())
    message.set_public_key_caching(cache(), cache_lifetime=7200)
    data = message.get_launch_data()
    course = data["https://purl.imsglobal.org/spec/lti/claim/context"]
    return HttpResponse(PAGE.render(Context({"data": data, "course": course})))


def ready(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ready")


urlpatterns = [path("", ready), path("login/", login), path(LAUNCH_PATH.lstrip("/"), launch)]
application = get_wsgi_application()


def prepare() -> None:
    """Tables, a key, and the platform."""
    key_model, tool_model = map(
        apps.get_app_config("lti1p3_tool_config").get_model, ("LtiToolKey", "LtiTool")
    )
    call_command("migrate", interactive=False, verbosity=0)
    given = json.loads(os.environ["BENCH_PLATFORM"])
    key = key_model._default_manager.create(name="bench", private_key="not used by launches")
    tool_model._default_manager.create(tool_key=key, title="bench", **given)


if __name__ == "__main__":
    prepare()
