"""Templates as values: JSON there and back, faults named, and matching that never guesses."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignments.core import jsonfile, templatejson
from alignments.core.definition import AssignmentTarget, Calculation, ColumnTarget, Definition, Scheme
from alignments.core.jsonfile import FileErrors, target_key
from alignments.core.templatemaking import CannotName, Course, entry_of
from alignments.core.templatematch import Chosen, EntryMatch, Here, build, folded, match, match_entries
from alignments.core.templates import Named, Template, TemplateEntry
from canvas.values import Assignment, GradingScheme, Outcome
from tests.alignments.examples import definition
from tests.alignments.strategies import definitions


def course_of(*made: Definition) -> Course:
    """A course that has everything the alignments name, each under a title of its own."""
    outcomes = {
        key: Outcome(key, f"Skill {key}", Decimal(4), Decimal(3)) for one in made for key in one.outcome_ids
    }
    used = {key for one in made if one.calculation for key in one.calculation.ignore_assignments}
    used |= {one.target.assignment_id for one in made if isinstance(one.target, AssignmentTarget)}
    schemes = {one.rule.grading_standard_id for one in made if isinstance(one.rule, Scheme)} - {None}
    return Course(
        outcomes,
        {key: Assignment(key, f"Work {key}", Decimal(10)) for key in used},
        {str(key): GradingScheme(str(key), f"Scheme {key}", ()) for key in schemes},
    )


def here_of(course: Course, ids: str = "") -> Here:
    """The same course, or one that numbers everything differently (`ids` before each number)."""
    works = [Named(one.name, ids + one.id) for one in course.assignments.values()]
    return Here(
        [Named(one.title, ids + one.id, one.vendor_guid) for one in course.outcomes.values()],
        works,
        works,
        [Named(one.title, ids + one.id) for one in course.schemes.values()],
        {},
    )


def usual(found: EntryMatch) -> Definition:
    """What an entry becomes where nobody changes a choice."""
    scheme = found.scheme.found if found.scheme else None
    ignored = tuple(one.found for one in found.ignored)
    outcomes = tuple(one.found for one in found.outcomes)
    return build(found.entry, Chosen(outcomes, found.places[0].target, scheme, ignored))


def taken(made: Definition, ids: str) -> Definition:
    """The alignment as the course with other numbers has it."""
    more: dict[str, Any] = {
        "outcomes": tuple(replace(one, outcome_id=ids + one.outcome_id) for one in made.outcomes)
    }
    if isinstance(made.target, AssignmentTarget):
        more["target"] = AssignmentTarget(ids + made.target.assignment_id)
    if isinstance(made.rule, Scheme) and made.rule.grading_standard_id:
        more["rule"] = Scheme(ids + made.rule.grading_standard_id)
    if made.calculation:
        ignored = tuple(ids + one for one in made.calculation.ignore_assignments)
        reasons = tuple((ids + one, reason) for one, reason in made.calculation.ignore_reasons)
        more["calculation"] = replace(made.calculation, ignore_assignments=ignored, ignore_reasons=reasons)
    return replace(made, sections=(), **more)


def same(one: Definition, other: Definition) -> bool:
    """Equal, but for a name that was empty and has become the outcome's title, and spaces around labels."""
    stripped = [replace(each, name="") for each in (one, other)]
    return stripped[0] == stripped[1]


@given(definitions(), st.sampled_from(["", "9"]))
def test_in_a_course_with_the_same_titles_a_template_makes_the_same_alignment(
    made: Definition, ids: str
) -> None:
    course = course_of(made)
    template = Template("T", (entry_of(made, course, omit_from_final_grade=False),))
    read = templatejson.parse_template(json.dumps(templatejson.to_json(template, with_ids=False)).encode())
    [found] = match_entries(read.entries, here_of(course, ids))
    assert same(usual(found), taken(made, ids))


@given(definitions())
def test_with_ids_it_is_the_same_whatever_became_of_the_titles(made: Definition) -> None:
    course = course_of(made)
    entry = entry_of(made, course, omit_from_final_grade=False)
    kept = templatejson.to_json(Template("T", (entry,)), with_ids=True)
    [again] = templatejson.read_template(json.loads(json.dumps(kept)), with_ids=True).entries
    assert again == entry
    renamed = Here(*([replace(one, title="Other") for one in many] for many in
                     (here_of(course).outcomes, here_of(course).targets, here_of(course).assignments,
                      here_of(course).schemes or [])), {})  # fmt: skip
    [found] = match_entries([again], renamed)
    assert found.is_complete and same(usual(found), replace(made, sections=()))


@given(definitions())
def test_a_file_holds_none_of_canvas_ids(made: Definition) -> None:
    course = course_of(made)
    entry = entry_of(made, course, omit_from_final_grade=True)
    written = templatejson.to_json(Template("T", (entry,)), with_ids=False)
    assert '"id"' not in json.dumps(written) and "grading_standard_id" not in json.dumps(written)


names = st.sampled_from(["A", "a", " A ", "B", "Ä", "A\u0308"])
known = st.lists(st.builds(Named, names, st.sampled_from("12345"), st.sampled_from(["", "g", "h"])),
                 unique_by=lambda one: one.id)  # fmt: skip


@given(
    st.builds(Named, names, st.sampled_from(["", "1", "9"]), st.sampled_from(["", "g"])), known, st.randoms()
)
def test_matching_never_guesses(wanted: Named, listed: list[Named], order: Any) -> None:
    found = match(wanted, listed)
    by_id = {one.id: one for one in listed}
    shuffled = list(listed)
    order.shuffle(shuffled)
    again = match(wanted, shuffled)
    assert (again.how, set(again.ids)) == (found.how, set(found.ids))
    if found.how == "identity":
        here = by_id[found.found]
        assert here.id == wanted.id or here.guid == wanted.guid != ""
    if found.how == "title":
        assert folded(by_id[found.found].title) == folded(wanted.title)
    if found.how == "none":
        assert not any(folded(one.title) == folded(wanted.title) for one in listed)
    assert (len(found.ids) > 1) == (found.how == "several")


@pytest.mark.parametrize(
    ("wanted", "how", "ids"),
    [
        (Named("Other", id="2"), "identity", ("2",)),
        (Named("Other", guid="g"), "identity", ("3",)),
        (Named("Slope", guid="new"), "title", ("2",)),
        (Named("slope"), "several", ("2", "4")),
        (Named("LINES "), "title", ("1",)),
        (Named("Reasoning"), "none", ()),
    ],
)
def test_identity_before_title_and_exact_before_alike(wanted: Named, how: str, ids: tuple[str, ...]) -> None:
    course = [Named("Lines", "1"), Named("Slope", "2"), Named("Tables", "3", "g"), Named("SLOPE", "4")]
    found = match(wanted, course)
    assert (found.how, found.ids) == (how, ids)


def entry(**more: Any) -> dict[str, Any]:
    return {
        "outcomes": [{"title": "Lines"}],
        "rule": {"kind": "cutoff"},
        "target": {"column": {"label": "Lines", "points": "1"}},
        **more,
    }


def read(*entries: dict[str, Any], **more: Any) -> Template:
    whole = {"version": 1, "template": "T", "alignments": list(entries)} | more
    return templatejson.parse_template(json.dumps(whole).encode())


def one_entry(**more: Any) -> TemplateEntry:
    return read(entry(**more)).entries[0]


WORK = {"target": {"assignment": {"name": "Quiz", "points": "20"}}}
COURSE = Here([Named("Lines", "5")], [Named("Quiz", "7"), Named("Essay", "8")], [], [], {})


def places(made: TemplateEntry, here: Here) -> tuple[str, list[str]]:
    [found] = match_entries([made], here)
    return found.target, [one.value for one in found.places]


def test_an_assignment_that_is_there_else_a_column_of_its_name_and_points() -> None:
    assert places(one_entry(**WORK), COURSE) == ("title", ["assignment-7", "column"])
    [found] = match_entries([one_entry(**WORK)], replace(COURSE, targets=[Named("Essay", "8")]))
    assert found.target == "none" and found.places[0].target == ColumnTarget("Quiz", Decimal(20))
    assert [one.value for one in found.places] == ["column", "assignment-8"]


def test_a_target_in_use_is_never_taken_unasked() -> None:
    fed = {target_key(AssignmentTarget("7")): "3", target_key(ColumnTarget("Lines", Decimal(1))): "4"}
    here = replace(COURSE, fed=fed)
    assert places(one_entry(**WORK), here) == ("in use", ["column", "replace-3"])
    [found] = match_entries([one_entry()], here)
    assert found.places[0].target == ColumnTarget("Lines (2)", Decimal(1)) and not found.is_complete


def test_new_columns_never_share_a_label() -> None:
    quiz = {"target": {"column": {"label": "Quiz", "points": "1"}}}
    template = read(entry(**WORK), entry(**quiz))
    found = match_entries(template.entries, replace(COURSE, targets=[]))
    assert [one.places[0].target.label for one in found if isinstance(one.places[0].target, ColumnTarget)] == [
        "Quiz (2)", "Quiz"
    ]  # fmt: skip


def test_two_assignments_of_one_name_must_be_chosen_from() -> None:
    here = replace(COURSE, targets=[Named("Quiz", "7"), Named("Quiz", "9")])
    assert places(one_entry(**WORK), here) == ("several", ["assignment-7", "assignment-9", "column"])


def test_two_outcomes_of_an_entry_that_are_one_here_are_not_complete() -> None:
    two = one_entry(outcomes=[{"title": "Lines"}, {"title": "LINES"}])
    [found] = match_entries([two], COURSE)
    assert not found.is_complete


def test_excusing_becomes_leaving_where_the_target_becomes_a_column() -> None:
    made = one_entry(evidence={"at_least": 1, "otherwise": "excuse"}, **WORK)
    column = build(made, Chosen(("5",), ColumnTarget("Quiz", Decimal(1))))
    kept = build(made, Chosen(("5",), AssignmentTarget("7")))
    assert (column.evidence.otherwise, kept.evidence.otherwise) == ("leave", "excuse")
    jsonfile.parse_definition(jsonfile.to_json(column))


def test_ignored_assignments_of_this_course_take_their_places_with_their_reasons() -> None:
    ignored = [{"name": "Old quiz", "reason": "fire drill"}, {"name": "Essay"}]
    made = one_entry(calculation={"method": "highest", "ignore_assignments": ignored})
    built = build(made, Chosen(("5",), made.shape.target, None, ("", "8")))
    again = build(made, Chosen(("5",), made.shape.target, None, ("7", "7")))
    assert built.calculation == Calculation("highest", ignore_assignments=("8",))
    assert again.calculation is not None and again.calculation.ignore_reasons == (("7", "fire drill"),)


def test_what_is_gone_from_the_course_cannot_be_named() -> None:
    made = definition({"kind": "cutoff"})
    course = course_of(made)
    with pytest.raises(CannotName, match="Outcome 1 is no longer in this course"):
        entry_of(made, replace(course, outcomes={}), omit_from_final_grade=False)
    with pytest.raises(CannotName, match="Assignment 9 is no longer in this course"):
        entry_of(made, replace(course, assignments={}), omit_from_final_grade=False)


def test_exceptions_are_counted_not_kept() -> None:
    made = definition({"kind": "cutoff"}, sections=[{"section": "7", "not_assessed": True}])
    kept = entry_of(made, course_of(made), omit_from_final_grade=False)
    assert (kept.sections_left_out, kept.shape.sections) == (1, ())
    written = templatejson.to_json(Template("T", (kept,)), with_ids=False)
    assert templatejson.parse_template(json.dumps(written).encode()).entries[0].sections_left_out == 1


E = "alignments[0]: "


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"outcomes": []}, E + "outcomes: is empty: it needs at least one entry."),
        ({"outcomes": [{"id": "5"}]}, E + "outcomes[0].title: is missing: add it."),
        ({"outcomes": [{"title": " "}]}, E + "outcomes[0].title: is blank: write a name."),
        ({"outcomes": [{"title": "A", "weight": "0"}]}, E + "outcomes[0].weight: must be more than 0."),
        ({"outcomes": [{"title": "A", "scale": {"top": 4}}]}, E + "outcomes[0].scale.top: is not known here"),
        ({"outcomes": [{"title": "A", "guid": 7}]}, E + "outcomes[0].guid: must be text in quotes, not 7."),
        ({"sections": []}, E + "sections: is not known here: remove it"),
        ({"id": 7}, E + "id: is not known here: remove it"),
        ({"rule": {"kind": "cutof"}}, E + 'rule.kind: "cutof" is not a kind of rule'),
        ({"rule": {"kind": "cutoff", "at": "1,5"}}, E + 'rule.at: "1,5" is not a number'),
        ({"rule": {"kind": "scheme", "grading_standard_id": "7"}}, E + "rule.grading_standard_id: is not known"),
        ({"rule": {"kind": "scheme", "scheme": {}}}, E + "rule.scheme.title: is missing: add it."),
        ({"target": {"assignment": "7"}}, E + 'target.assignment: must be an object in { }, not "7".'),
        ({"target": {}}, E + 'target: must have either "column" or "assignment".'),
        ({"target": {"column": {"label": "A", "omit_from_final_grade": 1}}},
         E + "target.column.omit_from_final_grade: must be true or false, not 1."),
        ({"calculation": {"method": "highest", "ignore_assignments": ["7"]}},
         E + 'calculation.ignore_assignments[0]: must be an object in { }, not "7".'),
        ({"round": 7}, E + "round: 7 is out of range: use 0 to 4."),
        ({"sections_left_out": -1}, E + "sections_left_out: -1 is"),
    ],
)  # fmt: skip
def test_every_fault_names_entry_and_field(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(FileErrors) as caught:
        read(entry(**wrong))
    assert message in "\n".join(caught.value.lines)


def test_all_faults_at_once_each_once() -> None:
    with pytest.raises(FileErrors) as caught:
        read({"outcomes": [{}], "round": 9}, version=2, template="")
    assert [line.split(" ")[0] + " " + line.split(" ")[1] for line in caught.value.lines] == [
        "version: 2", "template: is", "alignments[0]: rule:", "alignments[0]: target:",
        "alignments[0]: outcomes[0].title:", "alignments[0]: round:",
    ]  # fmt: skip


def test_a_column_is_fed_once() -> None:
    with pytest.raises(FileErrors, match='the column "Lines" is already the target of alignments\\[0\\]'):
        read(entry(), entry())


def test_what_has_one_title_leaves_as_a_file_and_comes_back() -> None:
    made = definition({"kind": "cutoff"}, {"1": "1", "2": "3"})
    course = course_of(made)
    twins = {key: replace(one, title="Twin") for key, one in course.outcomes.items()}
    entries = (entry_of(made, replace(course, outcomes=twins), omit_from_final_grade=False),) * 2
    written = templatejson.to_json(Template("T", entries), with_ids=False)
    [again, _] = templatejson.parse_template(json.dumps(written).encode()).entries
    [found] = match_entries([again], replace(COURSE, outcomes=[Named("Twin", "7"), Named("Twin", "8")]))
    assert [one.how for one in found.outcomes] == ["several", "several"]


def test_a_file_has_as_many_entries_as_a_person_looks_through() -> None:
    many = [entry(target={"column": {"label": f"C{number}", "points": "1"}}) for number in range(501)]
    assert len(read(*many[:500]).entries) == 500
    with pytest.raises(FileErrors, match="alignments: has 501 entries: use at most 500."):
        read(*many)


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b"\xff", b'{"version": 1, "alignments": []}'])
def test_what_is_no_template_is_refused(data: bytes) -> None:
    with pytest.raises(FileErrors):
        templatejson.parse_template(data)


def test_the_file_of_the_docs_is_read_and_written_again() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs/templates.md").read_text()
    example = text.split("```json\n")[1].split("```")[0]
    template = templatejson.parse_template(example.encode())
    written = templatejson.to_json(template, with_ids=False)
    [shown], [full] = json.loads(example)["alignments"], json.loads(json.dumps(written))["alignments"]
    assert {key: full[key] for key in shown if key != "calculation"} == {
        key: value for key, value in shown.items() if key != "calculation"
    }
    assert full["calculation"]["ignore_assignments"] == shown["calculation"]["ignore_assignments"]
