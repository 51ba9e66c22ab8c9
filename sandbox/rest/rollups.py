"""Outcome rollups and raw results (app/controllers/outcome_results_controller.rb).

Without ``sort_by`` every page carries the rollups of all students.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from sandbox import records as r
from sandbox.app import iso
from sandbox.errors import unexpected
from sandbox.rest import outcome_json as shapes
from sandbox.rest.api import Call, endpoint
from sandbox.rest.paging import Page, numbered, page_of, page_url, set_link_header
from sandbox.rest.params import as_list, truthy
from sandbox.rest.rollup_scope import Scope, checked
from sandbox.rollups import QuizWithoutPercent, Score, counts, course_scores, student_scores

SERVICE_CACHE = timedelta(minutes=5)


@endpoint("GET", "/courses/<course_id>/outcome_rollups")
def outcome_rollups(call: Call, course_id: str) -> Any:
    scope = checked(call, course_id)
    try:
        if call.params.get("aggregate"):
            return _aggregate(call, scope)
        return _per_student(call, scope)
    except QuizWithoutPercent:
        raise unexpected(call.world.new_id()) from None


# --- which results the caller's rollups are made of ------------------------------------------


def _readable_results(call: Call, scope: Scope) -> Iterable[r.OutcomeResult]:
    """Graders read results of unposted grades too; New Quizzes results are up to 5 minutes old."""
    world = call.world
    fresh = _service_results(call, scope)
    for result in world.results.values():
        if result.course_id != scope.course.id:
            continue
        if result.kind == "new_quiz" and result.id not in fresh:
            continue
        if scope.rights.sees_grades or _posted(
            world.assignments.get(result.assignment_id or 0), call, result
        ):
            yield result


def _posted(assignment: r.Assignment | None, call: Call, result: r.OutcomeResult) -> bool:
    if assignment is None or not assignment.post_manually:
        return True
    submission = call.world.submissions.get((assignment.id, result.user_id))
    return submission is not None and submission.posted_at is not None


def _service_results(call: Call, scope: Scope) -> set[int]:
    """Results of the Outcomes Service, cached by caller, course, section and users."""
    world = call.world
    if "outcome_service_results_to_canvas" not in scope.course.features:
        return set()
    key = (call.user.id, scope.course.id, scope.section_id, scope.user_filter)
    cached = world.outcomes_service_cache.get(key)
    if cached is None or world.now() - cached[0] > SERVICE_CACHE:
        ids = [result.id for result in world.results.values() if result.kind == "new_quiz"]
        cached = world.outcomes_service_cache[key] = (world.now(), ids)
    return set(cached[1])


# --- the answers ----------------------------------------------------------------------------


def _per_student(call: Call, scope: Scope) -> dict[str, Any]:
    results = list(_readable_results(call, scope))
    users = _without_missing(call, scope, results)
    sort = call.params.get("sort_by")
    if sort == "outcome":
        users = _by_outcome(call, scope, users, results)
    elif sort == "student":
        users = sorted(users, key=lambda user: (user.sortable_name.casefold(), user.id))
        users = users[::-1] if call.params.get("sort_order") == "desc" else users
    page = page_of(call, len(users))
    start = (page.number - 1) * page.per_page
    shown = users[start : start + page.per_page]
    set_link_header(call, page.links)
    built = shown if sort else users
    scores = student_scores(call.world, scope.course, [user.id for user in built], scope.outcome_ids, results)
    answer: dict[str, Any] = {
        "rollups": _rows(call, scope, built, scores),
        "meta": {"pagination": _meta(call, page)},
    }
    if scope.includes:
        answer["linked"] = _linked(call, scope, shown, results)
    return answer


def _without_missing(call: Call, scope: Scope, results: list[r.OutcomeResult]) -> list[r.User]:
    if "missing_user_rollups" not in as_list(call.params.get("exclude")):
        return scope.users
    wanted = set(scope.outcome_ids)
    with_rows = {
        result.user_id
        for result in results
        if result.outcome_id in wanted and counts(call.world, scope.course, result)
    }
    with_rows |= {
        stored.user_id for stored in call.world.stored_rollups if stored.course_id == scope.course.id
    }
    return [user for user in scope.users if user.id in with_rows]


def _by_outcome(
    call: Call, scope: Scope, users: list[r.User], results: list[r.OutcomeResult]
) -> list[r.User]:
    """Students by their score on one outcome, those without one last, then by name."""
    wanted = int(call.params["sort_outcome_id"])
    scores = student_scores(call.world, scope.course, [user.id for user in users], [wanted], results)
    sign = -1 if call.params.get("sort_order") == "desc" else 1

    def place(user: r.User) -> tuple[bool, float, str, int]:
        mine = scores[user.id]
        score = mine[0].score if mine else None
        return score is None, sign * (score or 0.0), user.sortable_name.casefold(), user.id

    return sorted(users, key=place)


def _rows(
    call: Call, scope: Scope, users: list[r.User], scores: dict[int, list[Score]]
) -> list[dict[str, Any]]:
    """One row for each enrolment: a student of two sections has two."""
    places: dict[int, list[r.Enrollment]] = {}
    for enrollment in call.world.course_enrollments(scope.course.id, r.STUDENT_TYPES):
        if scope.section_id is None or enrollment.section_id == scope.section_id:
            places.setdefault(enrollment.user_id, []).append(enrollment)
    contributing = call.params.get("contributing_scores") == "true"
    return [
        {
            "scores": [_score_json(score, contributing) for score in scores[user.id]],
            "links": {"user": str(user.id), "section": str(place.section_id), "status": place.state},
        }
        for user in users
        for place in places.get(user.id, [])
    ]


def _score_json(score: Score, contributing: bool = False) -> dict[str, Any]:
    links: dict[str, Any] = {"outcome": str(score.outcome_id)}
    if contributing:
        links["contributing_scores"] = [
            {
                "association_id": result.assignment_id,
                "association_type": "Assignment",
                "title": result.title.partition(", ")[2],
                "score": result.score,
            }
            for result in score.results
        ]
    return {
        "score": score.score,
        "title": score.title,
        "submitted_at": iso(score.submitted_at),
        "count": score.count,
        "hide_points": score.hide_points,
        "links": links,
    }


def _meta(call: Call, page: Page) -> dict[str, Any]:
    meta: dict[str, Any] = {"per_page": page.per_page}
    meta |= {
        rel: page.links[rel] for rel in ("next", "last", "prev", "current", "first") if rel in page.links
    }
    template = page_url(call, "PAGE", page.per_page).replace("page=PAGE", "page={page}")
    return {**meta, "page": page.number, "template": template, "count": page.total, "page_count": page.pages}


def _aggregate(call: Call, scope: Scope) -> dict[str, Any]:
    results = list(_readable_results(call, scope))
    scores = student_scores(
        call.world, scope.course, [user.id for user in scope.users], scope.outcome_ids, results
    )
    rows = course_scores(scores.values(), str(call.params.get("aggregate_stat") or "mean"))
    answer: dict[str, Any] = {
        "rollups": [{"scores": [_score_json(row) for row in rows], "links": {"course": str(scope.course.id)}}]
    }
    if scope.includes:
        answer["linked"] = _linked(call, scope, [], results)
    return answer


def _linked(call: Call, scope: Scope, users: list[r.User], results: list[r.OutcomeResult]) -> dict[str, Any]:
    world, course = call.world, scope.course
    outcomes = [world.outcomes[link.outcome_id] for link in scope.links]
    assessed = shapes.assessed_outcomes(world, course.id)
    linked: dict[str, Any] = {}
    for name in scope.includes:
        if name == "outcomes":
            linked[name] = _linked_outcomes(call, scope, results)
        elif name == "users":
            linked[name] = shapes.linked_users(call, users)
        elif name == "outcome_groups":
            groups = [group for group in world.outcome_groups.values() if group.course_id == course.id]
            linked[name] = [shapes.group_json(call, group) for group in groups]
        elif name == "outcome_links":
            linked[name] = [shapes.link_json(call, link, False, assessed) for link in scope.links]
        elif name == "outcome_paths":
            linked[name] = [shapes.path_json(world, link) for link in scope.links]
        elif name == "courses":
            linked[name] = [{"id": str(course.id), "name": course.name}]
        else:
            linked[name] = shapes.linked_alignments(call, course, outcomes)
    return linked


def _linked_outcomes(call: Call, scope: Scope, results: list[r.OutcomeResult]) -> list[dict[str, Any]]:
    """All outcomes in scope, once for each link; ``rating_percents`` counts over all students."""
    assessed = shapes.assessed_outcomes(call.world, scope.course.id)
    outcomes = [
        shapes.outcome_json(call, call.world.outcomes[link.outcome_id], scope.course, assessed)
        for link in scope.links
    ]
    if truthy(call.params.get("rating_percents")):
        scores = student_scores(
            call.world, scope.course, [user.id for user in scope.users], scope.outcome_ids, results
        )
        for outcome in outcomes:
            _add_percents(outcome, [row for rows in scores.values() for row in rows])
    return outcomes


def _add_percents(outcome: dict[str, Any], rows: list[Score]) -> None:
    values = [row.score for row in rows if row.outcome_id == outcome["id"] and row.score is not None]
    ratings = outcome["ratings"]
    tally = [0] * len(ratings)
    for value in values:
        place = next((i for i, one in enumerate(ratings) if value >= one["points"]), len(ratings) - 1)
        tally[place] += 1
    for rating, times in zip(ratings, tally, strict=True):
        rating["percent"] = round(100 * times / len(values)) if values else 0


@endpoint("GET", "/courses/<course_id>/outcome_results")
def outcome_results(call: Call, course_id: str) -> Any:
    """The raw results, paged; hidden ones only with ``include_hidden``."""
    scope = checked(call, course_id)
    hidden = truthy(call.params.get("include_hidden"))
    users, outcomes = {user.id for user in scope.users}, set(scope.outcome_ids)
    rows = [
        result
        for result in _readable_results(call, scope)
        if result.user_id in users
        and result.outcome_id in outcomes
        and not result.deleted
        and (hidden or not result.hidden)
    ]
    shown, _ = numbered(call, rows)
    answer: dict[str, Any] = {"outcome_results": [_result_json(call, result) for result in shown]}
    if scope.includes:
        answer["linked"] = _linked(call, scope, scope.users, rows)
    return answer


def _result_json(call: Call, result: r.OutcomeResult) -> dict[str, Any]:
    outcome = call.world.outcomes[result.outcome_id]
    mastered = (
        result.score is not None
        and outcome.mastery_points is not None
        and result.score >= outcome.mastery_points
    )
    return {
        "id": result.id,
        "score": result.score,
        "mastery": mastered,
        "possible": result.possible,
        "percent": result.percent,
        "hide_points": result.hide_points,
        "hidden": result.hidden,
        "submitted_or_assessed_at": iso(result.submitted_at or result.assessed_at),
        "links": {
            "user": str(result.user_id),
            "learning_outcome": str(result.outcome_id),
            "alignment": _alignment_of(result),
            "assignment": f"assignment_{result.assignment_id}" if result.assignment_id else None,
        },
    }


def _alignment_of(result: r.OutcomeResult) -> str:
    """A classic quiz's results come from its question banks; one bank for each result here."""
    if result.kind == "quiz":
        return f"assessment_question_bank_{result.id}"
    return f"rubric_{result.rubric_id}" if result.rubric_id else f"assignment_{result.assignment_id}"
