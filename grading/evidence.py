"""What a plan's grades were worked out from, kept sealed with the plan so that a page can say why; gone with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from fractions import Fraction
from typing import Any

from alignments.core import jsonfile
from alignments.core.definition import Definition, OwnRule
from alignments.core.exceptions import Instead, check_instead, with_rule
from alignments.core.explain import explain_cell, rule_in_words
from alignments.core.fields import Spot
from alignments.core.levels import Score
from alignments.core.numbers import plain
from alignments.core.rules import check
from alignments.core.sectionfields import instead_to_json, read_instead
from canvas.values import GradingScheme, Outcome, Rollup, SchemeLevel
from grading.core.plan import Inputs, PlannedAlignment, instead_of


@dataclass(frozen=True, slots=True)
class Grounds:
    """One alignment as it was when the plan was made, with each student's scores."""

    definition: Definition
    points: Decimal
    outcomes: Mapping[str, Outcome]
    scheme: GradingScheme | None
    scores: Mapping[str, Mapping[str, Score | None]] = field(repr=False)
    exceptions: Mapping[str, Instead] = field(default_factory=dict, repr=False)
    """By student, what counts instead of the alignment's rule."""
    newest: Mapping[str, Mapping[str, int]] = field(default_factory=dict, repr=False)
    """By student and outcome, when the newest work behind it was submitted: seconds since 1970."""

    @property
    def rule(self) -> str:
        """The rule with the numbers of the outcomes' scale."""
        return rule_in_words(self.definition, self.outcomes)

    @property
    def worth(self) -> str:
        return f"of {plain(self.points)} point{'' if self.points == 1 else 's'}"

    def newest_of(self, user: str) -> datetime | None:
        """When the student's newest work on any of the outcomes was submitted."""
        found = self.newest.get(user, {}).values()
        return datetime.fromtimestamp(max(found), UTC) if found else None

    def explain(self, user: str, zone: tzinfo = UTC) -> str:
        """A student's scores and the arithmetic in one text; days are those of `zone`."""
        return " ".join(self.sentences(user, zone))

    def sentences(self, user: str, zone: tzinfo = UTC) -> list[str]:
        """The same, step by step; the last says what it comes to."""
        scores, definition, said = self.scores.get(user, {}), self.definition, []
        if instead := self.exceptions.get(user):
            said = [instead.sentence(self.outcomes)]
            if instead.rule is None or self._cannot_be_used(instead.rule):
                return said
            definition = with_rule(definition, instead.rule)
        newest = {key: datetime.fromtimestamp(at, zone) for key, at in self.newest.get(user, {}).items()}
        said += explain_cell(definition, self.outcomes, scores, self.points, self.scheme, newest)
        return said

    def _cannot_be_used(self, rule: OwnRule) -> bool:
        """Whether this rule for some students is broken, unlike the alignment's."""
        broken = check(with_rule(self.definition, rule), self.outcomes, self.scheme)
        return bool(broken or check_instead(self.definition, rule))


def grounds_of(inputs: Inputs) -> dict[int, Grounds]:
    """By alignment, for those that can be worked out."""
    found = {}
    for one in inputs.alignments:
        points = one.column.points
        broken = one.trouble or check(one.definition, inputs.outcomes, one.scheme)
        if points is not None and points > 0 and not broken:
            outcomes = {key: inputs.outcomes[key] for key in one.definition.outcome_ids}
            found[one.id] = Grounds(
                one.definition,
                points,
                outcomes,
                one.scheme,
                _scores(one, inputs.rollups),
                _exceptions(inputs, one),
                _newest(one, inputs.rollups),
            )
    return found


def _exceptions(inputs: Inputs, one: PlannedAlignment) -> dict[str, Instead]:
    everybody = {*inputs.students, *one.students}
    found = ((user, instead_of(inputs, one, user)) for user in everybody)
    return {user: instead for user, instead in found if instead is not None}


def _scores(one: PlannedAlignment, rollups: Mapping[str, Rollup]) -> dict[str, Mapping[str, Score | None]]:
    """The scores of this alignment's outcomes only; students without any are left out."""
    source: Iterable[tuple[str, Mapping[str, Score | None]]]
    if one.scores is not None:
        source = one.scores.items()
    else:
        source = ((user, rollup.scores) for user, rollup in rollups.items())
    wanted = one.definition.outcome_ids
    picked = ((user, {key: scores[key] for key in wanted if key in scores}) for user, scores in source)
    return {user: scores for user, scores in picked if scores}


def _newest(one: PlannedAlignment, rollups: Mapping[str, Rollup]) -> dict[str, Mapping[str, int]]:
    wanted = one.definition.outcome_ids
    picked = (
        (user, {key: int(rollup.newest[key].timestamp()) for key in wanted if key in rollup.newest})
        for user, rollup in rollups.items()
    )
    return {user: newest for user, newest in picked if newest}


def to_rows(grounds: Mapping[int, Grounds]) -> list[Any]:
    """As JSON, to be sealed."""
    return [[key, _to_row(one)] for key, one in grounds.items()]


def from_rows(rows: Iterable[Any]) -> dict[int, Grounds]:
    """What `to_rows` gave."""
    return {key: _from_row(row) for key, row in rows}


def _to_row(one: Grounds) -> dict[str, Any]:
    scheme = one.scheme
    return {
        "definition": jsonfile.to_json(one.definition),
        "points": plain(one.points),
        "outcomes": [
            [
                each.id,
                each.title,
                _text(each.points_possible),
                _text(each.mastery_points),
                each.calculation_method,
                each.calculation_int,
            ]
            for each in one.outcomes.values()
        ],
        "scheme": scheme and [scheme.id, scheme.title, [[x.name, str(x.lower_bound)] for x in scheme.levels]],
        "scores": {
            user: {key: _text(score) for key, score in scores.items()} for user, scores in one.scores.items()
        },
        "exceptions": {
            user: [each.because, instead_to_json(each.rule)] for user, each in one.exceptions.items()
        },
        "newest": one.newest,
    }


def _from_row(row: Mapping[str, Any]) -> Grounds:
    return Grounds(
        definition=jsonfile.parse_definition(row["definition"]),
        points=Decimal(row["points"]),
        outcomes={key: _outcome(key, *more) for key, *more in row["outcomes"]},
        scheme=_scheme(row["scheme"]),
        scores={
            user: {key: _score(text) for key, text in scores.items()}
            for user, scores in row["scores"].items()
        },
        exceptions={
            user: Instead(_instead(body), because)
            for user, (because, body) in row.get("exceptions", {}).items()
        },
        newest=row.get("newest", {}),
    )


def _outcome(
    key: str, title: str, top: str | None, mastery: str | None, method: str = "", number: int | None = None
) -> Outcome:
    return Outcome(
        key, title, _decimal(top), _decimal(mastery), calculation_method=method, calculation_int=number
    )


def _instead(body: Mapping[str, Any]) -> OwnRule | None:
    return read_instead(Spot(), body, "mean", None)


def _scheme(row: list[Any] | None) -> GradingScheme | None:
    if row is None:
        return None
    number, title, levels = row
    return GradingScheme(number, title, tuple(SchemeLevel(name, Decimal(bound)) for name, bound in levels))


def _text(number: Score | None) -> str | None:
    return None if number is None else str(number)


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _score(text: str | None) -> Score | None:
    if text is None:
        return None
    return Fraction(text) if "/" in text else Decimal(text)
