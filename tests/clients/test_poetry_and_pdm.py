"""poetry and pdm, set up with the lines on the page that shows a new token, as they stand there."""

import shutil
import subprocess
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import flit_core
import pytest

from support.clients import Clients, program
from support.projects import quick_wheel, sha256_of
from support.servers import Server
from support.token_page import Browser, TokenPage
from support.visitors import Visitor

pytestmark = pytest.mark.registry

Pages = Mapping[str, TokenPage]

_APPLICATION = """\
[project]
name = "application"
version = "1.0"
requires-python = ">=3.11"
dependencies = []

[tool.poetry]
package-mode = false

[tool.pdm]
distribution = false
"""
_LIBRARY = """\
[build-system]
requires = []
build-backend = "flit_core.buildapi"
backend-path = ["backend"]

[project]
name = "{name}"
version = "1.0"
description = "Published by a tool"
requires-python = ">=3.11"

[tool.flit.sdist]
include = ["backend/"]
"""


@dataclass(frozen=True)
class Tool:
    """A tool: what the page calls its lines, what is typed after those that publish, how it says no."""

    name: str
    to_add: tuple[str, ...]
    to_publish: tuple[str, ...]
    refusal: str
    publish: str = ""

    def adds_demo(self, page: TokenPage) -> list[str]:
        """Return what to paste to add a package."""
        return [*(page.lines[label] for label in self.to_add), f"{self.name} add demo"]

    def publishes(self, page: TokenPage) -> list[str]:
        """Return what to paste to publish."""
        return [*(page.lines[label] for label in self.to_publish), self.publish]


POETRY = Tool(
    "poetry",
    to_add=("the line that adds the source to poetry", "the line with the token for poetry"),
    to_publish=(
        "the line with the token for poetry",
        "the line that tells poetry where to publish",
        "the line that publishes with poetry",
    ),
    refusal="Could not find a matching version of package demo",
)
PDM = Tool(
    "pdm",
    to_add=("the line for pdm",),
    to_publish=("the line for pdm publish",),
    refusal="Unable to find candidates for demo",
    publish="pdm publish",
)
each = pytest.mark.parametrize("tool", [POETRY, PDM], ids=["poetry", "pdm"])


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return quick_wheel(tmp_path_factory.mktemp("demo"), "demo")


@pytest.fixture(scope="module", autouse=True)
def tools_are_there() -> None:
    """Both come from the environment for the tests, not from elsewhere on this machine."""
    for tool in (POETRY, PDM):
        program(tool.name)


@pytest.fixture(scope="module")
def demo(server: Server, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Server:
    """A server with a project of ada's that ben may read."""
    Clients(tmp_path_factory.mktemp("clients")).twine(server.url, server.site.tokens["ada"], wheel).well()
    server.site.command("project", "grant", "demo", "account:ben", "member")
    return server


@pytest.fixture(scope="module")
def pages(demo: Server) -> Pages:
    """The pages of three new tokens: an admin's that publishes, a member's and a stranger's that read."""
    scopes = {"ada": "upload", "ben": "read", "cleo": "read"}
    return {account: Browser(demo, account).new_token(scope) for account, scope in scopes.items()}


@pytest.fixture
def application(tmp_path: Path) -> Path:
    """The folder of an application without dependencies."""
    folder = tmp_path / "application"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(_APPLICATION, encoding="utf-8")
    return folder


def library(folder: Path, name: str) -> Path:
    """Return the folder of a library that brings along what builds it."""
    (folder / "backend").mkdir(parents=True)
    shutil.copytree(Path(flit_core.__file__).parent, folder / "backend/flit_core")
    (folder / f"{name}.py").write_text(f'"""The library {name}."""\n', encoding="utf-8")
    (folder / "pyproject.toml").write_text(_LIBRARY.format(name=name), encoding="utf-8")
    return folder


@each
def test_a_member_adds_a_package_which_is_locked_and_installed_from_here(
    pages: Pages, wheel: Path, clients: Clients, application: Path, tool: Tool
) -> None:
    said = clients.shell(*tool.adds_demo(pages["ben"]), cwd=application).well()
    assert "future release" not in said, "the line rests on what will change"
    locked = tomllib.loads((application / f"{tool.name}.lock").read_text(encoding="utf-8"))
    (package,) = locked["package"]
    assert package["files"] == [{"file": wheel.name, "hash": f"sha256:{sha256_of(wheel)}"}]
    subprocess.run([application / ".venv/bin/python", "-I", "-c", "import demo"], check=True, timeout=60)


@each
def test_a_stranger_adds_nothing(pages: Pages, clients: Clients, application: Path, tool: Tool) -> None:
    said = clients.shell(*tool.adds_demo(pages["cleo"]), cwd=application).badly()
    assert tool.refusal in said
    assert (application / "pyproject.toml").read_text(encoding="utf-8").count("demo") == 0


@each
def test_it_is_the_token_that_opens_the_index(
    pages: Pages, clients: Clients, application: Path, tool: Tool
) -> None:
    lines = [line.replace(pages["ben"].token, "wh14_nonsense") for line in tool.adds_demo(pages["ben"])]
    assert tool.refusal in clients.shell(*lines, cwd=application).badly()


@each
def test_an_admin_publishes(demo: Server, pages: Pages, clients: Clients, tmp_path: Path, tool: Tool) -> None:
    name = f"by_{tool.name}"
    folder = library(tmp_path / name, name)
    clients.shell(*tool.publishes(pages["ada"]), cwd=folder).well()
    listed = Visitor(demo, pages["ada"].token).files(name)
    assert sorted(listed) == [f"{name}-1.0-py3-none-any.whl", f"{name}-1.0.tar.gz"]
