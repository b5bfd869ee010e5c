"""The domain is a library: its documentation runs, and no framework comes with it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from warehouse14 import open_warehouse
from warehouse14.domain.errors import Misconfigured
from warehouse14.domain.model import Action, Role
from warehouse14.testing.builders import build_wheel

DOCS = Path(__file__).parents[1] / "docs" / "embedding.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)

BLOCKED = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"pyramid", "webob", "sqlalchemy", "alembic", "boto3", "botocore",
                                      "zope", "transaction", "waitress", "jinja2", "paste", "plaster"}:
            raise ImportError(f"{name} is blocked")

sys.meta_path.insert(0, Blocked())
"""

#: Every use case of an embedded index, each with its effect.
WHOLE = """
from datetime import timedelta

from warehouse14 import open_warehouse
from warehouse14.domain.errors import AlreadyExists, NotFound, Unauthenticated
from warehouse14.domain.model import Role, Scope
from warehouse14.domain.services.uploadform import form_of
from warehouse14.domain.services.upkeep import Finding
from warehouse14.testing.builders import build_sdist, build_wheel


def raises(error, work):
    try:
        work()
    except error:
        return True
    return False


def publish(built):
    return warehouse.uploads.publish(ada, form_of(built.filename), [built.content])


def names():
    return [file.filename for file in warehouse.projects.files(ada, "demo")]


def yanks():
    return [file.yank and file.yank.reason for file in warehouse.projects.files(ada, "demo")]


def kept():
    return sorted({blob.key.rpartition("/")[0] for blob in warehouse.store.keys()})


def keys(*files):
    return sorted({file.key.rpartition("/")[0] for file in files})


settings = {"metadata": "memory", "files": "memory", "create_on_upload": "true"}
with open_warehouse(settings) as warehouse:
    operator = warehouse.operator()
    for name in ("ada", "bob"):
        warehouse.accounts.add(operator, name)
    assert [account.name for account in warehouse.accounts.listed(operator)] == ["ada", "bob"]
    assert raises(AlreadyExists, lambda: warehouse.accounts.add(operator, "ada"))
    ada, bob = warehouse.account("ada"), warehouse.account("bob")

    # Tokens
    secret = warehouse.tokens.mint(ada, name="laptop", scopes={Scope.UPLOAD})
    known = warehouse.tokens.identify(secret.text)
    assert (known.account, known.token.id, known.token.scopes) == ("ada", secret.id, {Scope.UPLOAD})
    assert [(token.id, token.name, token.revoked_at) for token in warehouse.tokens.listed(ada)] == [
        (secret.id, "laptop", None)
    ]
    warehouse.tokens.revoke(ada, secret.id)
    assert raises(Unauthenticated, lambda: warehouse.tokens.identify(secret.text))
    assert warehouse.tokens.listed(ada)[0].revoked_at is not None

    # Publishing
    builts = [build_wheel("demo", "1.0"), build_sdist("demo", "1.0"), build_wheel("demo", "2.0")]
    published = [publish(built) for built in builts]
    assert [one.is_new for one in published] == [True, True, True]
    assert publish(builts[0]).is_new is False
    wheel, sdist, second = (one.file for one in published)
    assert (wheel.filetype, sdist.filetype) == ("bdist_wheel", "sdist")
    assert names() == [built.filename for built in builts]
    for built in builts:
        with warehouse.files.open(ada, "demo", built.filename) as stream:
            assert stream.read() == built.content

    # Yanking: the files are listed by name, as they were published here
    warehouse.files.yank(ada, "demo", wheel.filename, reason="broken")
    assert yanks() == ["broken", None, None]
    warehouse.files.unyank(ada, "demo", wheel.filename)
    assert yanks() == [None, None, None]
    warehouse.files.yank_release(ada, "demo", "1.0", reason="all of it")
    assert yanks() == ["all of it", "all of it", None]
    releases = warehouse.projects.releases(ada, "demo")
    assert [(str(release.version), release.yanked) for release in releases] == [("2.0", False), ("1.0", True)]

    # Who may read
    assert raises(NotFound, lambda: warehouse.projects.get(bob, "demo"))
    assert warehouse.projects.grant(ada, "demo", "account:bob", Role.MEMBER).is_new
    assert warehouse.projects.get(bob, "demo").grants["account:bob"] is Role.MEMBER
    warehouse.projects.revoke(ada, "demo", "account:bob")
    assert raises(NotFound, lambda: warehouse.projects.get(bob, "demo"))
    assert warehouse.projects.set_public(ada, "demo", public=True) is True
    assert warehouse.projects.get(bob, "demo").public
    assert [project.name for project in warehouse.projects.listed(bob)] == ["demo"]

    # Deleting, and what it leaves for upkeep
    assert list(warehouse.upkeep.check(digests=True)) == [None, None, None]
    assert list(warehouse.upkeep.collect(older_than=timedelta(0))) == []
    assert kept() == keys(wheel, sdist, second)

    warehouse.files.delete(ada, "demo", sdist.filename)
    assert names() == [wheel.filename, second.filename]
    reports = [report for report in warehouse.upkeep.check(digests=True) if report is not None]
    assert {report.finding for report in reports} == {Finding.UNREFERENCED}
    found = sorted(report.key for report in reports)
    assert sdist.key in found
    assert list(warehouse.upkeep.collect()) == []
    would_go = warehouse.upkeep.collect(older_than=timedelta(0), dry_run=True)
    assert sorted(loose.key for loose in would_go) == found
    assert kept() == keys(wheel, sdist, second)
    assert sorted(loose.key for loose in warehouse.upkeep.collect(older_than=timedelta(0))) == found
    assert kept() == keys(wheel, second)
    warehouse.store.delete(second.key)
    assert [(report.finding, report.key) for report in warehouse.upkeep.check() if report] == [
        (Finding.MISSING, second.key)
    ]

    warehouse.files.delete_release(ada, "demo", "1.0")
    assert names() == [second.filename]
    warehouse.projects.delete(ada, "demo")
    assert raises(NotFound, lambda: warehouse.projects.get(ada, "demo"))
    assert warehouse.projects.listed(operator) == []
    assert warehouse.upkeep.count() == 0
    list(warehouse.upkeep.collect(older_than=timedelta(0)))
    assert list(warehouse.store.keys()) == []

    with warehouse.units.read() as unit:
        for change in unit.journal.since(0, 100):
            print(change.action, change.actor)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a wheel in dist/, and a site in var/ where ada owns demo and bob exists."""
    built = build_wheel("demo", "1.0")
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / built.filename).write_bytes(built.content)
    with open_warehouse(site_in(tmp_path)) as warehouse:
        for name in ("ada", "bob"):
            warehouse.accounts.add(warehouse.operator(), name)
        ada = warehouse.account("ada")
        warehouse.projects.create(ada, "demo")
        from warehouse14.domain.services.uploadform import form_of

        warehouse.uploads.publish(ada, form_of(built.filename), [built.content])
    return tmp_path


def site_in(folder: Path) -> dict[str, str]:
    return {
        "metadata": "sql",
        "metadata.url": f"sqlite:///{folder}/var/warehouse14.sqlite",
        "files": "filesystem",
        "files.root": f"{folder}/var/files",
    }


def run(code: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_publishing_runs_as_documented_with_all_frameworks_blocked(folder: Path) -> None:
    assert run(BLOCKED + EXAMPLES[0], folder) == "demo 1.0 True\n"


def test_listing_runs_as_documented(folder: Path) -> None:
    assert run(EXAMPLES[1], folder) == "demo 1.0 demo-1.0-py3-none-any.whl\n"


def test_granting_runs_as_documented(folder: Path) -> None:
    run(EXAMPLES[2], folder)
    with open_warehouse(site_in(folder)) as warehouse:
        project = warehouse.projects.get(warehouse.account("bob"), "demo")
        with warehouse.units.read() as unit:
            changes = unit.journal.since(0, 100)
    assert project.grants == {"account:ada": Role.ADMIN}
    assert project.public
    assert [(change.action, change.actor, change.detail) for change in changes[-3:]] == [
        (Action.PROJECT_GRANT, "ada", {"principal": "account:bob", "role": "member"}),
        (Action.PROJECT_PUBLIC, "ada", {}),
        (Action.PROJECT_REVOKE, "ada", {"principal": "account:bob"}),
    ]


def test_a_group_runs_as_documented(folder: Path) -> None:
    assert run(EXAMPLES[3], folder) == "demo\n"


def test_every_use_case_works_in_memory_with_all_frameworks_blocked(tmp_path: Path) -> None:
    assert run(BLOCKED + WHOLE, tmp_path).splitlines() == [
        "account.add operator",
        "account.add operator",
        "token.mint ada",
        "token.revoke ada",
        "file.upload ada",
        "file.upload ada",
        "file.upload ada",
        "file.yank ada",
        "file.unyank ada",
        "file.yank ada",
        "project.grant ada",
        "project.revoke ada",
        "project.public ada",
        "file.delete ada",
        "file.delete ada",
        "project.delete ada",
    ]


def test_each_example_has_about_ten_lines() -> None:
    assert len(EXAMPLES) == 4
    for example in EXAMPLES:
        assert len([line for line in example.splitlines() if line.strip()]) <= 11


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"metadata": "memory"}, "warehouse14.files is not set"),
        ({"metadata": "memory", "files": "tape"}, "'tape' is not one of"),
        ({"metadata": "memory", "files": "no.such.module:thing"}, "cannot be loaded"),
        ({"metadata": "memory", "files": "builtins:repr"}, "is no FileStore"),
        (
            {"metadata": "memory", "files": "memory", "filse.root": "x"},
            "unknown setting: warehouse14.filse.root",
        ),
        (
            {"metadata": "memory", "files": "memory", "files.rot": "x"},
            "unknown setting: warehouse14.files.rot",
        ),
        ({"metadata": "memory", "files": "memory", "max_file_bytes": "5 GB"}, "is not a whole number"),
        ({"metadata": "memory", "files": "memory", "url": "example.com"}, "is not an http or https address"),
        ({"metadata": "memory", "files": "memory", "denied_read": "410"}, "is not one of 403, 404"),
        ({"metadata": "sql", "files": "memory"}, "warehouse14.metadata.url is not set"),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_it(settings: dict[str, str], says: str) -> None:
    with pytest.raises(Misconfigured, match=re.escape(says)) as caught:
        open_warehouse(settings)
    assert "\n" not in str(caught.value)


def test_the_environment_overrides_the_settings(tmp_path: Path) -> None:
    with open_warehouse(
        {"metadata": "memory", "files": "memory"},
        environment={
            "WAREHOUSE14_METADATA": "sql",
            "WAREHOUSE14_METADATA_URL": f"sqlite:///{tmp_path}/other.sqlite",
            "WAREHOUSE14_MAX_FILE_BYTES": "17",
            "WAREHOUSE14_TOKEN": "somebody else's",
        },
    ) as warehouse:
        assert warehouse.uploads.max_file_bytes == 17
    assert (tmp_path / "other.sqlite").exists()
