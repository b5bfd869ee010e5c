"""Indexes to ask: in memory, and on SQLite and the file system."""

import shutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

with warnings.catch_warnings():
    # webob imports the standard library's cgi, which Python 3.13 no longer has.
    warnings.simplefilter("ignore", DeprecationWarning)
    from support.backends import ENGINES
    from web.asking import MEMORY, METERED, Index, open_index

#: Opens an index; the site's settings are given without ``warehouse14.``.
Opener = Callable[..., Index]


@pytest.fixture
def opener() -> Iterator[Opener]:
    """Opens indexes in memory."""
    opened: list[Index] = []

    def open_one(**settings: str) -> Index:
        opened.append(open_index(MEMORY, **{"create_on_upload": "true", **settings}))
        return opened[-1]

    yield open_one
    for index in opened:
        index.warehouse.close()


@pytest.fixture
def index(opener: Opener) -> Index:
    """An empty index in memory."""
    return opener()


@pytest.fixture(scope="module")
def lasting_index() -> Iterator[Index]:
    """An index in memory that the tests of a module share."""
    index = open_index(MEMORY, create_on_upload="true")
    yield index
    index.warehouse.close()


@pytest.fixture(scope="session")
def prepared_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database of the present schema, to be copied."""
    path = tmp_path_factory.mktemp("prepared") / "site.sqlite"
    settings = {
        "warehouse14.metadata": "sql",
        "warehouse14.metadata.url": f"sqlite:///{path}",
        "warehouse14.files": "memory",
    }
    prepared = open_index(settings)
    prepared.warehouse.prepare()
    prepared.warehouse.close()
    return path


@contextmanager
def opened_on(kind: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[Index]:
    """Open an empty index in memory, or on SQLite and the file system in ``folder``."""
    settings = MEMORY
    if kind == "sql":
        shutil.copy(request.getfixturevalue("prepared_database"), folder / "site.sqlite")
        settings = {
            "warehouse14.metadata": "sql",
            "warehouse14.metadata.url": f"sqlite:///{folder / 'site.sqlite'}",
            "warehouse14.files": "filesystem",
            "warehouse14.files.root": str(folder / "files"),
        }
    index = open_index(settings, create_on_upload="true")
    index.warehouse.prepare()
    yield index
    index.warehouse.close()


@pytest.fixture(params=ENGINES)
def any_index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Index]:
    """An empty index in memory, and one on SQLite and the file system."""
    with opened_on(request.param, request, tmp_path) as index:
        yield index


@pytest.fixture(scope="module", params=ENGINES)
def any_lasting_index(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Index]:
    """The same for tests that leave nothing behind."""
    with opened_on(request.param, request, tmp_path_factory.mktemp("site")) as index:
        yield index


@pytest.fixture(scope="module")
def stocked() -> Iterator[Index]:
    """An index in memory that tests only look at.

    ``demo`` is private: Ada is its admin, Bob a member. ``pub`` is Ada's and
    public. Eve has no role anywhere, and Root administers the site.
    """
    index = open_index(MEMORY, create_on_upload="true", **METERED)
    index.project("demo", member="bob")
    index.wheel("demo")
    index.sdist("demo", metadata_version="2.1")
    index.project("pub", public=True)
    index.wheel("pub")
    index.account("eve")
    index.account("root", administrator=True)
    for name in ("ada", "bob", "eve", "root"):
        # A token is made when it is first asked for, which would be a change.
        index.token(name)
    yield index
    index.warehouse.close()
