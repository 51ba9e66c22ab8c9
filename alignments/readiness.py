"""What to put right in Canvas before grades mean anything, with the place to do it."""

from __future__ import annotations

from dataclasses import dataclass

from alignments.pages import Reading


@dataclass(frozen=True, slots=True)
class Note:
    """Something to put right in Canvas first; `path` is below the course's address there."""

    kind: str
    title: str
    text: str
    path: str
    link_text: str


def readiness(reading: Reading) -> list[Note]:
    """What to put right in Canvas before grades mean anything."""
    notes = []
    if reading.course.concluded or reading.course.workflow_state == "completed":
        notes.append(
            Note(
                "warning",
                "This course has ended.",
                "Canvas takes no grades for it. Reopen it in its settings to send grades.",
                "/settings",
                "Course settings in Canvas",
            )
        )
    elif reading.course.workflow_state in {"unpublished", "created", "claimed"}:
        notes.append(
            Note(
                "warning",
                "This course is not published.",
                "Grades can be prepared here, but students see nothing until it is published.",
                "",
                "Open the course in Canvas",
            )
        )
    if reading.course.own_sections_only:
        notes.append(
            Note(
                "info",
                "You see the students of your own sections only.",
                "So do these pages: the others of the course are neither shown nor graded from here. Somebody who sees "
                "the whole class can sync them.",
                "/users",
                "People in Canvas",
            )
        )
    if not reading.evidence.outcomes:
        notes.append(
            Note(
                "info",
                "There are no outcomes in this course yet.",
                "Add outcomes in Canvas and come back.",
                "/outcomes",
                "Outcomes in Canvas",
            )
        )
    elif not reading.class_ids:
        notes.append(
            Note(
                "info",
                "There are no active students in this course yet.",
                "Alignments can be made now; grades follow when students are enrolled.",
                "/users",
                "People in Canvas",
            )
        )
    elif not any(
        reading.evidence.rollups[user].scores
        for user in reading.class_ids
        if user in reading.evidence.rollups
    ):
        notes.append(
            Note(
                "info",
                "No student has evidence on any outcome yet.",
                "Assess an outcome in Canvas, with a rubric or a quiz; nothing is sent until then.",
                "/outcomes",
                "Outcomes in Canvas",
            )
        )
        # Whether it is on takes a permission of its own to ask, so the teacher looks.
        notes.append(
            Note(
                "info",
                "Results of New Quizzes come only if a feature of the course lets them.",
                "If you assessed outcomes there, look whether it is on. Other quizzes and rubrics need nothing.",
                "/settings#tab-features",
                "Feature options in Canvas",
            )
        )
    return notes
