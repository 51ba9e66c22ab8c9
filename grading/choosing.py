"""What a person chose in a preview so far, kept sealed beside the plan until it is sent or put away."""

from __future__ import annotations

from django.db import transaction

from grading.core.plan import Choices
from grading.models import Run, RunState
from grading.planning import PLAN_PURPOSE
from lti_tool.sealing import seal, unseal


def choices_of(run: Run) -> Choices:
    """The choices made so far. Raises CannotUnseal."""
    kept = unseal(run.sealed_plan, purpose=PLAN_PURPOSE).get("choices", {})
    return Choices(
        replace=frozenset((alignment, user) for alignment, user in kept.get("replace", ())),
        hold=frozenset((alignment, user) for alignment, user in kept.get("hold", ())),
        hold_students=frozenset(kept.get("hold_students", ())),
        hold_alignments=frozenset(kept.get("hold_alignments", ())),
    )


def keep_choices(run: Run, choices: Choices) -> None:
    """Store the choices with the preview; a run that is no longer a preview stays as it is."""
    with transaction.atomic():
        locked = Run.objects.select_for_update().get(pk=run.pk)
        if locked.state != RunState.READY:
            return
        kept = unseal(locked.sealed_plan, purpose=PLAN_PURPOSE)
        kept["choices"] = {
            "replace": sorted(choices.replace),
            "hold": sorted(choices.hold),
            "hold_students": sorted(choices.hold_students),
            "hold_alignments": sorted(choices.hold_alignments),
        }
        locked.sealed_plan = seal(kept, purpose=PLAN_PURPOSE)
        locked.save(update_fields=["sealed_plan"])
    run.sealed_plan = locked.sealed_plan
