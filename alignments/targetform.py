"""The part of the alignment form that says where the grade goes."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms

from alignments import offers
from alignments.core.definition import MAX_NAME, AssignmentTarget, ColumnTarget, TargetChoice
from alignments.numberfields import NumberField
from alignments.outcomeform import OutcomesForm
from alignments.ruleblanks import MOST_POINTS

DRAFT = "The column"


class TargetForm(OutcomesForm):
    """A new column of this tool, or an assignment that is in Canvas."""

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

    def _stand_in(self, cleaned: Mapping[str, Any]) -> TargetChoice:
        """A target for the class to be worked out, while there is none of its own."""
        return ColumnTarget(cleaned.get("label") or DRAFT, cleaned.get("points") or Decimal(1))
