"""The reasons Canvas gives, or gives by its silence, for not taking a call: who can do what about each.

The codes come from `canvas.refusals`, the token calls, and the errors of `lti_tool.errors`.
"""

from __future__ import annotations

from grading.core.reason import Reason, Who


def _connect_again(says: str) -> Reason:
    return Reason("Canvas access lost", says, "Connect Canvas again.", "teacher", "account")


def _not_whole(says: str, step: str = "Send again later.", who: Who = "nobody") -> Reason:
    return Reason(
        "Canvas's answer was not whole", f"{says} So nothing was decided from it.", step, who, "course"
    )


def _fault_of_ours(says: str) -> Reason:
    return Reason("Canvas did not understand", says, "Tell this tool's operator.", "operator", "platform")


CELLS: dict[str, Reason] = {
    "closed_period": Reason(
        "Grading period closed",
        "The grading period is closed.",
        "Ask the administrator to reopen it in Canvas, or leave this grade as it is.",
        "admin",
    ),
    "left_course": Reason(
        "No longer in the course", "Canvas says that this person is no longer an active student here."
    ),
    "superseded": Reason(
        "A newer grade is there",
        "Canvas holds a newer grade for this student. It was left as it is.",
        "Look at it in the gradebook.",
        "teacher",
    ),
    "refused": Reason(
        "Refused by Canvas",
        "Canvas refused this grade and did not say why in words this tool knows.",
        "Grade this one by hand, or tell this tool's operator.",
        "teacher",
    ),
    "no_attempts_left": Reason(
        "No attempts left",
        "The student has used every attempt the assignment allows.",
        "Allow another attempt in Canvas, or send grades without a submission.",
        "teacher",
    ),
}
COLUMNS: dict[str, Reason] = {
    "unpublished": Reason(
        "Not published",
        "The assignment is not published.",
        "Publish the assignment and send again.",
        "teacher",
        "column",
    ),
    "points_changed": Reason(
        "Points changed",
        "The points of this column changed in Canvas.",
        "Save the alignment again.",
        "teacher",
        "column",
    ),
    "column_gone": Reason(
        "Column is gone",
        "The column was deleted in Canvas.",
        "Save the alignment again to make a new one, or choose another target.",
        "teacher",
        "column",
    ),
    "gone": Reason(
        "Not found in Canvas",
        "Canvas no longer has something this tool asked for: it was deleted, or moved out of this course.",
        "Preview again to see what is left.",
        "teacher",
        "column",
    ),
    "not_ours": Reason(
        "Not this tool's column",
        "Canvas says that this column belongs to another tool.",
        "Choose another target.",
        "teacher",
        "column",
    ),
    "wrong_link": Reason(
        "Column of another link",
        "Canvas says that this column belongs to another link of this tool.",
        "Save the alignment again.",
        "teacher",
        "column",
    ),
    "may_not_grade": Reason(
        "Canvas refused the column",
        "Canvas does not let the connected account grade this assignment.",
        "Choose another target or ask a teacher of the course to connect.",
        "teacher",
        "column",
    ),
}
COURSES: dict[str, Reason] = {
    "concluded": Reason(
        "Course has ended",
        "Canvas no longer accepts grades for this course because it has ended.",
        "Reopen the course in its settings, then send again.",
        "teacher",
        "course",
    ),
    "course_unpublished": Reason(
        "Course not published",
        "This course is unpublished, so Canvas counts nobody in it as a student yet.",
        "Publish it and send again.",
        "teacher",
        "course",
    ),
    "course_gone": Reason(
        "Course not found",
        "Canvas no longer has this course, or no longer offers it to this tool.",
        "Open the tool again from the course in Canvas.",
        "teacher",
        "course",
    ),
    "no_course_id": Reason(
        "Course unknown",
        "The launch did not say which Canvas course this is.",
        "Open the tool from the course; if that does not help, ask the administrator to check its custom fields.",
        "admin",
        "course",
    ),
    "not_installed": Reason(
        "Tool not installed",
        "Canvas says that this tool is not installed for this course any more.",
        "Ask the administrator.",
        "admin",
        "course",
    ),
    "no_ags": Reason(
        "Columns not allowed",
        "Canvas did not allow this tool to make columns in this course.",
        "Ask the administrator to switch on the assignment and grade services, then open the tool again.",
        "admin",
        "course",
    ),
}
ACCOUNTS: dict[str, Reason] = {
    "no_account": Reason(
        "No Canvas account",
        "No connected Canvas account may grade this course.",
        "Connect Canvas first.",
        "teacher",
        "account",
    ),
    "no_permission": Reason(
        "Not allowed to grade",
        "The connected Canvas account may not grade this course.",
        "Ask a teacher of the course to connect.",
        "teacher",
        "account",
    ),
    "revoked": _connect_again("Canvas no longer accepts the connected account."),
    "token_expired": _connect_again("Canvas no longer accepts the connected account."),
    "access_lost": _connect_again("Canvas no longer accepts the connected account."),
    "cannot_unseal": _connect_again("The stored Canvas token cannot be opened any more."),
    "no_token": Reason(
        "Canvas gave no access",
        "Canvas did not give this tool a token for the connected account.",
        "Send again later; if it stays, connect Canvas again.",
        "teacher",
        "account",
    ),
    "scope_missing": Reason(
        "Permission missing",
        "The Canvas developer key does not allow a call this tool needs.",
        "Ask the Canvas administrator to add the missing scope, then connect again.",
        "admin",
        "account",
    ),
}
KEYS: dict[str, Reason] = {
    "no_api_key": Reason(
        "No Canvas API key",
        "No Canvas API key is set up for this school yet.",
        "Ask the administrator.",
        "admin",
        "platform",
    ),
    "api_key_refused": Reason(
        "Canvas API key refused",
        "Canvas does not accept the id and secret of this tool's API key, or the key is switched off.",
        "Ask the administrator to switch it on, or to give this tool's operator the new secret.",
        "admin",
        "platform",
    ),
    "key_off": Reason(
        "Developer key is off",
        "The tool's developer key is switched off in Canvas.",
        "Ask the administrator to switch it on, then send again.",
        "admin",
        "platform",
    ),
    "service_token_refused": Reason(
        "Tool key refused",
        "Canvas gave this tool a pass for its columns and then did not accept it.",
        "Ask the administrator to check the tool's LTI key.",
        "admin",
        "platform",
    ),
    "assertion_refused": Reason(
        "Tool's signature refused",
        "Canvas does not accept this tool's signature.",
        "Tell this tool's operator: the public keys at Canvas are not the ones in use here.",
        "operator",
        "platform",
    ),
    "jwks_unreachable": Reason(
        "Tool's keys not reached",
        "Canvas could not fetch this tool's public keys.",
        "Tell this tool's operator that its key address must be open to Canvas.",
        "operator",
        "platform",
    ),
    "clock_skew": Reason(
        "Clocks disagree",
        "This server's clock and Canvas's are more than two minutes apart, so nothing was sent.",
        "Tell this tool's operator to set the server's clock.",
        "operator",
        "platform",
    ),
    "registration_off": Reason(
        "Switched off",
        "This tool's operator has switched the tool off for this school.",
        "Ask the operator.",
        "operator",
        "platform",
    ),
}
REACH: dict[str, Reason] = {
    "throttled": Reason(
        "Canvas asks for a pause",
        "Canvas is busy and asked for a pause.",
        "Send again later.",
        concerns="account",
    ),
    "unreachable": Reason(
        "Canvas not reached", "Canvas could not be reached.", "Send again later.", "operator", "platform"
    ),
    "tls": Reason(
        "No secure connection",
        "Canvas's certificate could not be verified, so nothing was sent or read.",
        "Tell this tool's operator.",
        "operator",
        "platform",
    ),
    "not_https": Reason(
        "Address without encryption",
        "Canvas named an address that is not https. Nothing was sent there.",
        "Tell this tool's operator.",
        "operator",
        "platform",
    ),
    "foreign_host": Reason(
        "Address elsewhere",
        "Canvas named an address that is not one of this school's. No key was sent there.",
        "If it is Canvas's, the operator adds it to this school's service hosts (docs/install.md).",
        "operator",
        "platform",
    ),
    "private_address": Reason(
        "Address inside the network",
        "A platform named an address inside this server's own network. Nothing was asked there.",
        "Tell this tool's operator.",
        "operator",
        "platform",
    ),
    "foreign_link": _not_whole(
        "The next page of a list is at an address that is not one of this school's.",
        "If it is Canvas's, the operator adds it to this school's service hosts (docs/install.md).",
        "operator",
    ),
    "redirected": _not_whole(
        "Canvas sent the tool elsewhere instead of answering, as it does during maintenance."
    ),
    "incomplete": _not_whole("Canvas's answer was not whole."),
    "cut_off": _not_whole("Canvas's answer broke off."),
    "not_json": _not_whole("Canvas answered with a page instead of data, as it does during maintenance."),
    "wrong_shape": _not_whole("Canvas's answer has a shape this tool does not know."),
    "changed_while_reading": _not_whole("Results or students changed in Canvas while they were read."),
    "wrong_course": _not_whole("Canvas answered with another course."),
    "wrong_cells": _not_whole("Canvas answered with another assignment's grades."),
    "wrong_progress": _not_whole("Canvas answered with another job."),
    "wrong_results": _not_whole("Canvas answered with another outcome's results."),
    "students_missing": _not_whole("Canvas announced more students than it listed."),
    "no_paging": _not_whole("Canvas gave a part of a list and did not say where the next part is."),
    "endless_list": _not_whole("A list of Canvas's has no end."),
    "too_large": _not_whole("Canvas's answer was too large.", "Tell this tool's operator.", "operator"),
    "address_too_long": _fault_of_ours("A call would have been too long for Canvas."),
    "bad_request": _fault_of_ours("A call could not be made."),
    "malformed_call": _fault_of_ours(
        "Canvas says that a call of this tool lacks something, or has it wrong."
    ),
    "platform_error": Reason(
        "Canvas could not be asked", "A call to Canvas failed.", "Send again later.", concerns="platform"
    ),
}
SCHEMES: dict[str, Reason] = {
    code: Reason("Scheme refused", says, "Change the levels and save again.", "teacher", "course")
    for code, says in {
        "scheme_negative": "Canvas takes no grading scheme with values below 0.",
        "scheme_duplicate": "Canvas takes no grading scheme with the same value twice.",
        "scheme_long_name": "A name in the grading scheme is too long for Canvas.",
        "scheme_no_zero": "Canvas wants the lowest level of a grading scheme to begin at 0\N{NO-BREAK SPACE}%.",
        "scheme_scaling": "Canvas wants a scheme by percentage to have no scale of its own.",
    }.items()
}
REFUSED: dict[str, Reason] = CELLS | COLUMNS | COURSES | ACCOUNTS | KEYS | REACH | SCHEMES
