"""Worked examples of interface 5: what an alignment says, what Canvas has, and what the cell must hold.

Each row is the scores of the example's outcomes (`-`: not assessed) and the grade in the target; a word instead
of a number is the reason where there is no grade. Worked out by hand, from the wording of the interface alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

OUTCOMES = {
    "A": ("601", "4", "3"),
    "B": ("602", "4", "3"),
    "C": ("603", "4", "3"),
    "D": ("604", "5", "3"),
    "E": ("605", "10", "7"),
    "N": ("606", "4", "3"),
}
"""Letter: Canvas id, top of the scale, mastery. Canvas gives no score on N before two results are at mastery."""

NARROW, IN_POINTS = "71", "72"
SCHEMES = {
    NARROW: (False, "1", (("A", ".9"), ("B", ".895"), ("C", ".8"), ("F", "0"))),
    IN_POINTS: (True, "4", (("Secure", ".875"), ("Growing", ".625"), ("Starting", "0"))),
}
"""Id: points-based, scaling factor, letters with the fractions Canvas stores."""


@dataclass(frozen=True)
class Example:
    """One alignment on the outcomes named by their letters, and its rows."""

    what: str
    rule: dict[str, Any]
    outcomes: str
    rows: Mapping[str, str]
    points: str = "100"
    weights: tuple[str, ...] = ()
    more: dict[str, Any] = field(default_factory=dict)


def cutoff(**more: Any) -> dict[str, Any]:
    return {"kind": "cutoff", **more}


def table(*levels: tuple[str, str], **more: Any) -> dict[str, Any]:
    return {"kind": "table", "levels": [list(level) for level in levels], **more}


def criteria(*grades: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "criteria", "grades": list(grades)}


PROPORTIONAL = {"kind": "proportional"}
FOUR = (("1", "55%"), ("2", "70%"), ("3", "85%"), ("4", "100%"))
MARZANO = criteria(
    {"credit": "100%", "all_at_least": None},
    {"credit": "85%", "none_below": "2", "mastered_at_least": 2},
    {"credit": "70%", "average_at_least": "50%"},
    {"credit": "40%"},
)
MIN, MAX, SHARE = {"combine": "min"}, {"combine": "max"}, {"combine": "share"}

CUTOFFS = [
    Example("mastery", cutoff(), "A", {"3": "100", "2.99": "0", "4": "100", "0": "0", "-": "no_evidence"}),
    Example("another mastery", cutoff(), "D", {"3": "100", "2.99": "0"}),
    Example("points, partial", cutoff(at="2.8", credit="95%", below="50%"), "A", {"2.8": "95", "2.79": "50"}),
    Example("percent", cutoff(at="70%"), "A", {"2.8": "100", "2.79": "0"}),
    Example("about a third", cutoff(at="33.3333%"), "A", {"1.34": "100", "1.33": "0"}),
    Example("line at 0", cutoff(at="0"), "A", {"0": "100", "-0.5": "100"}),
    Example("eighths", cutoff(below="12.5%"), "A", {"3": "1", "2.99": "0.125"}, "1", more={"round": 3}),
    Example("extra credit", cutoff(credit="110.5%"), "A", {"3": "22.1", "2.99": "0"}, "20"),
    Example("mean", cutoff(), "AB", {"2 4": "100", "2 3.99": "0", "- 3": "100", "- 2.99": "0"}),
    Example("mean, weighted", cutoff(), "AB", {"4 2.5": "100", "4 2.49": "0"}, weights=("1", "2")),
    # Mastery is 3 of 4 and 3 of 5: the line of the mean is 27/40, of the assessed ones only.
    Example("mean, two scales", cutoff(), "AD", {"3 3": "100", "2 4.25": "100", "2 4.24": "0", "- 3": "100"}),
    Example("min", cutoff(), "AB", {"3 3": "100", "4 2.99": "0", "4 -": "too_little_evidence"}, more=MIN),
    Example("min, two scales", cutoff(), "AD", {"3 3": "100", "4 2.99": "0", "2.99 5": "0"}, more=MIN),
    Example("min at points", cutoff(at="2"), "AB", {"2 4": "100", "1.99 4": "0"}, more=MIN),
    Example("max", cutoff(), "AB", {"1 3": "100", "2.99 2.99": "0", "2.99 -": "0", "- 3": "100"}, more=MAX),
    Example("max, two scales", cutoff(), "AD", {"2.99 3": "100", "2.99 2.99": "0"}, more=MAX),
    Example("max at percent", cutoff(at="60%"), "AD", {"2 3": "100", "2.39 2.99": "0"}, more=MAX),
    Example("share", cutoff(), "AB", {"3 3": "100", "3 2.99": "0", "3 -": "too_little_evidence"}, more=SHARE),
    Example("share, half", cutoff(at="50%"), "AB", {"3 2": "100", "2 2": "0"}, more=SHARE),
    Example("share just under", cutoff(at="66.67%"), "AB", {"3 2": "0", "3 3": "100"}, "100", ("2", "1"), SHARE),
    Example("share just over", cutoff(at="66.66%"), "AB", {"3 2": "100", "2 3": "0"}, "100", ("2", "1"), SHARE),
]  # fmt: skip
PROPORTIONS = [
    Example("level", PROPORTIONAL, "A", {"3.5": "87.5", "4.4": "110", "-0.5": "0", "0.01": "0.25", "0": "0"}),
    Example("whole points", PROPORTIONAL, "A", {"2.5": "63", "2.49": "62", "0.02": "1", "0.01": "0"},
            more={"round": 0}),
    Example("one decimal", PROPORTIONAL, "A", {"3.33": "8.3", "3.38": "8.5"}, "10", more={"round": 1}),
    Example("four decimals", PROPORTIONAL, "A", {"2.33": "1.7475", "0.01": "0.0075"}, "3", more={"round": 4}),
    # Half a hundredth goes up, where binary floats would go down (0.575, 1.005).
    Example("half up", PROPORTIONAL, "A", {"0.5": "0.13", "3.3": "0.83", "1.1": "0.28", "2.3": "0.58"}, "1"),
    Example("1.005", PROPORTIONAL, "E", {"6.7": "1.01", "0.1": "0.02"}, "1.5"),
    Example("half a point", PROPORTIONAL, "A", {"3.33": "0.42", "2.33": "0.29"}, "0.5"),
    Example("thirds", PROPORTIONAL, "ABC", {"4 0 0": "33.33", "4 4 0": "66.67", "4 - -": "100", "1 - 4": "62.5"}),
    Example("three thirds are one", PROPORTIONAL, "ABC", {"3.33 3.33 3.34": "2.5", "1 1 1": "0.75"}, "3"),
    Example("weights", PROPORTIONAL, "ABC", {"4 2 1": "37.5", "- 2 1": "30.56"}, weights=("0.1", "0.2", "0.7")),
    Example("odd weights", PROPORTIONAL, "AB", {"4 0": "33.3", "0 4": "66.7"}, weights=("0.333", "0.667")),
    Example("two scales", PROPORTIONAL, "AD", {"2 4": "65", "3 3": "67.5"}),
    Example("lowest", PROPORTIONAL, "AD", {"3 3": "60", "1 5": "25"}, more=MIN),
    Example("highest", PROPORTIONAL, "AD", {"3 3": "75", "1 5.5": "110"}, more=MAX),
    Example("share", PROPORTIONAL, "ABC", {"3 4 2.99": "66.67", "3 3 3": "100", "0 1 2": "0"}, more=SHARE),
    Example("share, weighted", PROPORTIONAL, "AB", {"3 2": "33.33", "2 3": "66.67"}, "100", ("1", "2"), SHARE),
]  # fmt: skip
TABLES = [
    Example("why is this a 0.85?", table(*FOUR), "A", {"0.99": "0", "1": "0.55", "2.99": "0.7", "3": "0.85",
                                                       "4.4": "1"}, "1"),
    Example("joined", table(*FOUR, interpolate=True), "A", {"0": "0", "0.5": "27.5", "2.5": "77.5",
                                                            "2.99": "84.85", "3": "85", "4.4": "100"}),
    Example("from 0", table(("0", "10%"), ("3", "100%"), interpolate=True), "A", {"0": "10", "1": "40",
                                                                                  "1.5": "55", "4": "100"}),
    Example("percent, two scales", table(("50%", "60%"), ("65%", "80%"), ("90%", "100%")), "AD",
            {"2 4": "80", "2 3.99": "60", "1 1": "0", "4 4": "100"}),
    Example("share", table(("33%", "50%"), ("66%", "80%"), ("100%", "100%")), "ABC",
            {"3 2 2": "50", "3 3 2": "80", "2 2 2": "0", "3 3 3": "100"}, more=SHARE),
    Example("above full", table(("3", "100%"), ("4", "105.5%")), "A", {"3.99": "20", "4": "21.1"}, "20"),
    Example("near lines", table(("2.7", "33.3%"), ("2.71", "66.65%")), "A",
            {"2.69": "0", "2.7": "3.3", "2.71": "6.7"}, "10", more={"round": 1}),
    Example("min", table(("2", "70%"), ("3", "85%")), "AB", {"3 3": "85", "4 2": "70", "4 1.99": "0"}, more=MIN),
]  # fmt: skip
LETTERS = [
    Example("Canvas's own", {"kind": "scheme"}, "A",
            {"3.76": "100", "3.75": "93", "3.6": "93", "3.59": "89", "3.36": "86", "2.4": "60", "0": "0",
             "4.4": "100"}),
    Example("mean on a bound", {"kind": "scheme"}, "ABC", {"3.76 3.76 3.76": "100", "3.76 3.76 3.75": "93"}),
    Example("narrow gaps", {"kind": "scheme", "grading_standard_id": NARROW}, "E",
            {"9": "100", "8.99": "89.9", "8.95": "89.9", "8.94": "88.5", "8": "88.5", "7.99": "79.9"}),
    Example("points-based", {"kind": "scheme", "grading_standard_id": IN_POINTS}, "A",
            {"3.5": "100", "3.49": "86.5", "2.5": "86.5", "2.49": "62.25", "0": "0"}),
]  # fmt: skip
CONDITIONS = [
    Example("docs/rules.md", MARZANO, "ABC", {"3 3 4": "100", "3 3 2": "85", "4 4 1.99": "70", "4 1 0": "40",
                                              "3 3 -": "too_little_evidence", "- - -": "no_evidence"}),
    Example("two are enough", MARZANO, "ABC", {"3 3 -": "85", "4 1 -": "70", "4 - -": "too_little_evidence"},
            more={"evidence": {"at_least": 2}}),
    Example("average at mastery", criteria({"credit": "90%", "average_at_least": None}), "AD",
            {"2 4.25": "90", "2 4.24": "0"}),
    Example("average in points", criteria({"credit": "90%", "average_at_least": "2.5"}), "AB",
            {"0.5 3.5": "90", "0.49 3.5": "0"}, weights=("1", "2")),
    Example("none below its own mastery", criteria({"credit": "90%", "none_below": None}, {"credit": "5%"}), "AD",
            {"3 3": "90", "- 3": "90", "2.99 5": "5", "4 2.99": "5"}, more={"evidence": {"at_least": 1}}),
    Example("each reaches a share", criteria({"credit": "90%", "all_at_least": "60%"}), "AD",
            {"2.4 3": "90", "2.39 3": "0"}),
    Example("so many mastered", criteria({"credit": "90%", "mastered_at_least": 2}, {"credit": "50%",
            "mastered_at_least": 0}), "ABC", {"3 3 0": "90", "3 2.99 0": "50"}),
    Example("combine plays no part", criteria({"credit": "90%", "average_at_least": "50%"}), "AB",
            {"4 0": "90", "3.99 0": "0", "4 -": "too_little_evidence"}, more=MIN),
]  # fmt: skip


def evidence(at_least: int, otherwise: str) -> dict[str, Any]:
    return {"evidence": {"at_least": at_least, "otherwise": otherwise}}


EVIDENCE = [
    Example("zero", PROPORTIONAL, "AB", {"4 -": "zeroed", "- -": "zeroed", "4 0": "50"}, more=evidence(2, "zero")),
    Example("excuse", PROPORTIONAL, "AB", {"4 -": "excused", "- -": "excused", "4 4": "100"},
            more=evidence(2, "excuse")),
    Example("clear", PROPORTIONAL, "AB", {"4 -": "same", "4 0": "50"}, more=evidence(2, "clear")),
    Example("leave", PROPORTIONAL, "AB", {"4 -": "too_little_evidence", "- -": "no_evidence"},
            more=evidence(2, "leave")),
    Example("min, one is enough", cutoff(), "AB", {"4 -": "100", "- 2": "0"}, more=MIN | evidence(1, "leave")),
    Example("a score that is null", cutoff(), "N", {"4": "no_evidence", "-": "no_evidence"}),
    Example("null and zero", cutoff(), "N", {"4": "zeroed"}, more=evidence(1, "zero")),
]  # fmt: skip
EXAMPLES = [*CUTOFFS, *PROPORTIONS, *TABLES, *LETTERS, *CONDITIONS, *EVIDENCE]
