"""Every reason code with the sentence a person reads: what is so, and what to do.

Codes are a promise to other programs (the command's JSON); sentences may be improved.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Who = Literal["nobody", "teacher", "admin", "operator"]


@dataclass(frozen=True, slots=True)
class Reason:
    """`short` labels a cell; `sentence` explains it and says the next step; `who` has to act, if anybody."""

    short: str
    sentence: str
    who: Who = "nobody"
    is_known: bool = True


REASONS: dict[str, Reason] = {
    "graded": Reason("Grade from the rule", "The rule gives this grade."),
    "zeroed": Reason(
        "Zero for too little evidence", "Too little was assessed, and the alignment gives 0 then."
    ),
    "excused": Reason(
        "Excused for too little evidence", "Too little was assessed, and the alignment excuses then."
    ),
    "cleared": Reason(
        "Cleared for too little evidence", "Too little was assessed, and the alignment clears the grade then."
    ),
    "same": Reason("Already right", "The gradebook already holds this."),
    "not_a_student": Reason(
        "Not an active student",
        "This person has no active student enrollment in the course, so nothing is sent.",
    ),
    "not_assigned": Reason("Not assigned", "The assignment is not assigned to this student in Canvas."),
    "not_assessed": Reason(
        "Not assessed by choice",
        "An exception says that this student, or their section, is not assessed here. The cell is left alone; "
        "remove the exception on the alignment's page to grade it.",
    ),
    "broken_alignment": Reason(
        "Alignment needs repair", "The alignment cannot be worked out. Open it and repair it.", "teacher"
    ),
    "column_blocked": Reason(
        "Column cannot be graded", "Canvas cannot take grades for this column now.", "teacher"
    ),
    "evidence_gone": Reason(
        "Evidence is gone",
        "The evidence behind this grade is no longer there. The grade was left as it is.",
        "teacher",
    ),
    "no_evidence": Reason("Not assessed yet", "Nothing has been assessed yet, so the cell is left alone."),
    "too_little_evidence": Reason(
        "Too little evidence",
        "Fewer outcomes were assessed than the alignment asks for; the cell is left alone.",
    ),
    "excused_by_person": Reason("Excused by a person", "A person excused this. It stays excused.", "teacher"),
    "closed_period": Reason(
        "Grading period closed",
        "The grading period is closed. Reopen it in Canvas to change this grade.",
        "admin",
    ),
    "already_graded": Reason(
        "Already graded", "The cell holds a grade, and this alignment only fills empty cells."
    ),
    "graded_by_person": Reason(
        "Graded by a person", "A person gave this grade. It stays unless you choose to replace it.", "teacher"
    ),
    "cleared_by_person": Reason(
        "Emptied by a person", "A person removed the grade this tool had given. It stays empty.", "teacher"
    ),
    "would_lower": Reason("Would lower the grade", "This alignment only raises grades."),
    "held_by_person": Reason("Held by you", "You held this back in the preview."),
    "changed_since_preview": Reason(
        "Changed since the preview",
        "Somebody changed this cell after the preview. It was left as it is; preview again to see it.",
        "teacher",
    ),
    "unpublished": Reason("Not published", "Publish the assignment and send again.", "teacher"),
    "concluded": Reason(
        "Course has ended",
        "Canvas no longer accepts grades for this course because it has ended. Reopen the course in its "
        "settings, then send again.",
        "teacher",
    ),
    "left_course": Reason(
        "No longer in the course", "Canvas says that this person is no longer an active student here."
    ),
    "column_gone": Reason(
        "Column is gone", "The column was deleted in Canvas. Save the alignment again.", "teacher"
    ),
    "not_written": Reason(
        "Canvas did not take it",
        "Canvas did not write this grade and did not say why. Send again; if it stays, grade this one by hand.",
        "teacher",
    ),
    "no_answer": Reason(
        "Canvas did not answer", "Canvas did not answer in time. The cell is as it was; send again later."
    ),
    "superseded": Reason(
        "A newer grade is there",
        "Canvas holds a newer grade for this student. It was left as it is.",
        "teacher",
    ),
    "refused": Reason("Refused by Canvas", "Canvas refused this grade.", "teacher"),
    "not_read_back": Reason(
        "Sent, not confirmed",
        "The grade was sent, but Canvas could not be read afterwards. The next sync finds out.",
    ),
    "not_reached": Reason(
        "Not sent", "The run stopped before this cell's turn. Send again when the reason is gone."
    ),
    "stopped_by_person": Reason("Stopped", "The run was stopped before this cell's turn.", "teacher"),
    "points_changed": Reason(
        "Points changed", "The points of this column changed in Canvas. Save the alignment again.", "teacher"
    ),
    "gone": Reason(
        "Column is gone", "The column was deleted in Canvas. Save the alignment again.", "teacher"
    ),
    "not_ours": Reason(
        "Not this tool's column",
        "Canvas says that this column belongs to another tool. Choose another target.",
        "teacher",
    ),
    "course_gone": Reason(
        "Course not found",
        "Canvas no longer has this course, or no longer offers it to this tool.",
        "teacher",
    ),
    "no_permission": Reason(
        "Not allowed to grade",
        "The connected Canvas account may not grade this course. Ask a teacher of the course to connect.",
        "teacher",
    ),
    "scope_missing": Reason(
        "Permission missing",
        "The Canvas developer key does not allow a call this tool needs. Ask the Canvas administrator to add "
        "the missing scope, then connect again.",
        "admin",
    ),
    "token_expired": Reason(
        "Canvas access lost",
        "Canvas no longer accepts the connected account. Connect Canvas again.",
        "teacher",
    ),
    "key_off": Reason(
        "Developer key is off",
        "The tool's developer key is switched off in Canvas. Ask the administrator.",
        "admin",
    ),
    "not_installed": Reason(
        "Tool not installed", "Canvas says that this tool is not installed for this course any more.", "admin"
    ),
    "service_token_refused": Reason(
        "Tool key refused",
        "Canvas does not accept this tool's key. Ask the administrator to check it.",
        "admin",
    ),
    "no_ags": Reason(
        "Columns not allowed",
        "Canvas did not allow this tool to make columns in this course. Ask the administrator to switch on "
        "the assignment and grade services, then open the tool again.",
        "admin",
    ),
    "revoked": Reason(
        "Canvas access lost",
        "Canvas no longer accepts the connected account. Connect Canvas again.",
        "teacher",
    ),
    "cannot_unseal": Reason(
        "Connect again", "The stored Canvas token cannot be opened any more. Connect Canvas again.", "teacher"
    ),
    "no_api_key": Reason(
        "No Canvas API key",
        "No Canvas API key is set up for this school yet. Ask the administrator.",
        "admin",
    ),
    "may_not_grade": Reason(
        "Canvas refused the column",
        "Canvas does not let the connected account grade this assignment. Choose another target or ask a "
        "teacher of the course to connect.",
        "teacher",
    ),
    "no_course_id": Reason(
        "Course unknown",
        "The launch did not say which Canvas course this is. Open the tool from the course.",
        "admin",
    ),
    "restored": Reason("Restored", "The cell holds again what it held before the sync."),
    "changed_since_sync": Reason(
        "Changed since the sync",
        "Somebody changed this cell after the sync, so undo left it alone.",
        "teacher",
    ),
    "interrupted": Reason("Interrupted", "The run was interrupted. Send again.", "teacher"),
    "access_lost": Reason(
        "Canvas access lost",
        "Canvas no longer accepts the connected account. Connect Canvas again.",
        "teacher",
    ),
    "no_account": Reason(
        "No Canvas account",
        "No connected Canvas account may grade this course. Connect Canvas first.",
        "teacher",
    ),
    "large_change": Reason(
        "Unusually many changes",
        "This would change unusually many grades. Look at it and confirm it.",
        "teacher",
    ),
    "throttled": Reason("Canvas asks for a pause", "Canvas is busy and asked for a pause. Send again later."),
    "unreachable": Reason("Canvas not reached", "Canvas could not be reached. Send again later.", "operator"),
    "incomplete": Reason(
        "Canvas's answer was not whole", "Canvas's answer was not whole, so nothing was decided from it."
    ),
    "run_open": Reason(
        "Another sync is running", "Another sync of this course is under way. Wait for it to end."
    ),
    "internal": Reason(
        "Something failed here", "The tool met a fault of its own. Tell its operator.", "operator"
    ),
}


def reason_for(code: str) -> Reason:
    """The reason of a code; an unknown code reads as a refusal."""
    return REASONS.get(code) or replace(REASONS["refused"], is_known=False)
