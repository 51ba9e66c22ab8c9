"""One walk leaves nothing for the next."""

from __future__ import annotations

from alignments.models import Alignment, Target
from canvas.models import CanvasAccount
from grading.models import Run
from lti_tool.models import Context, Deployment, Registration


def scrub() -> None:
    for model in (Run, Alignment, Target, CanvasAccount, Context, Deployment, Registration):
        model.objects.all().delete()
