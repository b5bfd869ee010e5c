"""``warehouse14 init``: any number of times, and one password."""

import re
import stat
from pathlib import Path
from typing import Any

PASSWORD = re.compile(r"^ +password +(\S+)$", re.MULTILINE)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_first_init_prints_a_password_once_and_the_lines_to_go_on_with(empty: Any) -> None:
    first = empty("init")
    assert (first.status, first.err) == (0, "")
    found = PASSWORD.findall(first.out)
    assert len(found) == 1
    assert f"--ini {empty.ini} token mint admin" in first.out
    for line in (
        "twine upload --repository-url http://127.0.0.1:6543/legacy/",
        "uv publish --publish-url http://127.0.0.1:6543/legacy/",
        'PIP_INDEX_URL="http://__token__:$TOKEN@127.0.0.1:6543/simple/" pip install',
        'UV_DEFAULT_INDEX="http://__token__:$TOKEN@127.0.0.1:6543/simple/" uv pip install',
    ):
        assert line in first.out

    second = empty("init")
    assert (second.status, second.out, second.err) == (0, "The site is ready.\n", "")
    assert found[0] not in empty("account", "list").out
    assert empty("init", "--quiet").out == ""
    (admin,) = empty("account", "list", "--json").rows
    assert (admin["name"], admin["administrator"], admin["has_password"]) == ("admin", True, True)


def test_what_must_be_secret_is_made_for_its_owner_alone(empty: Any) -> None:
    assert empty("init", "--no-admin").status == 0
    secret = empty.folder / "var" / "secret"
    assert _mode(secret) == 0o600
    assert len(secret.read_text().strip()) == 64
    before = secret.read_text()
    assert empty("init", "--no-admin").status == 0
    assert secret.read_text() == before
    assert _mode(empty.folder / "var" / "warehouse14.sqlite") == 0o600


def test_no_admin_leaves_the_administrator_out_until_a_later_init(empty: Any) -> None:
    assert empty("init", "--no-admin").out == "The site is ready.\n"
    assert empty("account", "list", "--json").out == ""
    assert PASSWORD.search(empty("init", "--quiet").out)


def test_a_site_with_accounts_gets_no_administrator(site: Any) -> None:
    assert not PASSWORD.search(site.done("init").out)
    assert [row["name"] for row in site("account", "list", "--json").rows] == ["ada"]


def test_everything_a_site_keeps_lies_under_var(empty: Any) -> None:
    assert empty("init", "--no-admin").status == 0
    assert sorted(path.name for path in empty.folder.iterdir()) == ["development.ini", "var"]


def test_two_inits_at_once_both_succeed_and_one_of_them_prints_a_password(empty: Any) -> None:
    running = [empty.start("init") for _ in range(3)]
    ended = [process.communicate() for process in running]
    assert [(process.returncode, err) for process, (_, err) in zip(running, ended, strict=True)] == [
        (0, "")
    ] * 3
    assert sum(len(PASSWORD.findall(out)) for out, _ in ended) == 1


def test_the_lines_show_the_public_address_if_the_ini_names_one(empty: Any) -> None:
    empty.set(
        "# warehouse14.url = https://packages.example.com", "warehouse14.url = https://example.com/index/"
    )
    out = empty("init").out
    assert "--publish-url https://example.com/index/legacy/ dist" in out
    assert '"https://__token__:$TOKEN@example.com/index/simple/"' in out


def test_the_lines_show_the_address_that_a_local_client_can_reach(empty: Any) -> None:
    empty.set("listen = 127.0.0.1:6543", "listen = *:7000 [::1]:7001")
    assert "http://127.0.0.1:7000/legacy/" in empty("init").out


def test_the_lines_show_another_address_if_the_server_will_listen_there(empty: Any) -> None:
    assert "http://127.0.0.1:7777/legacy/" in empty("init", "--listen", "127.0.0.1:7777").out


def test_a_folder_that_cannot_be_made_is_one_line_and_status_2(empty: Any) -> None:
    (empty.folder / "var").write_text("in the way")
    outcome = empty("init")
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err.startswith("warehouse14: ")
    assert outcome.err.count("\n") == 1
