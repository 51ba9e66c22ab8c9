from django.apps import AppConfig


class LtiToolConfig(AppConfig):
    name = "lti_tool"
    verbose_name = "LTI tool"

    def ready(self) -> None:
        """Register the system checks."""
        from lti_tool import checks  # noqa: F401 - imported for what it registers
