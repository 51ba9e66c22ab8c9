"""The alignment form: what a teacher typed becomes a `Definition`, or an error beside its field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from django import forms
from django.forms.utils import ErrorDict

from alignments import offers, ruleblanks
from alignments.core import usual
from alignments.core.checks import check
from alignments.core.definition import (
    MAX_NAME,
    AssignmentTarget,
    ColumnTarget,
    Combine,
    Cutoff,
    Definition,
    Evidence,
    Line,
    MasteryLine,
    Otherwise,
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
from alignments.ruleblanks import MOST_PERCENT, MOST_POINTS, RuleBlanks
from canvas.values import Assignment, GradingScheme, Outcome

RULES = [
    ("cutoff", "Full or partial credit at a line"),
    ("table", "A table: each level earns its own percentage"),
    ("proportional", "In proportion to the level"),
    ("scheme", "What the letter of a grading scheme is worth"),
    ("criteria", "The first of several grades whose conditions hold"),
]
LINES = [
    ("mastery", "the mastery level"),
    ("points", "this many points on the scale:"),
    ("percent", "this percent of the scale:"),
]
COMBINE: list[tuple[Combine, str]] = [
    ("mean", "the average of their levels, by weight"),
    ("min", "the lowest of their levels"),
    ("max", "the highest of their levels"),
    ("share", "the share of them that is mastered, by weight"),
]
OTHERWISE: list[tuple[Otherwise, str]] = [
    ("leave", "the cell stays as it is and no grade is sent"),
    ("zero", "the grade is 0"),
    ("excuse", "the student is excused"),
    ("clear", "the cell is emptied"),
]
OVERWRITE = [
    ("ours", "Empty cells and grades this tool wrote (a grade a person gave stays until you say otherwise)"),
    ("empty", "Empty cells only"),
    ("all", "All cells, also grades a person gave (each is shown in the preview first)"),
]
DIRECTION = [("both", "Grades may go up and down"), ("up", "Grades may only go up")]
CUTOFF_USUAL = {"line": "mastery", "at": "", "credit": "100", "below": "0"}
DRAFT = "The column"


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
    rule = forms.ChoiceField(choices=RULES, label="How the level becomes a grade")
    combine = forms.ChoiceField(
        choices=COMBINE, initial="mean", required=False, label="Several outcomes count as"
    )
    at_least = forms.CharField(
        max_length=6,
        required=False,
        label="How many outcomes must be assessed",
        widget=forms.TextInput(
            attrs={"inputmode": "numeric", "autocomplete": "off", "placeholder": "as usual"}
        ),
    )
    otherwise = forms.ChoiceField(
        choices=OTHERWISE, initial="leave", required=False, label="With too little evidence"
    )
    line = forms.ChoiceField(choices=LINES, label="Line", required=False)
    at = NumberField(label="Line value", least=Decimal(0), most=MOST_POINTS, required=False)
    credit = NumberField(
        label="Credit from there up, in percent", least=Decimal(0), most=MOST_PERCENT, required=False
    )
    below = NumberField(label="Credit below, in percent", least=Decimal(0), most=MOST_PERCENT, required=False)
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
        self.draft: Definition | None = None
        """What would be worked out for the class: without a name or a target of its own where these lack."""
        self._fill_blanks()

    def _fill_blanks(self) -> None:
        known = self.known_outcomes
        if self.is_bound:
            values, kind = ruleblanks.submitted(self.data), str(self.data.get("rule", ""))
            combine = str(self.data.get("combine", "mean"))
        else:
            rule = self.current.rule if self.current else usual.usual_rule(known)
            values, kind = ruleblanks.blanks_of(rule), ruleblanks.kind_name(rule)
            combine = self.current.combine if self.current else "mean"
            self.initial["rule"] = kind
        self.kind = kind if kind in ruleblanks.KINDS else "cutoff"
        shown: Combine = next((name for name, _ in COMBINE if name == combine), "mean")
        self.blanks = RuleBlanks(CUTOFF_USUAL | values, known, len(self.chosen), shown)
        self.unseen = self.blanks.fill_usual(self.kind) and self.is_bound
        """Whether the rule's rows are the usual ones, which nobody has seen yet."""
        self.initial = {**self.initial, **{name: self.blanks.values[name] for name in CUTOFF_USUAL}}

    @property
    def known_outcomes(self) -> list[Outcome]:
        """The chosen outcomes that the course has, in the order chosen."""
        return [
            self.choices.outcomes[one] for one in dict.fromkeys(self.chosen) if one in self.choices.outcomes
        ]

    @property
    def scheme_gone(self) -> bool:
        """Whether the scheme of the rule is none of those that can be read."""
        chosen = self.blanks.values.get("scheme", "")
        return bool(chosen) and chosen not in {one.id for one in self.choices.rule_schemes}

    def carried(self) -> list[tuple[str, str]]:
        """Blanks of the kinds of rule that are not shown."""
        return self.blanks.carried(self.kind)

    def unmarked(self) -> AlignmentForm:
        """The same without marks: nobody has asked to save it yet."""
        self._errors = ErrorDict()
        self.weight_errors.clear()
        self.blanks.errors.clear()
        return self

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
        rule = self._rule(cleaned)
        evidence = self._evidence(cleaned, rule)
        ready = not self.errors
        target = self._target(cleaned)
        if outcomes and rule is not None and evidence is not None:
            whole = self._definition(cleaned, outcomes, target or self._stand_in(cleaned), rule, evidence)
            if ready or not self._errors_of_rule():
                self.draft = whole
                self._refuse_broken(whole)
            if not self.errors and target is not None:
                self.definition = whole
        return cleaned

    def _errors_of_rule(self) -> set[str]:
        """The errors without which the class could be worked out."""
        unseen = {"rule"} if self.unseen else set()
        return (
            set(self.errors)
            - unseen
            - {
                "target",
                "label",
                "points",
                "assignment",
                "overwrite",
                "direction",
                "otherwise",
            }
        )

    def _stand_in(self, cleaned: Mapping[str, Any]) -> TargetChoice:
        return ColumnTarget(cleaned.get("label") or DRAFT, cleaned.get("points") or Decimal(1))

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
        kind = cleaned.get("rule")
        if kind == "cutoff":
            return self._cutoff(cleaned)
        if kind == "scheme":
            return self._scheme()
        found: Rule | None = Proportional() if kind == "proportional" else None
        if kind == "table":
            found = self.blanks.table()
        elif kind == "criteria":
            found = self.blanks.criteria()
        if self.unseen:
            self.add_error(
                "rule", "This kind of rule has blanks: look over what is filled in below, then save."
            )
        elif self.blanks.errors:
            self.add_error("rule", "Correct the blanks of the rule that are marked below.")
        return found

    def _cutoff(self, cleaned: Mapping[str, Any]) -> Rule | None:
        line = self._line(cleaned.get("line") or "mastery", cleaned.get("at"))
        credit, below = cleaned.get("credit"), cleaned.get("below")
        for name, value in (("credit", credit), ("below", below)):
            if value is None and name not in self.errors:
                self.add_error(name, "Type a percentage, such as 100 or 0.")
        if line is None or credit is None or below is None:
            return None
        return Cutoff(line, Percent(credit), Percent(below))

    def _scheme(self) -> Rule | None:
        chosen = self.blanks.values.get("scheme", "")
        kept = self.current.rule if self.current else None
        if chosen and chosen not in {one.id for one in self.choices.rule_schemes} and kept != Scheme(chosen):
            self.blanks.errors["scheme"] = (
                "That scheme is not in this course or its account. Choose one of the list."
            )
            self.add_error("rule", "Choose the grading scheme again.")
            return None
        return Scheme(chosen or None)

    def _evidence(self, cleaned: Mapping[str, Any], rule: Rule | None) -> Evidence | None:
        count = max(1, len(dict.fromkeys(self.chosen)))
        otherwise: Otherwise = cleaned.get("otherwise") or "leave"
        if otherwise == "excuse" and cleaned.get("target") != "assignment":
            self.add_error(
                "otherwise",
                "Nobody can be excused from a column of this tool, only from an assignment: "
                "choose another, or send the grade to an assignment.",
            )
        text = (cleaned.get("at_least") or "").strip()
        if not text:
            return Evidence(default_at_least(rule, self.blanks.combine, count) if rule else 1, otherwise)
        if not (text.isascii() and text.isdigit() and 1 <= int(text) <= count):
            range_ = f"a whole number from 1 to {count}, the outcomes chosen" if count > 1 else "1"
            self.add_error("at_least", f"Type {range_}; or leave it empty for the usual.")
            return None
        return Evidence(int(text), otherwise)

    def _line(self, kind: str, at: Decimal | None) -> Line | None:
        if kind == "mastery":
            return MasteryLine()
        if at is None:
            if "at" not in self.errors:
                self.add_error("at", "Type where the line is, such as 3 points or 75 percent.")
            return None
        top = self._common_top()
        if kind == "points" and self.blanks.combine == "share":
            self.add_error("line", "The share of mastered outcomes has no points: choose percent or mastery.")
            return None
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
        evidence: Evidence,
    ) -> Definition:
        kept = self.current
        known = self.choices.outcomes.get(outcomes[0].outcome_id)
        title = known.title.strip()[:MAX_NAME] if known else ""
        first_kept = kept is not None and kept.outcomes[0].outcome_id == outcomes[0].outcome_id
        name = kept.name if kept and first_kept and kept.name else title
        # What the form has no blanks for stays as it was.
        whole = kept or Definition(name, outcomes, rule, target, evidence)
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
        )

    def _refuse_broken(self, definition: Definition) -> None:
        """Refuse now what a sync would hold as broken."""
        problem = (
            None if isinstance(definition.rule, Scheme) else check(definition, self.choices.outcomes, None)
        )
        if problem:
            self.add_error("rule", problem)

    def outcome_errors(self) -> list[str]:
        """What is wrong with the choice of outcomes."""
        return [str(error) for error in self.non_field_errors()]


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
