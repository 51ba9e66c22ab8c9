"""Every rule through the form: the same alignment as from a file, and the class under it as a sync plans it."""

from __future__ import annotations

import json
import re
from collections import Counter
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from alignments.core.jsonfile import parse_definition
from alignments.models import Alignment
from tests.alignments.classroom import Classroom, classroom
from tests.alignments.examples import spaced
from tests.alignments.test_views_form import NEW, filled, homework, saved

pytestmark = pytest.mark.django_db(transaction=True)

RULE, CLASS = "/course/alignments/rule/", "/course/alignments/class/"
TABLE = {
    "rule": "table",
    "unit": "points",
    "level-0-at": "1",
    "level-0-credit": "55",
    "level-1-at": "2",
    "level-1-credit": "70",
    "level-2-at": "3",
    "level-2-credit": "85",
    "level-3-at": "4",
    "level-3-credit": "100",
}
CRITERIA = {
    "rule": "criteria",
    "grade-0-credit": "100",
    "grade-0-all": "mastery",
    "grade-0-mastered": "1",
    "grade-1-credit": "85",
    "grade-1-none": "percent",
    "grade-1-none_at": "50",
    "grade-1-average": "points",
    "grade-1-average_at": "2.5",
    "grade-2-credit": "12.5",
}
TABLE_JSON = {"kind": "table", "levels": [["1", "55%"], ["2", "70%"], ["3", "85%"], ["4", "100%"]]}
CRITERIA_JSON = {
    "kind": "criteria",
    "grades": [
        {"credit": "100%", "all_at_least": None, "mastered_at_least": 1},
        {"credit": "85%", "none_below": "50%", "average_at_least": "2.5"},
        {"credit": "12.5%"},
    ],
}
SAME = [
    ({"line": "percent", "at": "62.5", "below": "30"}, {"kind": "cutoff", "at": "62.5%", "below": "30%"}, {}),
    ({"rule": "proportional", "round": "4"}, {"kind": "proportional"}, {"round": 4}),
    (TABLE, TABLE_JSON, {}),
    (TABLE | {"interpolate": "on"}, TABLE_JSON | {"interpolate": True}, {}),
    (
        {"rule": "table", "unit": "percent", "level-0-at": "75", "level-0-credit": "100", "combine": "share"},
        {"kind": "table", "levels": [["75%", "100%"]]},
        {"combine": "share"},
    ),
    ({"rule": "scheme", "scheme": ""}, {"kind": "scheme"}, {}),
    (CRITERIA, CRITERIA_JSON, {}),
    (
        {"combine": "min", "at_least": "1", "otherwise": "zero"},
        {"kind": "cutoff"},
        {"combine": "min", "evidence": {"at_least": 1, "otherwise": "zero"}},
    ),
    (
        {"combine": "max", "otherwise": "clear", "overwrite": "all", "direction": "up"},
        {"kind": "cutoff"},
        {"combine": "max", "evidence": {"otherwise": "clear"}, "overwrite": "all", "direction": "up"},
    ),
]


def both(blanks: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The form for the two outcomes, with weights."""
    two = {"outcomes": ["601", "602"], "weight-601": "2", "weight-602": "0.5"}
    return filled(**(two | blanks | more))


def entry(rule: dict[str, Any], more: dict[str, Any], target: dict[str, Any]) -> dict[str, Any]:
    """The same as an entry of a file."""
    weighted = [{"id": "601", "weight": "2"}, {"id": "602", "weight": "0.5"}]
    return {"name": "1.1 Linear models", "outcomes": weighted, "rule": rule, "target": target, **more}


def class_table(page: str) -> dict[str, int]:
    """Grade and students as the page shows them."""
    found = re.findall(r'<th scope="row">([^<]*)</th><td class="num">(\d+)</td>', page)
    return {label: int(count) for label, count in found}


@pytest.mark.parametrize(("blanks", "rule", "more"), SAME)
def test_the_form_and_a_file_make_the_same_alignment(
    client: Client, blanks: dict[str, Any], rule: dict[str, Any], more: dict[str, Any]
) -> None:
    column = {"column": {"label": "Models", "points": "1"}}
    with classroom(client) as course:
        response = course.post(NEW, both(blanks))
        assert response.status_code == 302, response.content.decode()
        number = saved(course).id
        assert saved(course).definition == parse_definition(entry(rule, more, column))
        again = course.text(f"/course/alignments/{number}/")
        course.post(f"/course/alignments/{number}/", sent_back(again))
        assert saved(course).definition == parse_definition(entry(rule, more, column))


def sent_back(page: str) -> dict[str, list[str]]:
    """What a browser would send of the page's form, untouched."""
    form = page[
        page.index('id="alignment-fields"') : page.index("</form>", page.index('id="alignment-fields"'))
    ]
    found: dict[str, list[str]] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        given = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if given.get("type") in {"checkbox", "radio"} and not re.search(r"\schecked\b", tag):
            continue
        usual = "on" if given.get("type") in {"checkbox", "radio"} else ""
        found.setdefault(given["name"], []).append(given.get("value", usual))
    for tag, inside in re.findall(r"<select([^>]*)>(.*?)</select>", form, re.DOTALL):
        chosen = re.search(r'value="([^"]*)"[^>]*\sselected', inside) or re.search(r'value="([^"]*)"', inside)
        name = re.search(r'name="([^"]*)"', tag)
        assert name is not None and chosen is not None
        found[name[1]] = [chosen[1]]
    return found


def test_only_an_assignment_can_be_excused(client: Client) -> None:
    with classroom(client) as course:
        refused = course.post(NEW, both({"otherwise": "excuse"}))
        assert refused.status_code == 422
        assert "Nobody can be excused from a column of this tool" in refused.content.decode()
        number = str(homework(course).id)
        course.post(NEW, both({"otherwise": "excuse", "target": "assignment", "assignment": number}))
        want = entry({"kind": "cutoff"}, {"evidence": {"otherwise": "excuse"}}, {"assignment": number})
        assert saved(course).definition == parse_definition(want)


@pytest.mark.parametrize(
    ("blanks", "sentence"),
    [
        (TABLE | {"level-1-at": "1"}, "1 is here twice: give each level once."),
        (TABLE | {"level-1-credit": ""}, "Type a percentage, such as 85."),
        (TABLE | {"level-1-at": "0,5"}, "Use a point, not a comma."),
        (TABLE | {"level-1-credit": "1001"}, "Type a number from 0 to 1000."),
        (TABLE | {"combine": "share"}, "The share of mastered outcomes has no points: choose percent."),
        ({"line": "points", "at": "3", "combine": "share"}, "The share of mastered outcomes has no points"),
        (CRITERIA | {"grade-0-all": "", "grade-0-mastered": ""}, "the grades below it would never count"),
        (CRITERIA | {"grade-0-mastered": "3"}, "Type a whole number from 0 to 2, the outcomes chosen"),
        (CRITERIA | {"grade-1-none_at": ""}, "Type where the line is, such as 3 points or 75 percent."),
        (CRITERIA | {"grade-1-none": "stars"}, "Choose one of the list."),
        ({"rule": "scheme", "scheme": "31337"}, "That scheme is not in this course or its account."),
        ({"at_least": "3"}, "Type a whole number from 1 to 2, the outcomes chosen"),
        ({"at_least": "²"}, "Type a whole number from 1 to 2, the outcomes chosen"),
        ({"combine": "median"}, "Select a valid choice."),
        ({"otherwise": "perhaps"}, "Select a valid choice."),
    ],
)
def test_a_mistake_in_a_rule_is_told_beside_its_blank(
    client: Client, blanks: dict[str, Any], sentence: str
) -> None:
    with classroom(client) as course:
        response = course.post(NEW, both(blanks))
    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert not Alignment.objects.exists()


def test_another_kind_of_rule_brings_its_usual_blanks_and_loses_nothing(client: Client) -> None:
    with classroom(client) as course:
        page = course.post(RULE, filled(rule="table", credit="93", line="points", at="2.5")).content.decode()
        shown = dict(re.findall(r'name="(level-\d-(?:at|credit))" value="([^"]*)"', page))
        assert shown == {name: value for name, value in TABLE.items() if name.startswith("level")}
        assert '<input type="hidden" name="credit" value="93">' in page
        assert "Why 3 of 4 is not 75\N{NO-BREAK SPACE}%" in page
        assert "aria-invalid" not in page
        back = course.post(RULE, filled(**(TABLE | {"rule": "cutoff", "credit": "93"}))).content.decode()
        assert 'name="credit" value="93"' in back
        assert '<input type="hidden" name="level-3-credit" value="100">' in back
    assert not Alignment.objects.exists()


def test_rows_are_added_and_removed(client: Client) -> None:
    with classroom(client) as course:
        more = course.post(RULE, filled(**TABLE, do="add-level")).content.decode()
        assert 'name="level-4-at" value=""' in more
        less = course.post(RULE, filled(**TABLE, do="remove-level-0")).content.decode()
        assert dict(re.findall(r'name="(level-\d-at)" value="([^"]*)"', less)) == {
            "level-0-at": "2",
            "level-1-at": "3",
            "level-2-at": "4",
        }
        fewer = course.post(RULE, filled(**CRITERIA, do="remove-grade-1")).content.decode()
        assert 'name="grade-1-credit" value="12.5"' in fewer
        assert "grade-2-credit" not in fewer


def test_without_scripts_each_change_is_a_button_of_the_same_form(client: Client) -> None:
    with classroom(client) as course:
        page = course.post(NEW, filled(label="Kept", rule="table", do="kind")).content.decode()
        assert 'name="level-3-at" value="4"' in page
        assert 'value="Kept"' in page
        assert "field-errors" not in page
        page = course.post(NEW, filled(**TABLE, label="", do="add-level")).content.decode()
        assert 'name="level-4-at" value=""' in page
        assert "field-errors" not in page
        assert "error-summary" not in page
    assert not Alignment.objects.exists()


CLASSES = [
    {},
    TABLE,
    TABLE | {"interpolate": "on"},
    CRITERIA,
    {"rule": "proportional", "combine": "min", "otherwise": "zero"},
    {"rule": "scheme", "scheme": ""},
]


@pytest.mark.parametrize("blanks", CLASSES)
def test_the_class_on_the_page_is_what_a_sync_would_plan(client: Client, blanks: dict[str, Any]) -> None:
    with classroom(client) as course:
        number = str(homework(course).id)
        sent = both(blanks, target="assignment", assignment=number)
        shown = class_table(course.post(CLASS, sent).content.decode())
        assert course.post(NEW, sent).status_code == 302
        planned = Counter(cell["to"] for cell in dry_run(course) if cell["reason"] != "not_a_student")
    without = sum(count for label, count in shown.items() if label.startswith("Too little evidence"))
    assert {label.removesuffix(" of 10"): count for label, count in shown.items() if " of 10" in label} == {
        to: count for to, count in planned.items() if to is not None
    }
    assert without == planned[None]


def dry_run(course: Classroom) -> list[dict[str, Any]]:
    """The cells of `sync --dry-run --cells`."""
    out = StringIO()
    call_command(
        "sync", dry_run=True, cells=True, context=course.opened.context.context_id,
        client_id=course.opened.context.registration.client_id, stdout=out, **{"json": True},
    )  # fmt: skip
    cells: list[dict[str, Any]] = json.loads(out.getvalue())["cells"]
    return cells


def test_the_class_takes_one_reading_of_canvas(client: Client) -> None:
    with classroom(client) as course:
        course.post(CLASS, both(TABLE))
        before = Counter(call.path for call in course.world.calls.all("GET"))
        course.post(CLASS, both(TABLE))
        after = Counter(call.path for call in course.world.calls.all("GET"))
    paths = [path for path in (after - before) if path.endswith("outcome_rollups")]
    assert sum((after - before)[path] for path in paths) <= 1
    assert all(count == 1 for count in (after - before).values())


def test_examples_are_without_names_until_they_are_asked_for(client: Client) -> None:
    with classroom(client) as course:
        names = [user.sortable_name for user in course.world.users.values() if user.id >= 1000]
        hidden = course.post(CLASS, filled()).content.decode()
        assert re.search(r"Student \d: \d", hidden)
        assert not any(name in hidden for name in names)
        shown = course.post(CLASS, filled(do="show-names")).content.decode()
        assert any(name in shown for name in names)
        again = course.post(CLASS, filled(names="on", do="hide-names")).content.decode()
        assert not any(name in again for name in names)


def test_hidden_wins_over_names_that_the_form_shows_and_keeps_what_is_typed(client: Client) -> None:
    with classroom(client) as course:
        names = [user.sortable_name for user in course.world.users.values() if user.id >= 1000]
        page = course.text("/course/alignments/new/", outcome="601")
        assert 'hx-vals=\'{"in_place": "yes"}\'' in page and "names-switched from:body" in page
        answer = course.post("/lti/names", {"hide": "yes", "in_place": "yes", "back": "/course/"})
        assert answer["HX-Trigger-After-Swap"] == "names-switched"
        assert 'aria-pressed="true"' in answer.content.decode() and "<main" not in answer.content.decode()
        for sent in (filled(names="on"), filled(do="show-names"), filled(names="on", do="keep")):
            hidden = course.post(CLASS, sent).content.decode()
            assert "Names are hidden for this visit" in hidden and 'name="names"' not in hidden
            assert re.search(r"Student \d+: \d", hidden) and not any(name in hidden for name in names)


def test_without_scripts_the_switch_for_names_is_a_button_of_the_form_and_keeps_what_is_typed(
    client: Client,
) -> None:
    with classroom(client) as course:
        page = course.text("/course/alignments/new/", outcome="601")
        assert (
            '<button class="button-link" name="do" value="names-hide" aria-pressed="false">Hide names' in page
        )
        # Enter presses the first button of a form.
        first = re.findall(r"<button[^>]*>([^<]+)</button>", page[page.index('id="alignment-fields"') :])[0]
        assert first == "Save alignment"
        typed = filled(label="Typed before hiding", credit="9x", names="on")
        for do, word in (("names-hide", "names-show"), ("names-show", "names-hide")):
            answer = course.post("/course/alignments/new/", typed | {"do": do})
            text = answer.content.decode()
            assert (
                answer.status_code == 200 and 'value="Typed before hiding"' in text and 'value="9x"' in text
            )
            assert f'value="{word}"' in text and "Not saved yet" not in text
            shown = course.post(CLASS, filled(names="on")).content.decode()
            assert ("Names are hidden for this visit" in shown) == (do == "names-hide")
        assert not Alignment.objects.exists()


def test_rules_stand_side_by_side_and_one_is_taken_over(client: Client) -> None:
    with classroom(client) as course:
        first = course.post(CLASS, filled(do="keep")).content.decode()
        kept = kept_in(first)
        second = course.post(CLASS, filled(rule="proportional", kept=kept, do="keep-preset", preset="table"))
        kept = kept_in(second.content.decode())
        assert [json.loads(one)["rule"]["kind"] for one in kept] == ["cutoff", "table"]
        page = second.content.decode()
        assert columns_of(page) == ["Now", "2", "3"]
        used = course.post(RULE, filled(rule="proportional", kept=kept, do="use-1")).content.decode()
        assert '<option value="table" selected>' in used
        assert 'name="level-3-credit" value="100"' in used
        assert len(kept_in(used)) == 1
        dropped = course.post(CLASS, filled(kept=kept, do="drop-0")).content.decode()
        assert [json.loads(one)["rule"]["kind"] for one in kept_in(dropped)] == ["table"]
    assert not Alignment.objects.exists()


def columns_of(page: str) -> list[str]:
    """How the rules side by side are headed."""
    found = re.findall(r'<th scope="col" class="num">(?:<span[^>]*>Rule </span>)?(\w+)</th>', page)
    return [one for one in found if one != "Students"]


def kept_in(page: str) -> list[str]:
    return [text.replace("&quot;", '"') for text in re.findall(r'name="kept" value="([^"]*)"', page)]


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"rule": {"kind": "table"}}', "9" * 9000, '{"rule": 1, "x": NaN}']
)
def test_a_kept_rule_that_is_none_does_no_harm(client: Client, text: str) -> None:
    with classroom(client) as course:
        for do in ("", "keep", "use-0", "drop-0", "use-9"):
            assert course.post(CLASS, filled(kept=[text], do=do)).status_code == 200


def test_a_course_that_chose_no_scheme_uses_its_schools_default(client: Client) -> None:
    """Canvas tells it with the course, unless the key does not allow includes: then the form says what it assumes."""
    with classroom(client, scenario="account-scales") as course:
        next(iter(course.world.courses.values())).grading_standard_id = None
        next(iter(course.world.accounts.values())).grading_standard_id = 71
        page = course.post(RULE, filled(rule="scheme", scheme="")).content.decode()
        assert "Letters of School letters" in page and "this Canvas does not tell" not in page
        for key in course.world.keys.values():
            key.allow_includes = False
        page = course.post(RULE, filled(rule="scheme", scheme="")).content.decode()
        assert "Letters of Default Canvas Grading Scheme" in page and "this Canvas does not tell" in page


def test_a_scheme_of_the_school_is_offered_with_what_its_letters_are_worth(client: Client) -> None:
    with classroom(client, scenario="account-scales") as course:
        page = spaced(course.post(RULE, filled(rule="scheme", scheme="71")).content.decode())
        assert "School letters (your school)" in page
        assert re.search(r'<th scope="row">B</th><td class="num">80 %</td><td class="num">89 %</td>', page)
        course.post(NEW, filled(rule="scheme", scheme="71"))
        want = {"kind": "scheme", "grading_standard_id": "71"}
        assert saved(course).definition.rule == parse_definition(entry(want, {}, {"assignment": "1"})).rule


def test_the_rule_of_another_courses_alignment_is_not_found(client: Client) -> None:
    with classroom(client) as course:
        for address in (RULE, CLASS):
            assert course.post(address, filled(alignment="987654")).status_code == 404
            assert course.post(address, filled(alignment="9" * 30)).status_code == 200


@pytest.mark.parametrize("role", ["student", "observer", "designer"])
@pytest.mark.parametrize("address", [RULE, CLASS, "/course/schemes/"])
def test_others_see_nothing_of_the_class(client: Client, role: str, address: str) -> None:
    with classroom(client, role=role, connected=False) as course:
        assert course.post(address, filled()).status_code == 403
