"""A thousand files in the bucket, good and bad, whose events come twice, out of order and in every shape."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

from support.buckets import BucketServer
from support.drops import Drop, dropped_at
from support.functions import Function, variables_of
from support.notifications import from_eventbridge, message, notification, record, removal
from support.sites import Site
from warehouse14.domain.model import Action
from warehouse14.domain.services.incomingtexts import ERROR
from warehouse14.testing.builders import BuiltFile, build_wheel

COUNT = 1000
PROJECTS = 20
#: How many records an event has.
_SIZE = 20
BAD = b"no archive"
#: What happens to a file, and how many of a hundred it happens to.
KINDS = {"good": 65, "bad": 10, "replaced": 8, "removed": 7, "twice": 5, "taken": 5}


@dataclass
class Happened:
    """What was done in a bucket, its notices, and what has to come of it."""

    drop: Drop
    notices: list[tuple[str, bool, str]] = field(default_factory=list)
    listed: dict[str, bytes | None] = field(default_factory=dict)
    left: set[str] = field(default_factory=set)
    contested: set[str] = field(default_factory=set)

    def put(self, key: str, data: bytes) -> None:
        self._note(self.drop.put(key, data), is_removal=False)

    def remove(self, key: str) -> None:
        self._note(self.drop.remove(key), is_removal=True)

    def _note(self, name: str, *, is_removal: bool) -> None:
        # Of unequal length, as those of AWS may be.
        number = len(self.notices)
        self.notices.append((name, is_removal, f"{number:08X}" + "0" * (number % 3)))

    def happen(self, kind: str, wheel: BuiltFile, other: BuiltFile) -> None:
        name = wheel.filename
        if kind == "bad":
            self.put(name, BAD)
            self.left |= {name, name + ERROR}
            return
        if kind == "removed":
            self.put(name, wheel.content)
            self.remove(name)
            return
        if kind == "replaced":
            self.put(name, other.content)
        if kind in {"twice", "taken"}:
            self.put(f"again/{name}", (wheel if kind == "twice" else other).content)
        if kind == "taken":
            self.contested.add(name)
        self.put(name, wheel.content)
        self.listed[name] = None if kind == "taken" else wheel.content


def version_of(number: int, body: bytes) -> BuiltFile:
    return build_wheel(f"many-{number % PROJECTS}", f"{number // PROJECTS}", body=body)


def events(happened: Happened, chance: random.Random) -> Iterator[Any]:
    """Return the notices in any order, some of them more than once, in each shape of an event."""
    bucket = happened.drop.bucket
    notices = [each for each in happened.notices for _ in range(chance.choice([1, 1, 2, 3]))]
    chance.shuffle(notices)
    for start in range(0, len(notices), _SIZE):
        some = notices[start : start + _SIZE]
        records = [
            (removal if is_removal else record)(bucket, name, sequencer=sequencer)
            for name, is_removal, sequencer in some
        ]
        shape = chance.choice(["straight", "queue", "eventbridge"])
        if shape == "straight":
            yield notification(*records)
        elif shape == "queue":
            yield notification(*(message(notification(each)) for each in records), message({"bad": 1}))
        else:
            kinds = ["Object Created", "Object Deleted"]
            yield notification(
                *(
                    message(from_eventbridge(bucket, name, kind=kinds[is_removal], sequencer=sequencer))
                    for name, is_removal, sequencer in some
                )
            )


@pytest.mark.thorough
def test_a_thousand_files_are_each_taken_in_once_or_refused(
    remote_site: Site, localstack: BucketServer
) -> None:
    chance = random.Random(14)  # noqa: S311 - it is to be the same each time
    drop = dropped_at(remote_site, localstack)
    drop.clear()
    happened = Happened(drop)
    for number in range(COUNT):
        [kind] = chance.choices(list(KINDS), list(KINDS.values()))
        happened.happen(kind, version_of(number, b"one"), version_of(number, b"other"))
    with (
        Function(variables_of(drop.site), handler="s3_events", processes=2) as function,
        ThreadPoolExecutor(2) as pool,
    ):
        done = list(pool.map(lambda event: function.invoke(event, seconds=300), events(happened, chance)))
        assert [each.error for each in done if each.error] == []
    assert_as_it_must_be(happened)


def assert_as_it_must_be(happened: Happened) -> None:
    drop = happened.drop
    found = {
        name: content for number in range(PROJECTS) for name, content in drop.listed(f"many-{number}").items()
    }
    assert found.keys() == happened.listed.keys()
    wrong = [name for name, content in happened.listed.items() if content not in {None, found[name]}]
    assert wrong == []
    left = set(drop.keys())
    assert left >= happened.left
    # Of two with other bytes under one name, one was faster, and the other lies there with its text.
    others = left - happened.left
    lost = {name for name in others if not name.endswith(ERROR)}
    assert others == lost | {name + ERROR for name in lost}
    assert sorted(name.removeprefix("again/") for name in lost) == sorted(happened.contested)
    assert all("File already exists" in drop.text(name) for name in lost)
    with drop.site.library() as warehouse:
        entries = warehouse.journal.of_site(warehouse.operator()).all()
        uploads = [
            entry.detail["files"]
            for entry in entries
            if entry.action == Action.FILE_UPLOAD and str(entry.project).startswith("many-")
        ]
    assert sorted(uploads) == sorted(happened.listed)
    assert drop.site.damage() == []
