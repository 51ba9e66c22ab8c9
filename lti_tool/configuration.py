"""`lti_config.json` with this tool's addresses in place of the example's."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

EXAMPLE = "https://mastery.school.edu"


def tool_configuration() -> dict[str, Any]:
    """The JSON of a Canvas LTI developer key: lib/schemas/internal_lti_configuration.rb."""
    text = (settings.BASE_DIR / "lti_config.json").read_text(encoding="utf-8")
    text = text.replace(EXAMPLE, settings.TOOL_URL)
    text = text.replace(urlsplit(EXAMPLE).netloc, urlsplit(settings.TOOL_URL).netloc)
    configuration: dict[str, Any] = json.loads(text)
    return configuration
