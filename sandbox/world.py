"""The state of the pretend Canvas, in memory, with a settable clock and one lock."""

from __future__ import annotations

import hashlib
import itertools
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sandbox import records as r
from sandbox.plumbing import CallLog, Faults, Throttle

MAIN_ACCOUNT = 1


class World:
    """Everything the pretend Canvas knows. Tables are dicts by id; hold ``lock`` while reading or writing.

    Requests are handled under the lock (see ``sandbox.app``), so a test or a page that changes the
    world directly does ``with world.lock:``.
    """

    def __init__(self, first_id: int = 1) -> None:
        self.lock = threading.RLock()
        self._clock_offset = timedelta(0)
        self._frozen: datetime | None = None
        self._ids = itertools.count(first_id)
        self.name = ""
        self.accounts: dict[int, r.Account] = {}
        self.users: dict[int, r.User] = {}
        self.courses: dict[int, r.Course] = {}
        self.sections: dict[int, r.Section] = {}
        self.enrollments: dict[int, r.Enrollment] = {}
        self.outcome_groups: dict[int, r.OutcomeGroup] = {}
        self.outcomes: dict[int, r.Outcome] = {}
        self.outcome_links: dict[int, r.OutcomeLink] = {}
        self.alignments: list[r.Alignment] = []
        self.results: dict[int, r.OutcomeResult] = {}
        self.stored_rollups: list[r.StoredRollup] = []
        self.rubrics: dict[int, r.Rubric] = {}
        self.assignment_groups: dict[int, r.AssignmentGroup] = {}
        self.assignments: dict[int, r.Assignment] = {}
        self.groups: dict[int, r.Group] = {}
        self.submissions: dict[tuple[int, int], r.Submission] = {}
        self.grading_standards: dict[int, r.GradingStandard] = {}
        self.grading_periods: dict[int, r.GradingPeriod] = {}
        self.keys: dict[int, r.DeveloperKey] = {}
        self.tools: dict[int, r.ToolInstall] = {}
        self.resource_links: dict[int, r.ResourceLink] = {}
        self.line_items: dict[int, r.LineItem] = {}
        self.lti_results: dict[int, r.LtiResult] = {}
        self.auth_codes: dict[str, r.AuthCode] = {}
        self.tokens: dict[int, r.AccessToken] = {}
        self.progress: dict[int, r.Progress] = {}
        self.lti_state: dict[str, Any] = {}
        self.outcomes_service_cache: dict[Any, tuple[datetime, list[int]]] = {}
        self.faults = Faults()
        self.calls = CallLog()
        self.throttle = Throttle()
        self.latency = 0.0
        self.job_delay = 0.0
        self.jobs_stuck = False
        self.permission_status = 403
        self.public_url = ""
        self.accounts[MAIN_ACCOUNT] = r.Account(
            MAIN_ACCOUNT,
            "Sandbox School",
            uuid=_hex("account", 1),
            lti_guid=f"{_hex('guid', 1)}:canvas-lms",
            features={r.NEW_DECAYING},
        )

    # --- time -------------------------------------------------------------------------------

    def now(self) -> datetime:
        """The world's time, aware, UTC."""
        return self._frozen if self._frozen is not None else datetime.now(UTC) + self._clock_offset

    def set_clock(self, at: datetime | None) -> None:
        """Stop the clock at ``at``; None lets it run with real time again."""
        self._frozen = at
        self._clock_offset = timedelta(0)

    def advance(self, step: timedelta) -> None:
        """Move the clock, also backwards."""
        if self._frozen is not None:
            self._frozen += step
        else:
            self._clock_offset += step

    # --- ids --------------------------------------------------------------------------------

    def new_id(self) -> int:
        return next(self._ids)

    # --- building ---------------------------------------------------------------------------

    def add_user(self, name: str, user_id: int | None = None, **more: Any) -> r.User:
        """A person; the LTI ids follow from the numeric id so that a scenario is the same each time."""
        number = user_id if user_id is not None else self.new_id()
        first, _, last = name.rpartition(" ")
        defaults = {
            "sortable_name": f"{last}, {first}" if first else name,
            "lti_id": str(uuid.UUID(hex=_hex("user", number)[:32], version=4)),
            "legacy_id": _hex("legacy", number),
        }
        user = r.User(id=number, name=name, **{**defaults, **more})
        self.users[user.id] = user
        return user

    def add_course(self, name: str, course_id: int | None = None, **more: Any) -> r.Course:
        """A published course with its root outcome group and one assignment group."""
        number = course_id if course_id is not None else self.new_id()
        defaults = {
            "lti_context_id": _hex("course", number),
            "uuid": _hex("course-uuid", number),
            "code": f"C-{number}",
            "account_id": MAIN_ACCOUNT,
        }
        course = r.Course(id=number, name=name, **{**defaults, **more})
        self.courses[course.id] = course
        self.add_outcome_group(course.id, name)
        return course

    def add_section(self, course_id: int, name: str, section_id: int | None = None, **more: Any) -> r.Section:
        section = r.Section(
            section_id if section_id is not None else self.new_id(),
            course_id,
            name,
            **more,
        )
        self.sections[section.id] = section
        return section

    def enroll(
        self,
        user: r.User,
        section: r.Section,
        type: str = r.STUDENT,
        state: str = "active",
        **more: Any,
    ) -> r.Enrollment:
        enrollment = r.Enrollment(
            self.new_id(),
            user.id,
            section.course_id,
            section.id,
            type=type,
            state=state,
            **more,
        )
        self.enrollments[enrollment.id] = enrollment
        return enrollment

    def add_outcome_group(
        self,
        course_id: int,
        title: str,
        parent_id: int | None = None,
        group_id: int | None = None,
    ) -> r.OutcomeGroup:
        group = r.OutcomeGroup(
            group_id if group_id is not None else self.new_id(),
            course_id,
            title,
            parent_id,
        )
        self.outcome_groups[group.id] = group
        return group

    def add_assignment_group(self, course_id: int, name: str, **more: Any) -> r.AssignmentGroup:
        position = 1 + sum(1 for group in self.assignment_groups.values() if group.course_id == course_id)
        group = r.AssignmentGroup(self.new_id(), course_id, name, position=position, **more)
        self.assignment_groups[group.id] = group
        return group

    def add_assignment(
        self,
        course_id: int,
        name: str,
        points: Decimal | int | None,
        group: r.AssignmentGroup | None = None,
        assignment_id: int | None = None,
        **more: Any,
    ) -> r.Assignment:
        """A published assignment; without ``group`` in the course's first assignment group."""
        number = assignment_id if assignment_id is not None else self.new_id()
        home = group or self._first_assignment_group(course_id)
        position = 1 + sum(1 for other in self.assignments.values() if other.assignment_group_id == home.id)
        defaults = {"lti_context_id": _hex("assignment", number), "position": position}
        assignment = r.Assignment(
            id=number,
            course_id=course_id,
            name=name,
            points_possible=None if points is None else Decimal(points),
            assignment_group_id=home.id,
            **{**defaults, **more},
        )
        self.assignments[assignment.id] = assignment
        return assignment

    def _first_assignment_group(self, course_id: int) -> r.AssignmentGroup:
        mine = [group for group in self.assignment_groups.values() if group.course_id == course_id]
        return (
            min(mine, key=lambda group: group.position)
            if mine
            else self.add_assignment_group(course_id, "Assignments")
        )

    def add_key(self, kind: str, client_id: str, **more: Any) -> r.DeveloperKey:
        key = r.DeveloperKey(self.new_id(), kind, client_id, **more)
        self.keys[key.id] = key
        return key

    def install_tool(
        self,
        key: r.DeveloperKey,
        context: r.Course | r.Account,
        tool_id: int | None = None,
    ) -> r.ToolInstall:
        """Install the key's tool in a course or an account."""
        number = tool_id if tool_id is not None else self.new_id()
        if isinstance(context, r.Course):
            kind, opaque = "Course", context.lti_context_id
        else:
            kind, opaque = "Account", _hex("account-lti", context.id)
        tool = r.ToolInstall(number, key.id, kind, context.id, opaque, key.title)
        self.tools[tool.id] = tool
        return tool

    # --- finding ----------------------------------------------------------------------------

    def course(self, course_id: int) -> r.Course | None:
        """The course, unless deleted or unknown."""
        course = self.courses.get(course_id)
        return None if course is None or course.workflow_state == "deleted" else course

    def course_enrollments(self, course_id: int, types: Iterable[str] | None = None) -> list[r.Enrollment]:
        """All non-deleted enrollments, in id order, of these types."""
        wanted = set(types) if types is not None else None
        return [
            enrollment
            for enrollment in self.enrollments.values()
            if enrollment.course_id == course_id
            and enrollment.state != "deleted"
            and (wanted is None or enrollment.type in wanted)
        ]

    def user_enrollments(self, user_id: int, course_id: int) -> list[r.Enrollment]:
        return [
            enrollment
            for enrollment in self.enrollments.values()
            if enrollment.user_id == user_id
            and enrollment.course_id == course_id
            and enrollment.state != "deleted"
        ]

    def has_student(self, course_id: int, user_id: int, states: Iterable[str] = ("active",)) -> bool:
        allowed = set(states)
        return any(
            enrollment.type in r.STUDENT_TYPES and enrollment.state in allowed
            for enrollment in self.user_enrollments(user_id, course_id)
        )

    def live_user(self, user_id: int) -> r.User | None:
        """The surviving user of a (merged) id; None when deleted or unknown."""
        user = self.users.get(user_id)
        while user is not None and user.merged_into is not None:
            user = self.users.get(user.merged_into)
        return None if user is None or user.deleted else user

    def course_assignments(self, course_id: int) -> list[r.Assignment]:
        return [
            assignment
            for assignment in self.assignments.values()
            if assignment.course_id == course_id and not assignment.deleted
        ]

    def course_outcomes(self, course_id: int) -> list[r.OutcomeLink]:
        """The course's links to outcomes that still exist, in link id order."""
        return [
            link
            for link in self.outcome_links.values()
            if link.course_id == course_id and not self.outcomes[link.outcome_id].deleted
        ]

    def root_group(self, course_id: int) -> r.OutcomeGroup:
        return next(
            group
            for group in self.outcome_groups.values()
            if group.course_id == course_id and group.parent_id is None
        )

    def is_assigned(self, assignment: r.Assignment, user_id: int) -> bool:
        return not assignment.only_visible_to_overrides or user_id in assignment.assigned_user_ids

    def submission(self, assignment: r.Assignment, user_id: int) -> r.Submission:
        """The submission row; Canvas has one for every assigned student even without work."""
        key = (assignment.id, user_id)
        found = self.submissions.get(key)
        if found is None:
            found = self.submissions[key] = r.Submission(self.new_id(), assignment.id, user_id)
        return found

    def key_by_client_id(self, client_id: str) -> r.DeveloperKey | None:
        return next((key for key in self.keys.values() if key.client_id == client_id), None)

    def account_chain(self, account_id: int) -> list[r.Account]:
        """The account and its parents, nearest first."""
        chain: list[r.Account] = []
        current: int | None = account_id
        while current is not None:
            account = self.accounts[current]
            chain.append(account)
            current = account.parent_id
        return chain

    # --- background jobs --------------------------------------------------------------------

    def queue_job(
        self,
        course_id: int,
        tag: str,
        work: Callable[[], str | None],
        user_id: int | None = None,
    ) -> r.Progress:
        """Queue ``work`` (returns None, or the message of a failed job); one at a time per course."""
        now, clock = self.now(), time.monotonic()
        waiting = [job.due for job in self.progress.values() if job.course_id == course_id and job.work]
        started = max([clock, *waiting])
        job = r.Progress(
            self.new_id(),
            course_id,
            tag,
            now,
            now,
            started + self.job_delay,
            started,
            work,
            user_id=user_id,
        )
        self.progress[job.id] = job
        return job

    def run_jobs(self, everything: bool = False) -> None:
        """Run the jobs whose time has come (``everything``: all). Called before each request."""
        if self.jobs_stuck and not everything:
            return
        clock = time.monotonic()
        for job in [each for each in self.progress.values() if each.work is not None]:
            if everything or job.due <= clock:
                self._finish(job)
            elif job.started + self.job_delay / 2 <= clock and job.state == "queued":
                job.state, job.completion = "running", 0

    def _finish(self, job: r.Progress) -> None:
        work, job.work = job.work, None
        message = work() if work is not None else None
        job.updated_at = self.now()
        if message is None:
            job.state, job.completion = "completed", 100
        else:
            job.state, job.message = "failed", message


def _hex(kind: str, number: int) -> str:
    """Forty hex digits that follow from a kind and a number."""
    return hashlib.sha1(f"sandbox {kind} {number}".encode(), usedforsecurity=False).hexdigest()
