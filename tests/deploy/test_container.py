"""What the Dockerfile and the compose file promise. No image is built: its steps run in an empty folder."""

import os
import re
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from support.databases import DatabaseServer
from support.images import COMPOSE, COMPOSE_S3, PLACE, build, compose, health_check, instructions, said
from support.places import bare_place
from support.servers import Server, free_port
from support.sites import REPOSITORY, Site, environment
from support.visitors import Visitor
from warehouse14.testing.builders import build_wheel

#: A process that has nothing but what it is given: no capability, and no way to get one.
CLOSED = [
    "setpriv",
    "--no-new-privs",
    *(["--bounding-set=-all", "--inh-caps=-all"] if os.getuid() == 0 else []),
]
OURS = ("prepare", "index")
METRICS_TOKEN = "a token of those who watch"


def test_the_server_of_the_image_is_an_ordinary_user_who_owns_its_volume_alone() -> None:
    user = said("USER")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)
    owner, _, group = user.partition(":")
    (made,) = [rest for word, rest in instructions() if word == "RUN" and "useradd" in rest]
    assert f"install -d -o {owner} -g {group} -m 0750 {said('VOLUME')}" in made
    assert made.count("-o ") == 1


def test_the_image_copies_what_is_there_and_nothing_that_is_left_out() -> None:
    kept = (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert kept[0] == "*"
    for word, rest in instructions():
        if word == "COPY" and not rest.startswith("--from"):
            for name in rest.split()[:-1]:
                assert (REPOSITORY / name).exists()
                assert f"!{name}" in kept


@pytest.mark.parametrize("name", ["database", *OURS])
def test_a_container_can_change_nothing_but_its_volume(name: str) -> None:
    service = compose()["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "/tmp" in service["tmpfs"]  # noqa: S108 - the container's own
    assert "privileged" not in service
    assert "cap_add" not in service
    assert service.get("user", "1") != "0"


def test_only_the_index_is_reachable_and_from_this_machine_alone() -> None:
    services = compose()["services"]
    assert services["index"]["ports"] == ["127.0.0.1:6543:6543"]
    assert [name for name, service in services.items() if "ports" in service] == ["index"]
    assert services["database"]["networks"] == ["inside"]
    assert compose()["networks"]["inside"]["internal"] is True


def test_the_password_is_a_file_and_stands_in_no_environment_and_no_command() -> None:
    file = compose()["secrets"]["database-password"]["file"]
    for name, service in compose()["services"].items():
        assert service["secrets"] == ["database-password"], name
        for variable in service["environment"]:
            assert "PASSWORD" not in variable or variable.endswith("_FILE")
    assert file.startswith("secrets/")
    assert is_ignored(file), "the secrets of a site could be committed"


def is_ignored(name: str) -> bool:
    """Whether git leaves a file beside the compose file alone."""
    words = ["git", "check-ignore", "-q", COMPOSE.parent / name]
    return subprocess.run(words, cwd=REPOSITORY, check=False, timeout=10).returncode == 0


def test_with_a_bucket_its_credentials_are_a_file_for_those_who_use_it_and_for_nobody_else() -> None:
    beside = compose(COMPOSE_S3)
    assert set(beside["services"]) == set(OURS)
    ((secret, kept),) = beside["secrets"].items()
    file = kept["file"]
    assert file.startswith("secrets/")
    assert is_ignored(file), "the credentials of a site could be committed"
    for service in beside["services"].values():
        assert service["secrets"] == [secret]
        assert service["environment"] == {"AWS_SHARED_CREDENTIALS_FILE": f"/run/secrets/{secret}"}


def test_with_a_bucket_the_ini_of_the_image_is_covered_by_one_that_nobody_commits_or_changes() -> None:
    (place,) = [rest.split()[-1] for word, rest in instructions() if word == "COPY" and ".ini" in rest]
    for service in compose(COMPOSE_S3)["services"].values():
        (volume,) = service["volumes"]
        ini, target, mode = volume.split(":")
        assert (target, mode) == (place, "ro")
        assert is_ignored(ini)


def test_the_index_starts_when_the_database_answers_and_all_is_prepared() -> None:
    services = compose()["services"]
    assert "pg_isready" in services["database"]["healthcheck"]["test"]
    assert services["index"]["depends_on"] == {
        "database": {"condition": "service_healthy"},
        "prepare": {"condition": "service_completed_successfully"},
    }
    assert services["prepare"]["command"][0] == "init"


class Container(NamedTuple):
    """What the image would have: the program, a volume, and what the compose file says."""

    place: Path
    site: Site
    port: int

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*CLOSED, self.place / "bin/warehouse14", *words],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd=self.site.folder,
            env=environment(WAREHOUSE14_INI=str(self.site.ini), **self.site.variables),
        )


@pytest.fixture(scope="module")
def container(postgresql: DatabaseServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    """The program, installed by the script of the Dockerfile, with PostgreSQL; nothing but the volume can be
    written."""
    folder = tmp_path_factory.mktemp("image")
    place, volume = folder / "opt", folder / "volume"
    left = folder / "source/build/lib/warehouse14"
    left.mkdir(parents=True)
    (left / "gone.py").write_text("", encoding="utf-8")
    build(folder / "source", place)
    volume.mkdir()
    (folder / "password").write_text(postgresql.password, encoding="utf-8")
    with bare_place(postgresql) as database:
        ini = (REPOSITORY / "deploy/container.ini").read_text(encoding="utf-8")
        ini = ini.replace("/var/lib/warehouse14", str(volume))
        ini = ini.replace("/run/secrets/database-password", str(folder / "password"))
        user = database.url.partition("//")[2].partition(":")[0]
        address = database.url.replace(f":{postgresql.password}@", "@")
        ini = ini.replace("postgresql+psycopg://warehouse14@database/warehouse14", address)
        assert user in ini
        opened = {"WAREHOUSE14_METRICS": "token", "WAREHOUSE14_METRICS_TOKEN": METRICS_TOKEN}
        site = Site(folder, opened)
        site.ini = folder / "site.ini"
        site.ini.write_text(ini, encoding="utf-8")
        take_away_writing(folder)
        # pytest writes the server's log, and removes all of it at the end.
        folder.chmod(0o755)
        volume.chmod(0o750)
        yield Container(place, site, free_port())
        give_back_writing(folder)


def take_away_writing(folder: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            path.chmod(stat.S_IMODE(path.stat().st_mode) & ~0o222)


def give_back_writing(folder: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        if path.is_dir() and not path.is_symlink():
            path.chmod(stat.S_IMODE(path.stat().st_mode) | stat.S_IWUSR)


@pytest.fixture(scope="module")
def server(container: Container) -> Iterator[Server]:
    """The container as the compose file starts it: first "prepare", then "index"."""
    prepared = container.run(*map(str, compose()["services"]["prepare"]["command"]))
    assert (prepared.returncode, prepared.stdout + prepared.stderr) == (0, "")
    serve = [*CLOSED, container.place / "bin/warehouse14", "--ini", container.site.ini, "serve"]
    listen = ["--listen", f"127.0.0.1:{container.port}"]
    with Server(container.site, port=container.port, program=[*serve, *listen]) as started:
        yield started


@pytest.mark.thorough
def test_an_installation_leaves_nothing_in_the_clone_and_takes_nothing_that_one_before_it_left(
    container: Container,
) -> None:
    (installed,) = container.place.glob("lib/python*/site-packages/warehouse14")
    assert (installed / "logs.py").exists()
    assert not (installed / "gone.py").exists()
    source = container.place.parent / "source"
    assert list(source.rglob("*.egg-info")) == []
    assert [path.name for path in (source / "build").rglob("*.py")] == ["gone.py"]


@pytest.mark.thorough
def test_it_serves_from_a_tree_that_it_cannot_write(server: Server, container: Container) -> None:
    before = sorted(container.place.rglob("*"))
    made = container.run("account", "add", "ada")
    assert made.returncode == 0, made.stderr
    assert container.run("project", "create", "contained", "--admin", "ada").returncode == 0
    token = container.run("token", "mint", "ada", "--name", "a test", "--scope", "upload").stdout.strip()
    ada = Visitor(server, token)
    built = build_wheel("contained", "1.0")
    assert ada.upload(built).status_code == 200
    assert ada.get(f"/packages/contained/{built.filename}").content == built.content
    status = Path(f"/proc/{server.process.pid}/status").read_text(encoding="ascii")
    assert re.search(r"^CapEff:\t0+$", status, re.MULTILINE)
    assert re.search(r"^NoNewPrivs:\t1$", status, re.MULTILINE)
    denied = subprocess.run(
        [*CLOSED, "touch", container.place / "bin/new"], check=False, capture_output=True, timeout=10
    )
    assert denied.returncode != 0, "the tree could be written, and the test says nothing"
    assert sorted(container.place.rglob("*")) == before


@pytest.mark.thorough
def test_the_start_is_in_the_log(server: Server, container: Container) -> None:
    assert f"INFO waitress Serving on http://127.0.0.1:{container.port}" in server.log()


@pytest.mark.thorough
def test_it_shows_metrics_once_the_settings_open_them(server: Server) -> None:
    answer = Visitor(server).get("/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"})
    assert answer.status_code == 200
    assert "warehouse14_build_info" in answer.text


@pytest.mark.thorough
def test_the_health_check_tells_a_server_from_none(server: Server, container: Container) -> None:
    def status(port: int) -> int:
        words = [*CLOSED, *health_check(container.place, port)]
        return subprocess.run(words, check=False, capture_output=True, timeout=10).returncode

    assert status(server.port) == 0
    assert status(free_port()) != 0
    assert PLACE in said("ENTRYPOINT")
