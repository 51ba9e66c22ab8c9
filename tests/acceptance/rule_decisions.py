"""What happens to a cell under each protection (interface 5.5): the story of one student a line.

Each student has a score before and after the first sync (`-`: none), something a person may do in between, and
what the second sync decides under each `overwrite`; `up` where `direction: up` decides otherwise. The rule is
proportional, worth 4 points on a scale of 4: the grade is the score.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

OVERWRITE = ("empty", "ours", "all")
DIRECTION = ("both", "up")
KEPT = {"empty": "already_graded"}
"""Under `empty` a cell that holds a grade stays."""
PERSON = {"empty": "already_graded", "ours": "graded_by_person", "all": "graded_by_person"}


@dataclass(frozen=True)
class Story:
    """`usual` is the reason, `by_overwrite` where it depends on that, `up` and `forced` where those change it."""

    what: str
    before: str
    person: str
    after: str
    usual: str
    by_overwrite: Mapping[str, str] = field(default_factory=dict)
    up: Mapping[str, str] = field(default_factory=dict)
    forced: Mapping[str, str] = field(default_factory=dict)
    forced_up: Mapping[str, str] = field(default_factory=dict)
    otherwise: str = "leave"

    def reason(self, overwrite: str, direction: str, *, forced: bool = False) -> str:
        """What the second sync must say."""
        answers = dict.fromkeys(OVERWRITE, self.usual) | dict(self.by_overwrite)
        if direction == "up":
            answers |= self.up
        if forced:
            answers |= self.forced
            answers |= self.forced_up if direction == "up" else {}
        return answers[overwrite]


LOWER = {"ours": "would_lower", "all": "would_lower"}
GOES = {"ours": "graded", "all": "graded"}
GOES_CLEAR = {"ours": "cleared", "all": "cleared"}
STORIES = [
    Story("rises", "2", "", "3", "graded", KEPT),
    Story("falls", "3", "", "2", "graded", KEPT, up=LOWER),
    Story("stays", "3", "", "3", "same"),
    Story("evidence goes", "3", "", "-", "evidence_gone"),
    Story("never assessed", "-", "", "-", "no_evidence"),
    Story("assessed late", "-", "", "3", "graded"),
    Story("a person raised ours", "2", "4", "3", "graded_by_person", PERSON, forced=GOES, forced_up=LOWER),
    Story("a person lowered ours", "3", "1", "3", "graded_by_person", PERSON, forced=GOES),
    Story("a person typed what the rule gives", "2", "3", "3", "same"),
    Story("a person came first", "-", "1", "3", "graded_by_person", PERSON, forced=GOES),
    Story("a person's zero", "-", "0", "3", "graded_by_person", PERSON, forced=GOES),
    Story("a person came first, no evidence", "-", "1", "-", "no_evidence"),
    Story("a person emptied ours", "3", "clear", "3", "cleared_by_person",
          forced=dict.fromkeys(OVERWRITE, "graded")),
    Story("a person excused ours", "3", "excuse", "3", "excused_by_person",
          forced={**GOES, "empty": "already_graded"}),
    Story("a person excused an empty cell", "-", "excuse", "3", "excused_by_person",
          forced={**GOES, "empty": "already_graded"}),
    Story("missing, and assessed later", "-", "missing 0", "3", "graded"),
    Story("missing with a high grade", "-", "missing 4", "3", "graded",
          up=dict.fromkeys(OVERWRITE, "would_lower")),
    Story("missing, which the rule gives", "-", "missing 0", "0", "same"),
    Story("excused once the evidence is gone", "3", "", "-", "excused", KEPT, up=LOWER, otherwise="excuse"),
    Story("excused by the tool, then assessed", "-", "", "3", "graded", KEPT, up=LOWER, otherwise="excuse"),
    Story("excused by the tool and still", "-", "", "-", "same", otherwise="excuse"),
    Story("excused by a person too", "3", "excuse", "-", "same", otherwise="excuse"),
    Story("a person graded over our excuse", "-", "2", "3", "graded_by_person", PERSON, forced=GOES,
          otherwise="excuse"),
    Story("emptied once the evidence is gone", "3", "", "-", "cleared", KEPT, up=LOWER, otherwise="clear"),
    Story("a person's grade is not emptied", "-", "2", "-", "graded_by_person", PERSON, forced=GOES_CLEAR,
          forced_up=LOWER, otherwise="clear"),
    Story("a person emptied ours, as the rule would", "3", "clear", "-", "same", otherwise="clear"),
    Story("zero once the evidence is gone", "3", "", "-", "zeroed", KEPT, up=LOWER, otherwise="zero"),
    Story("missing and zero are one", "-", "missing 0", "-", "same", otherwise="zero"),
]  # fmt: skip
