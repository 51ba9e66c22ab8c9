"""The form of one exception: the usual rule, another one, or not assessed, for a student or a section."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms

from alignments.core.checks import check
from alignments.core.definition import (
    Cutoff,
    Definition,
    Line,
    MasteryLine,
    Percent,
    PointsLine,
    Proportional,
    Rule,
    ShareLine,
)
from alignments.core.exceptions import check_instead, with_rule
from alignments.core.explain import rule_in_words
from alignments.numberfields import NumberField
from canvas.values import Outcome

KINDS = [
    ("not_assessed", "Not assessed: the cell is left alone"),
    ("cutoff", "Credit at a line of its own"),
    ("proportional", "In proportion to the level"),
]
USUAL = ("usual", "The alignment's rule, as for everybody")
LINES = [
    ("mastery", "the mastery level"),
    ("points", "points on the scale:"),
    ("percent", "percent of the scale:"),
]


class ExceptionForm(forms.Form):
    """`rule` is what was chosen once the form is valid; None: not assessed. `is_usual`: no exception."""

    kind = forms.ChoiceField(choices=KINDS, label="What counts instead")
    line = forms.ChoiceField(choices=LINES, initial="mastery", label="Line", required=False)
    at = NumberField(label="Line value", least=Decimal(0), most=Decimal(1_000_000), required=False)
    credit = NumberField(
        label="Credit from there up, in percent",
        least=Decimal(0),
        most=Decimal(1000),
        initial="100",
        required=False,
    )
    below = NumberField(
        label="Credit below, in percent", least=Decimal(0), most=Decimal(1000), initial="0", required=False
    )

    def __init__(
        self,
        data: Any = None,
        *,
        definition: Definition,
        outcomes: Mapping[str, Outcome] | None = None,
        prefix: str | None = None,
        with_usual: bool = False,
    ) -> None:
        super().__init__(data, prefix=prefix)
        self.definition, self.outcomes = definition, outcomes
        self.rule: Rule | None = None
        if with_usual:
            kind: Any = self.fields["kind"]
            kind.choices = [USUAL, *KINDS]

    @property
    def is_usual(self) -> bool:
        return bool(self.cleaned_data.get("kind") == "usual")

    def clean(self) -> dict[str, Any]:
        cleaned = dict(super().clean() or {})
        if cleaned.get("kind") != "cutoff":
            for name in ("line", "at", "credit", "below"):
                self.errors.pop(name, None)
        if cleaned.get("kind") == "proportional":
            self.rule = Proportional()
        elif cleaned.get("kind") == "cutoff" and not self.errors:
            line = self._line(cleaned)
            if line is not None:
                self.rule = Cutoff(line, _percent(cleaned, "credit", 100), _percent(cleaned, "below", 0))
        if self.rule is not None and not self.errors:
            self._check(self.rule)
        return cleaned

    def _line(self, cleaned: Mapping[str, Any]) -> Line | None:
        kind, at = cleaned.get("line") or "mastery", cleaned.get("at")
        if kind == "mastery":
            return MasteryLine()
        if at is None:
            self.add_error("at", "Type where the line is, such as 2 points or 50 percent.")
            return None
        return PointsLine(at) if kind == "points" else ShareLine(Percent(at))

    def _check(self, rule: Rule) -> None:
        """Refuse now what a sync would hold as broken."""
        problem = check_instead(self.definition, rule)
        if problem is None and self.outcomes is not None:
            problem = check(with_rule(self.definition, rule), self.outcomes, None)
        if problem:
            self.add_error("kind", problem)

    def error_text(self) -> str:
        """Everything that is wrong, for a page that shows it in one place."""
        return " ".join(str(message) for messages in self.errors.values() for message in messages)


def _percent(cleaned: Mapping[str, Any], name: str, usual: int) -> Percent:
    value = cleaned.get(name)
    return Percent(Decimal(usual) if value is None else value)


def in_words(definition: Definition, rule: Rule | None, outcomes: Mapping[str, Outcome] | None = None) -> str:
    """What counts instead, as a phrase."""
    return "not assessed" if rule is None else rule_in_words(with_rule(definition, rule), outcomes)
