"""The alignment form: what a teacher typed becomes a `Definition`, or an error beside its field.

What the form has no blanks for (other rules, other combinations, evidence) is kept as it was imported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from django import forms

from alignments import offers
from alignments.core.checks import check
from alignments.core.definition import (
    MAX_NAME,
    AssignmentTarget,
    ColumnTarget,
    Cutoff,
    Definition,
    Evidence,
    Line,
    MasteryLine,
    Percent,
    PointsLine,
    Proportional,
    Rule,
    Scheme,
    ShareLine,
    TargetChoice,
    WeightedOutcome,
    default_at_least,
)
from alignments.core.numbers import plain
from alignments.numberfields import NumberField
from alignments.offers import OfferGroup
from alignments.pages import natural
from canvas.values import Assignment, GradingScheme, Outcome

MOST_POINTS = Decimal(1_000_000)
MOST_PERCENT = Decimal(1000)
LINES = [
    ("mastery", "the mastery level"),
    ("points", "this many points on the scale:"),
    ("percent", "this percent of the scale:"),
]
OVERWRITE = [
    ("ours", "Empty cells and grades this tool wrote (a grade a person gave stays until you say otherwise)"),
    ("empty", "Empty cells only"),
    ("all", "All cells, also grades a person gave (each is shown in the preview first)"),
]
DIRECTION = [("both", "Grades may go up and down"), ("up", "Grades may only go up")]


@dataclass(frozen=True, slots=True)
class Choices:
    """What this course has to choose from."""

    outcomes: Mapping[str, Outcome]
    assignments: Mapping[str, Assignment]
    schemes: Mapping[str, GradingScheme] = field(default_factory=dict)
    offer_groups: Sequence[OfferGroup] = ()


@dataclass(frozen=True, slots=True)
class OutcomeChoice:
    """One outcome to tick, with its weight."""

    id: str
    title: str
    detail: str
    checked: bool
    weight: str
    weight_error: str


class AlignmentForm(forms.Form):
    """`current` is the alignment being changed, if any."""

    target = forms.ChoiceField(
        choices=[
            ("column", "A new column made by this tool"),
            ("assignment", "An assignment that is in Canvas"),
        ],
        widget=forms.RadioSelect,
        initial="column",
        error_messages={"required": "Choose where the grade goes."},
    )
    label = forms.CharField(label="Column name", max_length=MAX_NAME, required=False)
    points = NumberField(
        label="Points", least=Decimal(0), most=MOST_POINTS, above=True, required=False, initial="1"
    )
    omit = forms.BooleanField(label="Leave this column out of the final grade", required=False)
    assignment = forms.CharField(required=False)
    rule = forms.ChoiceField(choices=[], label="How the level becomes a grade")
    line = forms.ChoiceField(choices=LINES, initial="mastery", label="Line", required=False)
    at = NumberField(label="Line value", least=Decimal(0), most=MOST_POINTS, required=False)
    credit = NumberField(
        label="Credit from there up, in percent",
        least=Decimal(0),
        most=MOST_PERCENT,
        initial="100",
        required=False,
    )
    below = NumberField(
        label="Credit below, in percent", least=Decimal(0), most=MOST_PERCENT, initial="0", required=False
    )
    overwrite = forms.ChoiceField(choices=OVERWRITE, initial="ours", label="Which cells may be written")
    direction = forms.ChoiceField(choices=DIRECTION, initial="both", label="Direction")
    round = forms.TypedChoiceField(
        choices=[(number, f"{number} decimals") for number in range(5)],
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
        self.choices, self.current = choices, current
        super().__init__(data, initial=initial_of(current) if current else None)
        self.chosen = list(data.getlist("outcomes")) if data is not None else list(chosen)
        if data is None and current is not None:
            self.chosen = list(current.outcome_ids)
        self.weight_errors: dict[str, str] = {}
        rules = [
            ("cutoff", "Full or partial credit at a line"),
            ("proportional", "In proportion to the level"),
        ]
        if current is not None and not isinstance(current.rule, Cutoff | Proportional):
            rules.insert(0, ("keep", "As imported"))
        rule: Any = self.fields["rule"]
        rule.choices = rules
        rule.initial = rule.initial or rules[0][0]

    # The outcomes and their weights

    def outcome_choices(self) -> list[OutcomeChoice]:
        """Every outcome of the course, and chosen ones that are gone, to tick."""
        gone = [one for one in self.chosen if one not in self.choices.outcomes]
        listed = [(one, f"Outcome {one}", "No longer in this course: untick it.") for one in gone]
        for outcome in sorted(self.choices.outcomes.values(), key=lambda one: natural(one.title)):
            detail = f"of {plain(outcome.points_possible)}" if outcome.points_possible else "no scale"
            listed.append((outcome.id, outcome.title, detail))
        return [self._outcome_choice(*one) for one in listed]

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

    # Checking

    def clean(self) -> dict[str, Any]:
        cleaned = dict(super().clean() or {})
        self._forget_unused(cleaned)
        outcomes = self._outcomes()
        self._check_outcomes()
        target = self._target(cleaned)
        rule = self._rule(cleaned)
        if not self.errors and target is not None and rule is not None:
            self._accept(self._definition(cleaned, outcomes, target, rule))
        return cleaned

    def _forget_unused(self, cleaned: Mapping[str, Any]) -> None:
        """A blank that the choice above it hides is not an error."""
        unused = {"label", "points"} if cleaned.get("target") == "assignment" else {"assignment"}
        if cleaned.get("rule") != "cutoff":
            unused |= {"line", "at", "credit", "below"}
        elif cleaned.get("line") in {"", "mastery"}:
            unused.add("at")
        for name in unused:
            self.errors.pop(name, None)

    def _check_outcomes(self) -> None:
        if not self.chosen:
            self.add_error(None, forms.ValidationError("Choose at least one outcome.", code="outcomes"))
        for outcome_id in self.chosen:
            if outcome_id not in self.choices.outcomes:
                message = f"Outcome {outcome_id[:40]} is not in this course. Choose one that is."
                self.add_error(None, forms.ValidationError(message, code="outcomes"))
        if self.weight_errors:
            message = "Correct the weights marked below."
            self.add_error(None, forms.ValidationError(message, code="outcomes"))

    def _target(self, cleaned: Mapping[str, Any]) -> TargetChoice | None:
        if cleaned.get("target") == "assignment":
            return self._assignment_target(cleaned.get("assignment", ""))
        label, points = (cleaned.get("label") or "").strip(), cleaned.get("points")
        if not label and "label" not in self.errors:
            self.add_error("label", "Give the column a name: students see it in Grades.")
        if points is None and "points" not in self.errors:
            self.add_error("points", "Type how many points the column is worth, such as 1.")
        return ColumnTarget(label, points) if label and points else None

    def _assignment_target(self, assignment_id: str) -> TargetChoice | None:
        assignment = self.choices.assignments.get(assignment_id)
        if not assignment_id:
            self.add_error("assignment", "Choose the assignment the grade goes to.")
        elif assignment is None:
            self.add_error("assignment", "That assignment is not in this course. Choose one of the list.")
        elif reason := offers.why_not(assignment, self.choices.schemes):
            self.add_error("assignment", f'"{assignment.name}" cannot be used. {reason}')
        else:
            return AssignmentTarget(assignment_id)
        return None

    def _rule(self, cleaned: Mapping[str, Any]) -> Rule | None:
        if cleaned.get("rule") == "keep" and self.current is not None:
            return self.current.rule
        if cleaned.get("rule") == "proportional":
            return Proportional()
        line = self._line(cleaned.get("line") or "mastery", cleaned.get("at"))
        credit, below = cleaned.get("credit"), cleaned.get("below")
        for name, value in (("credit", credit), ("below", below)):
            if value is None and name not in self.errors:
                self.add_error(name, "Type a percentage, such as 100 or 0.")
        if line is None or credit is None or below is None:
            return None
        return Cutoff(line, Percent(credit), Percent(below))

    def _line(self, kind: str, at: Decimal | None) -> Line | None:
        if kind == "mastery":
            return MasteryLine()
        if at is None:
            if "at" not in self.errors:
                self.add_error("at", "Type where the line is, such as 3 points or 75 percent.")
            return None
        top = self._common_top()
        if kind == "points" and top is not None and at > top:
            self.add_error("at", f"Nobody could reach {plain(at)}: this scale ends at {plain(top)}.")
            return None
        return PointsLine(at) if kind == "points" else ShareLine(Percent(at))

    def _common_top(self) -> Decimal | None:
        found = [self.choices.outcomes[one] for one in self.chosen if one in self.choices.outcomes]
        tops = {one.points_possible for one in found}
        return tops.pop() if len(tops) == 1 else None

    def _definition(
        self,
        cleaned: Mapping[str, Any],
        outcomes: tuple[WeightedOutcome, ...],
        target: TargetChoice,
        rule: Rule,
    ) -> Definition:
        kept = self.current
        title = self.choices.outcomes[outcomes[0].outcome_id].title.strip()[:MAX_NAME]
        first_kept = kept is not None and kept.outcomes[0].outcome_id == outcomes[0].outcome_id
        combine = kept.combine if kept else "mean"
        usual = Evidence(default_at_least(rule, combine, len(outcomes)))
        evidence = (
            replace(kept.evidence, at_least=min(kept.evidence.at_least, len(outcomes))) if kept else usual
        )
        return Definition(
            name=kept.name if kept and first_kept and kept.name else title,
            outcomes=outcomes,
            rule=rule,
            target=target,
            evidence=evidence,
            combine=combine,
            overwrite=cleaned["overwrite"],
            direction=cleaned["direction"],
            round=cleaned["round"],
            calculation=kept.calculation if kept else None,
        )

    def _accept(self, definition: Definition) -> None:
        """Refuse now what a sync would hold as broken."""
        problem = (
            None if isinstance(definition.rule, Scheme) else check(definition, self.choices.outcomes, None)
        )
        if problem:
            self.add_error("rule", problem)
        self.definition = definition

    def outcome_errors(self) -> list[str]:
        """What is wrong with the choice of outcomes."""
        return [str(error) for error in self.non_field_errors()]


class PointsForm(forms.Form):
    """How many points each of several new columns is worth."""

    points = NumberField(
        label="Points for each column", least=Decimal(0), most=MOST_POINTS, above=True, initial="1"
    )


def initial_of(definition: Definition) -> dict[str, Any]:
    """The form's blanks as this alignment has them."""
    initial: dict[str, Any] = {
        "overwrite": definition.overwrite,
        "direction": definition.direction,
        "round": definition.round,
    }
    if isinstance(definition.target, ColumnTarget):
        initial |= {
            "target": "column",
            "label": definition.target.label,
            "points": plain(definition.target.points),
        }
    else:
        initial |= {"target": "assignment", "assignment": definition.target.assignment_id}
    match definition.rule:
        case Cutoff(at, credit, below):
            initial |= {"rule": "cutoff", "credit": plain(credit.number), "below": plain(below.number)}
            initial |= _line_initial(at)
        case Proportional():
            initial["rule"] = "proportional"
        case _:
            initial["rule"] = "keep"
    return initial


def _line_initial(line: Line) -> dict[str, Any]:
    if isinstance(line, PointsLine):
        return {"line": "points", "at": plain(line.points)}
    if isinstance(line, ShareLine):
        return {"line": "percent", "at": plain(line.percent.number)}
    return {"line": "mastery"}
