"""Everybody follows every link and sends every form, and meets what docs/permissions.md says."""

import re
from collections import Counter
from collections.abc import Callable, Iterable

import pytest

from permissions.rights import EVERYBODY, FORMS_SENT, NOBODY, PAGES_SEEN, Right, right_to
from permissions.walking import LOOKED_INTO, TOKEN, Answer, Form, Serial, Walker
from permissions.ways import BOTH, PASSWORDS, PROVIDER, Ways
from support.servers import Server

pytestmark = pytest.mark.thorough

#: How many forms are sent that differ in what they are for alone: a new token brings another form to end it.
_MOST_ALIKE = 2

#: Where new things show, and others are gone.
_LISTS = ("/", "/projects/", "/groups/", "/account/")

#: What ends all that comes after it, and what ends a part of it, is sent late.
_LATE = (r"/projects/.*/@@(yank|unyank)", r"/account/@@sessions", r"/projects/[^/]+/[^/]+/[^/]+/@@delete",
         r"/projects/[^/]+/[^/]+/@@delete")  # fmt: skip
_LAST = (r"/(projects|groups)/[^/]+/@@delete", r"/account/@@password", r"/groups/[^/]+/@@look", r"/logout")
#: Whoever looks into the group of the table is shown what the table keeps from them.
_SHOWS_MORE = re.compile(r"/groups/[^/]+/@@look")


@pytest.mark.parametrize("who", EVERYBODY, ids=lambda who: who or "nobody")
@pytest.mark.parametrize("ways", [PASSWORDS, BOTH, PROVIDER], ids=lambda ways: ways.sign_in, indirect=True)
def test_who_follows_every_link_and_sends_every_form_meets_no_fault(
    server: Server, serial: Serial, ways: Ways, who: str, known_at_corp: Callable[[str], None]
) -> None:
    if ways.provider:
        known_at_corp(who)
    with Walker(server, who, ways) as walker:
        Walk(walker, who, ways, serial).to_the_end()


class Walk:
    """The way of one person over a whole site."""

    def __init__(self, walker: Walker, who: str, ways: Ways, serial: Serial) -> None:
        self._walker = walker
        self._who = who
        self._ways = ways
        self._serial = serial
        self._seen: dict[str, Answer] = {}
        self._sent: set[object] = set()
        self._alike: Counter[object] = Counter()
        self._shapes: set[str] = set()
        self._tried: set[Right] = set()
        self._taken: set[str] = set()

    def to_the_end(self) -> None:
        """Follow and send until nothing is new; all that the table gives this person must have been there."""
        self._look_at("/")
        while (form := self._next_form()) is not None:
            self._sent.add(form.key)
            self._alike[form.kind] += 1
            self._send(form)
        paths = {
            asked if answer.is_elsewhere else answer.path
            for asked, answer in self._seen.items()
            if not answer.is_asset
        }
        assert _rows(PAGES_SEEN, paths) == self._offered(PAGES_SEEN)
        assert self._tried == self._offered(FORMS_SENT)
        if self._who != NOBODY:
            assert _rows(FORMS_SENT, self._taken) == self._tried, "filled in as the page says, each is taken"

    def _look_at(self, start: str) -> None:
        """Follow all links from there. Each leads to a page, and to one that is for this person."""
        known = set(self._seen)
        self._walker.walk(start, self._seen)
        for path in self._seen.keys() - known:
            answer = self._seen[path]
            assert answer.status == 200, f"{self._who}: {answer.status} at {path}"
            if not answer.is_asset:
                page = path if answer.is_elsewhere else answer.path
                assert self._is_offered(PAGES_SEEN, page), f"{self._who} sees {page}"
            for form in answer.forms:
                assert self._is_offered(FORMS_SENT, form.shape), f"{self._who} is offered {form.action}"

    def _is_offered(self, rights: tuple[Right, ...], path: str) -> bool:
        return right_to(rights, path).is_offered(self._who, self._ways, path)

    def _offered(self, rights: tuple[Right, ...]) -> set[Right]:
        return {right for right in rights if right.is_offered(self._who, self._ways)}

    def _next_form(self) -> Form | None:
        waiting = [
            form
            for answer in self._seen.values()
            for form in answer.forms
            if form.key not in self._sent and self._alike[form.kind] < _MOST_ALIKE
        ]
        return min(waiting, key=self._turn, default=None)

    def _turn(self, form: Form) -> tuple[int, bool, int]:
        # A row that was not tried yet comes first, before others end what its form stands on.
        is_tried = right_to(FORMS_SENT, form.shape) in self._tried
        return _place(_LAST, form.shape), is_tried, _place(_LATE, form.shape)

    def _send(self, form: Form) -> None:
        """Send it forged, with nonsense, empty, and filled in, and look at what is new then."""
        now, before = self._walker.again(form), self._serial()
        if now is None:
            return
        self._shapes.add(now.shape)
        self._tried = _rows(FORMS_SENT, self._shapes)
        self._forge(now)
        if len(now.fields) > 1:
            for values in (now.nonsense(), now.empty()):
                self._answered(now, self._walker.send(now, values))
        # Whoever signed in would be somebody.
        if self._who != NOBODY:
            self._fill_in(now if self._serial() == before else self._walker.again(form))

    def _fill_in(self, form: Form | None) -> None:
        """Send it as the page asks for, if it is still there."""
        if form is not None:
            answer = self._walker.send(form, form.filled(self._typed(form)))
            self._answered(form, answer)
            is_new = right_to(FORMS_SENT, form.shape) not in _rows(FORMS_SENT, self._taken)
            if answer.status == 200:
                self._taken.add(form.shape)
            if not _SHOWS_MORE.fullmatch(form.action):
                self._look_again(answer, _LISTS if is_new else ())

    def _forge(self, form: Form) -> None:
        """Send what would be taken without the token of the form, and by GET: neither changes anything."""
        filled, before = form.filled(self._typed(form)), self._serial()
        without = {name: value for name, value in filled.items() if name != TOKEN}
        assert self._walker.send(form, without, follow=False).status == 400, form.action
        assert self._walker.get(form.action, follow=False, **filled).status < 500, form.action
        assert self._serial() == before, form.action

    def _look_again(self, answer: Answer, lists: Iterable[str]) -> None:
        """Look at the page that came, and at the lists in which something may be new."""
        if answer.path.startswith("/login") or answer.is_elsewhere:
            return
        # What answered a form by itself has no address of its own.
        landed = [answer.path] if answer.response.history else answer.pages
        for path in (*lists, *landed):
            self._seen.pop(path, None)
            self._look_at(path)

    def _answered(self, form: Form, answer: Answer) -> None:
        assert answer.status in {200, 400, 403, 404, 409, 429}, (
            f"{answer.status} to {self._who} at {form.action}"
        )

    def _typed(self, form: Form) -> dict[str, str]:
        names = {
            "@@new": f"walked-{self._who}",
            "@@token": "walked",
            "@@accounts": "walked",
            "@@people": "eve",
        }
        verb = form.action.rpartition("/")[2]
        project = LOOKED_INTO if verb == "@@look" else ""
        return {"name": names.get(verb, ""), "account": "eve", "project": project}


def _rows(rights: tuple[Right, ...], paths: set[str]) -> set[Right]:
    """Return the rows of addresses, but for those of projects that were created on the way."""
    return {right_to(rights, path) for path in paths if "/walked-" not in path}


def _place(lines: tuple[str, ...], path: str) -> int:
    return next((place for place, line in enumerate(lines, 1) if re.fullmatch(line, path)), 0)
