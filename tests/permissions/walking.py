"""Somebody without a browser who follows every link, and sends every form, with or without sense."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Self
from urllib.parse import urldefrag, urljoin, urlsplit
from xml.etree.ElementTree import Element

import html5lib
import requests

from permissions.ways import PASSWORDS, Ways
from permissions.words import heard
from support.servers import Server
from support.sites import PASSWORD

#: Returns the serial of the last change.
Serial = Callable[[], int]

TOKEN = "csrf_token"
#: What the administrator of the site looks into; to all others it is not there.
LOOKED_INTO = "walked-over"
#: What is typed where the page says nothing better, by the name of the field.
_TYPED = {
    "reason": "Walked over",
    "subject": "somebody else",
    "old_password": PASSWORD,
    "password": "another long one",
    "again": "another long one",
}
_NONSENSE = "'\"><script>1</script>\0\r\n\u202e" + "x" * 300
_ID = re.compile(r"(?<=/)(?:[0-9A-Za-z]{10}|[0-9a-f]{64})(?=/@@)")
#: A number in a query, such as a page's or a serial's.
_NUMBER = re.compile(r"(?<==)\d+")
#: How many links are followed that differ in such numbers alone.
_MOST_PAGES = 3


@dataclass(frozen=True)
class Form:
    """A form, where it stands, and what it says before anybody has typed.

    Attributes:
        fields: name, type, value and what a label asks for, of each field.
    """

    page: str
    action: str
    fields: tuple[tuple[str, str, str, str], ...]

    @property
    def key(self) -> object:
        """What it is known by, although its token may be another."""
        return self.page, self.action, tuple(field[:3] for field in self.fields if field[0] != TOKEN)

    @property
    def shape(self) -> str:
        """Its address, whichever token or session it is for."""
        return _ID.sub("ID", self.action)

    @property
    def is_for_one(self) -> bool:
        """Whether it is for a token or a session, which have one owner each."""
        return self.shape != self.action

    @property
    def kind(self) -> object:
        """What it shares with the forms for other things of the same list."""
        return link_shape(self.page), self.shape, tuple(field[:2] for field in self.fields)

    def filled(self, typed: Mapping[str, str]) -> dict[str, str]:
        """Return what somebody sends who does what the page asks for."""
        return {name: typed.get(name) or value or wanted for name, _, value, wanted in self.fields}

    def nonsense(self) -> dict[str, str]:
        """Return what somebody sends who types anything at all, hidden fields included."""
        return {name: value if name == TOKEN else _NONSENSE for name, _, value, _ in self.fields}

    def empty(self) -> dict[str, str]:
        """Return the form with nothing in it, but its token."""
        return {name: value for name, _, value, _ in self.fields if name == TOKEN}


@dataclass(frozen=True)
class Answer:
    """What came back, after redirects."""

    response: requests.Response
    site: str

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def path(self) -> str:
        return self.response.url.removeprefix(self.site)

    @property
    def is_elsewhere(self) -> bool:
        """Whether it is a page of another site, to which this one has led: an identity provider's."""
        return not self.response.url.startswith(self.site + "/")

    @property
    def is_asset(self) -> bool:
        """Whether it is one of the site's own style sheets, scripts and pictures, which everybody gets."""
        return is_asset(self.path)

    @property
    def heard(self) -> str:
        """What it says to whoever asked."""
        return heard(self.status, self.response.headers.get("Location", ""))

    @cached_property
    def tree(self) -> Element | None:
        """The page, or None if it is none."""
        if not self.response.headers.get("Content-Type", "").startswith("text/html"):
            return None
        parsed: Element = html5lib.parse(self.response.text, namespaceHTMLElements=False)
        return parsed

    @cached_property
    def links(self) -> tuple[str, ...]:
        """The paths of this site that it links to or shows."""
        return tuple(self._links())

    @property
    def pages(self) -> list[str]:
        """Those of its links that are no asset's."""
        return [path for path in self.links if not is_asset(path)]

    @cached_property
    def forms(self) -> tuple[Form, ...]:
        """Its forms that are sent by POST; those of another site are no concern of this one."""
        return () if self.is_elsewhere else tuple(self._forms())

    def _links(self) -> Iterator[str]:
        for element in self.tree.iter() if self.tree is not None else ():
            for attribute in ("href", "src"):
                value = element.get(attribute, "") if isinstance(element.tag, str) else ""
                if value and not value.startswith("#"):
                    absolute = urldefrag(urljoin(self.response.url, value)).url
                    if urlsplit(absolute)[:2] == urlsplit(self.site)[:2]:
                        yield absolute.removeprefix(self.site)

    def _forms(self) -> Iterator[Form]:
        for form in self.tree.iter("form") if self.tree is not None else ():
            if form.get("method", "get").lower() == "post":
                action = urljoin(self.response.url, form.get("action") or self.response.url)
                yield Form(self.path, action.removeprefix(self.site), tuple(_fields(form)))


def is_asset(path: str) -> bool:
    """Whether it is the address of one of the site's own style sheets, scripts and pictures."""
    return path.startswith("/static/")


def link_shape(path: str) -> str:
    """Return an address, whichever page of a list it is for."""
    return _NUMBER.sub("N", path)


def _fields(form: Element) -> Iterator[tuple[str, str, str, str]]:
    labels = {field: label for label in form.iter("label") for field in label.iter()}
    for field in form.iter():
        name, kind = field.get("name"), field.get("type", "text")
        if field.tag not in {"input", "select"} or name is None:
            continue
        if kind in {"radio", "checkbox"} and field.get("checked") is None:
            continue
        code = labels[field].find("code") if field in labels else None
        wanted = _TYPED.get(name, "") if code is None else "".join(code.itertext())
        yield name, kind, _value(field), wanted


def _value(field: Element) -> str:
    if field.tag == "select":
        options = list(field.iter("option"))
        chosen = next((option for option in options if option.get("selected") is not None), options[0])
        return chosen.get("value") or ""
    return field.get("value") or ""


class Walker:
    """Somebody who is signed in, or nobody, at one server.

    They sign in with a password of the site, or through its provider ``corp``, which knows who they are.
    """

    def __init__(self, server: Server, who: str, ways: Ways = PASSWORDS) -> None:
        self._site = server.url
        self._session = requests.Session()
        self._session.trust_env = False
        if who:
            answer = self._signed_in(who) if ways.passwords else self.get("/oauth/corp/@@start")
            assert answer.path == "/", answer.response.text

    def _signed_in(self, who: str) -> Answer:
        form = self.get("/login").forms[0]
        return self.send(form, form.filled({"name": who, "password": PASSWORD}))

    def get(self, path: str, *, follow: bool = True, **query: str) -> Answer:
        answer = self._session.get(self._site + path, params=query, timeout=60, allow_redirects=follow)
        return Answer(answer, self._site)

    def send(self, form: Form, values: Mapping[str, str], *, follow: bool = True) -> Answer:
        answer = self._session.post(self._site + form.action, data=values, timeout=60, allow_redirects=follow)
        return Answer(answer, self._site)

    def post(self, path: str, content_type: str, body: bytes) -> Answer:
        """Send anything at all."""
        headers = {"Content-Type": content_type}
        answer = self._session.post(self._site + path, data=body, headers=headers, timeout=60)
        return Answer(answer, self._site)

    def use(self, token: str) -> None:
        """Send a token from now on, as clients do."""
        self._session.headers["Authorization"] = f"Bearer {token}"

    def again(self, form: Form) -> Form | None:
        """Return the form as it stands on its page now, or None if it is gone."""
        answer = self.get(form.page)
        return next((now for now in answer.forms if now.key == form.key), None)

    @cached_property
    def token(self) -> dict[str, str]:
        """Return the field with the token that stands in this person's forms."""
        forms = self.get("/").forms
        return {name: value for form in forms for name, _, value, _ in form.fields if name == TOKEN}

    def walk(self, start: str, seen: dict[str, Answer]) -> None:
        """Follow every link from ``start`` on that is not in ``seen`` yet, and remember what comes back.

        Of a list on pages, some: each change makes a journal longer, and its links others.
        """
        waiting, taken = [start], Counter(map(link_shape, seen))
        while waiting:
            path = waiting.pop()
            shape = link_shape(path)
            if path not in seen and taken[shape] < _MOST_PAGES:
                taken[shape] += 1
                seen[path] = answer = self.get(path)
                waiting += [] if answer.is_elsewhere else [*answer.links, answer.path]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()
