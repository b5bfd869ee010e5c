from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from support.backends import ENGINES
from support.parts import taking_parts
from warehouse14.bootstrap import assemble
from warehouse14.domain.access import Identity
from warehouse14.domain.services.uploadform import form_of
from warehouse14.domain.services.uploads import Published
from warehouse14.domain.warehouse import Warehouse
from warehouse14.testing.builders import BuiltFile, build_wheel


@dataclass
class Clock:
    """A time that stands still until it is moved."""

    now: datetime = field(default_factory=lambda: datetime(2026, 11, 1, 12, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, time: timedelta) -> None:
        self.now += time


@pytest.fixture
def clock() -> Clock:
    return Clock()


def settings_of(kind: str, folder: Path) -> dict[str, str]:
    shared = {"warehouse14.create_on_upload": "true", "warehouse14.max_file_bytes": "100000"}
    if kind == "memory":
        return shared | {"warehouse14.metadata": "memory", "warehouse14.files": "memory"}
    return shared | {
        "warehouse14.metadata": "sql",
        "warehouse14.metadata.url": f"sqlite:///{folder}/site.sqlite",
        "warehouse14.files": "filesystem",
        "warehouse14.files.root": f"{folder}/files",
    }


@pytest.fixture(params=ENGINES)
def warehouse(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Warehouse]:
    started: list[Warehouse] = []

    def at_once(upload: str) -> None:
        started[0].direct.run(upload)

    opened = assemble(settings_of(request.param, tmp_path), {}).warehouse
    # Whoever stands for an identity provider here is none of the settings.
    policy = replace(opened.policy, rules=replace(opened.policy.rules, providers=None))
    warehouse = Warehouse(opened.units, taking_parts(opened.store), policy, now=clock, start=at_once)
    started.append(warehouse)
    warehouse.prepare()
    yield warehouse
    warehouse.close()


@pytest.fixture
def person(warehouse: Warehouse) -> Callable[[str], Identity]:
    """Makes an account and returns its identity."""

    def make(name: str, **options: bool) -> Identity:
        warehouse.accounts.add(warehouse.operator(), name, **options)
        return warehouse.account(name)

    return make


@pytest.fixture
def ada(person: Callable[[str], Identity]) -> Identity:
    return person("ada")


@pytest.fixture
def bob(person: Callable[[str], Identity]) -> Identity:
    return person("bob")


@pytest.fixture
def publish(warehouse: Warehouse) -> Callable[..., Published]:
    """Publishes a built file, by default demo 1.0."""

    def send(identity: Identity, built: BuiltFile | None = None) -> Published:
        built = built or build_wheel("demo", "1.0")
        return warehouse.uploads.publish(identity, form_of(built.filename), [built.content])

    return send
