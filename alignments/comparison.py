"""Up to four rules side by side on this class. A rule that is kept to compare travels in the form as text: its
part of an alignment's JSON, without outcomes, target or anything of a student."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from alignments.classunder import NO_STUDENTS, ClassUnderRule, class_under
from alignments.core import jsonfile, usual
from alignments.core.definition import (
    FULL_CREDIT,
    Calculation,
    Cutoff,
    Definition,
    Evidence,
    MasteryLine,
    Percent,
    Proportional,
    Rule,
    Scheme,
    default_at_least,
)
from alignments.core.exceptions import Students
from alignments.core.explain import rule_in_words
from alignments.core.fields import Problem
from alignments.core.jsonfile import FileErrors
from alignments.core.numbers import percentage, plain
from alignments.histogram import MOST_BARS, binned
from alignments.pages import Reading
from canvas.values import Outcome

MOST_KEPT = 3
"""Beside the rule in the form: four in all."""
PARTS = ("combine", "rule", "evidence", "round", "calculation")
LONGEST = 8_000
NOT_FITTING = ClassUnderRule({}, trouble="It does not fit the outcomes chosen now.")
PRESETS = [
    ("mastery", "Full credit at mastery"),
    ("half", "Full credit at mastery, half below"),
    ("table", "A table of the levels"),
    ("joined", "The table, in between in proportion"),
    ("proportional", "In proportion to the level"),
    ("scheme", "Letters of the scheme Canvas uses"),
    ("criteria", "Criteria"),
]

CALCULATIONS: list[tuple[str, str, Calculation | None]] = [
    ("from-canvas", "Canvas's own scores", None),
    ("from-average", "The average of all results", Calculation("average")),
    ("from-latest", "The newest result", Calculation("latest")),
    ("from-highest", "The best result", Calculation("highest")),
    ("from-newest", "The average of the 3 newest results", Calculation("newest", count=3)),
    (
        "from-decaying",
        f"A decaying average, {percentage('65')}",
        Calculation("standard_decaying_average", percent=Percent(Decimal(65))),
    ),
    ("from-streak", "The level held 3 times in a row", Calculation("streak", count=3)),
    ("from-power", "The power law", Calculation("power_law")),
]
"""Usual calculations to compare, each with the rule in the form."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One rule's column. `number` counts the kept ones from 0; None is the rule in the form."""

    number: int | None
    words: str
    counts: tuple[str, ...]
    mean: str
    without: int
    trouble: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Rules as columns, grades as rows from the highest down."""

    grades: tuple[str, ...]
    columns: tuple[Compared, ...]
    points: str
    is_full: bool

    @property
    def rows(self) -> list[tuple[str, list[str]]]:
        return [
            (grade, [column.counts[place] if column.counts else "–" for column in self.columns])
            for place, grade in enumerate(self.grades)
        ]


def text_of(definition: Definition) -> str:
    """What is kept of a rule to compare it."""
    written = jsonfile.to_json(definition)
    return json.dumps({part: written[part] for part in PARTS if part in written}, sort_keys=True)


def read_text(text: str, outcome_ids: Sequence[str]) -> Definition:
    """The kept rule for these outcomes, with a target that stands for any; `FileErrors` where it does not fit."""
    try:
        kept = json.loads(text[:LONGEST])
    except (ValueError, RecursionError):
        kept = None
    if not isinstance(kept, dict):
        raise FileErrors([Problem("", "", "is not a rule.")])
    entry = {part: kept[part] for part in PARTS if part in kept}
    entry |= {"outcomes": [{"id": one} for one in outcome_ids or ["1"]], "target": {"assignment": "1"}}
    return jsonfile.parse_definition(entry)


def preset(name: str, draft: Definition, outcomes: Mapping[str, Outcome]) -> Definition:
    """One of `PRESETS` for the outcomes of the draft, or its rule with one of `CALCULATIONS`."""
    for known, _, calculation in CALCULATIONS:
        if name == known:
            return replace(draft, calculation=calculation)
    chosen = [outcomes[one] for one in draft.outcome_ids]
    rules: dict[str, Rule] = {
        "half": Cutoff(MasteryLine(), FULL_CREDIT, Percent(Decimal(50))),
        "table": usual.usual_table(chosen, draft.combine),
        "joined": usual.usual_table(chosen, draft.combine, interpolate=True),
        "proportional": Proportional(),
        "scheme": Scheme(),
        "criteria": usual.usual_criteria(),
    }
    rule = rules.get(name, Cutoff())
    evidence = Evidence(default_at_least(rule, draft.combine, len(chosen)), draft.evidence.otherwise)
    return replace(draft, rule=rule, evidence=evidence)


def definitions_of(draft: Definition, kept: Sequence[str]) -> list[Definition | None]:
    """The kept rules for the draft's outcomes and target; None for one that does not fit them."""
    return [_kept(text, draft) for text in kept]


def compare(
    draft: Definition, kept: Sequence[str], reading: Reading, students: Students | None = NO_STUDENTS
) -> Comparison | None:
    """None where no rule is kept to compare. Exceptions count under each of them."""
    if not kept:
        return None
    worked: list[tuple[int | None, Definition | None, ClassUnderRule]] = [
        (None, draft, class_under(draft, reading, students))
    ]
    for number, definition in enumerate(definitions_of(draft, kept)):
        found = class_under(definition, reading, students) if definition else NOT_FITTING
        worked.append((number, definition, found))
    scores = [score for _, _, found in worked for score in found.scores]
    points = next((found.points for _, _, found in worked if found.points), Decimal(1))
    grades, counts = _table([found.scores for _, _, found in worked], scores, points)
    columns = [
        Compared(
            number,
            rule_in_words(definition, reading.evidence.outcomes)
            if definition
            else "A rule for other outcomes",
            () if found.trouble else counts[place],
            found.mean,
            len(found.wanted) - len(found.scores),
            found.trouble,
        )
        for place, (number, definition, found) in enumerate(worked)
    ]
    return Comparison(grades, tuple(columns), plain(points), len(kept) >= MOST_KEPT)


def _kept(text: str, draft: Definition) -> Definition | None:
    try:
        kept = read_text(text, draft.outcome_ids)
    except FileErrors:
        return None
    return replace(kept, outcomes=draft.outcomes, target=draft.target, sections=draft.sections)


def _table(
    of_each: Sequence[Sequence[Decimal]], scores: Sequence[Decimal], points: Decimal
) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """The rows' grades, the highest first, and each column's counts in that order."""
    distinct = sorted(set(scores), reverse=True)
    if len(distinct) <= MOST_BARS:
        counters = [Counter(one) for one in of_each]
        return tuple(plain(one) for one in distinct), [
            tuple(str(counted[one]) for one in distinct) for counted in counters
        ]
    top = max(points, *scores)
    bins = [binned(one, top)[::-1] for one in of_each]
    return tuple(label for label, _ in bins[0]), [tuple(str(count) for _, count in one) for one in bins]
