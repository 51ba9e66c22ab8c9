"""The alignment form: what a teacher typed becomes a `Definition`, or an error beside its field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django import forms
from django.forms.utils import ErrorDict

from alignments.core.checks import check
from alignments.core.definition import (
    MAX_NAME,
    AssignmentTarget,
    Calculation,
    Definition,
    Evidence,
    Rule,
    Scheme,
    TargetChoice,
    WeightedOutcome,
    default_at_least,
)
from alignments.core.exceptions import fitting
from alignments.core.numbers import plain
from alignments.numberfields import NumberField
from alignments.outcomeform import Choices
from alignments.ruleblanks import MOST_POINTS
from alignments.ruleform import RuleForm

__all__ = ["AlignmentForm", "Choices", "PointsForm", "initial_of"]

OVERWRITE = [
    ("ours", "Empty cells and this tool's own grades"),
    ("empty", "Empty cells only"),
    ("all", "All cells, also grades that people gave"),
]
DIRECTION = [("both", "Grades may go up and down"), ("up", "Grades may only go up")]
NOT_OF_THE_RULE = {"target", "label", "points", "assignment", "overwrite", "direction", "otherwise"}
"""Blanks that may be wrong while the class under the rule is worked out all the same."""


class AlignmentForm(RuleForm):
    """The whole form. `current` is the alignment being changed, if any."""

    overwrite = forms.ChoiceField(
        choices=OVERWRITE,
        initial="ours",
        label="Which cells may be written",
        help_text=(
            "A grade that a person gave stays unless you choose all cells here, or replace it in the preview. The "
            "preview shows it first in any case."
        ),
    )
    direction = forms.ChoiceField(choices=DIRECTION, initial="both", label="Direction")
    round = forms.TypedChoiceField(
        choices=[(number, f"{number} decimal{'' if number == 1 else 's'}") for number in range(5)],
        coerce=int,
        initial=2,
        label="Rounding",
    )

    def __init__(
        self,
        data: Any = None,
        *,
        choices: Choices,
        current: Definition | None = None,
        chosen: Sequence[str] = (),
    ) -> None:
        initial = initial_of(current) if current else None
        super().__init__(data, choices=choices, current=current, chosen=chosen, initial=initial)
        self.draft: Definition | None = None
        """What would be worked out for the class: without a name or a target of its own where these lack."""
        self._fill_blanks()

    def unmarked(self) -> AlignmentForm:
        """The same without marks: nobody has asked to save it yet."""
        self._errors = ErrorDict()
        for errors in (self.weight_errors, self.blanks.errors, self.calc.errors):
            errors.clear()
        return self

    def clean(self) -> dict[str, Any]:
        cleaned = dict(super().clean() or {})
        self._forget_unused(cleaned)
        outcomes = self._outcomes()
        self._check_outcomes()
        rule = self._rule(cleaned)
        evidence = self._evidence(cleaned, rule)
        calculation = self._calculation()
        ready = not self.errors
        target = self._target(cleaned)
        if outcomes and rule is not None and evidence is not None and not self.calc.errors:
            parts = (outcomes, target or self._stand_in(cleaned), rule, evidence, calculation)
            whole = self._definition(cleaned, *parts)
            if ready or not self._errors_of_rule():
                self.draft = whole
                self._refuse_broken(whole)
            if not self.errors and target is not None:
                self.definition = whole
        return cleaned

    def _errors_of_rule(self) -> set[str]:
        """The errors without which the class could be worked out."""
        unseen = {"rule"} if self.unseen else set()
        return set(self.errors) - unseen - NOT_OF_THE_RULE

    def _definition(
        self,
        cleaned: Mapping[str, Any],
        outcomes: tuple[WeightedOutcome, ...],
        target: TargetChoice,
        rule: Rule,
        evidence: Evidence,
        calculation: Calculation | None,
    ) -> Definition:
        name = self._name(outcomes[0].outcome_id)
        # What the form has no blanks for stays as it was.
        whole = self.current or Definition(name, outcomes, rule, target, evidence)
        return replace(
            whole,
            name=name,
            outcomes=outcomes,
            rule=rule,
            target=target,
            evidence=evidence,
            combine=self.blanks.combine,
            overwrite=cleaned.get("overwrite", "ours"),
            direction=cleaned.get("direction", "both"),
            round=cleaned.get("round", 2),
            calculation=calculation,
            sections=fitting(whole.sections, [one.outcome_id for one in outcomes]),
        )

    def _name(self, first: str) -> str:
        """The name it has, as long as its first outcome stays; else that outcome's title."""
        kept, known = self.current, self.choices.outcomes.get(first)
        if kept is not None and kept.name and kept.outcomes[0].outcome_id == first:
            return kept.name
        return known.title.strip()[:MAX_NAME] if known else ""

    def _refuse_broken(self, definition: Definition) -> None:
        """Refuse now what a sync would hold as broken."""
        problem = (
            None if isinstance(definition.rule, Scheme) else check(definition, self.choices.outcomes, None)
        )
        if problem:
            self.add_error("rule", problem)


class PointsForm(forms.Form):
    """How many points each of several new columns is worth."""

    points = NumberField(
        label="Points for each column", least=Decimal(0), most=MOST_POINTS, above=True, initial="1"
    )


def initial_of(definition: Definition) -> dict[str, Any]:
    """The form's blanks as this alignment has them; the rule's own come with `ruleblanks`."""
    evidence = definition.evidence
    usual_number = default_at_least(definition.rule, definition.combine, len(definition.outcomes))
    initial: dict[str, Any] = {
        "combine": definition.combine,
        "otherwise": evidence.otherwise,
        "at_least": "" if evidence.at_least == usual_number else str(evidence.at_least),
        "overwrite": definition.overwrite,
        "direction": definition.direction,
        "round": definition.round,
    }
    if isinstance(definition.target, AssignmentTarget):
        return initial | {"target": "assignment", "assignment": definition.target.assignment_id}
    return initial | {
        "target": "column",
        "label": definition.target.label,
        "points": plain(definition.target.points),
    }
