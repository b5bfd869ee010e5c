"""The API over a real server, as a program of one's own asks it."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
import requests

from support.projects import quick_wheel
from support.servers import Server
from support.sites import APP, Site
from warehouse14.domain.model import Scope

CHANGED = (200, {"changed": True})
MEMBER = {"who": "account:ben", "role": "member"}


class Program:
    """Asks for the project demo of a server, with a token."""

    def __init__(self, server: Server, token: str) -> None:
        self._demo = f"{server.url}/api/projects/demo"
        self._auth = ("__token__", token)

    def get(self, path: str = "") -> requests.Response:
        return requests.get(f"{self._demo}{path}", auth=self._auth, timeout=30)

    def post(self, path: str, **fields: str) -> requests.Response:
        return requests.post(f"{self._demo}{path}", data=fields, auth=self._auth, timeout=30)

    def told(self, path: str, **fields: str) -> tuple[int, Any]:
        """Send a change, and return the status and what is said."""
        answer = self.post(path, **fields)
        return answer.status_code, answer.json()


@pytest.fixture
def tokens(site: Site) -> Mapping[Scope, str]:
    """A token of each scope of Ada's, whose project demo has one release."""
    site.command("project", "create", "demo", "--admin", "ada")
    wheels = site.folder / "wheels"
    wheels.mkdir()
    quick_wheel(wheels, "demo", "1.0")
    site.command("import", str(wheels), "--account", "ada")
    return {scope: site.mint("ada", scope) for scope in Scope}


def lacking(scope: Scope) -> tuple[int, dict[str, str]]:
    """Return the answer to a token without a scope whose owner may."""
    return 403, {"error": f"This token may not do this. Make one with the scope {scope}."}


def test_tokens_of_each_scope_do_what_it_says_and_nothing_else(
    site: Site, tokens: Mapping[Scope, str]
) -> None:
    with Server(site) as server:
        by = {scope: Program(server, token) for scope, token in tokens.items()}
        project = by[Scope.READ].get().json()
        (file,) = project["releases"][0]["files"]
        assert (project["role"], file["filename"]) == ("admin", "demo-1.0-py3-none-any.whl")
        yank = f"/1.0/{file['filename']}/yank"
        for scope in set(Scope) - {Scope.YANK}:
            assert by[scope].told(yank, reason="broken") == lacking(Scope.YANK)
        for scope in set(Scope) - {Scope.MANAGE}:
            assert by[scope].told("/1.0/delete", confirm="yes") == lacking(Scope.MANAGE)
            assert by[scope].told("/grant", **MEMBER) == lacking(Scope.MANAGE)
            assert by[scope].get("/journal").status_code == 403

        assert by[Scope.YANK].told(yank, reason="broken") == CHANGED
        (release,) = by[Scope.READ].get().json()["releases"]
        assert (release["yanked"], release["files"][0]["yank_reason"]) == (True, "broken")
        managing = by[Scope.MANAGE]
        assert managing.told("/grant", **MEMBER) == (200, {"changed": True, **MEMBER})
        assert Program(server, site.tokens["ben"]).get().json()["role"] == "member"
        assert managing.told("/revoke", who="account:ada")[0] == 400
        assert managing.told("/1.0/delete")[0] == 400
        assert managing.told("/1.0/delete", confirm="yes") == CHANGED
        assert managing.get().json()["releases"] == []
        lines = managing.get("/journal?what=file.").iter_lines()
        entries = [json.loads(line) for line in lines]
        assert [(entry["action"], entry["by_token"]) for entry in entries] == [
            ("file.delete", tokens[Scope.MANAGE][5:15]),
            ("file.yank", tokens[Scope.YANK][5:15]),
            ("file.upload", None),
        ]


def test_a_site_that_changes_nothing_says_when_to_try_again(site: Site, tokens: Mapping[Scope, str]) -> None:
    site.configure(APP, warehouse14__read_only="true")
    with Server(site) as server:
        yanking, managing = Program(server, tokens[Scope.YANK]), Program(server, tokens[Scope.MANAGE])
        for answer in (
            yanking.post("/1.0/yank"),
            managing.post("/1.0/delete", confirm="yes"),
            managing.post("/public"),
            managing.post("/grant", **MEMBER),
        ):
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "300")
            assert "changes nothing for now" in answer.json()["error"]
        assert managing.get().status_code == 200
