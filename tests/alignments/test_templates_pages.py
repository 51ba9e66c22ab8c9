"""Templates through the front door: saved in one course, reviewed and applied in the next one and at another school."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from alignments import services, template_services
from alignments.core import templatejson
from alignments.models import Template
from sandbox import records as r
from tests.alignments.classroom import TEACHER, Classroom, classroom
from tests.alignments.examples import definition
from tests.people import launch_as

pytestmark = pytest.mark.django_db(transaction=True)

TEMPLATES = "/course/templates/"
TITLES = ("1.1 Linear models", "1.2 Systems of equations", "1.3 Communicates reasoning")


def next_term(course: Classroom, *titles: str) -> Classroom:
    """Another course of the same school with outcomes of its own, its teacher's visit in it."""
    world = course.world
    with world.lock:
        made = world.add_course("Algebra I, next term")
        section = world.add_section(made.id, "Section A")
        world.enroll(world.users[TEACHER], section, r.TEACHER)
        for title in titles:
            old = next((one for one in world.outcomes.values() if one.title == title), None)
            new = replace(
                old or next(iter(world.outcomes.values())),
                id=world.new_id(), title=title, context_id=made.id, vendor_guid=None,
            )  # fmt: skip
            world.outcomes[new.id] = new
            link = r.OutcomeLink(world.new_id(), made.id, world.root_group(made.id).id, new.id)
            world.outcome_links[link.id] = link
    client = Client()
    opened = launch_as(client, "teacher", course.opened.platform, context=f"c{made.id}", user=f"u{TEACHER}")
    return replace(course, client=client, opened=opened)


def number_of(course: Classroom, title: str) -> str:
    """The course's assignment of this name."""
    [found] = [one for one in course.world.assignments.values() if one.name == title]
    return str(found.id)


def aligned(course: Classroom, *definitions: Any) -> None:
    services.import_alignments(course.opened.context, definitions, replace=True)


def usual(course: Classroom) -> None:
    """An assignment, a column and an alignment of two outcomes."""
    column = {"column": {"label": "Reasoning", "points": "2"}}
    aligned(
        course,
        definition({"kind": "cutoff"}, {"601": "1"}, name="Lines",
                   target={"assignment": number_of(course, TITLES[0])}),
        definition({"kind": "proportional"}, {"603": "1"}, name="Reasoning", target=column),
        definition({"kind": "cutoff", "at": "75%"}, {"601": "1", "602": "2"}, name="Both",
                   target={"column": {"label": "Both", "points": "5"}}),
    )  # fmt: skip


def saved(course: Classroom, name: str = "Algebra") -> Template:
    answer = course.post(f"{TEMPLATES}save/", {"name": name})
    assert answer.status_code == 302, answer.content.decode()
    return Template.objects.get(name=name)


def form(page: str, *ticked: int, **more: str) -> dict[str, Any]:
    """The review's form as a browser would send it."""
    kept = dict(re.findall(r'name="(content)" value="([^"]*)"', page))
    for name, body in re.findall(r'<select[^>]*name="([^"]*)">(.*?)</select>', page, re.DOTALL):
        options = re.findall(r'value="([^"]*)"( selected)?', body)
        kept[name] = next((value for value, chosen in options if chosen), options[0][0])
    return {**kept, **more, "entry": [str(one) for one in ticked]}


def ticks(page: str) -> list[str]:
    return re.findall(r'name="entry" value="(\d+)" checked', page)


def definitions(course: Classroom) -> list[Any]:
    return [one.definition for one in services.stored(course.opened.context)]


def test_a_course_goes_into_the_next_one(client: Client) -> None:
    with classroom(client) as course:
        usual(course)
        template = saved(course)
        later = next_term(course, *TITLES)
        assert "Algebra" in later.text(TEMPLATES)
        page = later.text(f"{TEMPLATES}{template.pk}/")
        assert ticks(page) == ["0", "1", "2"]
        assert "same title" in page and "not in this course" in page
        answer = later.post(f"{TEMPLATES}{template.pk}/", form(page, 0, 1, 2))
        assert answer["Location"] == "/course/?done=template"
        names = {str(one.id): one.title for one in later.world.outcomes.values()}
        made = definitions(later)
    assert [[names[key] for key in one.outcome_ids] for one in made] == [
        [TITLES[0]], [TITLES[2]], [TITLES[0], TITLES[1]]
    ]  # fmt: skip
    assert [one.target.label for one in made] == [TITLES[0], "Reasoning", "Both"]
    assert [str(one.weight) for one in made[2].outcomes] == ["1", "2"]


def test_the_same_course_again_finds_everything_by_identity_and_takes_nothing_unasked(client: Client) -> None:
    with classroom(client) as course:
        usual(course)
        template = saved(course)
        page = course.text(f"{TEMPLATES}{template.pk}/")
        assert ticks(page) == [] and "same outcome" in page and "in use" in page
        assert "takes the same outcome already" not in course.text(TEMPLATES)
        assert "New column “Reasoning (2)”, 2 points" in page
        assert "In the place of “Lines”, whose rule becomes this one" in page
        aligned(course)
        assert ticks(course.text(f"{TEMPLATES}{template.pk}/")) == ["0", "1", "2"]


def test_an_outcome_that_is_renamed_is_still_the_same(client: Client) -> None:
    with classroom(client) as course:
        usual(course)
        template = saved(course)
        aligned(course)
        course.world.outcomes[601].title = "1.1 Lines and slopes"
        page = course.text(f"{TEMPLATES}{template.pk}/")
    assert "Here it is called “1.1 Lines and slopes”." in page and ticks(page) == ["0", "1", "2"]


def test_a_copied_outcome_is_found_by_its_guid(client: Client) -> None:
    with classroom(client) as course:
        course.world.outcomes[601].vendor_guid = "state:A.1"
        usual(course)
        template = saved(course)
        later = next_term(course, "Lines, new wording", *TITLES[1:])
        copied = next(one for one in later.world.outcomes.values() if one.title == "Lines, new wording")
        copied.vendor_guid = "state:A.1"
        assert ticks(later.text(f"{TEMPLATES}{template.pk}/")) == ["0", "1", "2"]


def test_what_is_missing_or_double_waits_for_a_choice(client: Client) -> None:
    with classroom(client) as course:
        usual(course)
        template = saved(course)
        later = next_term(course, "Something else", TITLES[2], TITLES[2])
        address = f"{TEMPLATES}{template.pk}/"
        page = later.text(address)
        assert ticks(page) == [] and "2 with this title" in page and "Choose…" in page
        refused = later.post(address, form(page, 0, 1))
        assert refused.status_code == 422
        assert "Choose what is open here, or take the tick away." in refused.content.decode()
        assert definitions(later) == []
        other = next(str(key) for key, one in later.world.outcomes.items() if one.title == "Something else")
        assert later.post(address, form(page, 0, **{"outcome-0-0": other})).status_code == 302
        [made] = definitions(later)
    assert made.outcome_ids == (other,)


def test_two_entries_for_one_assignment_are_not_both_ticked(client: Client) -> None:
    with classroom(client) as course:
        target = {"assignment": {"name": TITLES[0], "points": "1"}}
        entries = [
            {"name": title, "outcomes": [{"title": title}], "rule": {"kind": "cutoff"}, "target": target}
            for title in TITLES[:2]
        ]
        entries.append(entries[0] | {"name": "Twice", "outcomes": [{"title": TITLES[2]}] * 2,
                                     "target": {"column": {"label": "Twice", "points": "1"}}})  # fmt: skip
        whole = {"version": 1, "template": "T", "alignments": entries}
        upload = SimpleUploadedFile("t.json", json.dumps(whole).encode())
        assert course.post(f"{TEMPLATES}import/", {"file": upload}).status_code == 302
        address = f"{TEMPLATES}{Template.objects.get().pk}/"
        page = course.text(address)
        assert ticks(page) == ["0"] and "has the same target." in page
        assert "Two of its outcomes are one and the same here" in page
        for wrong in ((0, 1), (0, 2)):
            answer = course.post(address, form(page, *wrong))
            assert answer.status_code == 422 and definitions(course) == []


def test_a_choice_that_is_not_offered_is_no_choice(client: Client) -> None:
    with classroom(client) as course:
        usual(course)
        template = saved(course)
        later = next_term(course, *TITLES)
        address = f"{TEMPLATES}{template.pk}/"
        page = later.text(address)
        for more in ({"target-0": f"assignment-{number_of(course, TITLES[0])}"}, {"target-1": "replace-1"},
                     {"target-0": ""}):  # fmt: skip
            assert later.post(address, form(page, 0, 1, **more)).status_code == 422
        assert later.post(address, form(page)).status_code == 422
        assert definitions(later) == []


def test_a_rule_takes_another_ones_place_and_its_exceptions_stay(client: Client) -> None:
    with classroom(client) as course:
        usual(course)
        template = saved(course)
        section = [{"section": "701", "not_assessed": True}]
        target = {"column": {"label": "Reasoning", "points": "1"}}
        old = definition({"kind": "cutoff"}, {"602": "1"}, name="Old", target=target, sections=section)
        aligned(course, old)
        [before] = services.stored(course.opened.context)
        page = course.text(f"{TEMPLATES}{template.pk}/")
        sent = form(page, 1, **{"target-1": f"replace-{before.id}"})
        assert course.post(f"{TEMPLATES}{template.pk}/", sent).status_code == 302
        [after] = services.stored(course.opened.context)
    assert (after.id, after.name, after.definition.outcome_ids) == (before.id, "Reasoning", ("603",))
    assert after.definition.sections == old.sections


def test_exceptions_stay_behind_and_both_pages_say_so(client: Client) -> None:
    with classroom(client) as course:
        section = [{"section": "701", "rule": {"kind": "proportional"}}]
        aligned(course, definition({"kind": "cutoff"}, {"601": "1"}, name="Lines", sections=section,
                                   target={"column": {"label": "Lines", "points": "1"}}))  # fmt: skip
        assert "Exceptions stay in this course" in course.text(f"{TEMPLATES}save/")
        template = saved(course)
        assert "701" not in str(template.body)
        page = course.text(f"{TEMPLATES}{template.pk}/")
    assert "Its exceptions for 1 section of the course it comes from do not come along." in page


def test_a_scale_that_is_another_one_here_is_said_and_stops_a_rule_in_points(client: Client) -> None:
    with classroom(client) as course:
        rule = {"kind": "cutoff", "at": "2.5"}
        for number, at in ((601, rule), (602, {"kind": "cutoff", "at": "75%"})):
            more = definition(at, {str(number): "1"}, name=str(number),
                              target={"column": {"label": str(number), "points": "1"}})  # fmt: skip
            services.import_alignments(course.opened.context, [more], replace=False)
        template = saved(course)
        later = next_term(course, *TITLES)
        for one in later.world.outcomes.values():
            if one.id > 700:
                one.points_possible = Decimal(5)
        page = later.text(f"{TEMPLATES}{template.pk}/")
    assert (
        "goes from 0 to 5 here, and went to 4 where the template was made. The rule asks for points" in page
    )
    assert ticks(page) == ["1"]


def test_schemes_and_ignored_work_are_found_or_said(client: Client) -> None:
    with classroom(client) as course:
        quiz = number_of(course, "Project 1")
        calculation = {"method": "highest", "ignore_assignments": [{"id": quiz, "reason": "fire drill"}]}
        aligned(
            course,
            definition({"kind": "scheme", "grading_standard_id": "31337"}, {"601": "1"}, name="Letters",
                       target={"column": {"label": "Letters", "points": "1"}}),
            definition({"kind": "cutoff"}, {"602": "1"}, name="Own", calculation=calculation,
                       target={"column": {"label": "Own", "points": "1"}}),
        )  # fmt: skip
        template = saved(course)
        later = next_term(course, *TITLES)
        page = later.text(f"{TEMPLATES}{template.pk}/")
        assert "Scheme 31337" in page and "The one Canvas uses for the target counts instead." in page
        assert "None is ignored instead." in page
        assert later.post(f"{TEMPLATES}{template.pk}/", form(page, 0, 1)).status_code == 302
        letters, own = definitions(later)
    assert letters.rule.grading_standard_id is None
    assert own.calculation.ignore_assignments == ()


def test_an_alignment_that_cannot_be_named_is_listed_not_dropped(client: Client) -> None:
    with classroom(client) as course:
        usual(course)
        dead = definition({"kind": "cutoff"}, {"31337": "1"}, name="Dead",
                          target={"column": {"label": "Dead", "points": "1"}})  # fmt: skip
        services.import_alignments(course.opened.context, [dead], replace=False)
        page = course.text(f"{TEMPLATES}save/")
    assert "1 alignment cannot be saved" in page
    assert "Dead: Outcome 31337 is no longer in this course." in page


def test_a_name_is_used_once_and_only_the_own_template_is_replaced(client: Client) -> None:
    with classroom(client) as course:
        usual(course)
        saved(course)
        again = course.post(f"{TEMPLATES}save/", {"name": " Algebra "})
        assert again.status_code == 422 and 'name="instead"' in again.content.decode()
        later = next_term(course, *TITLES)
        aligned(later, definition({"kind": "cutoff"}, {str(max(later.world.outcomes)): "1"},
                                  target={"column": {"label": "A", "points": "1"}}))  # fmt: skip
        theirs = later.post(f"{TEMPLATES}save/", {"name": "Algebra", "instead": "on"})
        assert theirs.status_code == 422 and 'name="instead"' not in theirs.content.decode()
        aligned(course, *definitions(course)[:1])
        assert course.post(f"{TEMPLATES}save/", {"name": "Algebra", "instead": "on"}).status_code == 302
        assert course.post(f"{TEMPLATES}save/", {"name": " "}).status_code == 422
    [template] = Template.objects.all()
    assert len(template.body["alignments"]) == 1


def test_a_template_that_changed_since_it_was_looked_at_is_looked_at_again(client: Client) -> None:
    with classroom(client) as course:
        usual(course)
        template = saved(course)
        later = next_term(course, *TITLES)
        sent = form(later.text(f"{TEMPLATES}{template.pk}/"), 0)
        aligned(course, *definitions(course)[1:])
        course.post(f"{TEMPLATES}save/", {"name": "Algebra", "instead": "on"})
        answer = later.post(f"{TEMPLATES}{template.pk}/", sent)
        assert answer.status_code == 409 and "changed meanwhile" in answer.content.decode()
        assert definitions(later) == []


def test_only_the_course_it_was_made_in_renames_and_deletes_and_never_the_usual_one(client: Client) -> None:
    with classroom(client) as course:
        usual(course)
        template = saved(course)
        later = next_term(course)
    address = f"{TEMPLATES}{template.pk}/"
    assert "Rename or delete" in course.text(TEMPLATES)
    assert "Rename or delete" not in later.text(TEMPLATES)
    assert later.post(f"{address}rename/", {"name": "Mine"}).status_code == 404
    assert later.post(f"{address}delete/").status_code == 404
    assert course.post(f"{address}rename/", {"name": "Algebra 2"}).status_code == 302
    Template.objects.update(is_default=True)
    assert course.post(f"{address}delete/").status_code == 404
    Template.objects.update(is_default=False)
    assert course.get(f"{address}delete/").status_code == 200
    assert course.post(f"{address}delete/")["Location"] == f"{TEMPLATES}?done=deleted"
    assert not Template.objects.exists()


def test_the_usual_set_up_is_offered_while_nothing_is_aligned(client: Client) -> None:
    with classroom(client) as course:
        usual(course)
        template = saved(course)
        later = next_term(course, *TITLES)
        assert "usual set-up" not in later.text("/course/")
        Template.objects.update(is_default=True)
        page = later.text("/course/")
        assert "Your school’s usual set-up: 3 alignments." in page
        assert f'href="{TEMPLATES}{template.pk}/"' in page
        assert "usual set-up" not in course.text("/course/")


def test_a_template_leaves_as_a_file_and_is_read_at_another_school(client: Client) -> None:
    with classroom(client) as course:
        usual(course)
        template = saved(course)
        exported = course.post(f"{TEMPLATES}{template.pk}/export/")
    assert exported["Content-Disposition"] == 'attachment; filename="template-algebra.json"'
    with classroom(Client()) as elsewhere:
        assert "Algebra" not in elsewhere.text(TEMPLATES).replace("Algebra 1", "").replace("Algebra I", "")
        assert elsewhere.get(f"{TEMPLATES}{template.pk}/").status_code == 404
        upload = SimpleUploadedFile("template.json", exported.content)
        assert elsewhere.post(f"{TEMPLATES}import/", {"file": upload}).status_code == 302
        theirs = Template.objects.exclude(pk=template.pk).get()
        assert ticks(elsewhere.text(f"{TEMPLATES}{theirs.pk}/")) == ["0", "1", "2"]


def test_a_wrong_file_saves_nothing_and_names_the_field(client: Client) -> None:
    opened = launch_as(client)
    body = b'{"version": 1, "template": "T", "alignments": [{"name": "A", "outcomes": [{"title": ""}]}]}'
    answer = client.post(
        f"{TEMPLATES}import/", {"file": SimpleUploadedFile("t.json", body)}, **opened.headers
    )
    assert answer.status_code == 422
    assert "alignments[0] &quot;A&quot;: outcomes[0].title: is blank" in answer.content.decode()
    assert client.post(f"{TEMPLATES}import/", **opened.headers).status_code == 422
    assert not Template.objects.exists()


@pytest.mark.parametrize("role", ["student", "observer"])
@pytest.mark.parametrize("path", ["", "save/", "1/", "1/delete/"])
def test_templates_are_for_staff(client: Client, role: str, path: str) -> None:
    opened = launch_as(client, role)
    assert client.get(f"{TEMPLATES}{path}", **opened.headers).status_code == 403


def test_canvas_being_down_says_so(client: Client) -> None:
    with classroom(client) as course:
        pass
    entry = {
        "outcomes": [{"title": "A"}],
        "rule": {"kind": "cutoff"},
        "target": {"column": {"label": "A", "points": 1}},
    }
    whole = {"version": 1, "template": "T", "alignments": [entry]}
    kept = template_services.keep(course.opened.context, templatejson.read_template(whole, with_ids=False))
    assert course.get(TEMPLATES).status_code == 200
    answer = course.get(f"{TEMPLATES}{kept.id}/")
    assert answer.status_code == 409 and "Canvas could not be reached." in answer.content.decode()
