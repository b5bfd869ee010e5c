import os
import re
import sqlite3
import threading
from collections.abc import Iterator, Sized
from contextlib import suppress
from pathlib import Path

import pytest
import transaction
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event
from sqlalchemy.orm import Session

from warehouse14.adapters import sql
from warehouse14.adapters.sql.restoring import SqlRestoration
from warehouse14.adapters.sql.schema import known_revisions
from warehouse14.adapters.sql.sqlite.engine import sqlite_engine
from warehouse14.adapters.sql.sqlite.units import SqliteUnits
from warehouse14.adapters.sql.tables import metadata
from warehouse14.adapters.sql.transactions import JoinedUnits
from warehouse14.domain.errors import Misconfigured, Unavailable
from warehouse14.domain.model import Order
from warehouse14.settings import Section, SettingError
from warehouse14.testing.contract import in_thread
from warehouse14.testing.samples import ADA, sample_account, sample_change

MIGRATIONS = Path(sql.__file__).parent / "migrations"
RELEASED = Path(__file__).parent / "released"


def units_at(path: Path, busy_seconds: int = 10) -> SqliteUnits:
    keys = {"url": f"sqlite:///{path}", "busy_seconds": str(busy_seconds)}
    units = sql.units(Section("warehouse14.metadata.", keys))
    assert isinstance(units, SqliteUnits)
    return units


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "site.sqlite"


@pytest.fixture
def units(path: Path) -> Iterator[SqliteUnits]:
    units = units_at(path)
    units.prepare()
    yield units
    units.close()


def set_revision(path: Path, revision: str) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    connection.close()


def test_the_migrations_make_the_tables_that_the_code_knows(units: SqliteUnits) -> None:
    with units._engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_the_revisions_that_a_server_knows_are_those_of_alembic() -> None:
    directory = ScriptDirectory(str(MIGRATIONS))
    assert [script.revision for script in directory.walk_revisions()][::-1] == known_revisions()
    assert directory.get_current_head() == known_revisions()[-1]


def test_a_server_on_a_newer_schema_says_so_and_init_refuses_to_touch_it(
    units: SqliteUnits, path: Path
) -> None:
    set_revision(path, "9999")
    for step in (units.verify, units.prepare):
        with pytest.raises(Misconfigured, match=r"9999, newer .*'warehouse14 init'") as caught:
            step()
        assert "\n" not in str(caught.value)


def test_a_site_without_a_database_is_told_to_run_init(path: Path) -> None:
    units = units_at(path)
    with pytest.raises(Misconfigured, match="'warehouse14 init'"):
        units.verify()
    assert not path.exists()
    units.close()


@pytest.mark.parametrize("dump", sorted(RELEASED.glob("*.sql"))[:-1], ids=lambda dump: dump.stem)
def test_a_server_on_the_schema_of_an_older_release_names_the_upgrade(path: Path, dump: Path) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(dump.read_text(encoding="utf-8"))
    connection.close()
    units = units_at(path)
    with pytest.raises(Misconfigured, match=rf"{dump.stem}.*'warehouse14 init'") as caught:
        units.verify()
    assert "\n" not in str(caught.value)
    units.close()


@pytest.mark.parametrize("dump", sorted(RELEASED.glob("*.sql")), ids=lambda dump: dump.stem)
def test_a_database_of_each_released_schema_is_upgraded_and_keeps_its_data(path: Path, dump: Path) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(dump.read_text(encoding="utf-8"))
    connection.close()
    units = units_at(path)
    units.prepare()
    units.verify()
    with units.read() as unit:
        (project,) = unit.projects.visible(None)
        assert project.name == "demo"
        ((found,), _) = unit.projects.search(None, ["test"], order=Order.NAME, start=0, count=9)
        assert found.latest is not None
        assert (found.latest.version, found.latest.summary) == ("1.0", "A distribution for tests")
        assert [file.filename for file in unit.files.of(project.name)] == [
            "demo-1.0-py3-none-any.whl",
            "demo-1.0.tar.gz",
        ]
        assert [account.name for account in unit.accounts.all()] == ["ada", "admin"]
        assert [token.name for token in unit.tokens.of(ADA)] == ["laptop"]
        assert unit.journal.serial() == len(unit.journal.since(0, 100)) > 0
    units.close()


def test_a_database_of_each_released_schema_is_kept() -> None:
    assert [dump.stem for dump in sorted(RELEASED.glob("*.sql"))] == known_revisions()


def test_preparing_twice_at_once_is_fine(path: Path) -> None:
    problems: list[Exception] = []

    def prepare() -> None:
        units = units_at(path)
        try:
            units.prepare()
            units.verify()
        except Exception as error:  # noqa: BLE001
            problems.append(error)
        finally:
            units.close()

    threads = [threading.Thread(target=prepare) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []


def test_the_database_is_closed_to_others(units: SqliteUnits, path: Path) -> None:
    assert path.stat().st_mode & 0o077 == 0


def test_every_connection_commits_durably(units: SqliteUnits) -> None:
    with units._engine.connect() as connection:
        values = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert values == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_a_database_that_another_keeps_locked_is_unavailable(path: Path) -> None:
    units = units_at(path, busy_seconds=1)
    units.prepare()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable) as caught, units.write() as unit:
        unit.accounts.add(sample_account())
    assert caught.value.__cause__ is not None
    other.execute("ROLLBACK")
    other.close()
    with units.write() as unit:
        unit.accounts.add(sample_account())
        unit.journal.append(sample_change(account=ADA))
    units.close()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("nonsense", "is not a database address"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite:////srv/what?/site.sqlite", "write ? in a path as %3F, in an ini file as %%3F"),
        ("oracle://host/base", "oracle is not supported, use sqlite:///PATH, postgresql+psycopg://"),
        ("postgresql://host/base", "postgresql is not supported, use"),
        ("mysql://host/base", "mysql is not supported, use"),
        ("postgresql+psycopg://host", "names no database: write it after the host"),
        ("mysql+pymysql://host/", "names no database: write it after the host"),
    ],
)
def test_an_address_that_is_not_for_us_is_refused_in_one_line(url: str, says: str) -> None:
    with pytest.raises(SettingError, match=re.escape(says)) as caught:
        sql.units(Section("warehouse14.metadata.", {"url": url}))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("written", "name"), [("C#.sqlite", "C#.sqlite"), ("a b%3F%2541.sqlite", "a b?%41.sqlite")]
)
def test_the_file_of_an_address_is_made_and_found(tmp_path: Path, written: str, name: str) -> None:
    units = units_at(tmp_path / written)
    units.prepare()
    units.verify()
    with units.read() as unit:
        assert unit.journal.serial() == 0
    units.close()
    assert name in {each.name for each in tmp_path.iterdir()}
    assert all(each.name.startswith(name) for each in tmp_path.iterdir())


@pytest.mark.parametrize("name", ["C#", "what?", "what?mode=memory&", "100%", "a%41b", "ä"])
def test_whatever_a_folder_is_called_the_pulse_tells_of_the_commits_of_others(
    tmp_path: Path, name: str
) -> None:
    path = f"{tmp_path}/{name}/site.sqlite"
    here, there = (SqliteUnits(path, sqlite_engine(path, busy_seconds=10), busy_seconds=10) for _ in range(2))
    here.prepare()
    before = here.pulse()
    assert here.pulse() == before
    with there.write() as unit:
        unit.accounts.add(sample_account())
        unit.journal.append(sample_change(account=ADA))
    assert here.pulse() != before
    here.close()
    there.close()
    assert [each.name for each in tmp_path.iterdir()] == [name]


def descriptors_of(path: Path) -> int:
    """Return how many descriptors this process has of a database and of what SQLite has beside it."""
    found = 0
    for each in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            found += os.readlink(each).startswith(str(path))
    return found


def test_a_thread_that_ends_leaves_no_descriptor_of_the_database(units: SqliteUnits, path: Path) -> None:
    def run_threads(count: int) -> int:
        for _ in range(count):
            assert in_thread(units.pulse)
        return descriptors_of(path)

    assert run_threads(3) == run_threads(20) > 0


def test_a_host_application_owns_the_transaction_that_units_join(units: SqliteUnits, path: Path) -> None:
    manager = transaction.TransactionManager(explicit=True)
    engine = sqlite_engine(str(path), busy_seconds=5)
    joined = JoinedUnits(Session(engine), manager)
    for end, expected in ((manager.abort, 0), (manager.commit, 1)):
        manager.begin()
        with joined.write() as unit:
            unit.accounts.add(sample_account())
            unit.journal.append(sample_change(account=ADA))
        assert joined.pulse() == 1
        end()
        with units.read() as unit:
            assert len(unit.accounts.all()) == expected
    engine.dispose()


def test_a_name_that_a_host_application_holds_lets_nobody_else_write(units: SqliteUnits, path: Path) -> None:
    manager = transaction.TransactionManager(explicit=True)
    engine = sqlite_engine(str(path), busy_seconds=5)
    joined, others = JoinedUnits(Session(engine), manager), units_at(path, busy_seconds=0)
    manager.begin()
    with joined.write() as unit:
        unit.hold("demo")
    with pytest.raises(Unavailable), others.write():
        pass
    manager.abort()
    with others.write() as unit:
        unit.hold("demo")
    others.close()
    engine.dispose()


def test_rows_of_another_store_go_in_statements_that_end_in_time(units: SqliteUnits, path: Path) -> None:
    engine = sqlite_engine(str(path), busy_seconds=10)
    counts = []

    @event.listens_for(engine, "before_cursor_execute")
    def count(connection: object, cursor: object, statement: str, rows: Sized, *_: object) -> None:
        if statement.startswith("INSERT INTO journal"):
            counts.append(len(rows))

    with engine.begin() as connection:
        SqlRestoration(connection).journal([sample_change(serial=number) for number in range(1, 2_502)])
    engine.dispose()
    assert counts == [1000, 1000, 501]
    with units.read() as unit:
        assert [change.serial for change in unit.journal.since(0, 3_000)] == list(range(1, 2_502))
