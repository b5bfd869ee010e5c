import http.server
import re
import socket
import socketserver
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import transaction
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, event, inspect, text
from sqlalchemy.orm import Session
from transaction.interfaces import DoomedTransaction

from support.cables import Cable
from support.databases import DatabaseServer, PostgreSQLServer
from support.places import Place, bare_place, open_units, prepared_place
from support.servers import free_port
from warehouse14.adapters import sql
from warehouse14.adapters.sql.servers.units import ServerUnits
from warehouse14.adapters.sql.tables import metadata
from warehouse14.adapters.sql.transactions import JoinedUnits
from warehouse14.domain.errors import AlreadyExists, Conflict, Misconfigured, Unavailable, WarehouseError
from warehouse14.domain.model import Order, Role
from warehouse14.domain.names import ProjectName
from warehouse14.domain.ports import UnitOfWork
from warehouse14.domain.services.working import attempt
from warehouse14.settings import Section, SettingError
from warehouse14.testing.contract import race
from warehouse14.testing.samples import (
    DEMO,
    sample_account,
    sample_change,
    sample_file,
    sample_login,
    sample_project,
)
from warehouse14.testing.units_contract.steps import BOB_MAY, OTHER, add, commit, create, look

UPLOADERS = 64
SERVERS = [pytest.param("postgresql"), pytest.param("mariadb", marks=pytest.mark.debian)]


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest) -> DatabaseServer:
    found: DatabaseServer = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def place(server: DatabaseServer) -> Iterator[Place]:
    with prepared_place(server) as made:
        yield made


@pytest.fixture
def cable(server: DatabaseServer) -> Iterator[Cable]:
    with Cable(server.port) as laid:
        yield laid


def test_the_migrations_make_the_tables_that_the_code_knows(place: Place) -> None:
    units = open_units(place.url)
    with units._engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found = [
            difference
            for difference in compare_metadata(context, metadata)
            if not is_of_postgresql(difference)
        ]
    units.close()
    assert found == []


def is_of_postgresql(difference: object) -> bool:
    """Whether it is about the index that PostgreSQL needs in another order, or the one that it alone has."""
    name = getattr(difference[1], "name", "") if isinstance(difference, tuple) else ""
    return name in {"projects_by_newest", "projects_by_searched"}


def test_preparing_several_times_at_once_is_fine(server: DatabaseServer) -> None:
    with bare_place(server) as place:

        def prepare() -> None:
            units = open_units(place.url)
            try:
                units.prepare()
                units.verify()
            finally:
                units.close()

        assert race([prepare] * 4) == [None] * 4


@pytest.mark.parametrize("kilobytes", [4, 8, 12, 16, 20, 24, 28, 32])
def test_an_upgrade_that_was_cut_off_can_be_run_again(
    server: DatabaseServer, cable: Cable, kilobytes: int
) -> None:
    with bare_place(server) as place:
        cable.bytes_left = kilobytes * 1024
        units = open_units(place.through(cable.port))
        with suppress(Unavailable):
            units.prepare()
        units.close()
        again = open_units(place.url)
        again.prepare()
        again.verify()
        assert create(again) == 1
        again.close()


def test_an_upgrade_that_was_cut_off_says_why(server: DatabaseServer, cable: Cable) -> None:
    with bare_place(server) as place:
        cable.bytes_left = 12 * 1024
        units = open_units(place.through(cable.port))
        with pytest.raises(Unavailable, match=r"(?i)^[^\n]*(lost connection|connection reset|closed)[^\n]*$"):
            units.prepare()
        units.close()


def test_tables_of_another_program_are_told_before_any_of_ours_is_made(server: DatabaseServer) -> None:
    with bare_place(server) as place:
        with server.connected(place.name) as cursor:
            cursor.execute("CREATE TABLE files (path VARCHAR(99))")
            cursor.execute("CREATE TABLE accounts (id INTEGER)")
        assert "tables of another program: accounts, files" in refusal(place.url)
        engine = create_engine(place.url)
        assert set(inspect(engine).get_table_names()) == {"accounts", "files"}
        engine.dispose()


def plan_of_a_search(server: DatabaseServer, database: str) -> str:
    """Return how PostgreSQL finds parts of words where looking at everything is dear."""
    with server.connected(database) as cursor:
        cursor.execute("SET enable_seqscan = off")
        cursor.execute("EXPLAIN SELECT name FROM projects WHERE searched LIKE '%lake%'")
        return "\n".join(line for (line,) in cursor)


def found_by_lake(units: ServerUnits) -> list[str]:
    """Return the names of the projects that a search for a part of a word finds."""
    page, _ = look(
        units, lambda unit: unit.projects.search(None, ["lake"], order=Order.NAME, start=0, count=9)
    )
    return [project.name for project in page]


def test_postgresql_has_an_index_for_parts_of_words(postgresql: DatabaseServer) -> None:
    with prepared_place(postgresql) as place:
        assert "projects_by_searched" in plan_of_a_search(postgresql, place.name)


def test_who_may_not_make_the_extension_goes_without_that_index_until_somebody_did(
    postgresql: DatabaseServer, caplog: pytest.LogCaptureFixture
) -> None:
    with bare_place(postgresql) as place:
        plain = f"plain_{place.name}"
        with postgresql.connected(place.name) as cursor:
            cursor.execute(f"CREATE ROLE {plain} LOGIN PASSWORD 'plain'")
            cursor.execute(f"GRANT CREATE ON SCHEMA public TO {plain}")
        units = open_units(f"postgresql+psycopg://{plain}:plain@127.0.0.1:{postgresql.port}/{place.name}")
        units.prepare()
        assert "pg_trgm" in caplog.text
        assert "permission denied" in caplog.text
        assert "projects_by_searched" not in plan_of_a_search(postgresql, place.name)
        commit(units, lambda unit: unit.projects.create(sample_project(ProjectName("datalakes"))))
        assert found_by_lake(units) == ["datalakes"]

        with postgresql.connected(place.name) as cursor:
            cursor.execute("CREATE EXTENSION pg_trgm")
        units.prepare()
        assert "projects_by_searched" in plan_of_a_search(postgresql, place.name)
        assert found_by_lake(units) == ["datalakes"]
        units.close()


def test_many_who_publish_into_one_project_at_once_all_do(place: Place) -> None:
    units = open_units(place.url)
    create(units)

    def publish(number: int) -> None:
        def work(unit: UnitOfWork) -> None:
            unit.hold(DEMO)
            project = unit.projects.get(DEMO)
            assert project is not None
            unit.projects.set_latest(DEMO, f"demo {number}", None, expected=project.serial)
            unit.files.add(sample_file(f"demo-{number}.tar.gz"))
            unit.journal.append(sample_change(project=DEMO))

        attempt(units, work)

    done = race([partial(publish, number) for number in range(UPLOADERS)])
    assert done == [None] * UPLOADERS
    assert look(units, lambda unit: unit.journal.serial()) == UPLOADERS + 1
    assert len(look(units, lambda unit: unit.files.of(DEMO))) == UPLOADERS
    units.close()


@pytest.mark.debian
def test_who_differs_from_another_in_spaces_at_the_end_alone_is_told_so_at_once(
    mariadb: DatabaseServer,
) -> None:
    with prepared_place(mariadb) as place:
        units = open_units(place.url)
        tries: list[UnitOfWork] = []

        def join(subject: str, unit: UnitOfWork) -> None:
            tries.append(unit)
            unit.logins.add(sample_login(subject))
            unit.journal.append(sample_change())

        commit(units, lambda unit: unit.accounts.add(sample_account()), sample_change())
        attempt(units, partial(join, "42"))
        with pytest.raises(AlreadyExists, match="differs in spaces at the end alone"):
            attempt(units, partial(join, "42 "))
        assert len(tries) == 2
        units.close()


def test_two_who_wait_for_each_other_are_parted_and_the_loser_may_try_again(place: Place) -> None:
    units = open_units(place.url)
    create(units)
    commit(units, lambda unit: unit.projects.create(sample_project(OTHER)), sample_change(project=OTHER))
    both_have_one = threading.Barrier(2)

    def crosswise(first: ProjectName, second: ProjectName, serials: dict[ProjectName, int]) -> None:
        with units.write() as unit:
            unit.projects.grant(first, BOB_MAY, Role.MEMBER, expected=serials[first])
            both_have_one.wait(timeout=30)
            unit.projects.grant(second, BOB_MAY, Role.MEMBER, expected=serials[second])
            unit.journal.append(sample_change())

    serials = {DEMO: 1, OTHER: 2}
    outcomes = race([partial(crosswise, DEMO, OTHER, serials), partial(crosswise, OTHER, DEMO, serials)])
    assert sorted(map(type, outcomes), key=str) == [type(None), Conflict], outcomes
    units.close()


def test_a_host_cannot_commit_a_transaction_in_which_the_database_has_failed(place: Place) -> None:
    engine = create_engine(place.url, isolation_level="READ COMMITTED")
    for statement in ("SET SESSION innodb_lock_wait_timeout = 1", "SET lock_timeout = 1000"):
        if ("innodb" in statement) == place.url.startswith("mysql"):
            event.listen(engine, "connect", partial(_execute, statement))
    units, manager = open_units(place.url), transaction.TransactionManager(explicit=True)
    joined = JoinedUnits(Session(engine), manager)
    with units.write() as other:
        other.hold(DEMO)
        manager.begin()
        with joined.write() as unit:
            unit.accounts.add(sample_account())
        with pytest.raises(Unavailable), joined.write() as unit:
            unit.hold(DEMO)
    with pytest.raises(DoomedTransaction):
        manager.commit()
    manager.abort()
    assert look(units, lambda unit: list(unit.accounts.all())) == []
    units.close()
    engine.dispose()


def _execute(statement: str, connection: Any, _entry: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
    connection.commit()


def test_a_lock_that_another_keeps_too_long_is_unavailable(place: Place) -> None:
    units = open_units(place.url, lock_seconds="1")
    with units.write() as holder:
        holder.hold(DEMO)

        def wait() -> None:
            with units.write() as unit:
                unit.hold(DEMO)

        began = time.monotonic()
        (outcome,) = race([wait])
        assert isinstance(outcome, Unavailable), outcome
        assert 0.5 < time.monotonic() - began < 10
    assert create(units) == 1
    units.close()


def test_connections_that_the_server_has_ended_are_replaced_before_anybody_notices(place: Place) -> None:
    units = open_units(place.url)
    assert create(units) == 1
    assert units.pulse() == 1
    for serial in (2, 3):
        place.server.end_connections()
        add(units, sample_file(f"demo-{serial}.tar.gz"))
        place.server.end_connections()
        assert units.pulse() == serial
        place.server.end_connections()
        assert look(units, lambda unit: unit.journal.serial()) == serial
    units.close()


@pytest.mark.thorough
def test_connections_that_are_lost_cost_nobody_of_many_who_ask_an_error(place: Place, cable: Cable) -> None:
    units = open_units(place.through(cable.port))
    # All of them have a connection in use at the same time.
    cable.delay = 0.01
    for _ in range(5):
        assert race([units.pulse] * 16) == [None] * 16
        cable.cut()
    units.close()


def test_a_cut_in_the_middle_of_a_unit_is_unavailable_and_changes_nothing(place: Place, cable: Cable) -> None:
    units = open_units(place.through(cable.port))
    create(units)

    def cut_in_the_middle(unit: UnitOfWork) -> None:
        unit.files.add(sample_file())
        cable.cut()

    with pytest.raises(Unavailable) as caught:
        commit(units, cut_in_the_middle)
    assert caught.value.__cause__ is not None
    assert look(units, lambda unit: list(unit.files.of(DEMO))) == []
    add(units)
    units.close()


@pytest.mark.thorough
def test_a_server_that_falls_silent_is_given_up(place: Place, cable: Cable) -> None:
    units = open_units(place.through(cable.port), statement_seconds="1")
    create(units)
    assert units.pulse() == 1
    cable.silent = True
    began = time.monotonic()
    with pytest.raises(Unavailable):
        units.pulse()
    with pytest.raises(Unavailable), units.read() as unit:
        unit.journal.serial()
    with pytest.raises(Unavailable):
        add(units)
    assert time.monotonic() - began < 60
    cable.cut()
    cable.mend()
    assert units.pulse() == 1
    add(units)
    units.close()


def test_a_slow_line_only_takes_longer(place: Place, cable: Cable) -> None:
    units = open_units(place.through(cable.port))
    cable.delay = 0.02
    create(units)
    add(units)
    assert units.pulse() == 2
    units.close()


def test_a_pulse_is_one_round_trip(place: Place, cable: Cable) -> None:
    units = open_units(place.through(cable.port))
    create(units)
    for _ in range(10):
        units.pulse()
    before = cable.asked
    for _ in range(10):
        assert units.pulse() == 1
    assert cable.asked - before == 10
    units.close()


def test_what_takes_the_server_too_long_is_unavailable(place: Place) -> None:
    units = open_units(place.url, statement_seconds="1")
    asleep = (
        "SELECT pg_sleep(8)"
        if isinstance(place.server, PostgreSQLServer)
        else ("SELECT COUNT(*) FROM seq_1_to_100000 a, seq_1_to_100000 b")
    )
    began = time.monotonic()
    with pytest.raises(Unavailable):
        look(units, lambda unit: unit.journal._run.rows(text(asleep)))  # type: ignore[attr-defined]
    assert time.monotonic() - began < 5
    units.close()


# -- what is said at the start ------------------------------------------------------------


class Html(http.server.BaseHTTPRequestHandler):
    def handle(self) -> None:
        self.request.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\n\r\n<html>no</html>")


@pytest.fixture
def page_server() -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Html) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield listening.server_port
        listening.shutdown()


def refusal(url: str, kind: type[WarehouseError] = Misconfigured) -> str:
    """Return what a start says, in one line and without the password."""
    units = open_units(url)
    with pytest.raises(kind) as caught:
        units.verify()
    with pytest.raises(kind):
        units.prepare()
    units.close()
    said = str(caught.value)
    assert "\n" not in said
    assert url.split("@")[0].rpartition(":")[2] not in said
    return said


def test_a_wrong_password_is_said(place: Place) -> None:
    said = refusal(place.server.url(place.name, password="not-this-one"))
    assert re.search(r"password authentication failed|Access denied", said)


def test_a_database_that_is_not_there_is_said(place: Place) -> None:
    said = refusal(place.server.url("nowhere"))
    assert re.search(r'"nowhere" does not exist|Unknown database \'nowhere\'', said)


def test_a_server_that_is_not_there_is_said(place: Place) -> None:
    """It may only come up later than we do."""
    said = refusal(place.through(free_port()), Unavailable)
    assert "127.0.0.1" in said


def test_a_server_that_answers_in_another_language_is_said(place: Place, page_server: int) -> None:
    assert "127.0.0.1" in refusal(place.through(page_server))


def test_the_rest_of_a_password_is_not_taken_for_the_host(server: DatabaseServer) -> None:
    url = server.url("nowhere", password="a@SECRET")
    with pytest.raises(SettingError, match="write @ in a password as %40, in an ini file as %%40") as caught:
        open_units(url)
    assert "SECRET" not in str(caught.value)


@pytest.mark.debian
@pytest.mark.parametrize(
    ("option", "says"),
    [
        ("foo=x", "foo"),
        ("charset=nope", "options do not work"),
        ("ssl_ca=/nope.pem", "No such file .*/nope.pem"),
    ],
)
def test_an_option_that_the_driver_does_not_take_is_said(
    mariadb: DatabaseServer, option: str, says: str
) -> None:
    assert re.search(says, refusal(f"{mariadb.url('nowhere')}?{option}"))


@pytest.mark.debian
def test_a_host_that_cannot_be_one_is_said(mariadb: DatabaseServer) -> None:
    assert "a" * 64 in refusal(mariadb.url("nowhere").replace("127.0.0.1", "a" * 64), Unavailable)


@pytest.mark.debian
def test_a_password_may_have_any_letter(mariadb: DatabaseServer) -> None:
    with bare_place(mariadb) as place:
        with mariadb.connected() as cursor:
            cursor.execute("CREATE USER rich@127.0.0.1 IDENTIFIED BY 'ü€5'")
            cursor.execute(f"GRANT ALL ON {place.name}.* TO rich@127.0.0.1")
        units = open_units(f"mysql+pymysql://rich:ü€5@127.0.0.1:{mariadb.port}/{place.name}")
        units.prepare()
        assert create(units) == 1
        units.close()


@contextmanager
def peer(greeting: bytes, *answers: bytes) -> Iterator[int]:
    """Answer whoever connects with bytes that a program of another kind may send; yields the port."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                self.request.sendall(greeting)
                self.request.settimeout(1)
                for answer in answers:
                    self.request.recv(4096)
                    self.request.sendall(answer)

    with serving(Handler) as port:
        yield port


@contextmanager
def serving(handler: type[socketserver.BaseRequestHandler]) -> Iterator[int]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield listening.server_address[1]
        listening.shutdown()


def handshake(version: bytes, *, can: bytes = b"\xff\xf7") -> bytes:
    """Return what a server of MariaDB's protocol greets with that can do this, by default no TLS."""
    salt = b"\1\0\0\0" + b"a" * 8 + b"\0" + can + b"\xee\2\0\xff\xff\x15" + b"\0" * 10 + b"b" * 12 + b"\0"
    return framed(b"\x0a" + version + b"\0" + salt + b"mysql_native_password\0")


def framed(packet: bytes, number: int = 0) -> bytes:
    return len(packet).to_bytes(3, "little") + bytes([number]) + packet


#: That something is done, as an answer to what was asked.
DONE = framed(bytes(7), 1)


def framed_by_postgresql(code: str, message: str) -> bytes:
    fields = f"SFATAL\0VFATAL\0C{code}\0M{message}\0\0".encode("ascii")
    return b"E" + (len(fields) + 4).to_bytes(4, "big") + fields


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        ("57P03", "the database system is starting up", Unavailable),
        ("53300", "sorry, too many clients already", Unavailable),
        ("08P01", "server login has been failing, try again later (server_login_retry)", Unavailable),
        ("08P01", "no more connections allowed (max_client_conn)", Unavailable),
        ("08P01", "query_wait_timeout", Unavailable),
        ("28P01", "password authentication failed", Misconfigured),
        ("3D000", 'database "x" does not exist', Misconfigured),
    ],
)
def test_only_a_postgresql_that_may_let_us_in_later_is_unavailable(
    code: str, message: str, kind: type[WarehouseError]
) -> None:
    # Asked for encryption first, it has none.
    with peer(b"", b"N", framed_by_postgresql(code, message)) as port:
        url = f"postgresql+psycopg://keeper:SECRET@127.0.0.1:{port}/x?gssencmode=disable"
        assert message in refusal(url, kind)


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ("sslmode=nope", "invalid sslmode value"),
        ("gssencmode=nope", "invalid gssencmode value"),
        ("keepalives=nope", "invalid integer value"),
        ("hostaddr=no/where", "could not parse network address"),
        ("sslmode=require", "server does not support SSL"),
        ("port=99999", "invalid port number"),
    ],
)
def test_an_option_with_which_postgresql_never_lets_us_in_is_said(option: str, says: str) -> None:
    with peer(b"", b"N") as port:
        url = f"postgresql+psycopg://keeper:SECRET@127.0.0.1:{port}/x?{option}"
        assert says in refusal(url.replace(f":{port}", "") if option.startswith("port") else url)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two certificates that sign themselves, and their keys."""
    folder = tmp_path_factory.mktemp("certificates")
    words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    for name in ("server", "other"):
        made = ["-keyout", folder / f"{name}-key.pem", "-out", folder / f"{name}.pem"]
        subprocess.run(
            ["openssl", *words, "-days", "2", "-subj", "/CN=elsewhere", *made],
            check=True,
            capture_output=True,
        )
    return folder


@contextmanager
def peer_with_tls(certificates: Path, greeting: bytes, asked: int, answer: bytes) -> Iterator[int]:
    """Show a certificate to whoever asks for TLS, in ``asked`` bytes; yields the port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "server.pem", certificates / "server-key.pem")

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                self.request.sendall(greeting)
                self.request.recv(asked, socket.MSG_WAITALL)
                self.request.sendall(answer)
                context.wrap_socket(self.request, server_side=True).close()

    with serving(Handler) as port:
        yield port


@pytest.mark.parametrize(
    ("trusts", "says"),
    [
        ("nothing", "root certificate file .* does not exist"),
        ("other", "certificate verify failed"),
        ("server", "does not match host name"),
    ],
)
def test_a_postgresql_whose_certificate_is_not_trusted_is_said(
    certificates: Path, trusts: str, says: str
) -> None:
    options = f"gssencmode=disable&sslmode=verify-full&sslrootcert={certificates / trusts}.pem"
    with peer_with_tls(certificates, b"", 8, b"S") as port:
        assert re.search(says, refusal(f"postgresql+psycopg://keeper:SECRET@127.0.0.1:{port}/x?{options}"))


@pytest.mark.parametrize("trusts", ["other", "server"])
def test_a_mariadb_whose_certificate_is_not_trusted_is_said(certificates: Path, trusts: str) -> None:
    with peer_with_tls(certificates, handshake(b"11.4", can=b"\xff\xff"), 36, b"") as port:
        url = f"mysql+pymysql://keeper:SECRET@127.0.0.1:{port}/x?ssl_ca={certificates / trusts}.pem"
        assert "certificate verify failed" in refusal(url)


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        (1040, "Too many connections", Unavailable),
        (1047, "WSREP has not yet prepared node for application use", Unavailable),
        (1053, "Server shutdown in progress", Unavailable),
        (1226, "User 'keeper' has exceeded the 'max_user_connections' resource", Unavailable),
        (1045, "Access denied", Misconfigured),
        (1049, "Unknown database", Misconfigured),
    ],
)
def test_only_a_mariadb_that_may_let_us_in_later_is_unavailable(
    code: int, message: str, kind: type[WarehouseError]
) -> None:
    with peer(framed(b"\xff" + code.to_bytes(2, "little") + message.encode("ascii"))) as port:
        assert message in refusal(f"mysql+pymysql://keeper:SECRET@127.0.0.1:{port}/x", kind)


@pytest.mark.parametrize(
    ("greeting", "answer"),
    [
        (b"SSH-2.0-OpenSSH_9\r\n", b""),
        (b"\0" * 200, b""),
        (framed(b"\x0a5.5\0"), b""),
        (framed(b""), b""),
        (framed(b"\xff"), b""),
        (handshake(b"\xff\xfe"), framed(b"\xfe", 2)),
        (handshake(b"11.4"), framed(b"\1\4", 2)),
    ],
    ids=["ssh", "zeros", "cut", "empty", "a short error", "no plugin", "a short step"],
)
def test_a_peer_that_answers_something_else_is_unavailable(greeting: bytes, answer: bytes) -> None:
    with peer(greeting, answer) as port:
        expect_refusal(port)


def test_a_peer_that_only_ever_says_that_it_is_done_is_unavailable() -> None:
    with peer(handshake(b"11.4"), framed(bytes(7), 2), *[DONE] * 50) as port:
        expect_refusal(port)


def expect_refusal(port: int) -> None:
    """Expect one line at the start, and ``Unavailable`` of whoever asks nevertheless."""
    units = open_units(f"mysql+pymysql://keeper:SECRET@127.0.0.1:{port}/x", statement_seconds="1")
    # Some of it is what a server also leaves that breaks off.
    with pytest.raises((Misconfigured, Unavailable)) as caught:
        units.verify()
    assert "127.0.0.1" in str(caught.value)
    assert "\n" not in str(caught.value)
    with pytest.raises(Unavailable):
        units.pulse()
    with pytest.raises(Unavailable), units.read() as unit:
        unit.journal.serial()
    units.close()


@pytest.mark.parametrize(
    "steps", [0, *(pytest.param(steps, marks=pytest.mark.thorough) for steps in (1, 2, 3))]
)
@pytest.mark.parametrize("nonsense", [b"", b"\xff", b"\1\4"], ids=["empty", "a short error", "a short step"])
def test_a_peer_that_lets_in_and_then_answers_something_else_is_unavailable(
    steps: int, nonsense: bytes
) -> None:
    let_in = framed(bytes(7), 2)
    with peer(handshake(b"11.4"), let_in, *[DONE] * steps, framed(nonsense, 1)) as port:
        units = open_units(f"mysql+pymysql://keeper:SECRET@127.0.0.1:{port}/x", statement_seconds="1")
        with pytest.raises(Unavailable):
            units.pulse()
        units.close()


def test_a_database_without_tables_is_told_to_run_init(server: DatabaseServer) -> None:
    with bare_place(server) as place:
        units = open_units(place.url)
        with pytest.raises(Misconfigured, match=r"'warehouse14 init' makes them, 'restore' and"):
            units.verify()
        units.close()


@pytest.mark.parametrize(
    ("revision", "says"), [("9999", "newer than"), ("0001", "'warehouse14 init' upgrades it")]
)
def test_a_schema_of_another_age_is_said(place: Place, revision: str, says: str) -> None:
    with place.server.connected(place.name) as cursor:
        cursor.execute("UPDATE alembic_version SET version_num = %s", [revision])
    units = open_units(place.url)
    with pytest.raises(Misconfigured, match=says):
        units.verify()
    units.close()


def test_a_database_that_cannot_hold_all_letters_is_refused(postgresql: PostgreSQLServer) -> None:
    postgresql.make("latin", options="ENCODING 'LATIN1' LOCALE 'C' LOCALE_PROVIDER libc TEMPLATE template0")
    assert "its encoding is LATIN1" in refusal(postgresql.url("latin"))
    postgresql.drop("latin")


def test_the_password_may_lie_in_a_file(place: Place, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(f"{place.server.password}\n", encoding="ascii")
    url = place.url.replace(f":{place.server.password}@", "@")
    assert place.server.password not in url
    units = open_units(url, password_file=str(secret))
    commit(units, lambda unit: unit.accounts.add(sample_account()), sample_change())
    units.close()
    with pytest.raises(SettingError, match="cannot be read"):
        sql.units(Section("warehouse14.metadata.", {"url": url, "password_file": str(tmp_path / "nowhere")}))
