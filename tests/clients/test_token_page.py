"""The lines on the page that shows a new token, pasted into a shell as they stand there."""

from pathlib import Path

import pytest

from support.clients import Clients, Environment
from support.projects import quick_wheel
from support.servers import Server
from support.token_page import Browser, TokenPage
from support.visitors import Visitor

#: What each client is called with after its lines were pasted, for the environment that is active.
INSTALLS = {"pip": "pip install demo", "uv": "uv pip install demo"}
PUBLISHES = {
    "twine": ("the line for twine", "twine upload dist/*"),
    "uv": ("the line for uv publish", "uv publish"),
}
both = pytest.mark.parametrize("installer", INSTALLS)


@pytest.fixture(scope="module")
def demo(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Server:
    """A server with a project of ada's that ben may read."""
    folder = tmp_path_factory.mktemp("demo")
    token = server.site.tokens["ada"]
    Clients(folder / "clients").twine(server.url, token, quick_wheel(folder, "demo")).well()
    server.site.command("project", "grant", "demo", "account:ben", "member")
    return server


@pytest.fixture(scope="module")
def member(demo: Server) -> Browser:
    return Browser(demo, "ben")


@pytest.fixture(scope="module")
def reads(member: Browser) -> TokenPage:
    """The page of a member's token that only reads."""
    return member.new_token("read")


@pytest.fixture(scope="module")
def uploads(demo: Server) -> TokenPage:
    """The page of an admin's token that publishes."""
    return Browser(demo, "ada").new_token("upload")


@pytest.fixture
def environment(clients: Clients) -> Environment:
    return clients.empty_environment("empty")


@both
def test_after_the_line_for_the_environment_a_member_installs(
    reads: TokenPage, environment: Environment, installer: str
) -> None:
    lines = reads.lines[f"the line for {installer}"], INSTALLS[installer]
    environment.shell(*lines).well()
    assert environment.installed() == {"demo": "1.0"}


@both
def test_without_the_line_nothing_is_installed(
    demo: Server, environment: Environment, installer: str
) -> None:
    address = f"{demo.url}/simple/"
    without = {"PIP_INDEX_URL": address, "UV_DEFAULT_INDEX": address}
    environment.shell(INSTALLS[installer], **without).badly()
    assert environment.installed() == {}


@both
def test_with_the_line_in_netrc_the_lines_of_the_projects_page_install(
    reads: TokenPage, member: Browser, environment: Environment, installer: str
) -> None:
    netrc = environment.clients.home / ".netrc"
    netrc.write_text(reads.lines["the line for .netrc"] + "\n", encoding="utf-8")
    netrc.chmod(0o600)
    line = member.lines("/projects/demo/")[f"the line for {installer}"]
    assert reads.token not in line
    environment.shell(line).well()
    assert environment.installed() == {"demo": "1.0"}


@pytest.mark.parametrize("tool", PUBLISHES)
def test_after_its_line_a_tool_publishes(
    demo: Server, uploads: TokenPage, clients: Clients, tmp_path: Path, tool: str
) -> None:
    (tmp_path / "dist").mkdir()
    wheel = quick_wheel(tmp_path / "dist", f"pasted-{tool}")
    label, command = PUBLISHES[tool]
    clients.shell(uploads.lines[label], command, cwd=tmp_path).well()
    assert Visitor(demo, uploads.token).files(f"pasted-{tool}") == [wheel.name]


def test_a_token_that_only_reads_comes_with_no_line_that_publishes(
    reads: TokenPage, uploads: TokenPage
) -> None:
    assert (
        reads.lines.items()
        <= {label: line.replace(uploads.token, reads.token) for label, line in uploads.lines.items()}.items()
    )
    assert not [line for line in reads.lines.values() if "/legacy/" in line or "publish" in line.lower()]
    assert len(uploads.lines) > len(reads.lines)
