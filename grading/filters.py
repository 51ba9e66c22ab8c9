"""What of a preview is shown, and how it is asked for. A search is never in an address: it may be a name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

DECISION_WORDS = {
    "send": "change",
    "unchanged": "same",
    "held": "held",
    "conflict": "needs you",
    "refused": "not taken by Canvas",
}


@dataclass(frozen=True, slots=True)
class Filters:
    """What of a plan is shown. Empty means all."""

    decision: str = ""
    section: str = ""
    alignment: int = 0
    search: str = ""
    page: int = 1

    def query(self, **changes: str | int) -> str:
        """The same filters, some changed, as a query string without what is empty. Never holds the search:
        it may be a student's name."""
        values: dict[str, str | int] = {
            "decision": self.decision, "section": self.section, "alignment": self.alignment,
            "page": self.page if self.page > 1 else "",
        }  # fmt: skip
        if changes:
            values["page"] = ""
        return urlencode({name: value for name, value in {**values, **changes}.items() if value})


def read_filters(values: Mapping[str, str]) -> Filters:
    """Filters from a request; what makes no sense shows everything."""
    decision = values.get("decision", "")
    return Filters(
        decision=decision if decision in DECISION_WORDS else "",
        section=values.get("section", "")[:40],
        alignment=whole_number(values.get("alignment", ""), 0),
        search=" ".join(values.get("search", "").split())[:80],
        page=max(1, whole_number(values.get("page", ""), 1)),
    )


@dataclass(frozen=True, slots=True)
class FilterLink:
    text: str
    query: str
    count: int
    current: bool


def filter_links(counts: Mapping[str, int], filters: Filters) -> Iterator[FilterLink]:
    yield FilterLink("All", filters.query(decision=""), sum(counts.values()), not filters.decision)
    for decision in ("send", "conflict", "held", "unchanged"):
        current = filters.decision == decision
        words = DECISION_WORDS[decision].capitalize()
        yield FilterLink(words, filters.query(decision=decision), counts.get(decision, 0), current)


def whole_number(text: str, otherwise: int) -> int:
    """A number of ASCII digits as it comes in a request; anything else is `otherwise`."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else otherwise
