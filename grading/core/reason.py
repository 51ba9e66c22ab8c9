"""What a reason code stands for: words for a person, and whom and what it concerns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Who = Literal["nobody", "teacher", "admin", "operator"]
Concerns = Literal["cell", "column", "course", "account", "platform"]


@dataclass(frozen=True, slots=True)
class Reason:
    """`short` labels a cell; `says` is what is so; `step` is what `who` does now, or what happens next where
    nobody has to do anything; `concerns` is how far it reaches."""

    short: str
    says: str
    step: str = ""
    who: Who = "nobody"
    concerns: Concerns = "cell"
    is_known: bool = True

    @property
    def sentence(self) -> str:
        """What is so, and what to do."""
        return f"{self.says} {self.step}".strip()
