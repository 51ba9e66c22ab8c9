"""A person without scripts: cookies, links and forms over HTTP, nothing else.

The demo's own check and the journeys drive Canvas and the tool through it, as some school filters (and
the most careful of testers) do: what works here needs no JavaScript.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import requests

TIMEOUT_SECONDS = 60
VOID_INPUTS = {"button", "image", "reset"}


class NotFound(Exception):
    """The page has no such link or form; the message says what it has."""


@dataclass
class Form:
    """A form as a browser would send it: `fields` are its successful controls in order."""

    action: str
    method: str
    name: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[tuple[str, str, str]] = field(default_factory=list)
    """Of each submit button: name, value, text."""
    actions: dict[str, str] = field(default_factory=dict)
    """Where a submit button sends the form to instead, by the button's text."""


class _Reader(HTMLParser):
    """Collects links, frames, forms and visible text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.links: list[tuple[str, str]] = []
        self.frames: list[str] = []
        self.forms: list[Form] = []
        self.by_id: dict[str, Form] = {}
        self.text: list[str] = []
        self.heading: list[str] = []
        self.offers: list[tuple[str, str]] = []
        self._in_heading = False
        self.refresh = ""
        self._form: Form | None = None
        self._link: str | None = None
        self._link_text: list[str] = []
        self._select: tuple[str, Form, list[tuple[str, bool]]] | None = None
        self._textarea: tuple[str, Form, list[str]] | None = None
        self._button: tuple[Form, str, str, list[str]] | None = None
        self._button_action = ""
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {key: value or "" for key, value in attrs}
        if tag in {"script", "style", "template"}:
            self._silent += 1
        elif tag == "h1":
            self._in_heading = True
        elif tag == "a" and "href" in found:
            self._link, self._link_text = found["href"], [found.get("aria-label", "")]
        elif tag in {"iframe", "frame"} and found.get("src"):
            self.frames.append(found["src"])
        elif tag == "meta" and found.get("http-equiv", "").lower() == "refresh":
            self.refresh = found.get("content", "").partition("=")[2].strip()
        elif tag == "form":
            self._start_form(found)
        else:
            self._start_control(tag, found)

    def _start_form(self, found: dict[str, str]) -> None:
        name = found.get("id") or found.get("name", "")
        self._form = Form(found.get("action", ""), found.get("method", "get").lower(), name)
        self.forms.append(self._form)
        if found.get("id"):
            self.by_id[found["id"]] = self._form

    def _start_control(self, tag: str, found: dict[str, str]) -> None:
        form = self.by_id.get(found.get("form", "")) or self._form
        if form is None or "disabled" in found:
            return
        name, kind = found.get("name", ""), found.get("type", "").lower()
        if tag == "input" and kind == "submit":
            form.buttons.append((name, found.get("value", ""), found.get("value", "")))
        elif tag == "input" and name and kind not in VOID_INPUTS:
            if kind in {"checkbox", "radio"}:
                self.offers.append((name, found.get("value", "on")))
            if kind not in {"checkbox", "radio"} or "checked" in found:
                form.fields.append((name, found.get("value", "on" if kind in {"checkbox", "radio"} else "")))
        elif tag == "button" and kind in {"", "submit"}:
            self._button = (form, name, found.get("value", ""), [found.get("aria-label", "")])
            self._button_action = found.get("formaction", "")
        elif tag == "select" and name:
            self._select = (name, form, [])
        elif tag == "option" and self._select:
            self._select[2].append((found.get("value", ""), "selected" in found))
        elif tag == "textarea" and name:
            self._textarea = (name, form, [])

    def handle_endtag(self, tag: str) -> None:
        if tag in {"script", "style", "template"}:
            self._silent -= 1
        elif tag == "h1":
            self._in_heading = False
        elif tag == "a" and self._link is not None:
            self.links.append((self._link, " ".join(" ".join(self._link_text).split())))
            self._link = None
        elif tag == "form":
            self._form = None
        elif tag == "select" and self._select:
            name, form, options = self._select
            chosen = [value for value, selected in options if selected] or [value for value, _ in options[:1]]
            form.fields.extend((name, value) for value in chosen)
            self._select = None
        elif tag == "textarea" and self._textarea:
            name, form, parts = self._textarea
            form.fields.append((name, "".join(parts)))
            self._textarea = None
        elif tag == "button" and self._button:
            form, name, value, parts = self._button
            text = " ".join(" ".join(parts).split())
            form.buttons.append((name, value, text))
            if self._button_action:
                form.actions[text] = self._button_action
            self._button = None

    def handle_data(self, data: str) -> None:
        if self._silent:
            return
        if self._textarea:
            self._textarea[2].append(data)
        if self._button:
            self._button[3].append(data)
        if self._link is not None:
            self._link_text.append(data)
        if self._in_heading:
            self.heading.append(data)
        self.text.append(data)


@dataclass(frozen=True)
class Page:
    """One answer, read."""

    url: str
    status: int
    html: str
    links: tuple[tuple[str, str], ...]
    frames: tuple[str, ...]
    forms: tuple[Form, ...]
    text: str
    heading: str = ""
    offers: tuple[tuple[str, str], ...] = ()
    """Name and value of every box and button to tick, ticked or not."""

    def choices(self, name: str) -> list[str]:
        """The values that can be ticked under this name, in the page's order."""
        return [value for found, value in self.offers if found == name]

    def link(self, words: str) -> str:
        """The address of the first link whose text or address holds `words`."""
        for href, text in self.links:
            if words.lower() in text.lower() or words in href:
                return urljoin(self.url, href)
        raise NotFound(f"no link {words!r} on {self.url}: {[text for _, text in self.links]}")

    def form(self, words: str) -> Form:
        """The first form whose name, action, button or field holds `words`."""
        for form in self.forms:
            names = [form.name, form.action, *(name for name, _ in form.fields)]
            texts = [part for button in form.buttons for part in button]
            if any(words.lower() in part.lower() for part in names + texts):
                return form
        raise NotFound(
            f"no form {words!r} on {self.url}: {[(form.name, form.action) for form in self.forms]}"
        )


class Visitor:
    """One person's browser. Cookies are kept per host, as browsers do."""

    def __init__(self) -> None:
        self._session = requests.Session()
        self._session.headers["Accept"] = "text/html,application/xhtml+xml"

    def open(self, url: str, **params: str) -> Page:
        return self._read(self._session.get(url, params=params or None, timeout=TIMEOUT_SECONDS))

    def submit(
        self,
        page: Page,
        form: Form,
        changes: Mapping[str, str | list[str]] | None = None,
        *,
        button: str = "",
    ) -> Page:
        """Send a form; `changes` replace fields of the same name; `button` picks a submit button by its words."""
        changed = dict(changes or {})
        fields = [(name, value) for name, value in form.fields if name not in changed]
        for name, value in changed.items():
            fields.extend((name, one) for one in ([value] if isinstance(value, str) else value))
        action = form.action
        for name, value, text in form.buttons:
            if (name or button) and (not button or button.lower() in text.lower() or button == value):
                fields.extend([(name, value)] if name else [])
                action = form.actions.get(text, action)
                break
        url = urljoin(page.url, action) if action else page.url
        if form.method == "post":
            here = urlsplit(page.url)
            headers = {"Origin": f"{here.scheme}://{here.netloc}"}
            return self._read(self._session.post(url, data=fields, headers=headers, timeout=TIMEOUT_SECONDS))
        return self._read(self._session.get(url, params=fields, timeout=TIMEOUT_SECONDS))

    def location(self, page: Page, form: Form) -> str:
        """Where a posted form would lead; the redirect is not followed."""
        answer = self._session.post(
            urljoin(page.url, form.action), data=form.fields, timeout=TIMEOUT_SECONDS, allow_redirects=False
        )
        return answer.headers.get("Location", "")

    def _read(self, response: requests.Response) -> Page:
        reader = _Reader()
        reader.feed(response.text)
        text = " ".join(" ".join(reader.text).split())
        return Page(
            response.url, response.status_code, response.text, tuple(reader.links), tuple(reader.frames),
            tuple(reader.forms), text, " ".join(" ".join(reader.heading).split()), tuple(reader.offers),
        )  # fmt: skip
