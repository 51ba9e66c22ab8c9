"""Line items: rows L1 to L29 over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests

from sandbox import records as r
from sandbox.lti import vocabulary as v
from tests.sandbox.school import COURSE, STUDENT, School, open_school

GENERIC = {"errors": [{"message": "The specified resource does not exist."}]}
EXTENSION = v.SUBMISSION_TYPE_EXTENSION


@pytest.fixture
def school() -> Iterator[School]:
    with open_school() as school:
        yield school


def create(school: School, **fields: Any) -> requests.Response:
    return school.call("POST", "/line_items", {"label": "Quiz", "scoreMaximum": 10, **fields})


def counts(school: School) -> tuple[int, int, int]:
    """Assignments, line items, resource links: those that are there."""
    world = school.world
    items = [item for item in world.line_items.values() if not item.deleted]
    return len(world.course_assignments(COURSE)), len(items), len(world.resource_links)


def change(before: tuple[int, int, int], after: tuple[int, int, int]) -> tuple[int, ...]:
    return tuple(new - old for old, new in zip(before, after, strict=True))


def message(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"]["message"]


def link_id(school: School, item: r.LineItem) -> str:
    return school.world.resource_links[item.resource_link_id or 0].uuid


def column(school: School, item: r.LineItem) -> r.Assignment:
    return school.world.assignments[item.assignment_id]


def test_l1_new_column(school: School) -> None:
    before = counts(school)
    answer = create(school, tag="t", resourceId="r", endDateTime="2027-01-01T00:00:00Z")
    assert answer.status_code == 201 and answer.headers["Content-Type"].startswith(v.LINE_ITEM_TYPE)
    assert change(before, counts(school)) == (1, 1, 0)
    made = column(school, school.world.line_items[int(answer.json()["id"].rpartition("/")[2])])
    assert (made.name, made.points_possible, made.course_id) == ("Quiz", 10, COURSE)
    assert made.submission_types == ["none"] and made.published
    assert made.due_at == datetime(2027, 1, 1, tzinfo=UTC)


def test_l2_second_item_on_a_link(school: School) -> None:
    item = school.coupled_item()
    before, uuid = counts(school), link_id(school, item)
    answer = create(school, resourceLinkId=uuid)
    assert answer.status_code == 201 and answer.json()["resourceLinkId"] == uuid
    assert change(before, counts(school)) == (0, 1, 0)


def test_l3_unknown_link(school: School) -> None:
    answer = create(school, resourceLinkId="unknown")
    assert (answer.status_code, answer.json()) == (404, GENERIC)


@pytest.mark.parametrize(
    "kind", ["no-items", "other-course", "dead-assignment"], ids=lambda kind: f"L4-{kind}"
)
def test_unfit_link(school: School, kind: str) -> None:
    item = school.coupled_item()
    link = school.world.resource_links[item.resource_link_id or 0]
    item.deleted = kind == "no-items"
    link.course_id = 999 if kind == "other-course" else COURSE
    column(school, item).deleted = kind == "dead-assignment"
    answer = create(school, resourceLinkId=link.uuid)
    assert (answer.status_code, answer.content) == (412, b"")


def test_l5_link_of_another_tool(school: School) -> None:
    key, tool = school.other_key()
    item = school.coupled_item(key=key, tool_id=tool.id)
    text = "Resource link id points to Tool not associated with this Context"
    assert message(create(school, resourceLinkId=link_id(school, item))) == (422, text)


def test_l6_launchable_column(school: School) -> None:
    before = counts(school)
    kind = {"type": "external_tool", "external_tool_url": f"{school.tool.url}/lti/launch"}
    answer = create(school, **{EXTENSION: kind})
    assert answer.status_code == 201 and change(before, counts(school)) == (1, 1, 1)
    assert answer.json()[EXTENSION] == kind and answer.json()["resourceLinkId"]
    assert school.world.course_assignments(COURSE)[-1].submission_types == ["external_tool"]


def test_l7_foreign_url(school: School) -> None:
    before = counts(school)
    kind = {"type": "external_tool", "external_tool_url": "https://elsewhere.example/launch"}
    answer = create(school, **{EXTENSION: kind})
    assert answer.status_code == 201 and change(before, counts(school)) == (1, 1, 0)
    assert answer.json()[EXTENSION] == kind and "resourceLinkId" not in answer.json()
    assert school.world.course_assignments(COURSE)[-1].external_tool_url == kind["external_tool_url"]


def test_l8_bad_submission_type(school: School) -> None:
    answer = create(school, **{EXTENSION: {"type": "a_bad_submission_type"}})
    text = "Invalid submission_type for new assignment: a_bad_submission_type"
    assert (answer.status_code, answer.json()) == (400, {"error": text})


@pytest.mark.parametrize("status", [422, 404], ids=lambda status: f"L9-{status}")
def test_concluded_course(school: School, status: int) -> None:
    school.platform.concluded_status = status
    school.course.end_at = school.world.now() - timedelta(days=1)
    answer = create(school)
    assert answer.status_code == status
    text = "This course has concluded. AGS requests will no longer be accepted for this course."
    assert answer.json() == GENERIC if status == 404 else message(answer)[1] == text


def test_l10_new_item_is_not_coupled(school: School) -> None:
    assert school.add_item().coupled is False


def test_l11_readonly_scope(school: School) -> None:
    body = {"label": "Quiz", "scoreMaximum": 1}
    answer = school.call("POST", "/line_items", body, token=school.token(v.SCOPE_LINE_ITEM_READ))
    assert message(answer) == (401, "Insufficient permissions")


@pytest.mark.parametrize("field", ["label", "scoreMaximum"], ids=lambda field: f"L12-{field}")
def test_required_fields(school: School, field: str) -> None:
    before = counts(school)
    answer = create(school, **{field: None})
    assert answer.status_code == 422 and counts(school) == before
    assert answer.json()["errors"][0]["field"] == field


def put(school: School, item: r.LineItem, **fields: Any) -> requests.Response:
    return school.call("PUT", f"/line_items/{item.id}", fields)


def test_l13_maximum_of_a_default_item(school: School) -> None:
    item = school.add_item()
    answer = put(school, item, scoreMaximum=25)
    assert answer.status_code == 200 and answer.json()["scoreMaximum"] == 25
    assert column(school, item).points_possible == 25


def test_l14_label_of_a_default_item(school: School) -> None:
    item = school.add_item()
    assert put(school, item, label="Renamed", endDateTime=None).status_code == 200
    assert (column(school, item).name, item.label) == ("Renamed", "Renamed")


def test_l15_label_of_a_further_item(school: School) -> None:
    first = school.coupled_item()
    second = school.add_item(resourceLinkId=link_id(school, first))
    assert put(school, second, label="Renamed").json()["label"] == "Renamed"
    assert column(school, second).name == "Attached"


def test_l16_tag_and_resource_id(school: School) -> None:
    answer = put(school, school.add_item(), tag="new", resourceId="abc")
    assert (answer.json()["tag"], answer.json()["resourceId"]) == ("new", "abc")


def test_l17_foreign_link_id(school: School) -> None:
    answer = put(school, school.coupled_item(), resourceLinkId="another")
    assert message(answer) == (412, "The specified LTI link ID is not associated with the line item.")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"], ids=lambda method: f"L18-{method}")
def test_another_tools_item(school: School, method: str) -> None:
    key, tool = school.other_key()
    item = school.coupled_item(key=key, tool_id=tool.id)
    answer = school.call(method, f"/line_items/{item.id}", {"label": "Mine"})
    assert message(answer) == (412, "Tool does not have permission to view line_item")


def test_l19_show(school: School) -> None:
    item = school.add_item()
    answer = school.call("GET", f"/line_items/{item.id}")
    assert answer.headers["Content-Type"].startswith(v.LINE_ITEM_TYPE)
    assert answer.json() == {
        "id": f"{school.url}/api/lti/courses/{COURSE}/line_items/{item.id}",
        "scoreMaximum": 10.0,
        "label": "Quiz",
    }


def test_l19_ids_may_name_another_host(school: School) -> None:
    school.platform.services_url = "https://principal.example"
    answer = school.call("GET", f"/line_items/{school.add_item().id}")
    assert answer.json()["id"].startswith(f"https://principal.example/api/lti/courses/{COURSE}/line_items/")


def test_l20_through_another_course(school: School) -> None:
    other = school.world.add_course("Other")
    school.world.install_tool(school.key, other)
    item = school.add_item()
    answer = school.call("GET", f"{school.url}/api/lti/courses/{other.id}/line_items/{item.id}")
    assert (answer.status_code, answer.json()) == (404, GENERIC)


@pytest.mark.parametrize("path", ["101/line_items/9", "9/line_items/9"], ids=["L21-item", "L21-course"])
def test_unknown(school: School, path: str) -> None:
    assert school.call("GET", f"{school.url}/api/lti/courses/{path}").status_code == 404


def test_l22_deleted_assignment(school: School) -> None:
    item = school.add_item()
    column(school, item).deleted = True
    answer = school.call("GET", f"/line_items/{item.id}")
    assert (answer.status_code, answer.content) == (404, b"")


def listed(school: School, **query: Any) -> list[str]:
    return [row["label"] for row in school.call("GET", "/line_items", params=query).json()]


def test_l23_list(school: School) -> None:
    key, tool = school.other_key()
    school.coupled_item(key=key, tool_id=tool.id)
    for number in range(3):
        school.add_item(f"Quiz {number}")
    answer = school.call("GET", "/line_items", params={"limit": 2})
    assert answer.headers["Content-Type"].startswith(v.LINE_ITEM_LIST_TYPE)
    assert [row["label"] for row in answer.json()] == ["Quiz 0", "Quiz 1"]
    rest = school.call("GET", answer.links["next"]["url"])
    assert [row["label"] for row in rest.json()] == ["Quiz 2"] and "next" not in rest.links


def test_l23_page_sizes(school: School) -> None:
    for number in range(12):
        school.add_item(f"Quiz {number}")
    assert len(listed(school)) == 10
    school.platform.maximum_page_size = 3
    assert len(listed(school, limit=1000)) == 3


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"tag": "a"}, ["One", "Two"]),
        ({"resource_id": "x"}, ["One", "Three"]),
        ({"tag": "a", "resource_id": "x"}, ["One"]),
        ({"tag": ""}, []),
    ],
    ids=["L24-tag", "L24-resource", "L24-both", "L24-empty"],
)
def test_filters(school: School, query: dict[str, str], found: list[str]) -> None:
    for label, tag, resource in (("One", "a", "x"), ("Two", "a", "y"), ("Three", "b", "x")):
        school.add_item(label, tag=tag, resourceId=resource)
    assert listed(school, **query) == found


def test_l25_items_of_a_link(school: School) -> None:
    first = school.coupled_item()
    school.add_item("Extra", resourceLinkId=link_id(school, first))
    school.add_item("Elsewhere")
    assert listed(school, resource_link_id=link_id(school, first)) == ["Attached", "Extra"]


def test_l26_list_of_an_unknown_course(school: School) -> None:
    answer = school.call("GET", f"{school.url}/api/lti/courses/9/line_items")
    assert (answer.status_code, answer.json()) == (404, GENERIC)


def delete(school: School, item: r.LineItem) -> requests.Response:
    return school.call("DELETE", f"/line_items/{item.id}")


def test_l27_coupled_default_item_stays(school: School) -> None:
    item = school.coupled_item()
    answer = delete(school, item)
    assert (answer.status_code, answer.content, item.deleted) == (401, b"", False)


def test_l28_extra_item_goes_alone(school: School) -> None:
    first = school.coupled_item()
    extra = school.add_item("Extra", resourceLinkId=link_id(school, first))
    assert (delete(school, extra).status_code, extra.deleted) == (204, True)
    assert not column(school, first).deleted and not first.deleted


def test_l29_own_column_goes_with_its_grades(school: School) -> None:
    kind = {"type": "external_tool", "external_tool_url": f"{school.tool.url}/lti/launch"}
    before = counts(school)
    item = school.add_item(**{EXTENSION: kind})
    school.score(item, 5, 10)
    answer = delete(school, item)
    assert (answer.status_code, answer.content) == (204, b"")
    assert counts(school) == before and column(school, item).deleted


def test_points_do_not_rescale_grades(school: School) -> None:
    item = school.add_item()
    school.score(item, 5, 10)
    put(school, item, scoreMaximum=20)
    assert school.world.submission(column(school, item), STUDENT).score == Decimal(5)
