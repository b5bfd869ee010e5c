"""Everybody follows every link and sends every form: no fault, and nothing that is kept from them."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from browser.houses import build
from browser.rights import EVERYBODY, FORMS, NOBODY, PAGES, Right, right_to
from browser.stock import Shelves, Text, sdist, wheel
from browser.walking import Answer, Form, Walker
from support.servers import Server
from support.sites import PASSWORD, Site
from web.test_browser_parity import PROJECTS

Serial = Callable[[], int]

#: What ends all that comes after it, and what ends a part of it, is sent late.
_LATE = (r"/projects/.*/@@(yank|unyank)", r"/account/@@sessions", r"/projects/[^/]+/[^/]+/[^/]+/@@delete",
         r"/projects/[^/]+/[^/]+/@@delete")  # fmt: skip
_LAST = (r"/(projects|groups)/[^/]+/@@delete", r"/account/@@password", r"/logout")


def fill(shelves: Shelves) -> None:
    """Put the projects and the people of the table there, with tokens and other browsers to end."""
    shelves.days_ago(3)
    for who in EVERYBODY:
        if who != NOBODY:
            shelves.account(who, password=PASSWORD, administrator=who == "root")
    for name in PROJECTS:
        shelves.project(name, "ada", public=name == "pub", members=["bob"])
        for version in ("1.0", "2.0"):
            text = Text(f"The project {name}", "Look at [the other](/projects/pub/).")
            shelves.publish("ada", wheel(name, version, text), sdist(name, version, text))
        shelves.yank_release(name, "1.0", "old")
    shelves.warehouse.groups.create(shelves.operator, "crew", admin="ada")
    shelves.warehouse.groups.add(shelves.operator, "crew", "bob")
    shelves.days_ago(0.01)
    for who in EVERYBODY:
        if who != NOBODY:
            shelves.token(who, f"a token of {who}")
            for agent in ("Lynx", "Links"):
                shelves.session(who, agent)


@pytest.fixture(scope="module")
def walked_site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A site to make copies of, that nobody serves."""
    return build(tmp_path_factory.mktemp("walked") / "site", fill)


@pytest.fixture
def server(walked_site: Site, tmp_path: Path) -> Iterator[Server]:
    with Server(walked_site.copy_to(tmp_path / "site")) as started:
        yield started


@pytest.fixture
def serial(server: Server) -> Iterator[Serial]:
    """Return the serial of the last change, whatever it was."""
    with server.site.library() as warehouse:

        def read() -> int:
            with warehouse.units.read() as unit:
                return unit.journal.serial()

        yield read


@pytest.mark.parametrize("who", EVERYBODY, ids=lambda who: who or "nobody")
def test_who_follows_every_link_and_sends_every_form_meets_no_fault(server: Server, who: str) -> None:
    with Walker(server, who) as walker:
        Walk(walker, who).to_the_end()


class Walk:
    """The way of one person over a whole site."""

    def __init__(self, walker: Walker, who: str) -> None:
        self._walker = walker
        self._who = who
        self._seen: dict[str, Answer] = {}
        self._sent: set[object] = set()
        self._shapes: set[str] = set()
        self._tried: set[Right] = set()
        self._taken: set[str] = set()

    def to_the_end(self) -> None:
        """Follow and send until nothing is new; all that the table gives this person must have been there."""
        self._look_at("/")
        while (form := self._next_form()) is not None:
            self._sent.add(form.key)
            self._send(form)
        paths = {answer.path for answer in self._seen.values() if not answer.is_asset}
        assert _rows(PAGES, paths) == {right for right in PAGES if right.is_offered(self._who)}
        assert self._tried == {right for right in FORMS if right.is_offered(self._who)}
        if self._who != NOBODY:
            assert _rows(FORMS, self._taken) == self._tried, "filled in as the page says, each is taken"

    def _look_at(self, start: str) -> None:
        """Follow all links from there. Each leads to a page, and to one that is for this person."""
        known = set(self._seen)
        self._walker.walk(start, self._seen)
        for path in self._seen.keys() - known:
            answer = self._seen[path]
            assert answer.status == 200, f"{self._who}: {answer.status} at {path}"
            if not answer.is_asset:
                assert self._is_offered(PAGES, answer.path), f"{self._who} sees {answer.path}"
            for form in answer.forms:
                assert self._is_offered(FORMS, form.shape), f"{self._who} is offered {form.action}"

    def _is_offered(self, rights: tuple[Right, ...], path: str) -> bool:
        return right_to(rights, path).is_offered(self._who, path)

    def _next_form(self) -> Form | None:
        waiting = [
            form for answer in self._seen.values() for form in answer.forms if form.key not in self._sent
        ]
        return min(waiting, key=self._turn, default=None)

    def _turn(self, form: Form) -> tuple[int, bool, int]:
        # A row that was not tried yet comes first, before others end what its form stands on.
        is_tried = right_to(FORMS, form.shape) in self._tried
        return _place(_LAST, form.shape), is_tried, _place(_LATE, form.shape)

    def _send(self, form: Form) -> None:
        """Send it empty, with nonsense, and filled in, and look at what is new then."""
        now = self._walker.again(form)
        if now is None:
            return
        self._shapes.add(now.shape)
        self._tried = _rows(FORMS, self._shapes)
        if len(now.fields) > 1:
            for values in (now.nonsense(), now.empty()):
                self._answered(now, self._walker.send(now, values))
        # Whoever signed in would be somebody.
        now = None if self._who == NOBODY else self._walker.again(form)
        if now is not None:
            answer = self._walker.send(now, now.filled(self._typed(now)))
            self._answered(now, answer)
            if answer.status == 200:
                self._taken.add(now.shape)
            self._look_again(answer)

    def _look_again(self, answer: Answer) -> None:
        """Look at the page that came, and at those of what was looked at before that may have changed."""
        if answer.path.startswith("/login"):
            return
        # What answered a form by itself has no address of its own.
        landed = [answer.path] if answer.response.history else list(answer.links)
        for path in ("/", "/projects/", "/groups/", "/account/", *landed):
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
        return {"name": names.get(form.action.rpartition("/")[2], ""), "account": "eve"}


def test_what_the_table_keeps_from_somebody_is_refused_and_changes_nothing(
    server: Server, serial: Serial
) -> None:
    """Everybody asks for every page, and sends every form, that anybody was shown."""
    with ExitStack() as stack:
        walkers = {who: stack.enter_context(Walker(server, who)) for who in EVERYBODY}
        shown: dict[str, dict[str, Answer]] = {who: {} for who in EVERYBODY}
        for who, walker in walkers.items():
            walker.walk("/", shown[who])
        answers = [answer for each in shown.values() for answer in each.values() if not answer.is_asset]
        before = serial()
        for path in sorted({answer.path for answer in answers}):
            for who, walker in walkers.items():
                status = walker.get(path, follow=False).status
                assert status == right_to(PAGES, path).status(who, path), f"{status} to {who!r} at {path}"
        for form in {form.key: form for answer in answers for form in answer.forms}.values():
            for who, walker in walkers.items():
                if not right_to(FORMS, form.shape).is_for(who, form.shape):
                    answer = walker.send(form, form.filled({}) | walker.token, follow=False)
                    assert answer.status in {401, 403, 404}, f"{answer.status} to {who!r} at {form.action}"
        assert serial() == before


def _rows(rights: tuple[Right, ...], paths: set[str]) -> set[Right]:
    """Return the rows of addresses, but for those of projects that were created on the way."""
    return {right_to(rights, path) for path in paths if "/walked-" not in path}


def _place(lines: tuple[str, ...], path: str) -> int:
    return next((place for place, line in enumerate(lines, 1) if re.fullmatch(line, path)), 0)
