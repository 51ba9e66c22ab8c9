"""What a button of the rule form does to what was typed: a row more or less, a compared rule taken over. Only
the form's own text changes; nothing is saved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from django.http import QueryDict

from alignments import calculationblanks, comparison, ruleblanks
from alignments.calculationblanks import CalculationBlanks
from alignments.core.definition import Definition
from alignments.core.jsonfile import FileErrors
from alignments.forms import AlignmentForm, initial_of
from alignments.ruleblanks import RuleBlanks


@dataclass
class Typed:
    """A form as it was sent, after its button had its effect. `kept` are the rules to compare."""

    data: QueryDict
    do: str = ""
    kept: list[str] = field(default_factory=list)
    names: bool = False
    """Whether the examples carry students' names."""
    opened: list[str] | None = None
    """The folded parts that are open on the page; None where no script said so."""

    @property
    def is_to_save(self) -> bool:
        """Whether the form was sent to be saved, not to be changed or shown."""
        return not self.do and "show" not in self.data

    @property
    def wants_schemes(self) -> bool:
        """Whether grading schemes have to be read for it."""
        chosen = self.do == "keep-preset" and self.data.get("preset") == "scheme"
        return chosen or self.data.get("rule") == "scheme" or any('"scheme"' in one for one in self.kept)


def typed(sent: QueryDict) -> Typed:
    """What was sent, with the effect of its button."""
    found = Typed(
        sent.copy(),
        do=sent.get("do", ""),
        kept=[one for one in sent.getlist("kept") if len(one) <= comparison.LONGEST][: comparison.MOST_KEPT],
        names=sent.get("names") == "on",
        opened=sent.getlist("open") if "open" in sent else None,
    )
    action, _, rest = found.do.partition("-")
    if found.do in {"show-names", "hide-names"}:
        found.names = action == "show"
    elif rest.startswith("ignored"):
        calc = CalculationBlanks(calculationblanks.submitted(found.data))
        calc.change(found.do)
        _put(found.data, calc.values, calculationblanks.is_blank)
    elif action in {"add", "remove"}:
        change_rows(found.data, found.do)
    elif action in {"drop", "use"} and rest.isdecimal() and int(rest) < len(found.kept):
        text = found.kept.pop(int(rest))
        if action == "use":
            _use(found, text)
    return found


def change_rows(data: QueryDict, do: str) -> None:
    """A row of the rule more or less."""
    blanks = RuleBlanks(ruleblanks.submitted(data))
    blanks.change(do)
    _put(data, blanks.values, _is_of_rule)


def keep(found: Typed, form: AlignmentForm) -> None:
    """Keep the form's rule, or one of the usual ones, to compare."""
    if form.draft is None or len(found.kept) >= comparison.MOST_KEPT:
        return
    if found.do == "keep":
        found.kept.append(comparison.text_of(form.draft))
    elif found.do == "keep-preset":
        chosen = comparison.preset(found.data.get("preset", ""), form.draft, form.choices.outcomes)
        found.kept.append(comparison.text_of(chosen))


def _use(found: Typed, text: str) -> None:
    """The kept rule into the form's blanks, and what was there among the kept ones where it can be read."""
    try:
        definition = comparison.read_text(text, found.data.getlist("outcomes"))
    except FileErrors:
        return
    _fill(found.data, definition)


def _fill(data: QueryDict, definition: Definition) -> None:
    kind = ruleblanks.kind_name(definition.rule)
    others = {
        name: value for name, value in ruleblanks.submitted(data).items() if ruleblanks.kind_of(name) != kind
    }
    _put(data, others | ruleblanks.blanks_of(definition.rule), _is_of_rule)
    _put(data, calculationblanks.blanks_of(definition.calculation), calculationblanks.is_blank)
    data["rule"] = kind
    initial = initial_of(definition)
    for name in ("combine", "at_least", "otherwise", "round"):
        data[name] = str(initial[name])


def _is_of_rule(name: str) -> bool:
    return bool(ruleblanks.kind_of(name))


def _put(data: QueryDict, values: dict[str, str], is_blank: Callable[[str], bool]) -> None:
    """These blanks in the place of the ones of their sort there are."""
    for name in [name for name in data if is_blank(name)]:
        del data[name]
    data.update(values)
