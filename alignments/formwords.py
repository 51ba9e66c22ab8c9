"""The parts of the alignment form that are folded up: what each is set to, in a line, and which are open."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from alignments.calculationblanks import METHODS
from alignments.core.calculationwords import calculation_in_words
from alignments.core.definition import Definition
from alignments.core.explain import TOO_LITTLE, rule_in_words
from alignments.forms import AlignmentForm

BY_CANVAS = "Canvas's own, as its mastery gradebook shows it"
ABOUT = "One or several outcomes, the gradebook column they feed, and the rule between"
WRITTEN = {
    "ours": "a grade a person gave stays",
    "empty": "only empty cells are filled",
    "all": "grades people gave may be replaced, each shown first",
}
WAYS = {"both": "up and down", "up": "only up"}
MOST_NAMED = 3
WRONG = {
    "fold-target": ("target", "label", "points", "assignment"),
    "fold-evidence": ("at_least", "otherwise"),
    "fold-protections": ("overwrite", "direction", "round"),
}
"""The fields behind each fold: one that is wrong is never hidden."""
ALL = ("fold-outcomes", "fold-target", "fold-score", "fold-order", "fold-evidence", "fold-protections")


def settings(form: AlignmentForm, whole: Definition | None) -> dict[str, str]:
    """By part, what is set now. `whole`: the alignment as far as it can be read, with any target."""
    return {
        "rule": rule_in_words(whole, form.choices.outcomes) if whole else ABOUT,
        "outcomes": _outcomes(form),
        "target": _target(form),
        "score": _score(form, whole),
        "evidence": _evidence(form, whole),
        "protections": _protections(form),
    }


def open_folds(form: AlignmentForm, asked: Collection[str] | None, *, to_save: bool) -> set[str]:
    """Which parts are open. `asked`: as they are on the page; None where no script said so, or a page that is
    opened."""
    if asked is not None:
        found = set(asked)
    elif form.is_bound:
        found = set(ALL)
    else:
        found = {"fold-order"} if form.calc.has_more else set()
        found |= {"fold-target"} if form.current is None else set()
        found |= set() if form.known_outcomes and not _gone(form) else {"fold-outcomes"}
    if to_save:
        found |= {name for name, fields in WRONG.items() if any(one in form.errors for one in fields)}
        found |= {"fold-outcomes"} if form.outcome_errors() else set()
        found |= {"fold-score", "fold-order"} if form.calc.errors else set()
    return found


def _outcomes(form: AlignmentForm) -> str:
    """The chosen outcomes, with their weights where these differ."""
    known = {choice.id: choice for choice in form.outcome_choices() if choice.checked}
    weights = {choice.weight for choice in known.values()}
    named = [
        choice.title if len(weights) == 1 else f"{choice.title} (weight {choice.weight})"
        for choice in known.values()
    ]
    if not named:
        return "none chosen yet"
    more = f" and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED + 1 else ""
    return f"{', '.join(named[:MOST_NAMED] if more else named)}{more}"


def _gone(form: AlignmentForm) -> bool:
    return any(one not in form.choices.outcomes for one in form.chosen)


def _target(form: AlignmentForm) -> str:
    if form["target"].value() == "assignment":
        found = form.choices.assignments.get(str(form["assignment"].value() or ""))
        return f"the assignment “{found.name}”" if found else "an assignment: choose which"
    label, points = str(form["label"].value() or "").strip(), str(form["points"].value() or "").strip()
    worth = f", {points} point{'' if points == '1' else 's'}" if points else ""
    return f"the column “{label}”{worth}" if label else f"a new column{worth}: give it a name"


def _score(form: AlignmentForm, whole: Definition | None) -> str:
    if not form.calc.method:
        return BY_CANVAS
    if whole is not None and whole.calculation is not None:
        return calculation_in_words(whole.calculation)
    words: Mapping[str, str] = {name: text for _, methods in METHODS for name, text in methods}
    return words.get(form.calc.method, "not chosen")


def _evidence(form: AlignmentForm, whole: Definition | None) -> str:
    what = TOO_LITTLE.get(str(form["otherwise"].value()), TOO_LITTLE["leave"])
    if len(form.known_outcomes) < 2 or whole is None:
        return what
    least = whole.evidence.at_least
    too_few = "no outcome" if least == 1 else f"fewer than {least} of {len(whole.outcomes)} outcomes"
    return f"{too_few} assessed: {what}"


def _protections(form: AlignmentForm) -> str:
    written = WRITTEN.get(str(form["overwrite"].value()), "")
    way, places = WAYS.get(str(form["direction"].value()), ""), str(form["round"].value())
    return f"{written}; {way}; {places} decimal{'' if places == '1' else 's'}"
