"""Log lines: text or one JSON object a line. Neither format ever writes a request or response body."""

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any

OURS = ("lti_tool", "canvas", "alignments", "grading")
FIELDS = re.compile(
    r"\b(verdict|reference|registration|route|status|role|kind|code|where|attempt|account|courses)=(\S+)"
)
"""What the messages of this tool say as name=value; in JSON each is a field of its own as well."""


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, its name=value pairs and an exception's traceback."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.name.split(".")[0] in OURS:
            entry |= dict(FIELDS.findall(entry["message"]))
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


def logging_config(level: str, form: str) -> dict[str, Any]:
    """Django's `LOGGING`: everything to standard error at `level`, `form` is `text` or `json`.

    canvasapi and urllib3 log addresses at INFO and whole bodies at DEBUG, which hold names and
    grades; pylti1p3 and requests can too. django.template writes at DEBUG, for every name a template does not
    find, all that the page shows; django.db.backends and psycopg what is asked of the database. They stay at
    WARNING whatever the level.
    """
    quiet = (
        "canvasapi",
        "urllib3",
        "requests",
        "pylti1p3",
        "django.template",
        "django.db.backends",
        "psycopg",
        "psycopg.pool",
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "text": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"},
            "json": {"()": "lti_tool.logs.JsonFormatter"},
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": form}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            **{name: {"level": "WARNING"} for name in quiet},
            "django": {"handlers": [], "propagate": True},
            # These list every task at the start of every process.
            "procrastinate.blueprints": {"level": "WARNING"},
            "procrastinate.periodic": {"level": "WARNING"},
        },
    }
