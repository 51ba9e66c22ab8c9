"""The form of one exception: another rule, some outcomes left out, or not assessed, for a student or a section."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.forms.utils import ErrorDict

from alignments import ruleblanks
from alignments.core.checks import check
from alignments.core.definition import (
    Cutoff,
    Definition,
    LeftOut,
    Line,
    MasteryLine,
    OwnRule,
    Percent,
    PointsLine,
    Proportional,
    Rule,
    ShareLine,
)
from alignments.core.exceptions import check_instead, titles, with_rule
from alignments.core.explain import rule_in_words
from alignments.numberfields import NumberField
from alignments.ruleblanks import MOST_PERCENT, MOST_POINTS, RuleBlanks
from alignments.ruleform import CUTOFF_USUAL, LOOK_OVER
from canvas.values import Outcome

NOT_ASSESSED = ("not_assessed", "Not assessed: the cell is left alone")
LEFT_OUT = ("left_out", "The alignment's rule, without the outcomes ticked below")
KINDS = [
    ("cutoff", "Credit at a line of its own"),
    ("proportional", "In proportion to the level"),
]
IN_ROWS = [
    ("table", "A table of its own: each level earns its own percentage"),
    ("criteria", "Criteria of its own: the first grade whose conditions hold"),
]
USUAL = ("usual", "The alignment's rule, as for everybody")
LINES = [
    ("mastery", "the mastery level"),
    ("points", "points on the scale:"),
    ("percent", "percent of the scale:"),
]


class ExceptionForm(forms.Form):
    """`rule` is what was chosen once the form is valid; None: not assessed. `is_usual`: no exception.

    `with_rows` offers the rules whose blanks come in rows, which takes a page that can add and remove some."""

    kind = forms.ChoiceField(label="What counts instead")
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

    def __init__(
        self,
        data: Any = None,
        *,
        definition: Definition,
        outcomes: Mapping[str, Outcome] | None = None,
        prefix: str | None = None,
        with_usual: bool = False,
        with_rows: bool = False,
        current: OwnRule | None = None,
    ) -> None:
        super().__init__(data, prefix=prefix)
        self.definition, self.outcomes = definition, outcomes
        self.rule: OwnRule | None = None
        field: Any = self.fields["kind"]
        self.several = len(definition.outcomes) > 1
        field.choices = self.kinds = [
            *([USUAL] if with_usual else []),
            NOT_ASSESSED,
            *([LEFT_OUT] if self.several else []),
            *KINDS,
            *(IN_ROWS if with_rows else []),
        ]
        self.left_out = self._left_out(current)
        self._fill_blanks(current)

    def _left_out(self, current: OwnRule | None) -> list[str]:
        if self.is_bound:
            sent = self.data.getlist(self.add_prefix("left_out")) if hasattr(self.data, "getlist") else []
            return [one for one in self.definition.outcome_ids if one in sent]
        return list(current.outcome_ids) if isinstance(current, LeftOut) else []

    def _fill_blanks(self, current: OwnRule | None) -> None:
        values: dict[str, str] = {}
        kind = str(self.data.get(self.add_prefix("kind"), "")) if self.is_bound else _kind_of(current)
        if self.is_bound:
            values = ruleblanks.submitted(self.data)
        elif rule := _rule_of(current):
            values = ruleblanks.blanks_of(rule)
        self.shown_kind = kind or self.kinds[0][0]
        self.blanks = RuleBlanks(
            CUTOFF_USUAL | values, self._known(), len(self.definition.outcomes), self.definition.combine
        )
        self.unseen = self.blanks.fill_usual(self.shown_kind) and self.is_bound
        if not self.is_bound:
            self.initial = {name: self.blanks.values[name] for name in CUTOFF_USUAL} | {
                "kind": self.shown_kind
            }

    def _known(self) -> Sequence[Outcome]:
        known = self.outcomes or {}
        return [known[one] for one in self.definition.outcome_ids if one in known]

    @property
    def is_usual(self) -> bool:
        return bool(self.cleaned_data.get("kind") == "usual")

    def outcome_choices(self) -> list[tuple[str, str, bool]]:
        """The alignment's outcomes to tick as not assessed: id, title, whether ticked."""
        known = self.outcomes or {}
        return [
            (one, known[one].title if one in known else f"Outcome {one}", one in self.left_out)
            for one in self.definition.outcome_ids
        ]

    def carried(self) -> list[tuple[str, str]]:
        """Blanks of the kinds of rule that are not shown."""
        return self.blanks.carried(self.shown_kind)

    def unmarked(self) -> ExceptionForm:
        """The same without marks: nobody has asked to save it yet."""
        self._errors = ErrorDict()
        self.blanks.errors.clear()
        return self

    # Checking

    def clean(self) -> dict[str, Any]:
        cleaned = dict(super().clean() or {})
        kind = cleaned.get("kind")
        if kind != "cutoff":
            for name in ("line", "at", "credit", "below"):
                self.errors.pop(name, None)
        self.rule = self._with_left_out(kind, self._own_rule(kind, cleaned))
        if self.rule is not None and not self.errors:
            self._check(self.rule)
        return cleaned

    def _own_rule(self, kind: str | None, cleaned: Mapping[str, Any]) -> Rule | None:
        if kind == "proportional":
            return Proportional()
        if kind == "cutoff" and not self.errors:
            line = self._line(cleaned)
            credit, below = _percent(cleaned, "credit", 100), _percent(cleaned, "below", 0)
            return None if line is None else Cutoff(line, credit, below)
        if kind not in {"table", "criteria"}:
            return None
        if self.unseen:
            self.add_error("kind", LOOK_OVER)
        found = self.blanks.table() if kind == "table" else self.blanks.criteria()
        if self.blanks.errors:
            self.add_error("kind", "Correct the blanks of the rule that are marked below.")
        return found

    def _with_left_out(self, kind: str | None, rule: Rule | None) -> OwnRule | None:
        """The outcomes ticked as not assessed, with the rule or with the alignment's."""
        left_out = tuple(self.left_out)
        if kind == "left_out" and not left_out:
            self.add_error("kind", "Tick the outcomes that are not assessed.")
        if kind in {None, "usual", "not_assessed"} or not left_out or (rule is None and kind != "left_out"):
            return rule
        if len(left_out) == len(self.definition.outcomes):
            self.add_error("kind", 'Every outcome is ticked: choose "Not assessed" instead.')
        return LeftOut(left_out, rule)

    def _line(self, cleaned: Mapping[str, Any]) -> Line | None:
        kind, at = cleaned.get("line") or "mastery", cleaned.get("at")
        if kind == "mastery":
            return MasteryLine()
        if at is None:
            self.add_error("at", "Type where the line is, such as 2 points or 50 percent.")
            return None
        return PointsLine(at) if kind == "points" else ShareLine(Percent(at))

    def _check(self, rule: OwnRule) -> None:
        """Refuse now what a sync would hold as broken. (A scheme of the alignment itself is not looked up here.)"""
        problem = check_instead(self.definition, rule)
        own = rule.rule if isinstance(rule, LeftOut) else rule
        if problem is None and own is not None and self.outcomes is not None:
            problem = check(with_rule(self.definition, rule), self.outcomes, None)
        if problem:
            self.add_error("kind", problem)

    def error_text(self) -> str:
        """Everything that is wrong, for a page that shows it in one place."""
        return " ".join(str(message) for messages in self.errors.values() for message in messages)


def _rule_of(own: OwnRule | None) -> Rule | None:
    return own.rule if isinstance(own, LeftOut) else own


def _kind_of(own: OwnRule | None) -> str:
    """Which choice an exception is; "" for none yet."""
    rule = _rule_of(own)
    if rule is not None:
        return ruleblanks.kind_name(rule)
    return "left_out" if isinstance(own, LeftOut) else ""


def _percent(cleaned: Mapping[str, Any], name: str, usual: int) -> Percent:
    value = cleaned.get(name)
    return Percent(Decimal(usual) if value is None else value)


def in_words(
    definition: Definition, rule: OwnRule | None, outcomes: Mapping[str, Outcome] | None = None
) -> str:
    """What counts instead, as a phrase."""
    if rule is None:
        return "not assessed"
    if not isinstance(rule, LeftOut):
        return rule_in_words(with_rule(definition, rule), outcomes)
    if set(definition.outcome_ids) <= set(rule.outcome_ids):
        return "not assessed"
    words = rule_in_words(with_rule(definition, rule), outcomes)
    return f"{titles(rule, outcomes or {})} not assessed; of the others: {words}"
