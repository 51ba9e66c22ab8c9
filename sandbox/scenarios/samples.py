"""The courses of the rollup samples: raw results from which Canvas's numbers follow.

Each function builds one course whose ``outcome_rollups`` answer is the sample of the same number.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from sandbox import records as r
from sandbox.rollups import default_proficiency
from sandbox.scenarios.base import Stage

ONE_OR_NOTHING = (("Present", "1"), ("Absent", "0"))


def _open(stage: Stage, course_id: int, name: str, *sections: int) -> None:
    stage.open_course(name, course_id, [(number, f"Section {number}") for number in sections])


def _works(stage: Stage, first_id: int, *names: str) -> list[r.Assignment]:
    group = stage.world.add_assignment_group(stage.course.id, "Assignments")
    return [
        stage.world.add_assignment(stage.course.id, name, 4, group, stage.base + first_id + place)
        for place, name in enumerate(names)
    ]


def _student(stage: Stage, name: str, user_id: int, *sections: int, **more: object) -> r.User:
    details: dict[str, object] = {"login_id": None, "email": None, **more}
    return stage.student(name, user_id, *sections, **details)  # type: ignore[arg-type]  # User's own fields


def _scores(
    stage: Stage,
    user: r.User,
    outcome: r.Outcome,
    steps: Sequence[tuple[str, r.Assignment]],
    last: str,
    **more: object,
) -> None:
    """Results oldest first, a day apart; the newest at ``last``."""
    end = datetime.fromisoformat(last)
    for place, (score, work) in enumerate(steps):
        at = end - timedelta(days=len(steps) - 1 - place)
        stage.result(user, outcome, work, score, at, **more)  # type: ignore[arg-type]  # OutcomeResult's fields


def _align(stage: Stage, outcome: r.Outcome, *codes: str) -> None:
    for code in codes:
        kind, _, number = code.rpartition("_")
        stage.align(outcome, (kind, stage.base + int(number)))


def _finish(stage: Stage, *outcomes: r.Outcome) -> None:
    """Columns named like the outcomes, and an observer for the first student."""
    first = next(one for one in stage.world.enrollments.values() if one.type == r.STUDENT)
    stage.observe(stage.world.users[first.user_id])
    stage.columns_named(list(outcomes))


def sample_01(stage: Stage) -> None:
    """Three students, five outcomes, five methods; also the sample of the course's median (11)."""
    _open(stage, 101, "Algebra", 701)
    one = stage.outcome(501, "1.1 Interprets linear models", "standard_decaying_average", 65)
    two = stage.outcome(502, "1.2 Solves systems", "highest")
    three = stage.outcome(503, "1.3 Communicates reasoning", "latest")
    four = stage.outcome(504, "1.4 Models with functions", "average")
    five = stage.outcome(505, "1.5 Uses technology", "decaying_average", 70)
    p1, p2, p3, ticket = _works(stage, 9001, "Project 1", "Project 2", "Project 3", "Exit ticket")
    _align(stage, one, "rubric_41", "assignment_9001", "assignment_9002", "assignment_9003")
    _align(stage, two, "rubric_41", "assignment_9001")
    _align(stage, three, "rubric_42", "assignment_9002")
    _align(stage, four, "assignment_9003", "assignment_9004")
    ada = _student(stage, "Ada Lindqvist", 2001, sis_id="S2001", login_id="ada@example.edu")
    bilal = _student(stage, "Bilal Okafor", 2002, sis_id="S2002", login_id="bilal@example.edu")
    chloe = _student(stage, "Chloé Marchetti", 2003, login_id="chloe@example.edu")
    _scores(stage, ada, one, [("2", p1), ("3", p2), ("4", p3)], "2026-02-11T21:08:04Z")
    _scores(stage, ada, two, [("2", p1), ("3.5", p1), ("3", p1)], "2026-01-20T15:00:00Z")
    _scores(stage, ada, three, [("1", p2), ("3", p2)], "2026-02-01T09:30:12Z")
    _scores(stage, ada, four, [("3", p3), ("2", p3), ("4", ticket)], "2026-02-10T10:00:00Z")
    _scores(stage, bilal, one, [("3", p1)], "2026-01-19T23:59:10Z")
    _scores(stage, bilal, two, [("4", p1)], "2026-01-19T23:59:10Z")
    _scores(stage, bilal, four, [("3", ticket), ("3.33", p3)], "2026-02-11T20:00:00Z")
    _scores(stage, chloe, one, [("0", p1), ("1", p2)], "2026-02-01T08:00:00Z")
    _scores(stage, chloe, three, [("0", p2)], "2026-02-01T08:00:00Z")
    _finish(stage, one, two, three, four, five)


def sample_02(stage: Stage) -> None:
    """Five students for pages of three; the last has no evidence."""
    _open(stage, 102, "English", 711)
    reading = stage.outcome(511, "A. Reading", "highest")
    writing = stage.outcome(512, "B. Writing", "n_mastery", 2)
    e1, e2, e3 = _works(stage, 9101, "Essay 1", "Essay 2", "Essay 3")
    _align(stage, reading, "assignment_9101")
    _align(stage, writing, "assignment_9101", "assignment_9102")
    names = ("Ines Abreu", "Jon Baker", "Kira Chen", "Leo Diaz", "Mona Eriksen")
    ines, jon, kira, leo, _ = [_student(stage, name, 2101 + place) for place, name in enumerate(names)]
    day = "2026-03-0{}T12:00:00Z"
    _scores(stage, ines, reading, [("3", e1), ("4", e2)], day.format(2))
    _scores(stage, ines, writing, [("3", e1), ("3.5", e2)], day.format(2))
    _scores(stage, jon, reading, [("2", e1)], day.format(1))
    _scores(stage, jon, writing, [("3", e1)], day.format(1))
    _scores(stage, kira, reading, [("1", e1), ("2.5", e2)], day.format(2))
    _scores(stage, kira, writing, [("2", e1), ("3", e2)], day.format(2))
    _scores(stage, leo, reading, [("3", e1)], day.format(1))
    _scores(stage, leo, writing, [("3", e1), ("3", e2), ("4", e3)], day.format(3))
    _finish(stage, reading, writing)


def sample_03(stage: Stage) -> None:
    """``n_mastery`` not reached: a null score."""
    _open(stage, 103, "Chemistry", 721)
    times = stage.outcome(521, "N-times outcome", "n_mastery", 3)
    latest = stage.outcome(522, "Latest outcome", "latest")
    l1, l2, l3, l4 = _works(stage, 9201, "Lab 1", "Lab 2", "Lab 3", "Lab 4")
    _align(stage, times, "assignment_9201", "assignment_9202", "assignment_9203")
    _align(stage, latest, "assignment_9201")
    names = ("Noor Farah", "Omar Gil", "Pia Holm", "Quinn Ito")
    noor, omar, pia, _ = [_student(stage, name, 2201 + place) for place, name in enumerate(names)]
    _scores(stage, noor, times, [("3", l1), ("4", l2)], "2026-01-15T10:00:00Z")
    _scores(stage, noor, latest, [("3", l1)], "2026-01-10T10:00:00Z")
    _scores(stage, omar, times, [("3", l1), ("2", l2), ("3", l3)], "2026-01-22T10:00:00Z")
    _scores(stage, pia, times, [("3", l1), ("2", l2), ("4", l3), ("3.5", l4)], "2026-01-29T10:00:00Z")
    _finish(stage, times, latest)


def sample_04(stage: Stage) -> None:
    """Outcomes nobody was assessed on, and a student without evidence."""
    _open(stage, 104, "History", 731)
    used = stage.outcome(531, "Used outcome", "latest")
    linked = stage.outcome(532, "Linked account outcome, never assessed here", "highest", account=True)
    aligned = stage.outcome(533, "Aligned, nobody assessed", "average")
    quiz, _ = _works(stage, 9301, "Quiz, part one", "Quiz, part two")
    _align(stage, used, "assignment_9301")
    _align(stage, aligned, "assignment_9302")
    rosa = _student(stage, "Rosa Jensen", 2301)
    _student(stage, "Sami Kaya", 2302)
    _scores(stage, rosa, used, [("2", quiz)], "2026-02-02T08:00:00Z")
    _finish(stage, used, linked, aligned)


def sample_05(stage: Stage) -> None:
    """A student in two sections, another active in one and inactive in another; also the sample 10."""
    _open(stage, 105, "Biology", 741, 742, 743)
    safety = stage.outcome(541, "Lab safety", "highest")
    (check,) = _works(stage, 9401, "Safety check")
    _align(stage, safety, "assignment_9401")
    tess = _student(stage, "Tess Lund", 2401, 0, 1)
    uri = _student(stage, "Uri Moss", 2402)
    vera = _student(stage, "Vera Nunes", 2403, 1)
    stage.world.enroll(vera, stage.sections[2], state="inactive")
    _scores(stage, tess, safety, [("3.5", check), ("3", check)], "2026-01-12T14:20:00Z")
    _scores(stage, uri, safety, [("2", check)], "2026-01-12T14:25:00Z")
    _finish(stage, safety)


def sample_06(stage: Stage) -> None:
    """Every state of an enrolment, and the Test Student."""
    _open(stage, 106, "Debate", 751)
    argue = stage.outcome(551, "Argumentation", "standard_decaying_average", 65)
    (debate,) = _works(stage, 9501, "Debate 1")
    _align(stage, argue, "assignment_9501")
    people = (
        ("Wim Oster", "active", "3"),
        ("Xena Park", "completed", "4"),
        ("Yan Qiu", "inactive", "1"),
        ("Zoe Rossi", "invited", None),
        ("Abe Stone", "rejected", None),
    )
    for place, (name, state, score) in enumerate(people):
        student = _student(stage, name, 2501 + place, state=state)
        if score is not None:
            _scores(stage, student, argue, [(score, debate)], "2026-02-03T09:00:00Z")
    _student(stage, "Test Student", 2506, type=r.TEST_STUDENT)
    _finish(stage, argue)


def sample_07(stage: Stage) -> None:
    """Account-level scales: rubric rows out of 5 on a scale of 4, weighted 65 %."""
    account = stage.world.accounts[1]
    account.features.add(r.ACCOUNT_SCALES)
    account.proficiency = default_proficiency()
    account.proficiency.method, account.proficiency.method_int = "decaying_average", 65
    _open(stage, 107, "Geometry", 761)
    shared = stage.outcome(561, "Account outcome A", "highest", account=True)
    own = stage.outcome(562, "Course outcome B", "latest")
    u1, u2 = _works(stage, 9601, "Unit 1", "Unit 2")
    _align(stage, shared, "assignment_9601", "assignment_9602")
    _align(stage, own, "assignment_9601")
    bea, cal = _student(stage, "Bea Toth", 2601), _student(stage, "Cal Uhl", 2602)
    _scores(stage, bea, shared, [("3", u1), ("5", u2)], "2026-03-10T13:00:00Z", out_of=5)
    _scores(stage, bea, own, [("4", u1)], "2026-02-10T13:00:00Z", out_of=5)
    _scores(stage, cal, shared, [("3.5", u1)], "2026-02-10T13:05:00Z", out_of=5)
    _finish(stage, shared, own)


def sample_08(stage: Stage) -> None:
    """The synthetic "Current Score" among the real outcomes."""
    _open(stage, 108, "Statistics", 771)
    one = stage.outcome(571, "Outcome 1", "standard_decaying_average", 65)
    two = stage.outcome(572, "Outcome 2", "standard_decaying_average", 65)
    note = "Written by the sync tool through the rubric of assignment 9799"
    current = stage.outcome(579, "Current Score", "latest", description=note)
    t1, t2 = _works(stage, 9701, "Task 1", "Task 2")
    (holder,) = _works(stage, 9799, "Current Score")
    _align(stage, one, "assignment_9701")
    _align(stage, two, "assignment_9701", "assignment_9702")
    _align(stage, current, "assignment_9799")
    rows = (("3.5", ("2", "3"), "3.08"), ("4", ("4", "4"), "4"), ("1", ("2", "2"), None))
    for place, (first, second, written) in enumerate(rows):
        login = f"teststudent00{place + 1}"
        student = _student(
            stage, f"Test Student00{place + 1}", 2701 + place, sis_id=login, login_id=f"{login}@example.com"
        )
        _scores(stage, student, one, [(first, t1)], "2026-02-11T21:08:04Z")
        _scores(stage, student, two, [(second[0], t1), (second[1], t2)], "2026-02-18T21:08:04Z")
        if written is not None:
            _scores(stage, student, current, [(written, holder)], "2026-02-19T06:00:03Z")
    _finish(stage, one, two)


def sample_09(stage: Stage) -> None:
    """Attendance, two outcomes of one title, a score above the scale, hidden points, a stored rollup."""
    _open(stage, 109, "Civics", 781)
    present = stage.outcome(581, "Attendance", "average", levels=ONE_OR_NOTHING, mastery="0.9")
    content = stage.outcome(582, "Content knowledge", "highest")
    shared = stage.outcome(
        583, "Content knowledge", "highest", account=True, display_name="Content knowledge (linked copy)"
    )
    weekly = stage.outcome(584, "ATTENDANCE & Participation (weekly)", "latest")
    for place, outcome in enumerate((present, content, shared, weekly)):
        _align(stage, outcome, f"assignment_{9801 + place}")
    (week,) = _works(stage, 9801, "Week 6")
    caps = _works(stage, 9802, "Capstone", "Capstone", "Participation")
    dee, eli = _student(stage, "Dee Vogt", 2801), _student(stage, "Eli Wynn", 2802)
    last, capstone = "2026-02-20T16:00:00Z", "2026-02-21T16:00:00Z"
    _scores(stage, dee, present, [(score, week) for score in ("1", "1", "0", "1", "1", "1")], last)
    _scores(stage, dee, content, [("3", caps[0]), ("4.4", caps[0]), ("4", caps[0])], capstone)
    _scores(stage, dee, shared, [("3", caps[1])], capstone, hide_points=True)
    stored = r.StoredRollup(stage.course.id, dee.id, weekly.id, Decimal(3))
    stage.world.stored_rollups.append(stored)
    _scores(stage, eli, present, [("1", week)] * 6, last)
    _scores(stage, eli, content, [("2", caps[0])], capstone)
    _finish(stage, present, content, shared, weekly)
