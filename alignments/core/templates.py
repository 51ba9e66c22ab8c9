"""A template: alignments that name what they mean, so that another course can be asked whether it has it.

Nothing of a student is in it: no exceptions, no scores. Pure values; `templatejson` reads and writes them,
`templatematch` finds what they name in a course.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from alignments.core import fields
from alignments.core.definition import MAX_NAME, ColumnTarget, Definition
from alignments.core.scales import Scale


@dataclass(frozen=True, slots=True)
class Named:
    """An outcome, assignment or grading scheme as a template names it.

    `id` is Canvas's, one for the whole of that Canvas, and "" where the template came as a file. `guid`: the
    `vendor_guid` that an imported or copied outcome keeps.
    """

    title: str
    id: str = ""
    guid: str = ""


@dataclass(frozen=True, slots=True)
class TemplateEntry:
    """One alignment of a template.

    The ids in `shape` are places: outcome "2" is `outcomes[1]`, ignored assignment "1" is `ignored[0]`, and the
    scheme and the target assignment, where there are any, are "1".
    """

    shape: Definition
    outcomes: tuple[Named, ...]
    scales: tuple[Scale, ...]
    """Top and mastery level each outcome had where the template was made; None: not known."""
    assignment: Named | None = None
    """The target, where it is not a column of this tool."""
    points: Decimal = Decimal(1)
    """What the target was worth: a new column is made with them."""
    omit_from_final_grade: bool = False
    scheme: Named | None = None
    ignored: tuple[Named, ...] = ()
    sections_left_out: int = 0
    """For how many sections the original had a rule of their own: those belong to its course."""

    @property
    def name(self) -> str:
        return self.shape.name or self.outcomes[0].title

    @property
    def target_title(self) -> str:
        """The column's label or the assignment's name."""
        if self.assignment is not None:
            return self.assignment.title
        return self.shape.target.label if isinstance(self.shape.target, ColumnTarget) else ""


@dataclass(frozen=True, slots=True)
class Template:
    """Alignments under a name, in the teacher's order."""

    name: str
    entries: tuple[TemplateEntry, ...]


def storable(title: str, instead: str) -> str:
    """A title of Canvas as a template may hold it; `instead` where nothing is left."""
    text = fields.UNSTORABLE.sub("", title).strip()[:MAX_NAME].strip()
    return text or instead
