"""One student of a preview: why each cell holds what it holds, and a rule of their own."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from alignments.core import jsonfile
from alignments.models import SealedExceptions
from alignments.services import import_alignments, stored
from tests.grading.desk import Desk, desk, plain, work
from tests.grading.school import entry
from tests.inclear import in_clear

pytestmark = pytest.mark.django_db(transaction=True)
TABLE = {"kind": "table", "levels": [["1", "55%"], ["2", "70%"], ["3", "85%"], ["4", "100%"]]}


def previewed(at: Desk, outcome: int, **given: Any) -> None:
    """A preview of this outcome into the assignment that bears its name."""
    world = at.room.world
    [column] = [one.id for one in world.assignments.values() if one.name == world.outcomes[outcome].title]
    definitions = [jsonfile.parse_definition(entry(outcome, column, **given))]
    import_alignments(at.room.opened.context, definitions, replace=True)
    at.room.post("/course/preview/start/")
    work()


def test_why_is_this_a_085(client: Client) -> None:
    """The answer can be read off the page alone."""
    with desk(client) as at:
        previewed(at, 602, rule=TABLE)
        page = plain(at.room.text(f"{at.address}students/4/"))
    assert "1.2 Systems of equations: 3 of 4, at mastery (3)." in page
    assert "Rule: 55 % from 1 of 4, 70 % from 2 of 4, 85 % from 3 of 4, 100 % from 4 of 4." in page
    assert "85 % of 1 point is 0.85." in page
    assert "Newest evidence: 12 January 2026." in page
    assert "The results behind it 12 January 2026: 3 of 4. The highest result: 3 of 4." in page


def test_own_calculations_show_each_result_with_its_date(client: Client) -> None:
    with desk(client) as at:
        previewed(at, 601, calculation={"method": "latest"})
        page = plain(at.room.text(f"{at.address}students/1/"))
    assert "The results behind it" in page
    assert "12 January 2026: " in page and "The newest result: " in page
    assert "Results came in since" not in page


def test_a_result_that_came_in_later_is_told(client: Client) -> None:
    with desk(client) as at:
        previewed(at, 601, calculation={"method": "highest"})
        with at.room.world.lock:
            results = at.room.world.results.values()
            for one in [one for one in results if (one.user_id, one.outcome_id) == (1003, 601)]:
                one.score, one.percent = one.possible, Decimal(1)
        assert "Results came in since the preview" in at.room.text(f"{at.address}students/3/")


def test_a_rule_of_their_own_from_the_students_page(client: Client) -> None:
    with desk(client) as at:
        at.preview(601)
        [one] = stored(at.room.opened.context)
        own = f"own{one.id}"
        where = f"{at.address}students/3/"
        saved = at.room.post(
            f"{where}exception/", {"alignment": str(one.id), f"{own}-kind": "cutoff", f"{own}-below": "50"}
        )
        assert saved["Location"] == f"{where}?done=exception"
        page = plain(at.room.text(where, done="exception"))
        assert "read again to see what it changes" in page and "full credit at 3 of 4, 50 % below" in page
        assert not in_clear("1003", SealedExceptions.objects.get().sealed)
        at.room.post(f"{where}exception/", {"alignment": str(one.id), f"{own}-kind": "usual"})
        assert not SealedExceptions.objects.exists()


def test_what_makes_no_sense_is_said(client: Client) -> None:
    with desk(client) as at:
        at.preview(601)
        [one] = stored(at.room.opened.context)
        where, own = f"{at.address}students/1/exception/", f"own{one.id}"
        for data in ({"alignment": str(one.id + 1)}, {"alignment": str(one.id), f"{own}-kind": "magic"}):
            assert at.room.post(where, data).status_code == 422
        gone = at.room.post(f"{at.address}students/99/exception/", {"alignment": str(one.id)})
        assert gone.status_code == 404
        assert not SealedExceptions.objects.exists()


def test_what_was_typed_is_there_when_it_cannot_be_saved_and_when_names_are_hidden(client: Client) -> None:
    with desk(client) as at:
        at.preview(601, 602)
        one, other = stored(at.room.opened.context)
        where, own = f"{at.address}students/1/exception/", f"own{one.id}"
        typed = {
            "alignment": str(one.id),
            f"{own}-kind": "cutoff",
            f"{own}-credit": "a lot",
            f"{own}-below": "50",
        }
        refused = at.room.post(where, typed)
        text = refused.content.decode()
        assert refused.status_code == 422 and 'value="a lot"' in text and 'value="50"' in text
        assert text.count('<details class="more" open><summary>Another rule') == 1
        assert f'id="id_{own}-credit_error"' in text and f'id="id_own{other.id}-credit_error"' not in text
        hidden = at.room.post(where, typed | {"do": "names-hide"})
        text = hidden.content.decode()
        assert hidden.status_code == 200 and 'value="a lot"' in text and "Not saved" not in text
        assert "<h1>Student 1</h1>" in text and "_error" not in text
        assert not SealedExceptions.objects.exists()


def test_not_assessed_says_why_and_what_to_do(client: Client) -> None:
    with desk(client) as at:
        previewed(at, 601, sections=[{"section": "701", "not_assessed": True}])
        page = plain(at.room.text(f"{at.address}students/1/"))
    assert "Not assessed by choice." in page and "remove the exception" in page
    assert "section is marked as not assessed" in page
