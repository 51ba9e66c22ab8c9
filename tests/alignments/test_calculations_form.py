"""The alignment form leaves an imported calculation as it was."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from alignments import services
from alignments.core import jsonfile
from alignments.core.definition import Calculation, Proportional
from tests.alignments.classroom import classroom
from tests.alignments.test_jsonfile_errors import GOOD
from tests.alignments.test_views_form import filled

pytestmark = pytest.mark.django_db(transaction=True)


def test_saving_another_rule_keeps_the_calculation(client: Client) -> None:
    entry = GOOD | {"outcomes": [{"id": "601"}], "calculation": {"method": "newest", "count": 3}}
    body = json.dumps({"version": 1, "alignments": [entry]}).encode()
    with classroom(client) as course:
        context = course.opened.context
        services.import_alignments(context, jsonfile.parse_file(body), replace=True)
        [before] = services.stored(context)
        page = course.text("/course/")
        course.post(f"/course/alignments/{before.id}/", filled(label="1.1 Lines", rule="proportional"))
        [after] = services.stored(context)
    assert "the mean of the 3 newest results" in page
    assert after.definition.rule == Proportional()
    assert after.definition.calculation == Calculation("newest", count=3)
