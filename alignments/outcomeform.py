"""The part of the alignment form that says which outcomes, and how much each weighs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django import forms

from alignments.core.definition import Definition, WeightedOutcome
from alignments.core.numbers import plain
from alignments.numberfields import NumberField
from alignments.offers import OfferGroup
from alignments.pages import natural
from alignments.ruleblanks import MOST_POINTS
from canvas.values import Assignment, GradingScheme, Outcome


@dataclass(frozen=True, slots=True)
class Choices:
    """What this course has to choose from."""

    outcomes: Mapping[str, Outcome]
    assignments: Mapping[str, Assignment]
    schemes: Mapping[str, GradingScheme] = field(default_factory=dict)
    offer_groups: Sequence[OfferGroup] = ()
    rule_schemes: Sequence[GradingScheme] = ()
    """Schemes a rule may name; empty where they were not read."""


@dataclass(frozen=True, slots=True)
class OutcomeChoice:
    """One outcome to tick, with its weight."""

    id: str
    title: str
    detail: str
    checked: bool
    weight: str
    weight_error: str


class OutcomesForm(forms.Form):
    """`current` is the alignment being changed, if any; `chosen` the outcomes ticked when the page opens."""

    def __init__(
        self,
        data: Any = None,
        *,
        choices: Choices,
        current: Definition | None = None,
        chosen: Sequence[str] = (),
        initial: dict[str, Any] | None = None,
    ) -> None:
        self.choices, self.current = choices, current
        super().__init__(data, initial=initial)
        self.chosen = list(data.getlist("outcomes")) if data is not None else list(chosen)
        if data is None and current is not None:
            self.chosen = list(current.outcome_ids)
        self.weight_errors: dict[str, str] = {}

    @property
    def known_outcomes(self) -> list[Outcome]:
        """The chosen outcomes that the course has, in the order chosen."""
        return [
            self.choices.outcomes[one] for one in dict.fromkeys(self.chosen) if one in self.choices.outcomes
        ]

    def outcome_choices(self) -> list[OutcomeChoice]:
        """Every outcome of the course, and chosen ones that are gone, to tick."""
        gone = [one for one in self.chosen if one not in self.choices.outcomes]
        listed = [(one, f"Outcome {one}", "No longer in this course: untick it.") for one in gone]
        for outcome in sorted(self.choices.outcomes.values(), key=lambda one: natural(one.title)):
            detail = f"of {plain(outcome.points_possible)}" if outcome.points_possible else "no scale"
            listed.append((outcome.id, outcome.title, detail))
        return [self._outcome_choice(*one) for one in listed]

    def outcome_errors(self) -> list[str]:
        """What is wrong with the choice of outcomes."""
        return [str(error) for error in self.non_field_errors()]

    def _outcome_choice(self, outcome_id: str, title: str, detail: str) -> OutcomeChoice:
        return OutcomeChoice(
            outcome_id,
            title,
            detail,
            outcome_id in self.chosen,
            self._weight_text(outcome_id),
            self.weight_errors.get(outcome_id, ""),
        )

    def _weight_text(self, outcome_id: str) -> str:
        if self.is_bound:
            return str(self.data.get(f"weight-{outcome_id}", "1"))
        weights = {one.outcome_id: plain(one.weight) for one in self.current.outcomes} if self.current else {}
        return weights.get(outcome_id, "1")

    def _outcomes(self) -> tuple[WeightedOutcome, ...]:
        found = []
        weight_field = NumberField(least=Decimal(0), most=MOST_POINTS, above=True, required=False)
        for outcome_id in dict.fromkeys(self.chosen):
            try:
                weight = weight_field.clean(self._weight_text(outcome_id))
            except forms.ValidationError as error:
                self.weight_errors[outcome_id] = error.messages[0]
                continue
            found.append(WeightedOutcome(outcome_id, weight or Decimal(1)))
        return tuple(found)

    def _check_outcomes(self) -> None:
        if not self.chosen:
            self._wrong_outcomes("Choose at least one outcome.")
        for outcome_id in self.chosen:
            if outcome_id not in self.choices.outcomes:
                self._wrong_outcomes(f"Outcome {outcome_id[:40]} is not in this course. Choose one that is.")
        if self.weight_errors:
            self._wrong_outcomes("Correct the weights marked below.")

    def _wrong_outcomes(self, message: str) -> None:
        self.add_error(None, forms.ValidationError(message, code="outcomes"))
