"""Grading schemes: which there are and which one Canvas applies. canvas-lms: app/models/grading_standard.rb"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from canvas.gateway import Gateway
from canvas.numerals import plain
from canvas.shapes import Fields, each, number, wrong_shape
from canvas.values import Assignment, Course, GradingScheme, SchemeLevel
from lti_tool.errors import AccessLost, Refused

_DEFAULT_LEVELS = (
    ("A", "0.94"),
    ("A-", "0.90"),
    ("B+", "0.87"),
    ("B", "0.84"),
    ("B-", "0.80"),
    ("C+", "0.77"),
    ("C", "0.74"),
    ("C-", "0.70"),
    ("D+", "0.67"),
    ("D", "0.64"),
    ("D-", "0.61"),
    ("F", "0"),
)

DEFAULT_SCHEME = GradingScheme(
    id="0",
    title="Default Canvas Grading Scheme",
    levels=tuple(SchemeLevel(name, Decimal(bound)) for name, bound in _DEFAULT_LEVELS),
    context_type="",
)
"""What Canvas uses where nobody chose a scheme (GradingStandard.default_grading_standard)."""
ASSUMED_SCHEME = replace(DEFAULT_SCHEME, assumed=True)
"""The same where the course has chosen none and Canvas did not say what its accounts have: an older Canvas, or a key
without "allow includes"."""
INHERITED = "inherited"
"""The id of an account's default whose own id this tool could not read."""


@dataclass(frozen=True, slots=True)
class Schemes:
    """The schemes the account could read, and the accounts whose schemes it could not."""

    by_id: Mapping[str, GradingScheme]
    unreadable_accounts: tuple[str, ...] = ()

    def find(self, scheme_id: str) -> GradingScheme | None:
        """A scheme by id; "0" is Canvas's own. None where it is gone or may not be read."""
        return DEFAULT_SCHEME if scheme_id == DEFAULT_SCHEME.id else self.by_id.get(scheme_id)

    def applying_to(self, assignment: Assignment | None, course: Course) -> GradingScheme | None:
        """The scheme Canvas uses for an assignment (None: a column without one of its own): the assignment's,
        else the course's, else the default of its accounts, else Canvas's own (abstract_assignment.rb#
        grading_standard_or_default). None where that one cannot be read: nothing may be guessed."""
        wanted = assignment.grading_standard_id if assignment else None
        wanted = wanted or course.grading_standard_id
        return self._inherited(course.scheme_levels) if wanted is None else self.find(wanted)

    def _inherited(self, levels: tuple[SchemeLevel, ...]) -> GradingScheme:
        """What applies to a course that has chosen none. Canvas tells its letters, not its name or id."""
        if not levels:
            return ASSUMED_SCHEME
        if levels == DEFAULT_SCHEME.levels:
            return DEFAULT_SCHEME
        named = (one for one in self.by_id.values() if one.context_type == "Account" and one.levels == levels)
        return next(named, None) or GradingScheme(
            INHERITED, "Your school's default scheme", levels, context_type="Account"
        )

    @property
    def explanation(self) -> str:
        """Why a scheme may be missing from this list."""
        if not self.unreadable_accounts:
            return "The grading scheme is not in this course or its account."
        accounts = ", ".join(self.unreadable_accounts)
        return f"The grading scheme is not in this course; Canvas does not let you read those of account {accounts}."


@dataclass(frozen=True, slots=True)
class NewScheme:
    """A scheme to be made: letters with their lower bounds in percent, from the highest down. `top_points`:
    what the full scale is worth in a points-based scheme, None for percentages."""

    title: str
    levels: tuple[tuple[str, Decimal], ...]
    top_points: Decimal | None = None


class SchemeCalls(Gateway):
    """Grading schemes of a course and its accounts."""

    def create_grading_scheme(
        self, owner_id: str, new: NewScheme, owner: Literal["courses", "accounts"] = "courses"
    ) -> GradingScheme:
        """Make a scheme in the course, or in an account for all its courses. `Refused` where Canvas's
        validations find something (`scheme_…`)."""
        entries = [{"name": name, "value": plain(bound)} for name, bound in new.levels]
        body: dict[str, object] = {"title": new.title, "grading_scheme_entry": entries}
        if new.top_points is not None:
            body |= {"points_based": True, "scaling_factor": plain(new.top_points)}
        path, where = f"{owner}/{owner_id}/grading_standards", f"/{owner}/:id/grading_standards"
        return parse_scheme(Fields(self.write("POST", path, body, where=where).json(), "grading standard"))

    def grading_schemes(self, course: Course) -> Schemes:
        """All schemes in reach: the course's, its account's and the root account's."""
        where = "/courses/:id/grading_standards"
        found = self._standards(f"courses/{course.id}/grading_standards", where)
        of_accounts = self.school_schemes(course)
        return Schemes({**found, **of_accounts.by_id}, of_accounts.unreadable_accounts)

    def school_schemes(self, course: Course) -> Schemes:
        """Those of the course's account and of the root account."""
        found: dict[str, GradingScheme] = {}
        refused: list[str] = []
        for account in dict.fromkeys(filter(None, (course.account_id, course.root_account_id))):
            try:
                where = "/accounts/:id/grading_standards"
                found |= self._standards(f"accounts/{account}/grading_standards", where)
            except (Refused, AccessLost) as error:
                if error.code == "revoked":
                    raise
                refused.append(account)
        return Schemes(found, tuple(refused))

    def grading_scheme(self, course: Course, assignment: Assignment | None) -> GradingScheme | None:
        """The one scheme that applies to an assignment; see `Schemes.applying_to`."""
        if not (assignment and assignment.grading_standard_id) and course.grading_standard_id is None:
            return Schemes({}).applying_to(assignment, course)
        return self.grading_schemes(course).applying_to(assignment, course)

    def _standards(self, path: str, where: str) -> dict[str, GradingScheme]:
        rows = each(self.entries(path, (), where=where), "grading standards")
        found = (parse_scheme(row) for row in rows)
        return {scheme.id: scheme for scheme in found if scheme.levels}


def parse_scheme(row: Fields) -> GradingScheme:
    """A grading standard; older servers know no points-based schemes, the oldest send pairs in `data`."""
    levels = [
        _level(entry.raw("name"), entry.raw("value")) for entry in row.items_or_none("grading_scheme") or ()
    ]
    return GradingScheme(
        id=row.ident("id"),
        title=row.text("title", ""),
        levels=_ordered(levels) or scheme_levels(row.raw("data")),
        points_based=row.flag("points_based"),
        scaling_factor=row.number_or_none("scaling_factor") or Decimal(1),
        context_type=row.text("context_type", "Course"),
    )


def scheme_levels(pairs: object) -> tuple[SchemeLevel, ...]:
    """Letters with their lower bounds as pairs, the way Canvas stores them; () where there are none."""
    found = pairs if isinstance(pairs, list) else []
    return _ordered(_level(*pair) for pair in found if isinstance(pair, list) and len(pair) == 2)


def _ordered(levels: Iterable[SchemeLevel]) -> tuple[SchemeLevel, ...]:
    return tuple(sorted(levels, key=lambda level: level.lower_bound, reverse=True))


def _level(name: object, bound: object) -> SchemeLevel:
    if not isinstance(name, str):
        raise wrong_shape("grading_scheme[].name")
    return SchemeLevel(name, number(bound, "grading_scheme[].value"))
