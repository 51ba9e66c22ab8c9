"""Grading schemes and grading periods (grading_standards_api_controller.rb, grading_periods_controller.rb)."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from sandbox import records as r
from sandbox.app import iso
from sandbox.errors import ApiError, missing_param, not_found
from sandbox.permissions import rights_of
from sandbox.rest.api import Call, endpoint
from sandbox.rest.params import truthy
from sandbox.schemes import faults_of


def _standard_json(standard: r.GradingStandard) -> dict[str, Any]:
    factor = standard.scaling_factor if standard.points_based else 100
    return {
        "id": standard.id,
        "title": standard.title,
        "context_type": standard.context_type,
        "context_id": standard.context_id,
        "points_based": standard.points_based,
        "scaling_factor": standard.scaling_factor,
        "grading_scheme": [
            {"name": name, "value": bound, "calculated_value": bound * factor}
            for name, bound in standard.scheme
        ],
    }


def _own(call: Call, kind: str, number: int) -> list[r.GradingStandard]:
    return [
        one
        for one in call.world.grading_standards.values()
        if one.context_type == kind and one.context_id == number
    ]


def _course(call: Call, course_id: str) -> r.Course:
    course = call.course(course_id)
    if not rights_of(call.world, call.user, course).read:
        raise call.denied()
    return course


def _account_id(call: Call, account_id: str) -> int:
    """The account; readable to admins and to those who teach in it."""
    own = next(iter(call.world.accounts))
    number = own if account_id == "self" else int(account_id) if account_id.isdigit() else 0
    if number not in call.world.accounts:
        raise not_found()
    teaches = any(
        rights_of(call.world, call.user, course).sees_grades for course in call.world.courses.values()
    )
    if not teaches:
        raise call.denied()
    return number


def _one(rows: list[r.GradingStandard], standard_id: str) -> dict[str, Any]:
    for row in rows:
        if str(row.id) == standard_id:
            return _standard_json(row)
    raise not_found()


@endpoint("GET", "/courses/<course_id>/grading_standards")
def course_standards(call: Call, course_id: str) -> Any:
    """The course's own schemes, not the account's; one array without pages."""
    return [_standard_json(one) for one in _own(call, "Course", _course(call, course_id).id)]


@endpoint("POST", "/courses/<course_id>/grading_standards")
def create_course_standard(call: Call, course_id: str) -> Any:
    """A new scheme of the course; its bounds come as 0 to 100 and are stored as a fraction of 4 decimals."""
    course = _course(call, course_id)
    if not rights_of(call.world, call.user, course).manage_grades:
        raise call.denied()
    return _create(call, "Course", course.id)


@endpoint("POST", "/accounts/<account_id>/grading_standards")
def create_account_standard(call: Call, account_id: str) -> Any:
    """The same for every course of an account; only its administrators may."""
    number = _account_id(call, account_id)
    if not call.user.account_admin:
        raise call.denied()
    return _create(call, "Account", number)


def _create(call: Call, kind: str, context_id: int) -> dict[str, Any]:
    title = str(call.params.get("title") or "")
    if not title.strip():
        raise missing_param("title")
    scheme = _entries(call.params.get("grading_scheme_entry"))
    points_based = truthy(call.params.get("points_based", False))
    factor = _number(call.params.get("scaling_factor", 1))
    if faults := faults_of(scheme, points_based, factor):
        raise ApiError(400, {"errors": {name: [_fault(name, text)] for name, text in faults.items()}})
    number = call.world.new_id()
    made = r.GradingStandard(number, kind, context_id, title, scheme, points_based, factor)
    call.world.grading_standards[number] = made
    return _standard_json(made)


def _entries(given: Any) -> list[tuple[str, Decimal]]:
    """The letters in the order given. A form sends names and values as two rows of one list."""
    rows = given if isinstance(given, list) else []
    if not rows or not all(isinstance(row, dict) and "name" in row and "value" in row for row in rows):
        raise missing_param("grading_scheme_entry")
    bounds = [(_number(row["value"]) / 100).quantize(Decimal("0.0001"), ROUND_HALF_UP) for row in rows]
    return [(str(row["name"]), bound) for row, bound in zip(rows, bounds, strict=True)]


def _number(value: Any) -> Decimal:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return Decimal(0)
    return number if number.is_finite() else Decimal(0)


def _fault(attribute: str, text: str) -> dict[str, str]:
    return {"attribute": attribute, "type": text, "message": text}


@endpoint("GET", "/courses/<course_id>/grading_standards/<standard_id>")
def course_standard(call: Call, course_id: str, standard_id: str) -> Any:
    course = _course(call, course_id)
    rows = _own(call, "Course", course.id)
    for account in call.world.account_chain(course.account_id):
        rows += _own(call, "Account", account.id)
    return _one(rows, standard_id)


@endpoint("GET", "/accounts/<account_id>/grading_standards")
def account_standards(call: Call, account_id: str) -> Any:
    return [_standard_json(one) for one in _own(call, "Account", _account_id(call, account_id))]


@endpoint("GET", "/accounts/<account_id>/grading_standards/<standard_id>")
def account_standard(call: Call, account_id: str, standard_id: str) -> Any:
    return _one(_own(call, "Account", _account_id(call, account_id)), standard_id)


@endpoint("GET", "/courses/<course_id>/grading_periods")
def grading_periods(call: Call, course_id: str) -> Any:
    course = _course(call, course_id)
    rows = [one for one in call.world.grading_periods.values() if one.course_id == course.id]
    return {
        "grading_periods": [
            {
                "id": str(one.id),
                "title": one.title,
                "start_date": iso(one.start_at),
                "end_date": iso(one.end_at),
                "close_date": iso(one.close_at),
                "weight": None,
                "is_closed": one.close_at < call.world.now(),
                "is_last": one is rows[-1],
            }
            for one in rows
        ]
    }
