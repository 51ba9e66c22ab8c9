"""What every scenario has: the school's people, both developer keys, and short ways to add evidence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sandbox import records as r
from sandbox.scopes import API_SCOPES, LTI_SCOPES
from sandbox.world import World

FIVE_LEVELS = (
    ("Exceeds Mastery", "4"),
    ("Mastery", "3"),
    ("Near Mastery", "2"),
    ("Below Mastery", "1"),
    ("No Evidence", "0"),
)
CUSTOM_FIELDS = {
    "canvas_course_id": "$Canvas.course.id",
    "canvas_user_id": "$Canvas.user.id",
    "canvas_api_domain": "$Canvas.api.domain",
}
TEACHER_ID, TA_ID, DESIGNER_ID, OBSERVER_ID, ADMIN_ID, STRANGER_ID = (
    11,
    12,
    13,
    14,
    15,
    16,
)
LTI_KEY_CLIENT = "10000000000042"
API_KEY_CLIENT = "10000000000043"
API_KEY_SECRET = "sandbox-api-secret"
FIRST_FREE_ID = 100_000
TERM_START = datetime(2026, 1, 12, 15, tzinfo=UTC)


@dataclass(frozen=True)
class Options:
    """How the tool is known to the pretend Canvas."""

    tool_url: str = "http://127.0.0.1:8000"
    lti_client_id: str = LTI_KEY_CLIENT
    api_client_id: str = API_KEY_CLIENT
    api_client_secret: str = API_KEY_SECRET


class Stage:
    """A world being set up: people and keys are there, a course comes next.

    ``base`` is added to every id given here, for a school on a shard (global ids).
    """

    def __init__(self, options: Options, base: int = 0) -> None:
        self.options = options
        self.base = base
        self.world = World()
        self.course: r.Course
        self.sections: list[r.Section] = []
        self._title_of: dict[int, str] = {}
        self.reset(base)

    def reset(self, base: int = 0) -> None:
        """Start again with another id base."""
        self.base = base
        self.world = World(first_id=base + FIRST_FREE_ID)
        self.sections = []
        self._people()
        self._keys()

    def _people(self) -> None:
        add = self.world.add_user
        self.teacher = add(
            "Maria Keller",
            self.base + TEACHER_ID,
            email="maria@example.edu",
            login_id="maria",
            sis_id="T11",
        )
        self.ta = add(
            "Jonas Brandt",
            self.base + TA_ID,
            email="jonas@example.edu",
            login_id="jonas",
        )
        self.designer = add(
            "Dana Ortiz",
            self.base + DESIGNER_ID,
            email="dana@example.edu",
            login_id="dana",
        )
        self.observer = add(
            "Otto Lindqvist",
            self.base + OBSERVER_ID,
            email="otto@example.edu",
            login_id="otto",
        )
        self.admin = add(
            "Ada Admin",
            self.base + ADMIN_ID,
            email="admin@example.edu",
            login_id="admin",
            account_admin=True,
        )
        self.stranger = add(
            "Sam Stranger",
            self.base + STRANGER_ID,
            email="sam@example.edu",
            login_id="sam",
        )

    def _keys(self) -> None:
        tool, options = self.options.tool_url.rstrip("/"), self.options
        self.lti_key = self.world.add_key(
            "lti",
            options.lti_client_id,
            redirect_uris=[f"{tool}/lti/launch"],
            login_url=f"{tool}/lti/login",
            target_link_uri=f"{tool}/lti/launch",
            jwks_url=f"{tool}/lti/jwks.json",
            scopes=list(LTI_SCOPES),
            custom_fields=dict(CUSTOM_FIELDS),
            # More than a tool needs: what it does with names it did not ask for shows in every scenario.
            privacy_level="public",
        )
        self.api_key = self.world.add_key(
            "api",
            options.api_client_id,
            secret=options.api_client_secret,
            redirect_uris=[f"{tool}/canvas/callback"],
            scopes=list(API_SCOPES),
        )

    # --- the course -------------------------------------------------------------------------

    def open_course(
        self, name: str, course_id: int, sections: list[tuple[int, str]], **more: Any
    ) -> r.Course:
        """The course with its sections, staff and the tool installed in it."""
        world = self.world
        self.course = world.add_course(name, self.base + course_id, **more)
        self.sections = [
            world.add_section(self.course.id, title, self.base + number) for number, title in sections
        ]
        home = self.sections[0]
        world.enroll(self.teacher, home, r.TEACHER)
        world.enroll(self.ta, home, r.TA)
        world.enroll(self.designer, home, r.DESIGNER)
        world.install_tool(self.lti_key, self.course, self.base + 265)
        return self.course

    def student(
        self,
        name: str,
        user_id: int,
        *sections: int,
        state: str = "active",
        type: str = r.STUDENT,
        **more: Any,
    ) -> r.User:
        """A student of the sections with these positions (default: the first)."""
        slug = name.split(" ")[0].lower()
        person = {
            "login_id": f"{slug}@example.edu",
            "email": f"{slug}@example.edu",
            **more,
        }
        user = self.world.add_user(name, self.base + user_id, **person)
        for position in sections or (0,):
            self.world.enroll(user, self.sections[position], type, state)
        return user

    def observe(self, student: r.User) -> None:
        """Let the observer see this student."""
        self.observer.observes.append(student.id)
        self.world.enroll(self.observer, self.sections[0], r.OBSERVER, associated_user_id=student.id)

    # --- outcomes and evidence --------------------------------------------------------------

    def outcome(
        self,
        outcome_id: int,
        title: str,
        method: str | None = "highest",
        method_int: int | None = None,
        *,
        group: r.OutcomeGroup | None = None,
        levels: tuple[tuple[str, str], ...] = FIVE_LEVELS,
        mastery: str = "3",
        account: bool = False,
        **more: Any,
    ) -> r.Outcome:
        """An outcome linked in ``group`` (default: the root group)."""
        world = self.world
        outcome = r.Outcome(
            self.base + outcome_id,
            title,
            "Account" if account else "Course",
            1 if account else self.course.id,
            points_possible=Decimal(levels[0][1]),
            mastery_points=Decimal(mastery),
            ratings=[r.Rating(text, Decimal(points)) for text, points in levels],
            method=method,
            method_int=method_int,
            **more,
        )
        world.outcomes[outcome.id] = outcome
        home = group or world.root_group(self.course.id)
        link = r.OutcomeLink(world.new_id(), self.course.id, home.id, outcome.id)
        world.outcome_links[link.id] = link
        return outcome

    def rubric(
        self,
        assignment: r.Assignment,
        outcomes: list[r.Outcome],
        rubric_id: int | None = None,
    ) -> r.Rubric:
        """A rubric on the assignment with one criterion for each outcome."""
        number = self.base + rubric_id if rubric_id is not None else self.world.new_id()
        criteria = [
            r.Criterion(
                f"_{outcome.id}",
                outcome.title,
                outcome.points_possible or Decimal(0),
                outcome.id,
                outcome.ratings,
            )
            for outcome in outcomes
        ]
        rubric = r.Rubric(
            number,
            self.course.id,
            f"{assignment.name} rubric",
            criteria,
            [assignment.id],
        )
        self.world.rubrics[rubric.id] = rubric
        for outcome in outcomes:
            self.align(outcome, ("rubric", number), ("assignment", assignment.id))
        return rubric

    def align(self, outcome: r.Outcome, *targets: tuple[str, int]) -> None:
        """Tie the outcome to ("assignment", id) or ("rubric", id)."""
        for kind, number in targets:
            self.world.alignments.append(r.Alignment(self.course.id, outcome.id, kind, number))

    def result(
        self,
        user: r.User,
        outcome: r.Outcome,
        assignment: r.Assignment,
        score: str | int | Decimal,
        at: datetime | str,
        *,
        out_of: str | int | None = None,
        **more: Any,
    ) -> r.OutcomeResult:
        """One result: ``score`` out of ``out_of`` (default: the outcome's points), submitted ``at``."""
        when = datetime.fromisoformat(at) if isinstance(at, str) else at
        possible = Decimal(out_of) if out_of is not None else outcome.points_possible
        value = Decimal(score)
        result = r.OutcomeResult(
            self.world.new_id(),
            self.course.id,
            user.id,
            outcome.id,
            assignment.id,
            score=value,
            possible=possible,
            percent=value / possible if possible else None,
            title=f"{user.name}, {assignment.name}",
            submitted_at=when,
            assessed_at=more.pop("assessed_at", when + timedelta(hours=1)),
            **more,
        )
        self.world.results[result.id] = result
        return result

    def columns_named(self, outcomes: list[r.Outcome], points: int = 1) -> list[r.Assignment]:
        """Published 1-point assignments named like the outcomes, in a group of their own."""
        group = self.world.add_assignment_group(self.course.id, "Mastery")
        return [
            self.world.add_assignment(self.course.id, outcome.title, points, group) for outcome in outcomes
        ]
