"""Who may see which page and send which form, written out by hand, and held against what the web answers."""

import re
from collections.abc import Iterator

import pytest

from web.asking import Index, open_peopled
from web.test_open_views import EXEMPT_FROM_CSRF, OPEN_TO_ALL, views

#: What is another one on each page.
_FORM_TOKEN = re.compile(r'(?<=value=")[0-9a-f]{128}(?=")')

#: The private project, and the public one.
PROJECTS = ("demo", "pub")

#: The columns: nobody, Eve (a stranger), Bob (member), Ada (admin), and Root, who administers the site.
PEOPLE = (None, "eve", "bob", "ada", "root")

#: Each view, its address, the form that is sent, and what each of PEOPLE is answered, on the private and on
#: the public project. A form is one that changes nothing, since it is wrong or says what is so already.
TABLE: dict[tuple[str, str, str], list[tuple[str, dict[str, str], str, str]]] = {
    # view                                    address, form                 private / public
    ("Root", "", "GET HEAD"): [("/", {}, "303 200 200 200 200", "303 200 200 200 200")],
    ("SignIn", "", "GET HEAD"): [("/login", {}, "200 303 303 303 303", "200 303 303 303 303")],
    # Without its token, nothing is checked.
    ("SignIn", "", "POST"): [("/login", {"csrf_token": ""}, "400 400 400 400 400", "400 400 400 400 400")],
    ("StaticFile", "", "GET HEAD"): [
        ("/static/0/site.css", {}, "404 404 404 404 404", "404 404 404 404 404"),
    ],
    # Without its token, it ends no session.
    ("SignOut", "", "POST"): [("/logout", {"csrf_token": ""}, "400 400 400 400 400", "400 400 400 400 400")],
    # The provider does not answer. Whoever is signed in is not sent there.
    ("ProviderPlace", "start", "GET HEAD"): [
        ("/oauth/corp/@@start", {}, "503 303 303 303 303", "503 303 303 303 303"),
    ],
    ("ProviderPlace", "", "GET HEAD"): [("/oauth/corp", {}, "403 403 403 403 403", "403 403 403 403 403")],
    ("ProviderPlace", "join", "POST"): [
        ("/oauth/corp/@@join", {}, "401 503 503 503 503", "401 503 503 503 503"),
    ],
    ("ProviderEnd", "", "POST"): [
        ("/oauth/corp/logout", {}, "503 503 503 503 503", "503 503 503 503 503"),
    ],
    ("ProjectPages", "", "GET HEAD"): [("/projects/", {}, "303 200 200 200 200", "303 200 200 200 200")],
    ("ProjectPages", "new", "GET HEAD"): [
        ("/projects/@@new", {}, "303 200 200 200 200", "303 200 200 200 200"),
    ],
    ("ProjectPages", "new", "POST"): [
        ("/projects/@@new", {"name": "-"}, "401 400 400 400 400", "401 400 400 400 400"),
    ],
    ("ProjectPage", "", "GET HEAD"): [("/projects/NAME/", {}, "303 404 200 200 404", "303 200 200 200 200")],
    ("ProjectPage", "versions", "GET HEAD"): [
        ("/projects/NAME/@@versions", {}, "303 404 200 200 404", "303 200 200 200 200"),
    ],
    ("ProjectPage", "people", "GET HEAD"): [
        ("/projects/NAME/@@people", {}, "303 404 200 200 404", "303 200 200 200 200"),
    ],
    ("ProjectPage", "people", "POST"): [
        ("/projects/NAME/@@people", {"name": "bob"}, "401 404 403 400 404", "401 403 403 400 403"),
    ],
    ("ProjectPage", "revoke", "POST"): [
        (
            "/projects/NAME/@@revoke",
            {"principal": "account:eve"},
            "401 404 403 400 404",
            "401 403 403 400 403",
        ),
    ],
    ("ProjectPage", "journal", "GET HEAD"): [
        ("/projects/NAME/@@journal", {}, "303 404 403 200 404", "303 403 403 200 403"),
    ],
    ("ProjectPage", "token", "POST"): [
        ("/projects/NAME/@@token", {"name": "x"}, "401 404 403 400 404", "401 403 403 400 403"),
    ],
    ("ProjectPage", "token-rotate", "POST"): [
        ("/projects/NAME/@@token-rotate", {"token": "x"}, "401 404 403 400 404", "401 403 403 400 403"),
    ],
    ("ProjectPage", "token-revoke", "POST"): [
        ("/projects/NAME/@@token-revoke", {"token": "x"}, "401 404 403 400 404", "401 403 403 400 403"),
    ],
    ("ProjectPage", "settings", "GET HEAD"): [
        ("/projects/NAME/@@settings", {}, "303 404 403 200 404", "303 403 403 200 403"),
    ],
    ("ProjectPage", "settings", "POST"): [
        ("/projects/NAME/@@settings", {"access": "x"}, "401 404 403 400 404", "401 403 403 400 403"),
    ],
    ("ProjectPage", "delete", "POST"): [
        ("/projects/NAME/@@delete", {"confirm": "x"}, "401 404 403 400 404", "401 403 403 400 403"),
    ],
    ("ReleasePage", "", "GET HEAD"): [
        ("/projects/NAME/1.0/", {}, "303 404 200 200 404", "303 200 200 200 200"),
        ("/projects/NAME/7.0/", {}, "303 404 404 404 404", "303 404 404 404 404"),
    ],
    ("ReleasePage", "yank", "GET HEAD"): [
        ("/projects/NAME/1.0/@@yank", {}, "303 404 403 200 404", "303 403 403 200 403"),
    ],
    ("ReleasePage", "yank", "POST"): [
        (
            "/projects/NAME/1.0/@@yank",
            {"reason": "x" * 1001},
            "401 404 403 400 404",
            "401 403 403 400 403",
        ),
    ],
    ("ReleasePage", "unyank", "GET HEAD"): [
        ("/projects/NAME/1.0/@@unyank", {}, "303 404 403 200 404", "303 403 403 200 403"),
    ],
    ("ReleasePage", "unyank", "POST"): [
        ("/projects/NAME/1.0/@@unyank", {}, "401 404 403 303 404", "401 403 403 303 403"),
    ],
    ("ReleasePage", "delete", "GET HEAD"): [
        ("/projects/NAME/1.0/@@delete", {}, "303 404 403 200 404", "303 403 403 200 403"),
    ],
    ("ReleasePage", "delete", "POST"): [
        ("/projects/NAME/1.0/@@delete", {"confirm": "x"}, "401 404 403 400 404", "401 403 403 400 403"),
    ],
    ("FilePage", "", "GET HEAD"): [
        ("/projects/NAME/1.0/FILE", {}, "303 404 200 200 404", "303 200 200 200 200"),
    ],
    ("FilePage", "yank", "GET HEAD"): [
        ("/projects/NAME/1.0/FILE/@@yank", {}, "303 404 403 200 404", "303 403 403 200 403"),
    ],
    ("FilePage", "yank", "POST"): [
        (
            "/projects/NAME/1.0/FILE/@@yank",
            {"reason": "x" * 1001},
            "401 404 403 400 404",
            "401 403 403 400 403",
        ),
    ],
    ("FilePage", "unyank", "GET HEAD"): [
        ("/projects/NAME/1.0/FILE/@@unyank", {}, "303 404 403 200 404", "303 403 403 200 403"),
    ],
    ("FilePage", "unyank", "POST"): [
        ("/projects/NAME/1.0/FILE/@@unyank", {}, "401 404 403 303 404", "401 403 403 303 403"),
    ],
    ("FilePage", "delete", "GET HEAD"): [
        ("/projects/NAME/1.0/FILE/@@delete", {}, "303 404 403 200 404", "303 403 403 200 403"),
    ],
    ("FilePage", "delete", "POST"): [
        ("/projects/NAME/1.0/FILE/@@delete", {"confirm": "x"}, "401 404 403 400 404", "401 403 403 400 403"),
    ],
    ("GroupPages", "", "GET HEAD"): [("/groups/", {}, "303 200 200 200 200", "303 200 200 200 200")],
    ("GroupPages", "new", "POST"): [
        ("/groups/@@new", {"name": "-"}, "401 400 400 400 400", "401 400 400 400 400"),
    ],
    # Ada is the admin of the group, Bob is in it.
    ("GroupPage", "", "GET HEAD"): [("/groups/crew/", {}, "303 404 200 200 200", "303 404 200 200 200")],
    ("GroupPage", "members", "POST"): [
        ("/groups/crew/@@members", {"account": "bob"}, "401 404 403 400 403", "401 404 403 400 403"),
    ],
    ("GroupPage", "remove", "POST"): [
        ("/groups/crew/@@remove", {"account": "eve"}, "401 404 403 400 403", "401 404 403 400 403"),
    ],
    ("GroupPage", "delete", "POST"): [
        ("/groups/crew/@@delete", {"confirm": "x"}, "401 404 403 400 403", "401 404 403 400 403"),
    ],
    ("GroupPage", "journal", "GET HEAD"): [
        ("/groups/crew/@@journal", {}, "303 404 403 200 403", "303 404 403 200 403"),
    ],
    ("GroupPage", "token", "POST"): [
        ("/groups/crew/@@token", {"name": "x"}, "401 404 403 400 403", "401 404 403 400 403"),
    ],
    ("GroupPage", "token-rotate", "POST"): [
        ("/groups/crew/@@token-rotate", {"token": "x"}, "401 404 403 400 403", "401 404 403 400 403"),
    ],
    ("GroupPage", "token-revoke", "POST"): [
        ("/groups/crew/@@token-revoke", {"token": "x"}, "401 404 403 400 403", "401 404 403 400 403"),
    ],
    ("GroupPage", "look", "POST"): [
        ("/groups/crew/@@look", {"reason": ""}, "401 404 403 403 400", "401 404 403 403 400"),
    ],
    ("AccountPage", "", "GET HEAD"): [("/account/", {}, "303 200 200 200 200", "303 200 200 200 200")],
    ("AccountPage", "token", "POST"): [
        ("/account/@@token", {"name": "x"}, "401 400 400 400 400", "401 400 400 400 400"),
    ],
    ("AccountPage", "sessions", "POST"): [
        ("/account/@@sessions", {"csrf_token": ""}, "401 400 400 400 400", "401 400 400 400 400"),
    ],
    ("AccountPage", "journal", "GET HEAD"): [
        ("/account/@@journal", {}, "303 200 200 200 200", "303 200 200 200 200"),
    ],
    ("AccountPage", "password", "GET HEAD"): [
        ("/account/@@password", {}, "303 200 200 200 200", "303 200 200 200 200"),
    ],
    ("AccountPage", "password", "POST"): [
        ("/account/@@password", {"password": "x"}, "401 400 400 400 400", "401 400 400 400 400"),
    ],
    ("AccountPage", "part", "POST"): [
        ("/account/@@part", {"subject": "x"}, "401 404 404 404 404", "401 404 404 404 404"),
    ],
    ("TokenPlace", "revoke", "POST"): [
        ("/account/tokens/nothing/@@revoke", {}, "401 404 404 404 404", "401 404 404 404 404"),
    ],
    ("TokenPlace", "rotate", "POST"): [
        ("/account/tokens/nothing/@@rotate", {}, "401 404 404 404 404", "401 404 404 404 404"),
    ],
    ("SessionPlace", "end", "POST"): [
        ("/account/sessions/nothing/@@end", {}, "401 404 404 404 404", "401 404 404 404 404"),
    ],
    # It is there where the site's settings say so.
    ("StylePage", "", "GET HEAD"): [("/style", {}, "303 404 404 404 404", "303 404 404 404 404")],
    ("AdminPage", "", "GET HEAD"): [("/admin/", {}, "303 403 403 403 200", "303 403 403 403 200")],
    ("AdminPage", "journal", "GET HEAD"): [
        ("/admin/@@journal", {}, "303 403 403 403 200", "303 403 403 403 200"),
    ],
    ("AdminPage", "settings", "GET HEAD"): [
        ("/admin/@@settings", {}, "303 403 403 403 200", "303 403 403 403 200"),
    ],
    ("AdminPage", "projects", "GET HEAD"): [
        ("/admin/@@projects", {}, "303 403 403 403 200", "303 403 403 403 200"),
    ],
    ("AdminPage", "look", "POST"): [
        ("/admin/@@look", {"project": "NAME"}, "401 403 403 403 400", "401 403 403 403 400"),
    ],
    ("AdminPage", "accounts", "POST"): [
        ("/admin/@@accounts", {"name": "-"}, "401 403 403 403 400", "401 403 403 403 400"),
    ],
    ("AccountPlace", "", "GET HEAD"): [
        ("/admin/accounts/bob/", {}, "303 403 403 403 200", "303 403 403 403 200"),
        ("/admin/accounts/nobody/", {}, "303 403 403 403 404", "303 403 403 403 404"),
    ],
    ("AccountPlace", "join", "POST"): [
        ("/admin/accounts/nobody/@@join", {"provider": "x"}, "401 403 403 403 404", "401 403 403 403 404"),
    ],
    ("AccountPlace", "part", "POST"): [
        ("/admin/accounts/nobody/@@part", {"subject": "x"}, "401 403 403 403 404", "401 403 403 403 404"),
    ],
    ("AccountPlace", "sessions", "POST"): [
        ("/admin/accounts/nobody/@@sessions", {}, "401 403 403 403 404", "401 403 403 403 404"),
    ],
    ("AccountPlace", "token-revoke", "POST"): [
        (
            "/admin/accounts/nobody/@@token-revoke",
            {"token": "x"},
            "401 403 403 403 404",
            "401 403 403 403 404",
        ),
    ],
    ("AccountPlace", "reset", "POST"): [
        ("/admin/accounts/nobody/@@reset", {}, "401 403 403 403 404", "401 403 403 403 404"),
    ],
    ("AccountPlace", "disable", "POST"): [
        ("/admin/accounts/nobody/@@disable", {}, "401 403 403 403 404", "401 403 403 403 404"),
    ],
    ("AccountPlace", "enable", "POST"): [
        ("/admin/accounts/nobody/@@enable", {}, "401 403 403 403 404", "401 403 403 403 404"),
    ],
    ("AccountPlace", "promote", "POST"): [
        ("/admin/accounts/nobody/@@promote", {}, "401 403 403 403 404", "401 403 403 403 404"),
    ],
    # Root, who alone gets there, keeps the own rank.
    ("AccountPlace", "demote", "POST"): [
        ("/admin/accounts/root/@@demote", {}, "401 403 403 403 400", "401 403 403 403 400"),
    ],
}

CASES = [
    (method, address, form, name, who, int(status))
    for (_, _, methods), rows in TABLE.items()
    for method in methods.split()
    for address, form, *columns in rows
    for name, column in zip(PROJECTS, columns, strict=True)
    for who, status in zip(PEOPLE, column.split(), strict=True)
]


@pytest.fixture(scope="module")
def peopled() -> Iterator[Index]:
    index = open_peopled()
    yield index
    index.warehouse.close()


def address_of(address: str, name: str) -> str:
    return address.replace("NAME", name).replace("FILE", f"{name}-1.0-py3-none-any.whl")


def test_every_page_and_every_form_is_in_the_table(peopled: Index) -> None:
    known = {view.key for view in views(peopled) if view.context.endswith(("Page", "Pages", "Place"))}
    assert known <= set(TABLE) <= {view.key for view in views(peopled)}


@pytest.mark.parametrize(("method", "address", "form", "name", "who", "status"), CASES)
def test_the_pages_answer_as_the_table_says(
    peopled: Index, method: str, address: str, form: dict[str, str], name: str, who: str | None, status: int
) -> None:
    for one in PEOPLE[1:]:
        peopled.cookie(str(one))
    with peopled.unchanged():
        answer = peopled.browse(method, address_of(address, name), who, form)
    assert answer.status == status


@pytest.mark.parametrize(
    ("address", "form"),
    [
        (address, form)
        for view, rows in TABLE.items()
        if view[2] == "POST" and view not in OPEN_TO_ALL | EXEMPT_FROM_CSRF
        for address, form, *_ in rows
    ],
)
@pytest.mark.parametrize("token", ["", "x", "0" * 64, "\N{SNOWMAN}"])
def test_no_form_is_taken_without_the_token_of_its_session(
    peopled: Index, address: str, form: dict[str, str], token: str
) -> None:
    who = "root" if address.startswith("/admin/") or address.endswith("/@@look") else "ada"
    sent = {**form, "csrf_token": token}
    with peopled.unchanged():
        answer = peopled.browse("POST", address_of(address, "demo"), who, sent)
    assert answer.status == 400
    assert "This form is too old" in answer.text


@pytest.mark.parametrize(
    "address", [row[0] for view, rows in TABLE.items() if view[2] == "POST" for row in rows]
)
def test_no_get_changes_anything(peopled: Index, address: str) -> None:
    for who in PEOPLE:
        with peopled.unchanged():
            assert peopled.browse("GET", address_of(address, "demo"), who).status < 500


@pytest.mark.parametrize("address", [row[0] for rows in TABLE.values() for row in rows if "NAME" in row[0]])
def test_a_private_project_and_none_are_the_same_to_a_stranger(peopled: Index, address: str) -> None:
    pages = []
    for name in ("demo", "absent"):
        answer = peopled.browse("GET", address_of(address, name), "eve")
        said = _FORM_TOKEN.sub("", answer.text).rpartition("request <code>")
        pages.append((answer.status, said[0], len(answer.body)))
    assert pages[0] == pages[1]


@pytest.mark.parametrize("path", ["new", "people", "settings", "yank", "@@nothing", "@@new/x", "x/@@new"])
def test_a_verb_is_known_by_its_mark_alone(peopled: Index, path: str) -> None:
    for place in ("/projects/", "/projects/demo/", "/projects/demo/1.0/"):
        if (place, path) not in {("/projects/", "@@new")}:
            assert peopled.browse("GET", f"{place}{path}", "ada").status == 404
