"""What can go wrong when we speak to a platform, named by what the caller may do next.

PlatformError
├── NeverSent     could not connect                 safe to retry
├── MaybeSent     timed out reading, or a 5xx       read back before retrying
├── Throttled     429, or 403 "Rate Limit Exceeded" wait, then retry
├── AccessLost    token, key or scope gone          stop; `who` must act
├── Refused       a 4xx with a reason               this cell or column only; never retry
├── Outdated      its turn came too late, not sent  look again, then send
└── Incomplete    pages missing, shapes wrong       do not plan

`code` is a stable reason code (see `grading.core.reasons` for its sentence). `detail` is a sentence for a
person and never holds a response body, a name or a score.
"""

from __future__ import annotations


class PlatformError(Exception):
    """A call to the platform did not give what was asked."""

    code = "platform_error"

    def __init__(
        self,
        detail: str = "",
        *,
        code: str = "",
        status: int | None = None,
        where: str = "",
    ) -> None:
        super().__init__(detail or self.__class__.__doc__)
        self.detail = detail or (self.__class__.__doc__ or "")
        self.code = code or self.code
        self.status = status
        self.where = where
        """Method and route pattern, without ids of people."""


class NeverSent(PlatformError):
    """Canvas could not be reached. Nothing was sent."""

    code = "unreachable"


class MaybeSent(PlatformError):
    """Canvas did not answer in time, or answered with a fault of its own."""

    code = "no_answer"


class Throttled(PlatformError):
    """Canvas asks for a pause."""

    code = "throttled"

    def __init__(
        self,
        detail: str = "",
        *,
        wait_seconds: float,
        status: int | None = None,
        where: str = "",
    ) -> None:
        super().__init__(detail, status=status, where=where)
        self.wait_seconds = wait_seconds


class AccessLost(PlatformError):
    """Canvas no longer accepts this access."""

    code = "access_lost"

    def __init__(
        self,
        detail: str = "",
        *,
        who: str,
        code: str = "",
        status: int | None = None,
        where: str = "",
    ) -> None:
        super().__init__(detail, code=code, status=status, where=where)
        self.who = who
        """`teacher`, `admin` or `operator`: who has to act."""


class Refused(PlatformError):
    """Canvas refused this request and will refuse it again."""

    code = "refused"


class Outdated(PlatformError):
    """Its turn came too late: nothing was sent, since what it was decided from may have changed meanwhile."""

    code = "throttled"


class Incomplete(PlatformError):
    """Canvas's answer was not whole; nothing may be decided from it."""

    code = "incomplete"
