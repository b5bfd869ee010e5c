"""What docs/permissions.md keeps from somebody is refused, wherever others were led to."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager

import pytest

from permissions.rights import (
    API_ASKED,
    API_SENT,
    EVERYBODY,
    FORMS_SENT,
    INDEX_READ,
    NOBODY,
    PAGES_SEEN,
    UPLOADS,
    Right,
    right_to,
)
from permissions.views import PROJECTS, filled
from permissions.walking import Answer, Form, Serial, Walker, is_asset
from permissions.words import HIDDEN, YES
from support.servers import Server
from warehouse14.domain.model import Scope
from warehouse14.testing.builders import build_wheel
from web.bodies import form_body, upload_form

pytestmark = pytest.mark.thorough


def test_what_the_table_keeps_from_somebody_is_refused_and_changes_nothing(
    server: Server, serial: Serial
) -> None:
    """Everybody asks for every page, and sends every form, that anybody was shown."""
    with ExitStack() as stack:
        walkers = {who: stack.enter_context(Walker(server, who)) for who in EVERYBODY}
        shown: dict[str, dict[str, Answer]] = {who: {} for who in EVERYBODY}
        for who, walker in walkers.items():
            walker.walk("/", shown[who])
        before = serial()
        for path in sorted({path for each in shown.values() for path in each if not is_asset(path)}):
            for who, walker in walkers.items():
                assert walker.get(path, follow=False).heard == right_to(PAGES_SEEN, path).word(who, path), (
                    f"{who} at {path}"
                )
        for owner, form in _forms(shown):
            for who, walker in walkers.items():
                refused = _refusal(form, owner, who)
                if refused:
                    answer = walker.send(form, form.filled({}) | walker.token, follow=False)
                    assert answer.heard == refused, f"{who} at {form.action}"
        assert serial() == before


def _forms(shown: Mapping[str, Mapping[str, Answer]]) -> list[tuple[str, Form]]:
    """Return each form once, with the one who was shown it."""
    found = {
        form.key: (who, form)
        for who, answers in shown.items()
        for answer in answers.values()
        for form in answer.forms
    }
    return list(found.values())


def _refusal(form: Form, owner: str, who: str) -> str:
    """Return what somebody hears to a form, if it is not for them."""
    said = right_to(FORMS_SENT, form.shape).word(who, form.shape)
    if said == YES and form.is_for_one and who != owner:
        return HIDDEN
    return "" if said == YES else said


def test_the_index_and_the_upload_addresses_answer_clients_as_the_table_says(server: Server) -> None:
    """Everybody follows every link of the index, asks for what others were led to, and uploads."""
    with ExitStack() as stack:
        clients = {who: stack.enter_context(_client(server, who)) for who in EVERYBODY}
        shown: dict[str, dict[str, Answer]] = {who: {} for who in EVERYBODY}
        for who, client in clients.items():
            for start in ("/simple/", "/legacy/+simple/", "/health", "/health/ready"):
                client.walk(start, shown[who])
            led_to = {path for path in shown[who] if path not in {"/simple/", "/legacy/+simple/"}}
            assert all(right_to(INDEX_READ, path).is_for(who, path) for path in led_to)
        paths = {path for each in shown.values() for path in each}
        paths |= {f"{path}.metadata" for path in paths if path.endswith(".whl")}
        # The settings of this site open the metrics to nobody.
        there = {right for right in INDEX_READ if right.address != "/metrics"}
        assert {right_to(INDEX_READ, path) for path in paths} == there
        for path in sorted(paths):
            for who, client in clients.items():
                said = right_to(INDEX_READ, path).word(who, path)
                assert client.get(path, follow=False).heard == said, f"{who} at {path}"
        for right in _in_a_folder(UPLOADS):
            for public, name in PROJECTS.items():
                for who, client in clients.items():
                    assert client.post(right.address, *_upload(name)).heard == right.said(who, public=public)


def test_the_api_answers_programs_as_the_table_says_and_a_refusal_changes_nothing(
    server: Server, serial: Serial
) -> None:
    """Everybody asks for everything, and sends every change, with a field that it does not have."""
    with ExitStack() as stack:
        clients = {who: stack.enter_context(_client(server, who)) for who in EVERYBODY}
        before = serial()
        for public, name in PROJECTS.items():
            for right in _in_a_folder(API_ASKED):
                for who, client in clients.items():
                    assert client.get(filled(right.address, name)).heard == right.said(who, public=public)
            for right in _in_a_folder(API_SENT):
                for who, client in clients.items():
                    answer = client.post(filled(right.address, name), "application/json", b'{"x": "y"}')
                    assert answer.heard == right.said(who, public=public)
                    assert answer.status in {400, 401, 403, 404}
        assert serial() == before


@contextmanager
def _client(server: Server, who: str) -> Iterator[Walker]:
    """Yield somebody who has a token that holds nothing back, or nobody."""
    with Walker(server, NOBODY) as client:
        if who != NOBODY:
            with server.site.library() as warehouse:
                operator = warehouse.operator()
                minted = warehouse.tokens.mint(operator, name="all", account=who, scopes=set(Scope))
            client.use(minted.text)
        yield client


def _in_a_folder(rights: Iterable[Right]) -> Iterable[Right]:
    """Leave out what goes straight to a store: a folder takes no parts; ``tests/clients`` has a bucket."""
    return (right for right in rights if not right.address.startswith("/api/uploads"))


def _upload(name: str) -> tuple[str, bytes]:
    return form_body(upload_form(build_wheel(name, "3.0"), name, "3.0"))
