"""The `calculation` of an entry: read strictly, written whole."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import cast

from alignments.core import fields
from alignments.core.definition import Calculation, Method, Order, Percent
from alignments.core.fields import Spot
from alignments.core.numbers import plain

MOST = 100
"""Results that anything is counted in: nobody assesses one outcome more often."""
MOST_FOR_MASTERY = 10
"""As Canvas's "Number of Times"."""
USUAL_PERCENT = Percent(Decimal(65))
"""Canvas's own default for both decaying methods."""
ORDER: tuple[Order, ...] = ("submitted", "assessed", "due")

OWN_KEYS: Mapping[Method, str] = {
    "average": "",
    "standard_decaying_average": "percent",
    "weighted_average": "percent",
    "latest": "",
    "highest": "",
    "n_mastery": "count",
    "latest_and_highest": "",
    "mode": "",
    "newest": "count",
    "power_law": "",
    "streak": "count",
}
"""The methods, each with the one key that only it has."""
KEYS_OF_ALL = ("order", "at_least", "drop_lowest", "ignore_assignments")
OLD_NAME = (
    '"decaying_average" is what Canvas calls its weighted average inside: write weighted_average for that, '
    "or standard_decaying_average for the decaying average of its form."
)


def read_calculation(spot: Spot, value: object) -> Calculation | None:
    """The calculation; None where its method is not known."""
    if not isinstance(value, dict):
        fields.members(spot, value, ("method",))
        return None
    if "method" not in value:
        spot.key("method").wrong(f"is missing: use one of {', '.join(OWN_KEYS)}.")
        return None
    if value["method"] == "decaying_average":
        spot.key("method").wrong(OLD_NAME)
        return None
    if not isinstance(value["method"], str) or value["method"] not in OWN_KEYS:
        fields.choice(spot.key("method"), value["method"], OWN_KEYS)
        return None
    method = cast(Method, value["method"])
    own = OWN_KEYS[method]
    required = ("method", "count") if own == "count" else ("method",)
    given = fields.members(spot, value, required, (*filter(None, [own]), *KEYS_OF_ALL)) or {}
    ignored = _ignored(spot.key("ignore_assignments"), given)
    return Calculation(
        method,
        percent=_percent(spot.key("percent"), given) if own == "percent" else None,
        count=_count(spot.key("count"), given, method) if own == "count" else None,
        order=cast(Order, fields.choice(spot.key("order"), given.get("order", "submitted"), ORDER)),
        at_least=fields.whole(spot.key("at_least"), given.get("at_least", 1), 1, MOST),
        drop_lowest=fields.whole(spot.key("drop_lowest"), given.get("drop_lowest", 0), 0, MOST),
        ignore_assignments=tuple(ignored),
        ignore_reasons=tuple((key, reason) for key, reason in ignored.items() if reason),
    )


def _percent(spot: Spot, given: Mapping[str, object]) -> Percent:
    if "percent" not in given:
        return USUAL_PERCENT
    before = len(spot.problems)
    percent = fields.percent(spot, given["percent"])
    if len(spot.problems) == before and not 0 < percent.number < 100:
        spot.wrong("must be more than 0% and less than 100%: it is what the newest result weighs.")
    return percent


def _count(spot: Spot, given: Mapping[str, object], method: Method) -> int:
    highest = MOST_FOR_MASTERY if method == "n_mastery" else MOST
    return fields.whole(spot, given["count"], 1, highest) if "count" in given else 1


def _ignored(spot: Spot, given: Mapping[str, object]) -> dict[str, str]:
    """The reason by assignment, "" where none is given. An entry is an id, or an object with `id` and `reason`."""
    found: dict[str, str] = {}
    if "ignore_assignments" not in given:
        return found
    for index, item in enumerate(fields.items(spot, given["ignore_assignments"]) or ()):
        here, reason = spot.item(index), ""
        if isinstance(item, dict):
            members = fields.members(here, item, ("id",), ("reason",)) or {}
            reason = fields.title(here.key("reason"), members["reason"]) if "reason" in members else ""
            one = fields.canvas_id(here.key("id"), members["id"]) if "id" in members else ""
        else:
            one = fields.canvas_id(here, item)
        if one and one in found:
            here.wrong(f"assignment {one} is listed twice: keep it once.")
        found[one] = reason
    return found


def calculation_to_json(calculation: Calculation) -> dict[str, object]:
    """The calculation with every default written out; an empty list of ignored assignments is left out."""
    written: dict[str, object] = {"method": calculation.method}
    if calculation.percent is not None:
        written["percent"] = f"{plain(calculation.percent.number)}%"
    if calculation.count is not None:
        written["count"] = calculation.count
    written |= {
        "order": calculation.order,
        "at_least": calculation.at_least,
        "drop_lowest": calculation.drop_lowest,
    }
    if calculation.ignore_assignments:
        written["ignore_assignments"] = [
            {"id": one, "reason": reason} if (reason := calculation.reason_to_ignore(one)) else one
            for one in calculation.ignore_assignments
        ]
    return written
