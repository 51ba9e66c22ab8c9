"""System checks: mistakes in an installation that would otherwise show at the first launch."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.utils.module_loading import import_string


@register(Tags.security, deploy=True)
def proxy_header_is_known(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    """Behind a proxy a request looks like http; then launches and cookies would be refused or weaker."""
    if settings.ALLOW_HTTP or settings.SECURE_PROXY_SSL_HEADER:
        return []
    hint = "The proxy must set X-Forwarded-Proto itself and drop what clients send."
    return [Error("SECURE_PROXY_SSL_HEADER is not set.", hint=hint, id="lti_tool.E001")]


@register()
def launch_observers_exist(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    """`LAUNCH_OBSERVERS` names functions by dotted path; a mistyped one would fail every launch."""
    found: list[CheckMessage] = []
    for path in settings.LAUNCH_OBSERVERS:
        try:
            import_string(path)
        except ImportError as error:
            found.append(Error(f"LAUNCH_OBSERVERS names {path!r}: {error}", id="lti_tool.E002"))
    return found
