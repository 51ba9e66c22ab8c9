"""The preview: what is shown of it, what a person chooses in it, and that nobody is named in an address."""

from __future__ import annotations

import csv
import re

import pytest
from django.test import Client

from grading.models import RunState
from tests.alignments.classroom import connect
from tests.grading.desk import desk, plain
from tests.people import launch_as

pytestmark = pytest.mark.django_db(transaction=True)


def test_each_cell_says_old_new_direction_and_why(client: Client) -> None:
    with desk(client, "graded-by-people") as at:
        page = at.preview()
    assert "Preview: 14 grades would change, 2 need you." in page
    assert "2 cells hold what a person decided. They stay unless you choose otherwise." in page
    assert "– → becomes 1 + new" in page
    assert "1.1 Linear models: 3 of 4, at mastery (3)." in page
    assert "3 of 4 is reached: full credit. 100 % of 1 point is 1." in page
    assert "full credit at 3 of 4; grade of 1 point" in page
    assert "All 30" in page and "Change 14" in page and "Needs you 2" in page and "Held 12" in page
    assert "14 new." in page and "Send 14 grades" in page
    assert page.index("Lindqvist") < page.index("Okafor") < page.index("Marchetti")


def test_filters_by_decision_column_and_student(client: Client) -> None:
    with desk(client, "graded-by-people") as at:
        at.preview()
        needs = at.page(decision="conflict")
        assert "Lindqvist, Ada" in needs and "Okafor, Bilal" in needs and "Marchetti" not in needs
        assert "2.1 Models" not in needs.split("Students and")[-1].split("Student ")[-1]
        column = at.ref("2.1", 1001).split(".")[0]
        only = at.room.text(at.address, alignment=column)
        assert only.count('name="shown_column"') == 1
        found = at.post("choices", {"search": "okaf", "filter": "yes"})
        assert "Okafor" in plain(found.content.decode()) and "Lindqvist" not in found.content.decode()
        assert found["HX-Push-Url"] == at.address
        none = plain(at.post("choices", {"search": "zzz"}).content.decode())
        assert "No student fits these filters" in none


def test_filter_buttons_keep_the_search_out_of_the_address(client: Client) -> None:
    with desk(client, "graded-by-people") as at:
        at.preview()
        found = at.post("choices", {"search": "okafor", "go": "decision=conflict"})
        assert found["HX-Push-Url"] == f"{at.address}?decision=conflict"
        assert 'value="okafor"' in found.content.decode() and "Lindqvist" not in found.content.decode()


def test_sections_can_be_shown_one_at_a_time(client: Client) -> None:
    with desk(client, "two-sections") as at:
        at.preview()
        page = at.room.text(at.address)
        sections = [one.id for one in at.room.world.sections.values()]
        assert all(f'value="{one}"' in page for one in sections)
        shown = [at.room.text(at.address, section=str(one)).count('name="shown_student"') for one in sections]
        assert min(shown) > 0 and max(shown) < page.count('name="shown_student"') < sum(shown)


def test_one_section_only_is_sent_when_everybody_else_is_held(client: Client) -> None:
    with desk(client, "two-sections") as at:
        at.preview()
        section = str(next(iter(at.room.world.sections)))
        inside = {
            str(one.user_id) for one in at.room.world.enrollments.values() if str(one.section_id) == section
        }
        whole = sum(cell.decision == "send" for cell in at.cells())
        [button] = re.findall(
            r'name="hold_others" value="(\d+)">Hold everybody outside [^<]+<',
            at.room.text(at.address, section=section),
        )
        assert button == section
        # What is chosen beside the button is not what is shown: All sections, as if it had been picked since.
        page = plain(at.post("choices", {"section": "", "hold_others": button}).content.decode())
        sent = [cell.user for cell in at.cells() if cell.decision == "send"]
        assert 0 < len(sent) < whole and inside.issuperset(sent) and f"Send {len(sent)} grades" in page
        assert {cell.user for cell in at.cells() if cell.reason == "held_by_person"}.isdisjoint(inside)
        assert "Hold everybody outside" in page and "Hold no student" in at.page()
        unknown = plain(at.post("choices", {"section": "", "hold_others": "4711"}).content.decode())
        assert "Canvas named nobody in this section, so nobody was held" in unknown
        at.post("choices", {"section": "", "hold_none": "yes"})
        assert sum(cell.decision == "send" for cell in at.cells()) == whole


def test_a_large_course_comes_in_pages(client: Client) -> None:
    with desk(client, "large") as at:
        page = at.preview()
        assert "Page 1 of 5 · 250 students" in page and "Previous students" not in page
        last = at.room.text(at.address, page="5")
        assert "Page 5 of 5" in plain(last) and "Next students" not in last
        assert "Page 5 of 5" in at.page(page="99")
        cells = at.cells()
        sends = sum(one.decision == "send" for one in cells)
        assert min(sends, len(cells)) > 1000
        assert f"All {len(cells):,}" in page and f"Send {sends:,} grades" in page
        assert f"Preview: {sends:,} grades would change" in page
        assert last.count('name="shown_student"') == 50


def test_names_can_be_switched_off(client: Client) -> None:
    with desk(client) as at:
        at.preview(601)
        one = f"{at.address}students/{at.place(1001)}/"
        assert "Lindqvist" in at.room.text(at.address) and "Lindqvist" in at.room.text(one)
        back = at.room.post("/lti/names", {"hide": "yes", "back": f"{at.address}?decision=send"})
        assert back["Location"] == f"{at.address}?decision=send"
        page = at.room.text(at.address, decision="send")
        assert "Lindqvist" not in page and 'aria-pressed="true">Hide names' in page
        assert f'value="{at.address}?decision=send"' in page
        assert "Lindqvist" not in at.room.text(one) and f"Student {at.place(1001)}" in at.room.text(one)
        file = at.post("csv").content.decode()
        assert "Lindqvist" not in file and f"Student {at.place(1001)}," in file
        at.room.post("/lti/names", {"hide": "no", "back": at.address})
        assert "Lindqvist" in at.page()


def test_names_are_missing_when_canvas_is_down_and_the_page_says_so(client: Client) -> None:
    with desk(client) as at:
        at.preview(601)
        at.room.world.faults.add("error_before", path="*", method="GET", status=503, count=None)
        page = at.page()
    assert (
        "Not everybody is shown by name" in page and "students are numbered" in page and "Student 1" in page
    )
    assert "Send 4 grades" in page


def test_holding_a_cell_a_student_and_a_column(client: Client) -> None:
    with desk(client) as at:
        at.preview(601, 602)
        before = sum(cell.decision == "send" for cell in at.cells())
        bar = at.post("send-bar", at.form(hold=[at.ref("1.1", 1001)]))
        assert f"Send {before - 1} grades" in plain(bar.content.decode())
        at.post("send-bar", at.form(hold_student=[str(at.place(1002))]))
        held = {cell.user for cell in at.cells() if cell.reason == "held_by_person"}
        assert held == {"1002"}
        at.post("send-bar", at.form(hold_column=[at.ref("1.2", 1001).split(".")[0]]))
        assert "Held by you" in at.page() and "checked" in at.room.text(at.address)
        sent = {cell.alignment for cell in at.cells() if cell.decision == "send"}
        assert sent == {int(at.ref("1.1", 1001).split(".")[0])}
        at.post("send-bar", at.form())
        assert sum(cell.decision == "send" for cell in at.cells()) == before


def test_what_is_not_on_the_page_keeps_its_choice(client: Client) -> None:
    with desk(client) as at:
        at.preview(601, 602)
        at.post("send-bar", at.form(hold=[at.ref("1.1", 1001)]))
        other = {"shown": [at.ref("1.2", 1001)], "hold": ["7.99", "x", "0.0"]}
        at.post("choices", other)
        assert [cell.user for cell in at.cells() if cell.reason == "held_by_person"] == ["1001"]


def test_a_persons_grade_stays_unless_replace_is_chosen(client: Client) -> None:
    with desk(client, "graded-by-people") as at:
        at.preview(601)
        ref = at.ref("1.1", 1002)
        page = at.room.text(at.address)
        assert f'name="conflict.{ref}" value="keep" checked' in page
        bar = plain(at.post("send-bar", at.form(**{f"conflict.{ref}": "replace"})).content.decode())
        assert "1 up" in bar or "1 down" in bar
        assert f'name="conflict.{ref}" value="replace" checked' in at.room.text(at.address)
        at.post("send-bar", at.form(**{f"conflict.{ref}": "keep"}))
        assert [cell.user for cell in at.cells() if cell.decision == "conflict"] == ["1002"]


def test_one_student_on_one_page_with_the_evidence(client: Client) -> None:
    with desk(client, "graded-by-people") as at:
        at.preview()
        number = at.place(1002)
        page = plain(at.room.text(f"{at.address}students/{number}/"))
        assert "Okafor, Bilal" in page and "Graded by a person." in page and "of 4," in page
        assert at.room.get(f"{at.address}students/99/").status_code == 404
        assert at.room.get(f"{at.address}students/0/").status_code == 404


def test_the_csv_holds_every_cell_and_no_formula(client: Client) -> None:
    with desk(client) as at:
        at.preview(601)
        at.room.world.users[1001].sortable_name = "=HYPERLINK(1)"
        response = at.post("csv")
        rows = list(csv.reader(response.content.decode().splitlines()))
    assert rows[0] == ["student", "sections", "column", "from", "to", "decision", "reason"]
    assert len(rows) == 1 + len(at.cells()) and any(row[0] == "'=HYPERLINK(1)" for row in rows)
    assert "attachment" in response["Content-Disposition"] and "1001" not in response["Content-Disposition"]


def test_a_discarded_preview_wrote_nothing_and_leaves_no_plan(client: Client) -> None:
    with desk(client) as at:
        at.preview(601)
        assert at.post("discard")["Location"] == "/course/"
        assert at.run.state == RunState.FINISHED and at.run.sealed_plan == ""
        assert "This preview was put away. Nothing was sent." in at.page()
        assert at.room.get(f"{at.address}students/1/")["Location"] == at.address
        assert at.post("csv")["Location"] == at.address


def test_columns_that_cannot_be_graded_are_named_above(client: Client) -> None:
    with desk(client, "unpublished") as at:
        page = at.preview()
    assert "Publish the assignment" in page and "Blocked" in page


def test_who_teaches_one_section_sees_that_one(client: Client) -> None:
    """A waiting preview of the whole course shows nobody's grade whom Canvas does not show to the reader."""
    with desk(client) as at:
        world, course = at.room.world, next(iter(at.room.world.courses.values()))
        section = world.add_section(course.id, "Section B", 702)
        mine = [one for one in world.enrollments.values() if one.user_id in {1001, 12}]
        for one in mine:
            one.section_id, one.limit_privileges = section.id, one.user_id == 12
        at.preview(601)
        ta = launch_as(Client(), "ta", at.room.opened.platform, context="c101", user="u12")
        connect(ta, world, 12)
        page = plain(client.get(at.address, **ta.headers).content.decode())
        assert "5 of the students in this preview are not shown" in page and "Student 2" not in page
        table = client.post(f"{at.address}csv/", **ta.headers).content.decode()
        assert len(table.strip().splitlines()) == 2
        statuses = [client.get(f"{at.address}students/{n}/", **ta.headers).status_code for n in range(1, 7)]
        assert sorted(statuses) == [200, *[404] * 5]
