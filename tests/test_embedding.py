"""The domain is a library: its documentation runs, and no framework comes with it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from warehouse14 import open_warehouse
from warehouse14.domain.errors import Misconfigured
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


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a wheel in dist/, and a site in var/ where ada owns demo and bob exists."""
    built = build_wheel("demo", "1.0")
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / built.filename).write_bytes(built.content)
    settings = {
        "metadata": "sql",
        "metadata.url": f"sqlite:///{tmp_path}/var/warehouse14.sqlite",
        "files": "filesystem",
        "files.root": f"{tmp_path}/var/files",
    }
    with open_warehouse(settings) as warehouse:
        for name in ("ada", "bob"):
            warehouse.accounts.add(warehouse.operator(), name)
        ada = warehouse.account("ada")
        warehouse.projects.create(ada, "demo")
        from warehouse14.domain.services.uploads import form_of

        warehouse.uploads.publish(ada, form_of(built.filename), [built.content])
    return tmp_path


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


def test_each_example_has_about_ten_lines() -> None:
    assert len(EXAMPLES) == 3
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
