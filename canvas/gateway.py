"""REST plumbing: one account's calls to its school's Canvas, whole lists or an error.

The bearer token is fetched in the thread that owns this object; helper threads only use it, so that no
database connection is opened in them. A token that Canvas no longer takes is renewed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar
from urllib.parse import parse_qs, urljoin, urlsplit

from django.utils import timezone

from canvas import oauth
from canvas.counting import CallCounter
from canvas.fencing import Fence
from canvas.library import Sender
from canvas.models import CanvasAccount
from canvas.refusals import TOKEN_EXPIRED, refusal_of
from canvas.throttle import MOST_IN_FLIGHT, pace_of
from lti_tool.answers import Reply
from lti_tool.errors import AccessLost, Incomplete
from lti_tool.http import Http, Policy, host_of, rest_hosts

PER_PAGE = 100
MOST_PAGES = 2_000
CHANGED = "changed_while_reading"
LATE_SECONDS = 1.0
"""For a refresh that is still under way somewhere: the time to arrive before another one is asked for."""

Params = Sequence[tuple[str, str]]
Item = TypeVar("Item")
Result = TypeVar("Result")


def changed(detail: str) -> Incomplete:
    """What two pages or rows say of one thing differs: it changed while it was read."""
    return Incomplete(detail, code=CHANGED)


def settled(read: Callable[[], Result]) -> Result:
    """What is read; once more where it changed meanwhile. Raises Incomplete where it does so again."""
    try:
        return read()
    except Incomplete as error:
        if error.code != CHANGED:
            raise
    return read()


class Gateway:
    """Calls as `account`. `clock` gives the present time (token expiry, time of reading)."""

    def __init__(
        self,
        account: CanvasAccount,
        http: Http,
        counter: CallCounter,
        clock: Callable[[], datetime] = timezone.now,
        fence: Fence | None = None,
    ) -> None:
        self.account = account
        self.clock = clock
        self.counter = counter
        self._http = http
        self._base = account.registration.canvas_url.rstrip("/")
        self._hosts = rest_hosts(account.registration)
        pace = pace_of(f"account:{account.pk}")
        self._policy = Policy(pace=pace, counts=counter, before_write=fence, refusal_of=refusal_of)
        self._token = ""
        self._ahead = timedelta(0)
        self._skew = timedelta(0)
        self._roster_sizes: dict[str, int] = {}

    # One call

    def get(self, path: str, params: Params = (), *, where: str) -> Reply:
        return self._renewing(lambda: self._call("GET", self._api(path), params=params, where=where))

    def write(self, method: str, path: str, body: Any, *, where: str) -> Reply:
        """Send JSON. Never repeated where it may have had its effect."""
        return self._renewing(lambda: self._call(method, self._api(path), body=body, where=where))

    def _api(self, path: str) -> str:
        return f"{self._base}/api/v1/{path}"

    def _call(self, method: str, url: str, *, params: Params = (), body: Any = None, where: str) -> Reply:
        asked_at = self.clock()
        reply = self._http.request(
            method,
            url,
            allow_hosts=self._hosts,
            headers={"Authorization": f"Bearer {self._token}", "Accept": "application/json"},
            params=list(params) or None,
            json=body,
            where=f"{method} {where}",
            policy=self._policy,
        )
        if (date := reply.date) is not None:
            answered_at = self.clock()
            self._ahead = max(self._ahead, answered_at - date)
            self._skew = certain_skew(asked_at, date, answered_at)
        return reply

    def sender(self, where: str) -> Sender:
        """How canvasapi sends a request through here."""
        return lambda method, path, params: self._call(method, self._api(path), params=params, where=where)

    def earlier_now(self) -> datetime:
        """The present, by our clock or Canvas's, whichever is behind: never in the future for either."""
        return self.clock() - self._ahead

    @property
    def clock_skew(self) -> timedelta:
        """How far our clock is ahead of Canvas's (behind it: negative) by the last answer, as far as that is
        certain."""
        return self._skew

    def _renewing(self, call: Callable[[], Result]) -> Result:
        """Run `call` with a valid token; one that is refused as expired is renewed. A fresh one that is refused
        too is renewed once more: a refresh that Canvas took only after we had given it up and asked again ends the
        token of the second. F20 and F22 of hardening."""
        if not self._token:
            self._token = oauth.access_token(self.account, self.clock(), self._http)
        for pause in (0.0, LATE_SECONDS):
            try:
                return call()
            except AccessLost as error:
                if error.code != TOKEN_EXPIRED:
                    raise
            self._http.wait(pause)
            self._token = oauth.renewed_token(self.account, self._token, self.clock(), self._http)
        try:
            return call()
        except AccessLost as error:
            if error.code == TOKEN_EXPIRED:
                oauth.mark_lost(self.account, self._token, "revoked", self.clock())
                raise _lost(error) from error
            raise

    # Lists

    def each_page(
        self, path: str, params: Params, take: Callable[[Iterator[Any]], Result], *, where: str
    ) -> Result:
        """What `take` makes of a list's pages, one by one; it starts anew where a token has to be renewed."""
        return self._renewing(lambda: take(self._pages(path, params, where)))

    def pages(self, path: str, params: Params, *, where: str) -> list[Any]:
        """The JSON of every page of a list, in order."""
        return self.each_page(path, params, list, where=where)

    def entries(self, path: str, params: Params, *, where: str) -> list[Any]:
        """Every entry of a list that is paged by `Link`."""
        query = [*params, ("per_page", str(PER_PAGE))]
        return _joined(self.pages(path, query, where=where), where)

    def values_of_each(
        self, path: str, queries: Sequence[Params], parse: Callable[[Any], Item], *, where: str
    ) -> list[Item]:
        """The entries of several independent queries to one address, as many at once as the bucket allows.
        Each page becomes values as it comes, so that no more than a few pages of JSON are held."""

        def read(query: Params) -> list[Item]:
            values: list[Item] = []
            for page in self._pages(path, [*query, ("per_page", str(PER_PAGE))], where):
                entries = _joined([page], where)
                values += map(parse, entries)
                self.counter.came(len(entries))
            return values

        return [value for values in self._at_once(read, queries) for value in values]

    def _at_once(self, work: Callable[[Params], Result], items: Sequence[Params]) -> list[Result]:
        """`work` on every item in helper threads; items that met an expired token are done after renewal."""
        if len(items) <= 1:
            return [self._renewing(partial(work, item)) for item in items]
        done: dict[int, Result] = {}

        def attempt(index: int) -> AccessLost | None:
            try:
                done[index] = work(items[index])
            except AccessLost as error:
                if error.code != TOKEN_EXPIRED:
                    raise
                return error
            return None

        def round_of_work() -> None:
            missing = [index for index in range(len(items)) if index not in done]
            with ThreadPoolExecutor(max_workers=min(MOST_IN_FLIGHT, len(missing))) as pool:
                errors = [error for error in pool.map(attempt, missing) if error]
            if errors:
                raise errors[0]

        self._renewing(round_of_work)
        return [done[index] for index in range(len(items))]

    def _pages(self, path: str, params: Params, where: str) -> Iterator[Any]:
        """Follow `Link: rel="next"` exactly as given (bookmarks are case-sensitive), never in a circle."""
        url, query, seen = self._api(path), params, set[str]()
        while url not in seen:
            if len(seen) == MOST_PAGES:
                raise Incomplete("The list has no end.", code="endless_list", where=where)
            seen.add(url)
            reply = self._call("GET", url, params=query, where=where)
            page = reply.json()
            yield page
            following = next_page(reply, page)
            if following is None:
                return
            # The address already carries the query.
            url, query = urljoin(reply.url, following), ()
            if host_of(url) not in self._hosts:
                raise foreign_link(url, where)
        raise Incomplete("The list leads back to a page already read.", code="endless_list", where=where)


def certain_skew(asked_at: datetime, date: datetime, answered_at: datetime) -> timedelta:
    """How far a clock that showed `asked_at` and `answered_at` around an answer dated `date` is ahead, at the
    least. The Date header knows whole seconds only (RFC 9110 5.6.7), so the answer was made within one after it."""
    ahead = asked_at - (date + timedelta(seconds=1))
    behind = answered_at - date
    zero = timedelta(0)
    return ahead if ahead > zero else min(behind, zero)


def foreign_link(url: str, where: str) -> Incomplete:
    """A list that goes on where no token of ours may be sent."""
    return Incomplete(f"The next page is on {host_of(url) or 'no host'}.", code="foreign_link", where=where)


def next_page(reply: Reply, page: Any) -> str | None:
    """Where the next page is: the `Link` header, else the address in `meta.pagination`; None at the end.

    Canvas leaves the whole `Link` header out where the next address would be too long for it (lib/api.rb).
    A full page that says nothing of other pages is therefore not taken for the last one, and neither is one that
    names a later page as the last.
    """
    if following := reply.link("next"):
        return following
    meta = page.get("meta") if isinstance(page, dict) else None
    pagination = meta.get("pagination") if isinstance(meta, dict) else None
    if isinstance(pagination, dict):
        following = pagination.get("next")
        return following if isinstance(following, str) and following else None
    if not any(map(reply.link, ("current", "prev", "first", "last"))) and _size(page) >= PER_PAGE:
        raise reply.incomplete("A full page without word of the next.", code="no_paging")
    if 0 < _page_number(reply.link("current")) < _page_number(reply.link("last")):
        raise reply.incomplete("A page before the last without word of the next.", code="no_paging")
    return None


def _page_number(address: str | None) -> int:
    """The page an address asks for; 0 where it says none, or a bookmark."""
    [page] = parse_qs(urlsplit(address or "").query).get("page", ["0"])[:1]
    return int(page) if page.isdecimal() and len(page) < 10 else 0


def _size(page: Any) -> int:
    lists = [page] if isinstance(page, list) else list(page.values()) if isinstance(page, dict) else []
    return max((len(item) for item in lists if isinstance(item, list)), default=0)


def _joined(pages: Sequence[Any], where: str) -> list[Any]:
    if not all(isinstance(page, list) for page in pages):
        raise Incomplete("Canvas's answer is not a list.", code="wrong_shape", where=where)
    return [entry for page in pages for entry in page]


def _lost(error: AccessLost) -> AccessLost:
    detail = "Canvas no longer accepts the connected account. Connect it again."
    return AccessLost(detail, who="teacher", code="revoked", status=error.status, where=error.where)
