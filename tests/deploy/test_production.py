"""production.ini.example and the units of systemd, filled in and run: PostgreSQL, and secrets in files."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from configparser import RawConfigParser
from pathlib import Path

import pytest

from support.buckets import BucketServer
from support.databases import DatabaseServer
from support.places import Place, bare_place
from support.servers import Server, free_port
from support.sites import COMMAND, REPOSITORY, Backends, Site
from support.units import Unit
from support.visitors import Visitor
from warehouse14.testing.builders import build_wheel

EXAMPLE = REPOSITORY / "production.ini.example"
SERVICES = ("warehouse14.service", "warehouse14-upkeep.service")
#: What goes beside both for a site with a bucket.
DROP_IN = "warehouse14-s3.conf"
CLIENT_SECRET = "the secret of the client"


@pytest.fixture(scope="module")
def site(postgresql: DatabaseServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The example, with the places of this machine and no others; its commands run as the unit says."""
    with bare_place(postgresql) as place:
        yield filled_in(tmp_path_factory.mktemp("production"), place)


@pytest.fixture(scope="module")
def bucket_site(
    postgresql: DatabaseServer, localstack: BucketServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """The same with files in a bucket, whose credentials are in the file of the drop-in and nowhere else."""
    with bare_place(postgresql) as place, pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
            patch.delenv(name, raising=False)
        site = filled_in(tmp_path_factory.mktemp("bucket"), place)
        place_of_files = {
            "": "s3",
            ".bucket": localstack.fresh(),
            ".region": "us-east-1",
            ".endpoint_url": localstack.endpoint,
            ".path_style": "true",
        }
        site.keep_in(Backends({f"warehouse14.files{key}": value for key, value in place_of_files.items()}))
        variables = Unit(DROP_IN).variables(site.folder / "credentials")
        site.variables |= {"AWS_EC2_METADATA_DISABLED": "true", "HOME": str(site.folder), **variables}
        yield site


def filled_in(folder: Path, place: Place) -> Site:
    """Return a site from the example, in an empty folder, whose variables are those of the unit."""
    address, password = without_password(place.url)
    filled = {
        "postgresql+psycopg://warehouse14@db.example.com/warehouse14": address,
        "/var/lib/warehouse14": str(folder / "state"),
        "https://login.example.com": f"http://127.0.0.1:{free_port()}",
        "127.0.0.1:6543": f"127.0.0.1:{free_port()}",
    }
    text = EXAMPLE.read_text(encoding="utf-8")
    for example, real in filled.items():
        assert example in text
        text = text.replace(example, real)
    (folder / "state").mkdir()
    credentials = folder / "credentials"
    credentials.mkdir()
    (credentials / "database-password").write_text(f"{password}\n", encoding="utf-8")
    (credentials / "corp-secret").write_text(f"{CLIENT_SECRET}\n", encoding="utf-8")
    site = Site(folder, Unit(SERVICES[0]).variables(credentials))
    site.ini = folder / "production.ini"
    site.ini.write_text(text, encoding="utf-8")
    return site


def without_password(url: str) -> tuple[str, str]:
    found = re.fullmatch(r"(.*://[^:]*):([^@]*)(@.*)", url)
    assert found is not None
    return found[1] + found[3], found[2]


@pytest.fixture(scope="module")
def server(site: Site) -> Iterator[Server]:
    """The site as the unit starts it: first what is before the start, then the start."""
    unit = Unit(SERVICES[0])
    (before,), (start,) = unit.commands("ExecStartPre"), unit.commands("ExecStart")
    listen = re.search(r"listen = 127\.0\.0\.1:(\d+)", site.ini.read_text(encoding="utf-8"))
    assert listen is not None
    for _ in range(2):
        assert site.command(*before) == ""
    with Server(site, port=int(listen[1]), program=[COMMAND, *start]) as started:
        yield started


def test_it_serves_with_the_secrets_from_files(server: Server, site: Site) -> None:
    login = Visitor(server).get("/login")
    assert "Example Corp" in login.text
    assert 'type="password"' not in login.text, "people sign in at the provider alone"
    site.command("account", "add", "ada")
    site.command("project", "create", "produced", "--admin", "ada")
    token = site.command("token", "mint", "ada", "--name", "a test", "--scope", "upload").strip()
    ada = Visitor(server, token)
    built = build_wheel("produced", "1.0")
    assert ada.upload(built).status_code == 200
    assert ada.get(f"/packages/produced/{built.filename}").content == built.content
    assert ada.upload(build_wheel("unasked", "1.0")).status_code in {403, 404}


def test_the_start_is_in_the_log(server: Server) -> None:
    assert f"INFO waitress Serving on http://127.0.0.1:{server.port}" in server.log()


def test_what_is_behind_the_proxy_knows_the_public_address(server: Server) -> None:
    answer = Visitor(server).get("/projects/", allow_redirects=False, headers={"X-Forwarded-Proto": "https"})
    assert answer.headers["Location"].startswith("https://packages.example.com/login")
    assert "Strict-Transport-Security" in answer.headers


def test_the_upkeep_runs_as_its_unit_says(server: Server, site: Site) -> None:
    commands = Unit(SERVICES[1]).commands("ExecStart")
    assert [words[0] for words in commands] == ["collect", "check"]
    for words in commands:
        site.command(*words)


@pytest.mark.thorough
def test_with_a_bucket_both_units_find_the_credentials_in_the_file_of_the_drop_in(bucket_site: Site) -> None:
    (before,) = Unit(SERVICES[0]).commands("ExecStartPre")
    refused = bucket_site.run(*before)
    assert (refused.returncode, refused.stdout) == (2, "")
    file = bucket_site.folder / "credentials/aws-credentials"
    assert (
        f"boto3 finds no credentials: not in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, not in {file}"
        in (refused.stderr)
    )
    file.write_text("[default]\naws_access_key_id = test\naws_secret_access_key = test\n", encoding="utf-8")
    for words in (before, *Unit(SERVICES[1]).commands("ExecStart")):
        bucket_site.command(*words)


@pytest.mark.parametrize("name", [*SERVICES, DROP_IN])
def test_each_secret_that_a_variable_names_is_handed_on(name: str) -> None:
    unit = Unit(name)
    loaded = {value.partition(":")[0] for value in unit.settings["LoadCredential"]}
    named = {value[3:] for value in unit.variables(Path("%d")).values() if value.startswith("%d/")}
    assert loaded == named != set()


def test_no_secret_is_where_others_see_it(server: Server, site: Site) -> None:
    process = Path(f"/proc/{server.process.pid}")
    seen = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
    seen += site.ini.read_bytes() + server.log().encode()
    for secret in (site.folder / "credentials").iterdir():
        assert secret.read_bytes().strip() not in seen


def test_a_secret_stands_in_a_file_wherever_the_example_has_one() -> None:
    settings = [line for line in EXAMPLE.read_text(encoding="utf-8").splitlines() if "=" in line]
    secret = [line.partition(" =")[0] for line in settings if re.search("secret|password|token", line)]
    assert secret
    for key in secret:
        assert key.endswith("_file")


@pytest.mark.parametrize("ini", [EXAMPLE, REPOSITORY / "deploy/container.ini"], ids=lambda path: path.name)
def test_every_line_of_the_log_is_one_and_shows_no_token(ini: Path) -> None:
    settings = RawConfigParser()
    settings.read(ini, encoding="utf-8")
    handlers = [settings[name] for name in settings if name.startswith("handler_")]
    assert handlers
    for handler in handlers:
        formatter = settings[f"formatter_{handler['formatter']}"]
        assert formatter["class"] in {"warehouse14.logs.TextFormatter", "warehouse14.logs.JsonFormatter"}


@pytest.mark.parametrize("name", SERVICES)
def test_a_unit_gives_up_whatever_it_does_not_need(name: str) -> None:
    settings = Unit(name).settings
    assert settings["User"] == ["warehouse14"]
    expected = {
        "CapabilityBoundingSet": "",
        "NoNewPrivileges": "yes",
        "ProtectSystem": "strict",
        "PrivateTmp": "yes",
        "MemoryDenyWriteExecute": "yes",
        "StateDirectory": "warehouse14",
        "UMask": "0027",
    }
    assert {key: settings[key] for key in expected} == {key: [value] for key, value in expected.items()}
    assert "@system-service" in settings["SystemCallFilter"]


#: What the kernel does for ``MemoryDenyWriteExecute``: no memory that is written becomes code (prctl(2),
#: ``PR_SET_MDWE``).
NO_NEW_CODE = """
import ctypes, os, sys
assert ctypes.CDLL(None).prctl(65, 1, 0, 0, 0) == 0
os.execv(sys.argv[1], sys.argv[1:])
"""


@pytest.mark.thorough
def test_it_runs_where_no_memory_becomes_code(server: Server, site: Site) -> None:
    port = free_port()
    start = [COMMAND, "serve", "--listen", f"127.0.0.1:{port}"]
    with Server(site, port=port, program=["python3", "-c", NO_NEW_CODE, *start]) as denied:
        assert Visitor(denied).get("/login").status_code == 200


@pytest.mark.debian
@pytest.mark.parametrize("name", [*SERVICES, "warehouse14-upkeep.timer"])
def test_systemd_has_nothing_to_say_against_a_unit(name: str, tmp_path: Path) -> None:
    for unit in (*SERVICES, name):
        text = (REPOSITORY / "deploy" / unit).read_text(encoding="utf-8")
        (tmp_path / unit).write_text(text.replace("/opt/warehouse14/bin/warehouse14", str(COMMAND)), "utf-8")
        (tmp_path / f"{unit}.d").mkdir(exist_ok=True)
        if unit in SERVICES:
            shutil.copy(REPOSITORY / "deploy" / DROP_IN, tmp_path / f"{unit}.d/s3.conf")
    done = analyze("verify", tmp_path / name)
    assert (done.returncode, done.stdout) == (0, "")
    if name in SERVICES:
        # From 0, nothing to reach, to 100.
        exposed = analyze("security", "--offline=true", "--threshold=15", tmp_path / name)
        assert exposed.returncode == 0, exposed.stdout


def analyze(*words: str | Path) -> "subprocess.CompletedProcess[str]":
    program = shutil.which("systemd-analyze")
    assert program is not None, "systemd-analyze is missing: run tests/install-debian"
    return subprocess.run(
        [program, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
