"""AGS: the tool's own columns and their scores, with a service token of the registration.

https://www.imsglobal.org/spec/lti-ags/v2p0/ as Canvas implements it (app/controllers/lti/ims/).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit, urlunsplit

from django.utils import timezone

from canvas import service_tokens
from canvas.counting import CallCounter
from canvas.fencing import Fence
from canvas.gateway import foreign_link, next_page
from canvas.refusals import TOKEN_EXPIRED, refusal_of
from canvas.scores import WorkPost, json_number, score_body
from canvas.shapes import Fields, each
from canvas.throttle import pace_of
from canvas.values import LineItem
from lti_tool.answers import Reply
from lti_tool.errors import AccessLost, Incomplete, MaybeSent, PlatformError, Refused
from lti_tool.http import Http, Policy, allowed_hosts, host_of
from lti_tool.models import Context, Registration

LINE_ITEM = "application/vnd.ims.lis.v2.lineitem+json"
LINE_ITEMS = "application/vnd.ims.lis.v2.lineitemcontainer+json"
SCORE = "application/vnd.ims.lis.v1.score+json"
RESULTS = "application/vnd.ims.lis.v2.resultcontainer+json"
MOST_PAGES = 500
PLAIN_JSON = "application/json"

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class LineItemResult:
    """A result as AGS shows it. After a teacher's edit Canvas recomputes it: good for proof, not for ownership."""

    user_id: str
    score: Decimal | None
    maximum: Decimal | None


class Ags:
    """Line items and scores of one course."""

    def __init__(
        self,
        registration: Registration,
        context: Context,
        http: Http,
        counter: CallCounter,
        clock: Callable[[], datetime] = timezone.now,
        fence: Fence | None = None,
    ) -> None:
        self._registration = registration
        self._context = context
        self._http = http
        self._clock = clock
        self._hosts = allowed_hosts(registration)
        pace = pace_of(f"key:{registration.pk}")
        self._policy = Policy(pace=pace, counts=counter, before_write=fence, refusal_of=refusal_of)
        self._scopes = service_tokens.ags_scopes(context)
        self._token = ""
        self._fetching = threading.Lock()

    def line_items(self) -> list[LineItem]:
        """All of this tool's columns in the course."""
        where = "/line_items"
        pages = self._renewing(lambda token: list(self._pages(token, self._items_url(), LINE_ITEMS, where)))
        return [parse_line_item(row) for page in pages for row in each(page, "line items")]

    def create_line_item(self, label: str, points: Decimal, resource_id: str) -> LineItem:
        """A new column, published at once. Never repeated blindly: look for `resource_id` before and after."""
        body = line_item_body(label, points, resource_id)
        reply = self._post(self._items_url(), LINE_ITEM, body, "/line_items")
        try:
            return parse_line_item(Fields(reply.json(), "line item"))
        except Incomplete as error:
            # Made, but what Canvas answered cannot be read.
            raise MaybeSent(error.detail, code=error.code, status=error.status, where=error.where) from error

    def post_score(
        self,
        line_item_url: str,
        user_id: str,
        score: Decimal | None,
        maximum: Decimal,
        timestamp: datetime,
        *,
        needs_review: bool = False,
    ) -> None:
        """One student's score, or None to empty the cell.

        `maximum` is the column's present one; `timestamp` the moment this run read the gradebook: a first grade
        that a person gives later makes Canvas refuse ours (`superseded`).
        """
        self._post_below(
            line_item_url, score_body(user_id, score, maximum, timestamp, needs_review=needs_review)
        )

    def hand_in(self, line_item_url: str, user_id: str, post: WorkPost) -> None:
        """Work to look at in Submission Details and SpeedGrader: an attempt of its own, never part of a sync."""
        self._post_below(line_item_url, post.body(user_id))

    def _post_below(self, line_item_url: str, body: bytes) -> None:
        try:
            reply = self._post(_below(line_item_url, "scores"), SCORE, body, "/line_items/:id/scores")
            if reply.body.strip():
                Fields(reply.json(), "score answer")
        except Refused as error:
            raise _score_refusal(error) from error
        except Incomplete as error:
            # Something in between, such as a page to log in, may have answered in Canvas's place.
            raise MaybeSent(error.detail, code=error.code, status=error.status, where=error.where) from error

    def results(self, line_item_url: str) -> list[LineItemResult]:
        """What AGS says of a column's cells."""
        url = _below(line_item_url, "results")
        pages = self._renewing(
            lambda token: list(self._pages(token, url, RESULTS, "/line_items/:id/results"))
        )
        rows = [row for page in pages for row in each(page, "results")]
        return [
            LineItemResult(
                row.ident("userId"), row.number_or_none("resultScore"), row.number_or_none("resultMaximum")
            )
            for row in rows
        ]

    def _items_url(self) -> str:
        if not self._context.line_items_url:
            detail = "Canvas did not grant this tool access to grades in this course."
            raise AccessLost(detail, who="admin", code="no_ags")
        return self._context.line_items_url

    def _post(self, url: str, media_type: str, body: bytes, where: str) -> Reply:
        headers = {"Content-Type": media_type, "Accept": f"{media_type}, {PLAIN_JSON}"}
        return self._renewing(lambda token: self._call(token, "POST", url, headers, body, where))

    def _pages(self, token: str, url: str, media_type: str, where: str) -> Iterator[Any]:
        """Every page. `limit` is AGS's name for the page size; Link addresses are used as given."""
        url = _with_query(url, "limit=100")
        seen: set[str] = set()
        while url not in seen:
            if len(seen) == MOST_PAGES:
                raise Incomplete("The list has no end.", code="endless_list", where=where)
            seen.add(url)
            reply = self._call(token, "GET", url, {"Accept": f"{media_type}, {PLAIN_JSON}"}, None, where)
            page = reply.json()
            yield page
            following = next_page(reply, page)
            if following is None:
                return
            url = urljoin(reply.url, following)
            if host_of(url) not in self._hosts:
                raise foreign_link(url, where)
        raise Incomplete("The list leads back to a page already read.", code="endless_list", where=where)

    def _call(
        self, token: str, method: str, url: str, headers: dict[str, str], body: bytes | None, where: str
    ) -> Reply:
        return self._http.request(
            method,
            url,
            allow_hosts=self._hosts,
            headers={"Authorization": f"Bearer {token}", **headers},
            data=body,
            where=f"{method} {where}",
            policy=self._policy,
        )

    def _renewing(self, call: Callable[[str], Result]) -> Result:
        """Run `call` with the registration's token; one refused as expired is replaced once. Several threads
        may post at a time: the token each used decides whether another has replaced it already."""
        token = self._token or self._fetch(refused="")
        try:
            return call(token)
        except AccessLost as error:
            if error.code != TOKEN_EXPIRED:
                raise _of_the_key(error) from error
        token = self._fetch(refused=token)
        try:
            return call(token)
        except AccessLost as error:
            raise _of_the_key(error) from error

    def _fetch(self, *, refused: str) -> str:
        with self._fetching:
            if not self._token or self._token == refused:
                self._token = service_tokens.service_token(
                    self._registration, self._scopes, self._clock(), self._http, refused=refused
                )
            return self._token


def line_item_body(label: str, points: Decimal, resource_id: str) -> bytes:
    """The JSON of a new column."""
    texts = json.dumps(label), json.dumps(resource_id)
    return f'{{"label":{texts[0]},"scoreMaximum":{json_number(points)},"resourceId":{texts[1]}}}'.encode()


def parse_line_item(row: Fields) -> LineItem:
    """A line item; Canvas leaves null fields out."""
    maximum = row.number_or_none("scoreMaximum")
    return LineItem(
        url=row.text("id"),
        label=row.text("label", ""),
        score_maximum=Decimal(0) if maximum is None else maximum,
        resource_id=row.text("resourceId", ""),
        tag=row.text("tag", ""),
    )


def _below(line_item_url: str, name: str) -> str:
    """A service of a line item: below its path, before its query. AGS 2.0, section 3.1."""
    parts = urlsplit(line_item_url)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{name}"))


def _with_query(url: str, more: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, more)))))


def _score_refusal(error: Refused) -> Refused:
    """A score has its own 404: the column is gone (S48; L22 with an empty body). Unless Canvas says the course is."""
    if error.status != 404 or error.code == "course_gone":
        return error
    detail = "The column is no longer in Canvas."
    return Refused(detail, code="column_gone", status=404, where=error.where)


def _of_the_key(error: AccessLost) -> PlatformError:
    """Whatever is wrong with a service token, a teacher cannot mend it."""
    code = "service_token_refused" if error.code == TOKEN_EXPIRED else error.code
    return AccessLost(error.detail, who="admin", code=code, status=error.status, where=error.where)
