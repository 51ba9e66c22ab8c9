"""System checks for an installation."""

from django.core.checks import run_checks
from pytest_django import Settings


def found(*, deploy: bool = False) -> set[str]:
    return {message.id or "" for message in run_checks(include_deployment_checks=deploy)}


def test_a_mistyped_launch_observer_is_told(settings: Settings) -> None:
    settings.LAUNCH_OBSERVERS = ["canvas.accounts.no_such_function"]
    assert "lti_tool.E002" in found()


def test_https_needs_the_proxys_header(settings: Settings) -> None:
    settings.ALLOW_HTTP = False
    assert "lti_tool.E001" not in found(deploy=True)
    settings.SECURE_PROXY_SSL_HEADER = None
    assert "lti_tool.E001" in found(deploy=True)
