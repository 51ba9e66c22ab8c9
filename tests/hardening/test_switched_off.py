"""A registration that was switched off: no launch, no open page, no run and no undo; Canvas hears nothing."""

from __future__ import annotations

import pytest

from grading import services
from lti_tool.models import Registration
from tests.grading.conftest import school
from tests.grading.school import School, entry

__all__ = ["school"]


@pytest.mark.django_db
def test_jobs_and_commands_of_a_school_that_is_off_ask_nothing(school: School) -> None:
    school.align(entry(601, "Models"))
    services.sync(school.context)
    Registration.objects.update(is_active=False)
    school.context.refresh_from_db()
    calls = len(school.world.calls.all("GET")), school.writes()
    stopped = services.sync(school.context).run
    assert (stopped.outcome, stopped.error["code"], stopped.error["who"]) == (
        "stopped",
        "registration_off",
        "operator",
    )
    assert services.undo(school.context, started_by="command").run.outcome == "stopped"
    assert (len(school.world.calls.all("GET")), school.writes()) == calls
