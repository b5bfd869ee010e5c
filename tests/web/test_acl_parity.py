"""Who may do what, written out by hand, and held against what the web answers and what the domain allows."""

from types import SimpleNamespace

import pytest
from pyramid.authorization import DENY_ALL
from pyramid.location import lineage
from pyramid.request import Request

from warehouse14.domain.access import Identity, Permission, TokenLimits, account_identity, allows, allows_site
from warehouse14.domain.errors import WarehouseError
from warehouse14.domain.model import Reach, Role, Scope
from warehouse14.domain.names import AccountName, project_name
from warehouse14.domain.services.uploadform import UploadForm
from warehouse14.testing.builders import build_wheel
from warehouse14.web.resources import Resource, Root
from warehouse14.web.security import TokenPolicy
from web.asking import Index
from web.bodies import form_body, upload_form
from web.test_api_parity import TABLE as API_TABLE
from web.test_browser_parity import TABLE as BROWSER_TABLE
from web.test_open_views import views

#: The columns: five kinds of people, and Ada (admin) held back by tokens of four kinds.
PEOPLE = ("nobody", "stranger", "member", "admin", "administrator", "read", "upload", "this", "other")

#: Each view, on which address, and what each of PEOPLE is answered, on the private and on the public project.
#: A project that is not theirs to see is 404; what a reader may not do is 403.
TABLE: dict[tuple[str, str, str], list[tuple[str, str, str]]] = {
    # view                                address                        private / public
    ("Health", "", "GET HEAD"): [
        ("/health", "200 200 200 200 200 200 200 200 200", "200 200 200 200 200 200 200 200 200"),
    ],
    ("Ready", "", "GET HEAD"): [
        ("/health/ready", "200 200 200 200 200 200 200 200 200", "200 200 200 200 200 200 200 200 200"),
    ],
    ("Metrics", "", "GET HEAD"): [
        ("/metrics", "200 200 200 200 200 200 200 200 200", "200 200 200 200 200 200 200 200 200"),
    ],
    ("ProjectList", "", "GET HEAD"): [
        ("/simple/", "401 200 200 200 200 200 200 200 200", "401 200 200 200 200 200 200 200 200"),
        ("/legacy/+simple/", "401 200 200 200 200 200 200 200 200", "401 200 200 200 200 200 200 200 200"),
    ],
    ("ProjectDetail", "", "GET HEAD"): [
        ("/simple/NAME/", "401 404 200 200 404 200 200 200 404", "401 200 200 200 200 200 200 200 404"),
        (
            "/legacy/+simple/NAME/",
            "401 404 200 200 404 200 200 200 404",
            "401 200 200 200 200 200 200 200 404",
        ),
    ],
    ("Download", "", "GET HEAD"): [
        ("/packages/NAME/FILE", "401 404 200 200 404 200 200 200 404", "401 200 200 200 200 200 200 200 404"),
    ],
    ("CoreMetadata", "", "GET HEAD"): [
        (
            "/packages/NAME/FILE.metadata",
            "401 404 200 200 404 200 200 200 404",
            "401 200 200 200 200 200 200 200 404",
        ),
    ],
    ("Root", "", "POST"): [
        ("/", "401 403 403 200 403 403 200 200 403", "401 403 403 200 403 403 200 200 403"),
    ],
    ("Projects", "", "POST"): [
        ("/simple/", "401 403 403 200 403 403 200 200 403", "401 403 403 200 403 403 200 200 403"),
    ],
    ("Legacy", "", "POST"): [
        ("/legacy/", "401 403 403 200 403 403 200 200 403", "401 403 403 200 403 403 200 200 403"),
    ],
}

#: The policy itself, on a project: what each of PEOPLE is allowed, private / public.
ALLOWED: dict[Permission, tuple[str, str]] = {
    Permission.READ: ("- - y y - y y y -", "- y y y y y y y -"),
    Permission.UPLOAD: ("- - - y - - y y -", "- - - y - - y y -"),
    Permission.YANK: ("- - - y - - - - -", "- - - y - - - - -"),
    Permission.DELETE: ("- - - y - - - - -", "- - - y - - - - -"),
    Permission.MANAGE: ("- - - y - - - - -", "- - - y - - - - -"),
    # What is for the site is not for a project, whatever the tree allows above it.
    Permission.BROWSE: ("- - - - - - - - -", "- - - - - - - - -"),
    Permission.CREATE: ("- - - - - - - - -", "- - - - - - - - -"),
    Permission.ADMINISTER: ("- - - - - - - - -", "- - - - - - - - -"),
}

#: And on the site as a whole.
ON_THE_SITE: dict[Permission, str] = {
    Permission.BROWSE: "- y y y y y y y y",
    Permission.CREATE: "- y y y y - y - -",
    Permission.ADMINISTER: "- - - - y - - - -",
}

PROJECTS = {"private": "demo", "public": "pub"}

#: Where a project is in the resource tree.
PLACES = (
    "simple/NAME",
    "legacy/+simple/NAME",
    "packages/NAME",
    "packages/NAME/FILE",
    "packages/NAME/FILE.metadata",
    "projects/NAME",
    "projects/NAME/1.0",
    "projects/NAME/1.0/FILE",
    "api/projects/NAME",
    "api/projects/NAME/1.0",
    "api/projects/NAME/1.0/FILE",
)

CASES = [
    (method, address, name, who, int(status))
    for (_, _, methods), rows in TABLE.items()
    for method in methods.split()
    for address, *columns in rows
    for name, column in zip(PROJECTS.values(), columns, strict=True)
    for who, status in zip(PEOPLE, column.split(), strict=True)
]


@pytest.fixture(scope="module")
def peopled(stocked: Index) -> Index:
    """Bob is a member of the public project, too."""
    stocked.warehouse.projects.grant(stocked.warehouse.operator(), "pub", "account:bob", Role.MEMBER)
    return stocked


def token(index: Index, who: str, name: str) -> str | None:
    """Return the token of one of PEOPLE."""
    other = "pub" if name == "demo" else "demo"
    return {
        "nobody": lambda: None,
        "stranger": lambda: index.token("eve"),
        "member": lambda: index.token("bob"),
        "admin": lambda: index.token("ada"),
        "administrator": lambda: index.token("root"),
        "read": lambda: index.token("ada", Scope.READ),
        "upload": lambda: index.token("ada", Scope.UPLOAD),
        "this": lambda: index.token("ada", Scope.UPLOAD, name),
        "other": lambda: index.token("ada", Scope.UPLOAD, other),
    }[who]()


def identity(who: str, name: str) -> Identity | None:
    """Return the same for the domain. An account in person has no token: it signed in to the browser."""
    account = {"nobody": None, "stranger": "eve", "member": "bob", "administrator": "root"}.get(who, "ada")
    if account is None:
        return None
    scope, limit = {
        "read": (Scope.READ, None),
        "upload": (Scope.UPLOAD, None),
        "this": (Scope.UPLOAD, name),
        "other": (Scope.UPLOAD, "pub" if name == "demo" else "demo"),
    }.get(who, (None, None))
    held = scope and TokenLimits("x", frozenset({scope}), Reach(project_name(limit) if limit else None))
    return account_identity(AccountName(account), administrator=account == "root", token=held)


def allowed_by_the_table(permission: Permission, who: str, kind: str) -> bool:
    column = ALLOWED[permission][0 if kind == "private" else 1]
    return column.split()[PEOPLE.index(who)] == "y"


class Knowing(TokenPolicy):
    """The policy of a request that ``acting`` makes, with or without a token.

    So those are asked for, too, who have no token to hold them back.
    """

    def __init__(self, acting: Identity | None) -> None:
        super().__init__()
        self._acting = acting

    def identity(self, request: Request) -> Identity | None:
        return self._acting


def request_of(index: Index) -> Request:
    """A request to a site that hides nothing: there the access lists alone decide."""
    asking = Request.blank("/")
    asking.registry = SimpleNamespace(
        warehouse=index.warehouse, site=SimpleNamespace(denied_read=403), meter=None
    )
    return asking


def resource_at(asking: Request, place: str, name: str) -> Resource:
    """Return the resource at ``place``, where NAME and FILE are a project's and its wheel's."""
    found: Resource = Root(asking)
    for part in place.replace("NAME", name).replace("FILE", f"{name}-1.0-py3-none-any.whl").split("/"):
        found = found[part] if part else found
    return found


def test_every_view_for_clients_is_in_the_table(stocked: Index) -> None:
    known = {view.key for view in views(stocked)}
    assert known - set(BROWSER_TABLE) - set(API_TABLE) == set(TABLE)
    assert set(API_TABLE) <= known


@pytest.mark.parametrize(("method", "address", "name", "who", "status"), CASES)
def test_the_web_answers_as_the_table_says(
    peopled: Index, method: str, address: str, name: str, who: str, status: int
) -> None:
    """A066, A069, A107, behaviours 2, 22, 40, 68, 70"""
    target = address.replace("NAME", name).replace("FILE", f"{name}-1.0-py3-none-any.whl")
    text = token(peopled, who, name)
    if method == "POST":
        # The very bytes that are there: taken, and without effect.
        content_type, body = form_body(upload_form(build_wheel(name, "1.0"), name, "1.0"))
        with peopled.unchanged():
            answer = peopled.ask(
                method, target, None, token=text, headers={"Content-Type": content_type}, body=body
            )
    else:
        answer = peopled.ask(method, target, None, token=text)
    assert answer.status == status


@pytest.mark.parametrize(
    "address", [row[0] for view, rows in TABLE.items() if view[2] == "POST" for row in rows]
)
def test_no_get_and_no_cookie_uploads(peopled: Index, address: str) -> None:
    """What is exempt from the check of forms knows no session, and takes no other method."""
    content_type, body = form_body(upload_form(build_wheel("demo", "2.0"), "demo", "2.0"))
    headers = {"Content-Type": content_type}
    peopled.token("ada")
    cookie = {"Cookie": f"warehouse14-session={peopled.cookie('ada')}"}
    with peopled.unchanged():
        by_get = peopled.ask("GET", address, headers=headers, body=body)
        by_cookie = peopled.ask("POST", address, None, headers=headers | cookie, body=body)
    assert by_get.status != 500
    assert by_cookie.status == 401


@pytest.mark.parametrize("name", PROJECTS.values())
@pytest.mark.parametrize("who", PEOPLE)
def test_the_lists_name_the_projects_whose_pages_can_be_read(peopled: Index, name: str, who: str) -> None:
    """Behaviours 2, issue item 8: the token for one project sees only that."""
    text = token(peopled, who, name)
    for listing in ("/simple/", "/legacy/+simple/"):
        listed = f">{name}<" in peopled.ask("GET", listing, None, token=text).text
        assert listed == (peopled.ask("GET", f"{listing}{name}/", None, token=text).status == 200)


@pytest.mark.parametrize("permission", Permission)
@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize(("kind", "name"), PROJECTS.items())
def test_the_domain_allows_what_the_table_says(
    peopled: Index, permission: Permission, who: str, kind: str, name: str
) -> None:
    acting = identity(who, name)
    project = peopled.warehouse.projects.get(peopled.warehouse.operator(), name)
    allowed = acting is not None and allows(acting, permission, project)
    assert allowed == allowed_by_the_table(permission, who, kind)


@pytest.mark.parametrize("permission", Permission)
@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize(("kind", "name"), PROJECTS.items())
def test_the_access_lists_permit_what_the_table_says(
    peopled: Index, permission: Permission, who: str, kind: str, name: str
) -> None:
    asking, policy = request_of(peopled), Knowing(identity(who, name))
    for place in PLACES:
        permitted = bool(policy.permits(asking, resource_at(asking, place, name), permission))
        assert permitted == allowed_by_the_table(permission, who, kind), place


@pytest.mark.parametrize(
    "place",
    ["", "simple", "legacy", "legacy/+simple", "packages", "health", "api", "api/projects", *PLACES],
)
def test_every_access_list_ends_with_a_refusal(peopled: Index, place: str) -> None:
    found = resource_at(request_of(peopled), place, "pub")
    for resource in lineage(found):
        assert resource.__acl__[-1] == DENY_ALL
        assert list(resource.__acl__).count(DENY_ALL) == 1


@pytest.mark.parametrize("permission", ON_THE_SITE)
@pytest.mark.parametrize("who", PEOPLE)
def test_the_domain_allows_on_the_site_what_the_table_says(permission: Permission, who: str) -> None:
    acting = identity(who, PROJECTS["private"])
    allowed = acting is not None and allows_site(acting, permission)
    assert allowed == (ON_THE_SITE[permission].split()[PEOPLE.index(who)] == "y")


@pytest.mark.parametrize(("kind", "name"), PROJECTS.items())
@pytest.mark.parametrize("who", [who for who in PEOPLE if who != "nobody"])
def test_the_services_let_through_what_the_web_does(peopled: Index, who: str, kind: str, name: str) -> None:
    acting = identity(who, name)
    assert acting is not None
    column = 1 if kind == "private" else 2
    at = PEOPLE.index(who)

    def lets_through(work: object) -> bool:
        try:
            work()  # type: ignore[operator]
        except WarehouseError:
            return False
        return True

    def table(view: tuple[str, str, str]) -> bool:
        return TABLE[view][0][column].split()[at] == "200"

    warehouse = peopled.warehouse
    built = build_wheel(name, "1.0")
    form = UploadForm(name, built.filetype, built.filename, "1.0")
    assert lets_through(lambda: warehouse.projects.files(acting, name)) == table(
        ("ProjectDetail", "", "GET HEAD")
    )
    assert lets_through(lambda: warehouse.files.open(acting, name, built.filename).close()) == table(
        ("Download", "", "GET HEAD")
    )
    assert lets_through(lambda: warehouse.uploads.publish(acting, form, [built.content])) == table(
        ("Legacy", "", "POST")
    )


def test_the_table_is_whole() -> None:
    for rows in TABLE.values():
        for _, *columns in rows:
            assert [len(column.split()) for column in columns] == [len(PEOPLE)] * 2
    assert set(ALLOWED) == set(Permission)
    for columns in [*ALLOWED.values(), *([column] for column in ON_THE_SITE.values())]:
        assert [len(column.split()) for column in columns] == [len(PEOPLE)] * len(columns)
