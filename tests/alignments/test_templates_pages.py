"""Templates through the front door: saved in one course, reviewed and applied in the next one and at another school."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from alignments import services
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
