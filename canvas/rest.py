"""REST as one account: everything the tool asks of Canvas with a teacher's token.

Each part stands in a module of its own; JSON becomes values there and nowhere else.
"""

from __future__ import annotations

from canvas.gradebook import CLEAR, EXCUSE, Excuse, Grade, GradebookCalls
from canvas.numerals import plain
from canvas.outcomes import OutcomeReads
from canvas.results import ResultReads
from canvas.roster import RosterReads
from canvas.schemes import DEFAULT_SCHEME, SchemeCalls, Schemes
from canvas.structure import StructureCalls

__all__ = ["CLEAR", "DEFAULT_SCHEME", "EXCUSE", "Excuse", "Grade", "Rest", "Schemes", "plain"]


class Rest(OutcomeReads, ResultReads, RosterReads, StructureCalls, SchemeCalls, GradebookCalls):
    """`Rest(account, http, counter)`: bound to the registration's `canvas_url`."""
