"""Any definition the file can hold, and classes to try it on."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from alignments.core.calculationfields import OWN_KEYS
from alignments.core.definition import (
    AssignmentTarget,
    Calculation,
    ColumnTarget,
    Criteria,
    CriteriaGrade,
    Cutoff,
    Definition,
    Evidence,
    MasteryLine,
    Percent,
    PointsLine,
    Proportional,
    Scheme,
    ShareLine,
    Table,
    TableLevel,
    WeightedOutcome,
    placeholder_name,
)

numbers = st.decimals(min_value=0, max_value=5, places=2)
"""Awkward enough: 2.79, 2.80, 0.01."""
meeting = st.sampled_from(["0", "1", "2", "2.79", "2.8", "2.99", "3", "3.01", "4"]).map(Decimal)
"""Few enough for scores and lines to meet exactly."""
percents = st.decimals(min_value=0, max_value=1000, places=2).map(Percent)
points_lines = st.builds(PointsLine, meeting | numbers)
share_lines = st.builds(ShareLine, meeting.map(lambda points: Percent(points * 25)) | percents)
"""The same heights on a scale of 4, and any."""
ids = st.integers(min_value=1, max_value=10**18).map(str)
names = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=255
).filter(lambda name: bool(name.strip()))


def _height(line: PointsLine | ShareLine) -> Decimal:
    return line.points if isinstance(line, PointsLine) else line.percent.number


@st.composite
def tables(draw: st.DrawFn, lines: Any, rising: bool = False) -> Table:
    found = sorted(draw(st.lists(lines, min_size=1, max_size=5, unique_by=_height)), key=_height)
    credits = draw(st.lists(percents, min_size=len(found), max_size=len(found)))
    if rising:
        credits.sort()
    pairs = tuple(TableLevel(line, credit) for line, credit in zip(found, credits, strict=True))
    return Table(pairs, draw(st.booleans()))


def _lines(with_points: bool) -> Any:
    return st.one_of(st.just(MasteryLine()), share_lines, *([points_lines] if with_points else []))


@st.composite
def criteria(draw: st.DrawFn, outcomes: int) -> Criteria:
    line = st.none() | _lines(with_points=True)
    grade = st.builds(
        CriteriaGrade,
        percents,
        all_at_least=line,
        none_below=line,
        mastered_at_least=st.none() | st.integers(0, outcomes),
        average_at_least=line,
    )
    grades = draw(st.lists(grade, min_size=1, max_size=4))
    bare = [one for one in grades if one == CriteriaGrade(one.credit)]
    return Criteria((*[one for one in grades if one not in bare], *bare[:1]))


def rules(combine: str, outcomes: int) -> Any:
    with_points = combine != "share"
    return st.one_of(
        st.builds(Cutoff, _lines(with_points), percents, percents),
        st.just(Proportional()),
        tables(share_lines),
        *([tables(points_lines)] if with_points else []),
        st.builds(Scheme, st.none() | ids),
        criteria(outcomes),
    )


@st.composite
def calculations(draw: st.DrawFn) -> Calculation:
    method = draw(st.sampled_from(list(OWN_KEYS)))
    own = OWN_KEYS[method]
    ignored = draw(st.lists(ids, max_size=3, unique=True))
    newest = st.decimals(min_value=Decimal("0.01"), max_value=Decimal("99.99"), places=2).map(Percent)
    return Calculation(
        method,
        percent=draw(newest) if own == "percent" else None,
        count=draw(st.integers(1, 10)) if own == "count" else None,
        order=draw(st.sampled_from(["submitted", "assessed", "due"])),
        at_least=draw(st.integers(1, 100)),
        drop_lowest=draw(st.integers(0, 100)),
        ignore_assignments=tuple(ignored),
        ignore_reasons=tuple((one, draw(names)) for one in ignored if draw(st.booleans())),
    )


@st.composite
def definitions(draw: st.DrawFn) -> Definition:
    outcome_ids = draw(st.lists(ids, min_size=1, max_size=4, unique=True))
    weights = st.decimals(min_value=Decimal("0.001"), max_value=10**6, places=3)
    combine = draw(st.sampled_from(["mean", "min", "max", "share"]))
    target = draw(
        st.builds(AssignmentTarget, ids)
        | st.builds(ColumnTarget, names, st.decimals(min_value=Decimal("0.01"), max_value=1000, places=2))
    )
    otherwise = ["leave", "zero", "clear"] + (["excuse"] if isinstance(target, AssignmentTarget) else [])
    name = draw(st.just("") | names)
    return Definition(
        name="" if name == placeholder_name(outcome_ids[0]) else name,
        outcomes=tuple(WeightedOutcome(one, draw(weights)) for one in outcome_ids),
        rule=draw(rules(combine, len(outcome_ids))),
        target=target,
        evidence=Evidence(draw(st.integers(1, len(outcome_ids))), draw(st.sampled_from(otherwise))),
        combine=combine,
        overwrite=draw(st.sampled_from(["empty", "ours", "all"])),
        direction=draw(st.sampled_from(["both", "up"])),
        round=draw(st.integers(0, 4)),
        calculation=draw(st.none() | calculations()),
    )
