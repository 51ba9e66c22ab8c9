"""The reasons of what the plan decides for a cell, and of what became of it. Canvas's refusals are elsewhere."""

from __future__ import annotations

from grading.core.reason import Reason

DECIDED: dict[str, Reason] = {
    # Written.
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
    "restored": Reason("Restored", "The cell holds again what it held before the sync."),
    # Left alone.
    "same": Reason("Already right", "The gradebook already holds this."),
    "not_a_student": Reason(
        "Not an active student",
        "This person has no active student enrollment in the course, so nothing is sent.",
    ),
    "not_assigned": Reason("Not assigned", "The assignment is not assigned to this student in Canvas."),
    "not_assessed": Reason(
        "Not assessed by choice",
        "An exception says that this student, or their section, is not assessed here. The cell is left alone;",
        "remove the exception on the alignment's page to grade it.",
    ),
    "evidence_gone": Reason(
        "Evidence is gone",
        "The evidence behind this grade is no longer there. The grade was left as it is.",
        "If it should go, empty the cell in the gradebook.",
        "teacher",
    ),
    "no_evidence": Reason("Not assessed yet", "Nothing has been assessed yet, so the cell is left alone."),
    "too_little_evidence": Reason(
        "Too little evidence",
        "Fewer outcomes were assessed than the alignment asks for; the cell is left alone.",
    ),
    "already_graded": Reason(
        "Already graded", "The cell holds a grade, and this alignment only fills empty cells."
    ),
    "would_lower": Reason("Would lower the grade", "This alignment only raises grades."),
    "not_chosen": Reason(
        "Not chosen", "This sync was for other students or sections only; the cell is left alone."
    ),
    "held_by_person": Reason("Held by you", "You held this back in the preview."),
    # A person's.
    "graded_by_person": Reason(
        "Graded by a person",
        "A person gave this grade.",
        "It stays unless you choose to replace it.",
        "teacher",
    ),
    "cleared_by_person": Reason(
        "Emptied by a person",
        "A person removed the grade this tool had given.",
        "It stays empty unless you choose to fill it.",
        "teacher",
    ),
    "excused_by_person": Reason(
        "Excused by a person",
        "A person excused this.",
        "It stays excused unless you choose otherwise.",
        "teacher",
    ),
    "changed_since_preview": Reason(
        "Changed since the preview",
        "Somebody changed this cell after the preview. It was left as it is;",
        "preview again to see it.",
        "teacher",
    ),
    "changed_since_sync": Reason(
        "Changed since the sync",
        "Somebody changed this cell after the sync, so undo left it alone.",
        "If it should change, do it in the gradebook.",
        "teacher",
    ),
    # A column or an alignment of ours.
    "broken_alignment": Reason(
        "Alignment needs repair",
        "The alignment cannot be worked out.",
        "Open the alignment and repair it.",
        "teacher",
        "column",
    ),
    "column_blocked": Reason(
        "Column cannot be graded",
        "Canvas cannot take grades for this column now.",
        "Look at the assignment in Canvas, then send again.",
        "teacher",
        "column",
    ),
    # What became of a write.
    "not_written": Reason(
        "Canvas did not take it",
        "Canvas did not write this grade and did not say why.",
        "Send again; if it stays, grade this one by hand.",
        "teacher",
    ),
    "no_answer": Reason(
        "Canvas did not answer",
        "Canvas did not answer in time, or with a fault of its own.",
        "The next sync looks what is there and sends what is missing.",
    ),
    "not_read_back": Reason(
        "Sent, not confirmed",
        "The grade was sent, but Canvas could not be read afterwards.",
        "The next sync finds out.",
    ),
    "not_reached": Reason(
        "Not sent",
        "The run stopped before this cell's turn.",
        "Send again when the reason is gone.",
    ),
    "stopped_by_person": Reason(
        "Stopped by a person",
        "Somebody pressed Stop.",
        "Preview and send again for the rest.",
        "teacher",
        "course",
    ),
    "interrupted": Reason("Interrupted", "The run was interrupted.", "Send again.", "teacher", "course"),
    "large_change": Reason(
        "Unusually many changes",
        "This would change unusually many grades.",
        "Look at it and confirm it.",
        "teacher",
        "course",
    ),
    "changed": Reason(
        "The course changed",
        "Something changed after the preview, so nothing was sent.",
        "Preview again.",
        "teacher",
        "course",
    ),
    "run_open": Reason(
        "Another sync is running",
        "Another sync of this course is under way.",
        "Wait for it to end.",
        concerns="course",
    ),
    "internal": Reason(
        "Something failed here",
        "The tool met a fault of its own; no grade is lost.",
        "Tell its operator the run's number.",
        "operator",
        "platform",
    ),
}
DECIDED["run_under_way"] = DECIDED["run_open"]
