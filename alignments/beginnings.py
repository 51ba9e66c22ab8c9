"""How a course starts without typing: suggested pairs, columns for all outcomes, outcomes left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from django.db import transaction

from alignments import services
from alignments.core import suggest
from alignments.core.definition import (
    MAX_NAME,
    AssignmentTarget,
    ColumnTarget,
    Cutoff,
    Definition,
    Evidence,
    TargetChoice,
    WeightedOutcome,
)
from alignments.core.labels import free_label
from alignments.models import CourseSettings, ExcludedOutcome
from alignments.services import StoredAlignment
from canvas.values import Assignment, Outcome
from lti_tool.models import Context


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Why an outcome is left out of suggestions and of columns made for all."""

    kind: Literal["choice", "keyword", "synthetic"]
    word: str = ""

    @property
    def sentence(self) -> str:
        if self.kind == "choice":
            return "Left out by choice."
        if self.kind == "keyword":
            return f'Left out because its title holds "{self.word}".'
        return "Left out because it is an average of the other outcomes."


def course_settings(context: Context) -> CourseSettings:
    """The course's settings, made with the usual keywords when first asked for."""
    defaults = {"excluded_keywords": list(suggest.DEFAULT_KEYWORDS)}
    settings, _ = CourseSettings.objects.get_or_create(context=context, defaults=defaults)
    return settings


def set_keywords(context: Context, keywords: Iterable[str]) -> None:
    """Outcomes whose title holds one of these words are left out; an empty list leaves none out."""
    settings = course_settings(context)
    settings.excluded_keywords = list(dict.fromkeys(word.strip() for word in keywords if word.strip()))
    settings.save(update_fields=["excluded_keywords"])


def exclude(context: Context, outcome_id: str) -> None:
    ExcludedOutcome.objects.get_or_create(context=context, outcome_id=outcome_id)


def include(context: Context, outcome_id: str) -> None:
    """Takes back `exclude`; a keyword or the synthetic outcome still leaves out."""
    ExcludedOutcome.objects.filter(context=context, outcome_id=outcome_id).delete()


def exclusions(context: Context, outcomes: Iterable[Outcome]) -> dict[str, Exclusion]:
    """The outcomes that are left out, by id, and why."""
    chosen = set(ExcludedOutcome.objects.filter(context=context).values_list("outcome_id", flat=True))
    keywords = course_settings(context).excluded_keywords
    found: dict[str, Exclusion] = {}
    for outcome in outcomes:
        word = suggest.keyword_in(outcome.title, keywords)
        if outcome.id in chosen:
            found[outcome.id] = Exclusion("choice")
        elif suggest.is_synthetic(outcome):
            found[outcome.id] = Exclusion("synthetic")
        elif word is not None:
            found[outcome.id] = Exclusion("keyword", word)
    return found


def unaligned(context: Context, outcomes: Iterable[Outcome]) -> list[Outcome]:
    """The outcomes that feed nothing yet and are not left out, in the order given."""
    listed = list(outcomes)
    skipped = set(exclusions(context, listed))
    fed = {outcome_id for one in services.stored(context) for outcome_id in one.definition.outcome_ids}
    return [outcome for outcome in listed if outcome.id not in skipped | fed]


def suggestions(
    context: Context, outcomes: Iterable[Outcome], assignments: Iterable[Assignment]
) -> list[suggest.Suggestion]:
    """Likely pairs among unaligned outcomes and free assignments. The caller leaves out assignments that
    cannot be graded, and columns of our own."""
    used = {
        one.definition.target.assignment_id
        for one in services.stored(context)
        if isinstance(one.definition.target, AssignmentTarget)
    }
    free = [assignment for assignment in assignments if assignment.id not in used]
    return suggest.suggest(unaligned(context, outcomes), free)


def usual_definition(outcome: Outcome, target: TargetChoice) -> Definition:
    """Full credit at mastery: what a suggestion or a column for all starts as."""
    name = outcome.title.strip()[:MAX_NAME]
    return Definition(name, (WeightedOutcome(outcome.id),), Cutoff(), target, Evidence(at_least=1))


@transaction.atomic
def accept(context: Context, pairs: Sequence[tuple[Outcome, Assignment]]) -> list[StoredAlignment]:
    """Aligns each outcome with its assignment, all or none; `services.TargetInUse` as for a form."""
    return [
        services.save_alignment(
            context,
            usual_definition(outcome, AssignmentTarget(assignment.id)),
            expected_points=assignment.points_possible,
        )
        for outcome, assignment in pairs
    ]


@transaction.atomic
def make_columns(
    context: Context, outcomes: Iterable[Outcome], points: Decimal = Decimal(1)
) -> list[StoredAlignment]:
    """A column of its own for every outcome that feeds nothing and is not left out. Canvas is told at the
    first sync. Equal titles are told apart by a number."""
    taken = {
        one.definition.target.label
        for one in services.stored(context)
        if isinstance(one.definition.target, ColumnTarget)
    }
    made = []
    for outcome in unaligned(context, outcomes):
        label = free_label(outcome.title.strip() or f"Outcome {outcome.id}", taken)
        taken.add(label)
        definition = usual_definition(outcome, ColumnTarget(label, points))
        made.append(services.save_alignment(context, definition))
    return made
