"""Whatever Canvas sends as a name or title is text on every page: never markup, a script, a header or a formula."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from html.parser import HTMLParser

import pytest

from alignments.models import DeepLinkedAlignment, Template
from lti_tool import deeplink
from lti_tool.csvsafe import safe_cell
from lti_tool.models import LaunchSession
from lti_tool.states import hash_of
from sandbox.records import GradingStandard
from tests.grading.school import connect_account
from tests.hardening.two_schools import Schools, _person, two_schools

ATTACKS = (
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.test>",
    "</title><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "'><svg onload=alert(1)>",
    "' onmouseover='alert(1)",
    '" onfocus=alert(1) autofocus x="',
    "` onclick=alert(1) `",
    "<svg/onload=alert(1)>",
    "<iframe src=javascript:alert(1)>",
    '<a href="javascript:alert(1)">x</a>',
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    '<math><mi xlink:href="data:x,<script>alert(1)</script>">',
    "<base href=//evil.test/>",
    "<meta http-equiv=refresh content=0;url=//evil.test>",
    "<link rel=stylesheet href=//evil.test>",
    "<style>*{background:url(//evil.test)}</style>",
    "<form action=//evil.test><button>x",
    "</textarea><script>alert(1)</script>",
    "</select><script>alert(1)</script>",
    "--><script>alert(1)</script>",
    "{{ 7|add:7 }}{% debug %}",
    "${alert(1)}",
    "\\u003cscript\\u003ealert(1)\\u003c/script\\u003e",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<div hx-get=/lti/signout hx-trigger=load>",
    "<p hx-on:load=alert(1)>",
    '\'}\' hx-headers=\'{"X":"1"}',
    "\u202egnp.exe\u202c<b>x</b>",
)
FORMULAS = (
    "=1+1",
    "+1+cmd",
    "-1+1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "\0=1",
    "＝1+1",
    "＋1",
    "－1+1",
    "＠A",
    "=cmd|' /C calc'!A0",
)
PAGES = (
    "/course/",
    "/course/?q=%3Cscript%3E&group=%22%3E&show=all",
    "/course/alignments/suggested/",
    "/course/alignments/columns/",
    "/course/alignments/new/?outcome=601",
    "/course/alignments/{alignment_id}/",
    "/course/alignments/{alignment_id}/delete/",
    "/course/alignments/{alignment_id}/exceptions/",
    "/course/schemes/",
    "/course/templates/",
    "/course/templates/save/",
    "/course/templates/{template_id}/",
    "/course/settings/",
    "/course/settings/forget/",
    "/course/check/",
    "/course/check/results/",
    "/course/runs/2/",
    "/course/runs/2/?search=%3Cscript%3Ealert(1)%3C/script%3E",
    "/course/runs/1/",
    "/course/runs/",
    "/course/runs/2/students/1/",
    "/course/preview/summary/",
)


@pytest.fixture
def schools(db: None) -> Iterator[Schools]:
    with two_schools() as found:
        yield found


class Markup(HTMLParser):
    """What a browser would make of a page: its elements and their attributes."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def found_in(page: str) -> list[str]:
    """Everything on a page that the tool's own templates never write."""
    read = Markup()
    read.feed(page)
    wrong = [tag for tag, _ in read.tags if tag in {"iframe", "math", "base", "style", "object", "embed"}]
    for tag, attributes in read.tags:
        handlers = [name for name in attributes if name.startswith(("on", "hx-on"))]
        links = [attributes.get(name) or "" for name in ("href", "src", "action", "hx-get", "formaction")]
        unsafe = [
            each for each in links if "evil" in each or each.lower().startswith(("javascript", "data:text"))
        ]
        if tag == "script" and not (attributes.get("src") or "").startswith("/static/"):
            wrong.append(f"script {attributes}")
        if attributes.get("hx-trigger") == "load" and attributes.get("hx-get") == "/lti/signout":
            wrong.append("hx-get")
        wrong += [f"{tag} {each}" for each in (*handlers, *unsafe)]
    return wrong


def poison(schools: Schools, text: str) -> None:
    """The text in every field of Canvas that a page may show, and in what an earlier launch said of the course."""
    world = schools.ours.world
    with world.lock:
        for kind in (
            world.courses,
            world.users,
            world.sections,
            world.assignments,
            world.outcome_groups,
            world.assignment_groups,
        ):
            for each in kind.values():
                name = "title" if hasattr(each, "title") else "name"
                setattr(each, name, text)
        for outcome in world.outcomes.values():
            outcome.title = outcome.description = text
    context = schools.ours.context
    context.title = context.label = text.replace("\0", "")[:255]
    context.save(update_fields=["title", "label"])
    _poison_template(schools.template, context.title)


def _poison_template(number: int, text: str) -> None:
    """A file from anywhere may say anything too."""
    row = Template.objects.get(pk=number)
    [entry] = row.body["alignments"]
    entry["name"] = entry["outcomes"][0]["title"] = entry["target"]["column"]["label"] = row.name = text
    row.save()


def test_every_text_is_text_on_every_page(schools: Schools) -> None:
    teacher, wrong = schools.people["teacher"], []
    for first in range(0, len(ATTACKS), 6):
        attack = " ".join(ATTACKS[first : first + 6])
        assert len(attack) < 250
        poison(schools, f"{attack} 1.1")
        for path in PAGES:
            answer = teacher.ask(
                "GET", path.format(alignment_id=schools.alignment, template_id=schools.template)
            )
            found = found_in(answer.content.decode())
            if answer.status_code != 200 or found:
                wrong.append((attack, path, answer.status_code, found))
    assert not wrong, "\n".join(map(str, wrong[:20]))


def test_a_reason_and_what_it_stands_beside_are_text(schools: Schools) -> None:
    """The teacher's own reason to ignore an assignment, in the form and with the results it explains."""
    teacher, ignored = schools.people["teacher"], [str(one) for one in schools.ours.world.assignments]
    for first in range(0, len(ATTACKS), 6):
        attack = " ".join(ATTACKS[first : first + 6])
        poison(schools, f"{attack} 1.1")
        sent = {
            "outcomes": ["601", "602"], "target": "column", "label": attack, "points": "1", "rule": "cutoff",
            "line": "mastery", "credit": "100", "below": "0", "calc": "latest", "names": "on",
            "overwrite": "ours", "direction": "both", "round": "2",
        }  # fmt: skip
        for number, assignment_id in enumerate(ignored[:3]):
            sent |= {f"calc-ignored-{number}": assignment_id, f"calc-ignored-{number}-reason": attack[:255]}
        for path in ("/course/alignments/rule/", "/course/alignments/class/"):
            answer = teacher.ask("POST", path, sent)
            assert answer.status_code == 200 and found_in(answer.content.decode()) == [], (attack, path)
        assert "Where the scores come from" in answer.content.decode()


def test_what_is_picked_in_an_assignments_form_is_text(schools: Schools) -> None:
    """Titles where outcomes are picked, and the assignment's name where its link leads."""
    teacher = schools.people["teacher"]
    asked = deeplink.sealed(deeplink.DeepLinkRequest(f"{schools.ours.server.url}/answer", ""))
    LaunchSession.objects.filter(token_hash=hash_of(teacher.token)).update(sealed_deep_link=asked)
    for first in range(0, len(ATTACKS), 6):
        attack = " ".join(ATTACKS[first : first + 6])
        poison(schools, f"{attack} 1.1")
        picked = DeepLinkedAlignment.objects.get()
        picked.definition |= {"name": attack}
        picked.save()
        for path in ("/course/deep-link/", f"/course/linked/{picked.pk}/"):
            answer = teacher.ask("GET", path)
            assert (answer.status_code, found_in(answer.content.decode())) == (200, []), path


def test_the_schools_schemes_are_text_to_their_administrator(schools: Schools) -> None:
    """Titles and letters on the page where schemes for the whole school are made, and what was typed in vain."""
    admin, world = _person("admin", schools.platform, schools.ours, user="u15"), schools.ours.world
    connect_account(schools.ours.server, schools.ours.context, 15)
    root = next(one.id for one in world.accounts.values() if one.parent_id is None)
    for first in range(0, len(ATTACKS), 6):
        attack = " ".join(ATTACKS[first : first + 6])
        letters = [(attack, Decimal("0.5")), ("Not yet", Decimal(0))]
        world.grading_standards[1] = GradingStandard(1, "Account", root, attack, letters)
        shown = admin.ask("GET", "/course/schemes/school/")
        sent = {
            "title": attack,
            "top": attack,
            "account": attack,
            "letter-1-name": attack,
            "letter-1-bound": attack,
        }
        refused = admin.ask("POST", "/course/schemes/school/", sent)
        for answer, status in ((shown, 200), (refused, 422)):
            assert (answer.status_code, found_in(answer.content.decode())) == (status, []), attack
        assert "Make a scheme" in shown.content.decode() and "Not yet" in shown.content.decode()


@pytest.mark.parametrize(
    "back",
    [
        "//evil.test",
        "/\\evil.test",
        "https://evil.test/",
        "javascript:alert(1)",
        "/\t/evil.test",
        "",
        "/\r\nX: y",
    ],
)
def test_the_switch_for_names_leads_nowhere_else(schools: Schools, back: str) -> None:
    answer = schools.people["teacher"].ask("POST", "/lti/names", {"hide": "yes", "back": back})
    assert answer.status_code == 302 and re.match(r"/course/$|/%0", answer["Location"])


def test_the_parser_finds_what_is_planted() -> None:
    planted = '<p onclick="x"><script>1</script><a href="javascript:x">y</a><base href="/">'
    assert len(found_in(planted)) == 4


@pytest.mark.parametrize("name", ["section", "alignment", "search", "go", "decision"])
def test_filters_are_no_way_into_a_header(schools: Schools, name: str) -> None:
    teacher = schools.people["teacher"]
    for value in ("x\r\nSet-Cookie: a=b", "\0", "x" * 20_000, "=&=&", "section=\r\n&alignment=1"):
        for answer in (
            teacher.ask("POST", "/course/runs/2/choices/", {name: value}),
            teacher.ask("GET", "/course/runs/2/", {name: value}),
            teacher.ask(
                "GET", "/course/", {name: value, "q": value, "show": value, "group": value, "done": value}
            ),
            teacher.ask("POST", "/course/outcomes/601/exclude/", {"q": value, "group": value}),
        ):
            assert answer.status_code in (200, 302, 422), (name, value[:30])
            assert not any("\n" in line for line in answer.headers.values())
            assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_of_a_file_is_a_formula(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["-1", "12.5", "Ada Lindqvist", "", "a=b"])
def test_numbers_and_names_stay(text: str) -> None:
    assert safe_cell(text) == text


def test_the_downloaded_preview_holds_no_formula(schools: Schools) -> None:
    poison(schools, '=HYPERLINK("//evil.test")')
    lines = schools.people["teacher"].ask("POST", "/course/runs/2/csv/").content.decode().splitlines()
    assert len(lines) > 1
    assert not [line for line in lines if line.startswith(("=", '"=')) or ",=" in line or ',"=' in line]
