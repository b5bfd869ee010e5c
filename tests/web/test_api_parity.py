"""Who may do what by the API, written out by hand, and held against what it answers and the domain allows."""

from collections.abc import Iterator

import pytest

from warehouse14.domain.access import Identity, Permission, allows
from warehouse14.domain.model import Scope
from web.asking import Index, open_peopled
from web.test_browser_parity import PROJECTS, address_of
from web.test_open_views import EXEMPT_FROM_CSRF

#: The columns: nobody; Eve (a stranger), Bob (member), Ada (admin) and Root, who administers the site, with
#: tokens that hold nothing back; and Ada with a token of each scope, and with a token for another project.
PEOPLE = (
    "nobody", "stranger", "member", "admin", "administrator", "read", "upload", "yank", "manage", "other",
)  # fmt: skip

#: Who may read, yank, and manage or delete: what each of PEOPLE is answered on the private and on the public
#: project. What is sent to change something is wrong, so that it is 400 to those who may.
_READS = (
    "401 404 200 200 404 200 200 200 200 404",
    "401 200 200 200 200 200 200 200 200 404",
)
_YANKS = (
    "401 404 403 400 404 403 403 400 403 404",
    "401 403 403 400 403 403 403 400 403 404",
)
_MANAGES = (
    "401 404 403 400 404 403 403 403 400 404",
    "401 403 403 400 403 403 403 403 400 404",
)
_UPLOADS = (
    "401 403 403 400 403 403 400 403 403 403",
    "401 403 403 400 403 403 400 403 403 403",
)
#: Of an upload by its id, which is none of theirs.
_OF_OTHERS = ("401 404 404 404 404 404 404 404 404 404",) * 2
_READS_THE_JOURNAL = (
    "401 404 403 200 404 403 403 403 200 404",
    "401 403 403 200 403 403 403 403 200 404",
)

TABLE: dict[tuple[str, str, str], list[tuple[str, str, str]]] = {
    ("ApiProject", "", "GET HEAD"): [("/api/projects/NAME", *_READS)],
    ("ApiProject", "roles", "GET HEAD"): [("/api/projects/NAME/roles", *_READS)],
    ("ApiProject", "journal", "GET HEAD"): [("/api/projects/NAME/journal", *_READS_THE_JOURNAL)],
    ("ApiProject", "delete", "POST"): [("/api/projects/NAME/delete", *_MANAGES)],
    ("ApiProject", "public", "POST"): [("/api/projects/NAME/public", *_MANAGES)],
    ("ApiProject", "private", "POST"): [("/api/projects/NAME/private", *_MANAGES)],
    ("ApiProject", "grant", "POST"): [("/api/projects/NAME/grant", *_MANAGES)],
    ("ApiProject", "revoke", "POST"): [("/api/projects/NAME/revoke", *_MANAGES)],
    ("ApiRelease", "yank", "POST"): [("/api/projects/NAME/1.0/yank", *_YANKS)],
    ("ApiRelease", "unyank", "POST"): [("/api/projects/NAME/1.0/unyank", *_YANKS)],
    ("ApiRelease", "delete", "POST"): [("/api/projects/NAME/1.0/delete", *_MANAGES)],
    ("ApiFile", "yank", "POST"): [("/api/projects/NAME/1.0/FILE/yank", *_YANKS)],
    ("ApiFile", "unyank", "POST"): [("/api/projects/NAME/1.0/FILE/unyank", *_YANKS)],
    ("ApiFile", "delete", "POST"): [("/api/projects/NAME/1.0/FILE/delete", *_MANAGES)],
    ("ApiUploads", "", "POST"): [("/api/uploads", *_UPLOADS)],
    ("ApiUpload", "", "GET HEAD"): [(f"/api/uploads/{64 * '0'}", *_OF_OTHERS)],
    ("ApiUpload", "part", "POST"): [(f"/api/uploads/{64 * '0'}/part", *_OF_OTHERS)],
    ("ApiUpload", "finish", "POST"): [(f"/api/uploads/{64 * '0'}/finish", *_OF_OTHERS)],
}

#: What the domain asks for where a column stands.
_ASKED: dict[tuple[str, str], Permission] = {
    _READS: Permission.READ,
    _YANKS: Permission.YANK,
    _MANAGES: Permission.MANAGE,
    _READS_THE_JOURNAL: Permission.MANAGE,
    _UPLOADS: Permission.UPLOAD,
    # Nobody has it of a project.
    _OF_OTHERS: Permission.ADMINISTER,
}

WRONG = b"nonsense=1"
#: What is wrong only when it is known who asks: an empty file, and nothing of somebody else's.
SENT = {
    "uploads": "name=NAME&version=2.0&filetype=bdist_wheel&filename=NAME-2.0-py3-none-any.whl&size=0"
    f"&sha256={64 * '0'}",
    "part": f"number=1&sha256={64 * '0'}",
    "finish": "",
}

CASES = [
    (method, address, name, who, int(status))
    for (_, _, methods), rows in TABLE.items()
    for method in methods.split()
    for address, *columns in rows
    for name, column in zip(PROJECTS, columns, strict=True)
    for who, status in zip(PEOPLE, column.split(), strict=True)
]


@pytest.fixture(scope="module")
def peopled() -> Iterator[Index]:
    index = open_peopled()
    yield index
    index.warehouse.close()


@pytest.fixture(scope="module")
def tokens(peopled: Index) -> dict[tuple[str, str], str | None]:
    """The token of each of PEOPLE, by whom and the project that they ask for."""
    names = {"stranger": "eve", "member": "bob", "administrator": "root"}
    found: dict[tuple[str, str], str | None] = {}
    for name, other in (PROJECTS, PROJECTS[::-1]):
        for who in PEOPLE:
            scopes = {Scope(who)} if who in set(Scope) else set(Scope)
            limit = other if who == "other" else None
            minted = peopled.mint(names.get(who, "ada"), scopes=scopes, project=limit)
            found[who, name] = None if who == "nobody" else minted
    return found


@pytest.mark.parametrize(("method", "address", "name", "who", "status"), CASES)
def test_the_api_answers_as_the_table_says(
    peopled: Index,
    tokens: dict[tuple[str, str], str | None],
    method: str,
    address: str,
    name: str,
    who: str,
    status: int,
) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"} if method == "POST" else {}
    sent = SENT.get(address.rpartition("/")[2])
    body = b"" if method != "POST" else WRONG if sent is None else sent.replace("NAME", name).encode()
    with peopled.unchanged():
        answer = peopled.ask(
            method, address_of(address, name), None, token=tokens[who, name], headers=headers, body=body
        )
    assert answer.status == status


@pytest.mark.parametrize(("columns", "permission"), _ASKED.items())
@pytest.mark.parametrize("name", PROJECTS)
def test_the_domain_allows_what_the_table_says(
    peopled: Index,
    tokens: dict[tuple[str, str], str | None],
    columns: tuple[str, str],
    permission: Permission,
    name: str,
) -> None:
    project = peopled.warehouse.projects.get(peopled.warehouse.operator(), name)
    for who, status in zip(PEOPLE, columns[PROJECTS.index(name)].split(), strict=True):
        token = tokens[who, name]
        acting: Identity | None = None if token is None else peopled.warehouse.tokens.identify(token)
        allowed = acting is not None and allows(acting, permission, project)
        assert allowed == (status in {"200", "400"}), who


def test_the_views_that_take_no_token_of_a_form_are_those_that_change_something() -> None:
    exempt = {view for view in EXEMPT_FROM_CSRF if view[0].startswith("Api")}
    assert exempt == {view for view in TABLE if view[2] == "POST"}


def test_the_table_is_whole() -> None:
    for rows in TABLE.values():
        for _, *columns in rows:
            assert [len(column.split()) for column in columns] == [len(PEOPLE)] * 2
            assert tuple(columns) in _ASKED
