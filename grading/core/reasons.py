"""Every reason code with the sentence a person reads: what is so, and what to do.

Codes are a promise to other programs (the command's JSON); sentences may be improved.
"""

from __future__ import annotations

from dataclasses import replace

from grading.core.reason import Concerns, Reason, Who
from grading.core.reasons_decided import DECIDED
from grading.core.reasons_refused import REFUSED

REASONS: dict[str, Reason] = DECIDED | REFUSED


def reason_for(code: str) -> Reason:
    """The reason of a code; an unknown code reads as a refusal."""
    return REASONS.get(code) or replace(REASONS["refused"], is_known=False)


__all__ = ["REASONS", "Concerns", "Reason", "Who", "reason_for"]
