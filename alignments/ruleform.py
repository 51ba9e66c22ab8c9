"""The part of the alignment form that says how results become a score, the score a grade, and what is too
little evidence."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms

from alignments import calculationblanks, ruleblanks
from alignments.calculationblanks import CalculationBlanks
from alignments.core import usual
from alignments.core.definition import (
    Calculation,
    Combine,
    Cutoff,
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
    default_at_least,
)
from alignments.core.numbers import plain
from alignments.numberfields import NumberField
from alignments.ruleblanks import MOST_PERCENT, MOST_POINTS, RuleBlanks
from alignments.targetform import TargetForm

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
CUTOFF_USUAL = {"line": "mastery", "at": "", "credit": "100", "below": "0"}
LOOK_OVER = "This kind of rule has blanks: look over what is filled in below, then save."


class RuleForm(TargetForm):
    """The rule as a sentence with blanks; those in rows are in `blanks`, those of a calculation in `calc`."""

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
        self._fill_calculation()

    def _fill_calculation(self) -> None:
        """A form sent without these blanks (it was opened before there were any) leaves the calculation alone."""
        typed = calculationblanks.submitted(self.data) if self.is_bound else {}
        if calculationblanks.GIVEN not in typed:
            typed = calculationblanks.blanks_of(self.current.calculation if self.current else None)
        self.calc = CalculationBlanks(typed)

    @property
    def scheme_gone(self) -> bool:
        """Whether the scheme of the rule is none of those that can be read."""
        chosen = self.blanks.values.get("scheme", "")
        return bool(chosen) and chosen not in {one.id for one in self.choices.rule_schemes}

    def carried(self) -> list[tuple[str, str]]:
        """Blanks of the kinds of rule and of the calculations that are not shown."""
        return [*self.blanks.carried(self.kind), *self.calc.carried()]

    def to_ignore(self) -> list[tuple[str, str]]:
        """The assignments whose results may be ignored, by name; with those of the alignment that are gone."""
        there = sorted(self.choices.assignments.values(), key=lambda one: (one.name.casefold(), one.id))
        listed = [(one.id, one.name) for one in there]
        kept = (
            self.current.calculation.ignore_assignments if self.current and self.current.calculation else ()
        )
        gone = [one for one in kept if one not in self.choices.assignments]
        return [*listed, *((one, f"Assignment {one}, no longer in this course") for one in gone)]

    def _calculation(self) -> Calculation | None:
        found = self.calc.read([key for key, _ in self.to_ignore()])
        if self.calc.errors:
            self.add_error("rule", "Correct the blanks of the calculation that are marked below.")
        return found

    def _forget_unused(self, cleaned: Mapping[str, Any]) -> None:
        """A blank that the choice above it hides is not an error."""
        unused = {"label", "points"} if cleaned.get("target") == "assignment" else {"assignment"}
        if cleaned.get("rule") != "cutoff":
            unused |= {"line", "at", "credit", "below"}
        elif cleaned.get("line") in {"", "mastery"}:
            unused.add("at")
        for name in unused:
            self.errors.pop(name, None)

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
            self.add_error("rule", LOOK_OVER)
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
        tops = {one.points_possible for one in self.known_outcomes}
        return tops.pop() if len(tops) == 1 else None

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
        if not text or count == 1:
            return Evidence(default_at_least(rule, self.blanks.combine, count) if rule else 1, otherwise)
        if not (text.isascii() and text.isdigit() and 1 <= int(text) <= count):
            range_ = f"a whole number from 1 to {count}, the outcomes chosen"
            self.add_error("at_least", f"Type {range_}; or leave it empty for the usual.")
            return None
        return Evidence(int(text), otherwise)
