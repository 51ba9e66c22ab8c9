"""The real settings, except that static files are served from where they are written: nothing is collected first."""

from lti_tool.settings import *  # noqa: F403 - a settings module is its names
from lti_tool.settings import STORAGES

STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
# One address makes all launches of the tests.
LOGINS_PER_MINUTE = 0
