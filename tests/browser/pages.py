"""The pages, each in every state that it has, and how one gets there."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from urllib.parse import quote

from playwright.sync_api import ViewportSize

from browser.houses import BROKEN, GUESSED, LOST, Houses
from browser.stock import HOSTILE, HOSTILE_NAME, LONG_ACCOUNT, LONG_GROUP, LONG_NAME, LONG_VERSION, MANY_FILES
from browser.tabs import WIDE, Tab

Steps = Callable[[Tab], object]


def _nothing(tab: Tab) -> None:
    """Do nothing: the address is all."""


@dataclass(frozen=True)
class Shown:
    """A page in one of its states.

    Attributes:
        view: the view that answers a GET of ``path``, as ``CONTEXT`` or ``CONTEXT @@NAME``.
        then: what is done there until the page is seen.
        alone: whether that is done in a browser of its own, since it spoils it for others.
    """

    name: str
    view: str
    path: str
    who: str = "ada"
    status: int = 200
    site: str = "full"
    then: Steps = _nothing
    alone: bool = False

    @contextmanager
    def opened(self, houses: Houses, size: ViewportSize = WIDE) -> Iterator[Tab]:
        """Open it, in a window of this size."""
        with ExitStack() as stack:
            if self.alone:
                tab = stack.enter_context(houses.fresh_tab(self.site, self.who))
            else:
                tab = houses.tab(self.site, self.who)
            tab.page.set_viewport_size(size)
            tab.go(self.path)
            self.then(tab)
            assert tab.status == self.status, f"{tab.status} at {tab.path}: {tab.text}"
            yield tab


def _forged(tab: Tab) -> None:
    tab.asks("document.querySelector('main [name=csrf_token]').value = 'forged'")
    tab.fill(Name="forged").press("Create the project")


def _too_long(tab: Tab) -> None:
    tab.asks("document.querySelector('main [name=name]').maxLength = 200000")
    tab.fill(Name="x" * 110_000).press("Create the project")


def _of_a_wrong_kind(tab: Tab) -> None:
    tab.asks("document.querySelector('main form').enctype = 'multipart/form-data'")
    tab.fill(Name="wrong-kind").press("Create the project")


def _signed_out_meanwhile(tab: Tab) -> None:
    tab.page.context.clear_cookies()
    tab.fill(Name="too-late").press("Create the project")


def _too_often(tab: Tab) -> None:
    # Ten failures were there before, which are still held against whoever tries next, or again.
    for _ in range(3):
        if tab.status != 429:
            tab.sign_in(GUESSED, "wrong")


def _wrong_password(tab: Tab) -> None:
    tab.fill(Name=f"typo-{time.time_ns()}", Password="wrong").press("Sign in")


def _other_password(tab: Tab) -> None:
    tab.fill(Current_password="one", New_password="another one", **{"New_password,_once_more": "yet another"})
    tab.press("Change the password")


def _look_as_administrator(tab: Tab) -> None:
    # Whoever looks already is not asked once more.
    if tab.page.get_by_label("Reason").count():
        tab.fill(Reason=HOSTILE_NAME).press("Look as administrator")


def _wheel(project: str, version: str) -> str:
    return f"/projects/{project}/{version}/{project.replace('-', '_')}-{version}-py3-none-any.whl"


_ORBIT = "/projects/orbit-core"
_EARLIER = _wheel("orbit-core", "2.2.0")
_HOSTILE = f"/projects/hostile/{quote(LONG_VERSION)}"
_HOSTILE_FILE = f"{_HOSTILE}/hostile-{quote(LONG_VERSION)}-py3-none-any.whl"
_FILE_OF_MANY = f"/projects/many-files/1.0/many_files-1.0-{MANY_FILES[0]}.whl"

#: Every page in every state. The first of each view is its plain one.
SHOWN = [
    Shown("home", "Root", "/"),
    Shown("home of a stranger", "Root", "/", "cleo"),
    Shown("home of somebody whose tokens end", "Root", "/", "ben"),
    Shown("home without projects", "Root", "/", site="bare"),
    Shown("sign-in", "SignIn", "/login", ""),
    Shown("sign-in after a wrong password", "SignIn", "/login", "", 403, "bare", _wrong_password),
    Shown("sign-in too often", "SignIn", "/login", "", 429, "damaged", _too_often),
    Shown("sign-in through providers or with a password", "SignIn", "/login", "", site="ways"),
    Shown("sign-in through a provider alone", "SignIn", "/login?next=/account/", "", site="doors"),
    Shown("sign-in through a provider failed", "ProviderPlace", "/oauth/corp?state=x", "", 403, "ways"),
    Shown("joining a provider failed", "ProviderPlace", "/oauth/partner?state=x", "ada", 403, "ways"),
    Shown("provider is down", "", "/oauth/corp/@@start", "", 503, "doors"),
    Shown("projects", "ProjectPages", "/projects/"),
    Shown("projects by date", "ProjectPages", "/projects/?sort=newest"),
    Shown("projects, in the middle", "ProjectPages", "/projects/?page=2"),
    Shown("projects, past the end", "ProjectPages", "/projects/?page=99"),
    Shown("projects found", "ProjectPages", "/projects/?q=orbit"),
    Shown("projects found by hostile words", "ProjectPages", f"/projects/?q={quote(HOSTILE[:200])}"),
    Shown("no project found", "ProjectPages", f"/projects/?q={quote('nothing ' + HOSTILE[:190])}"),
    Shown("no project yet", "ProjectPages", "/projects/", site="bare"),
    Shown("new project", "ProjectPages @@new", "/projects/@@new"),
    Shown("new project, no name", "ProjectPages @@new", "/projects/@@new", status=400,
          then=lambda tab: tab.fill(Name=HOSTILE[:190]).press("Create the project")),
    Shown("new project, name taken", "ProjectPages @@new", "/projects/@@new", status=409,
          then=lambda tab: tab.fill(Name="orbit.CORE").press("Create the project")),
    Shown("project", "ProjectPage", f"{_ORBIT}/"),
    Shown("project of a member", "ProjectPage", f"{_ORBIT}/", "ben"),
    Shown("project, reStructuredText", "ProjectPage", "/projects/orbit-units/"),
    Shown("project, plain text", "ProjectPage", "/projects/ledger-client/"),
    Shown("project without description", "ProjectPage", "/projects/night-shift/", "cleo"),
    Shown("project without files", "ProjectPage", "/projects/empty/"),
    Shown("project without files, of a member", "ProjectPage", "/projects/empty/", "ben"),
    Shown("project of many files", "ProjectPage", "/projects/many-files/"),
    Shown("project of many files, the last of them", "ProjectPage", "/projects/many-files/?page=2"),
    Shown("project of many versions", "ProjectPage", "/projects/many-versions/"),
    Shown("versions", "ProjectPage @@versions", "/projects/orbit-core/@@versions"),
    Shown("versions, many", "ProjectPage @@versions", "/projects/many-versions/@@versions"),
    Shown("versions, past the end", "ProjectPage @@versions", "/projects/many-versions/@@versions?page=9"),
    Shown("versions of a member, hostile", "ProjectPage @@versions", "/projects/hostile/@@versions", "ben"),
    Shown("project, all yanked", "ProjectPage", "/projects/all-yanked/"),
    Shown("project, a pre-release alone", "ProjectPage", "/projects/only-pre/", "root"),
    Shown("project, files that differ", "ProjectPage", "/projects/mixed/"),
    Shown("project, hostile", "ProjectPage", "/projects/hostile/"),
    Shown("project, hostile, of a member", "ProjectPage", "/projects/hostile/", "ben"),
    Shown("project with a long name", "ProjectPage", f"/projects/{LONG_NAME}/"),
    Shown("release", "ReleasePage", f"{_ORBIT}/2.3.0/"),
    Shown("release, yanked", "ReleasePage", f"{_ORBIT}/2.1.0/"),
    Shown("release, a pre-release", "ReleasePage", f"{_ORBIT}/2.4.0rc1/", "ben"),
    Shown("release, hostile", "ReleasePage", f"{_HOSTILE}/"),
    Shown("release, hostile reStructuredText", "ReleasePage", "/projects/hostile/0.9/"),
    Shown("people", "ProjectPage @@people", f"{_ORBIT}/@@people"),
    Shown("people of a member", "ProjectPage @@people", f"{_ORBIT}/@@people", "ben"),
    Shown("people, many", "ProjectPage @@people", "/projects/crowded/@@people"),
    Shown("people, unknown account", "ProjectPage @@people", f"{_ORBIT}/@@people", status=400,
          then=lambda tab: tab.fill(Account_or_group="nobody-at-all").press("Give the role")),
    Shown("people, somebody invited", "ProjectPage @@people", f"{_ORBIT}/@@people", site="ways",
          then=lambda tab: tab.fill(Account_or_group="new@example.org").press("Give the role")),
    Shown("people, long name", "ProjectPage @@people", f"/projects/{LONG_NAME}/@@people"),
    Shown("journal of a project", "ProjectPage @@journal", f"{_ORBIT}/@@journal"),
    Shown("journal of a project with many entries", "ProjectPage @@journal",
          "/projects/many-versions/@@journal"),
    Shown("journal of a project, further back", "ProjectPage @@journal",
          "/projects/many-versions/@@journal?before=60"),
    Shown("journal of a project, hostile", "ProjectPage @@journal", "/projects/hostile/@@journal"),
    Shown("journal of a project with a long name", "ProjectPage @@journal",
          f"/projects/{LONG_NAME}/@@journal"),
    Shown("journal, filtered", "ProjectPage @@journal", f"{_ORBIT}/@@journal",
          then=lambda tab: tab.fill(Who="ada").choose("What", "file.").press("Filter")),
    Shown("journal, nothing found", "ProjectPage @@journal",
          f"{_ORBIT}/@@journal?who={quote(HOSTILE_NAME)}"),
    Shown("journal, no such day", "ProjectPage @@journal",
          f"{_ORBIT}/@@journal?since={quote(HOSTILE_NAME)}", status=400),
    Shown("journal, past the end", "ProjectPage @@journal", f"{_ORBIT}/@@journal?before=1"),
    Shown("settings", "ProjectPage @@settings", f"{_ORBIT}/@@settings"),
    Shown("settings, saved", "ProjectPage @@settings", f"{_ORBIT}/@@settings",
          then=lambda tab: tab.press("Save")),
    Shown("settings, wrong name typed", "ProjectPage @@settings", f"/projects/{LONG_NAME}/@@settings",
          status=400, then=lambda tab: tab.confirm("no").press("Delete the project")),
    Shown("yank a release", "ReleasePage @@yank", f"{_ORBIT}/2.2.0/@@yank"),
    Shown("un-yank a release", "ReleasePage @@unyank", f"{_ORBIT}/2.1.0/@@unyank"),
    Shown("delete a release", "ReleasePage @@delete", f"{_ORBIT}/2.2.0/@@delete"),
    Shown("delete a hostile release", "ReleasePage @@delete", f"{_HOSTILE}/@@delete"),
    Shown("yank a file", "FilePage @@yank", f"{_EARLIER}/@@yank"),
    Shown("un-yank a file", "FilePage @@unyank", f"{_wheel('orbit-core', '2.1.0')}/@@unyank"),
    Shown("delete a file", "FilePage @@delete", f"{_EARLIER}/@@delete"),
    Shown("delete a file, wrong name typed", "FilePage @@delete", f"{_FILE_OF_MANY}/@@delete", status=400,
          then=lambda tab: tab.confirm("no").press("Delete")),
    Shown("delete a hostile file", "FilePage @@delete", f"{_HOSTILE_FILE}/@@delete"),
    Shown("groups", "GroupPages", "/groups/"),
    Shown("groups of an administrator", "GroupPages", "/groups/", "root"),
    Shown("groups, none", "GroupPages", "/groups/", site="bare"),
    Shown("groups, no name", "GroupPages", "/groups/", status=400,
          then=lambda tab: tab.fill(Name=HOSTILE[:90]).press("Create the group")),
    Shown("group", "GroupPage", "/groups/platform/"),
    Shown("group of a member", "GroupPage", "/groups/platform/", "ben"),
    Shown("group with a long name", "GroupPage", f"/groups/{LONG_GROUP}/"),
    Shown("group, unknown account", "GroupPage", "/groups/platform/", status=400,
          then=lambda tab: tab.fill(Account="nobody-at-all").press("Add to the group")),
    Shown("group, wrong name typed", "GroupPage", "/groups/platform/", status=400,
          then=lambda tab: tab.confirm("no").press("Delete the group")),
    Shown("group, token refused", "GroupPage", "/groups/platform/", status=400,
          then=lambda tab: tab.fill(Name=HOSTILE_NAME, Addresses="nowhere").press("Make the token")),
    Shown("group, project of a token refused", "GroupPage", f"/groups/{LONG_GROUP}/", status=400,
          then=lambda tab: tab.fill(Name="ci", Project=HOSTILE[:190]).press("Make the token")),
    Shown("new token of a group", "GroupPage", f"/groups/{LONG_GROUP}/",
          then=lambda tab: tab.fill(Name="build server").press("Make the token")),
    Shown("group of an administrator", "GroupPage", "/groups/platform/", "root"),
    Shown("group of an administrator, a look refused", "GroupPage", "/groups/platform/", "root", 400,
          then=lambda tab: tab.fill(Reason=" ").press("Look as administrator")),
    Shown("group of an administrator who looks", "GroupPage", f"/groups/{LONG_GROUP}/", "root",
          then=_look_as_administrator),
    Shown("journal of a group", "GroupPage @@journal", "/groups/platform/@@journal"),
    Shown("journal of a group with a long name", "GroupPage @@journal", f"/groups/{LONG_GROUP}/@@journal"),
    Shown("account", "AccountPage", "/account/"),
    Shown("account without tokens", "AccountPage", "/account/", site="bare"),
    Shown("account with ways to sign in", "AccountPage", "/account/", site="ways"),
    Shown("account, token refused", "AccountPage", "/account/", status=400,
          then=lambda tab: tab.fill(Name=HOSTILE_NAME, Project="not-here").press("Make the token")),
    Shown("new token", "AccountPage", "/account/", "cleo",
          then=lambda tab: tab.fill(Name=HOSTILE_NAME).press("Make the token")),
    Shown("new token for uploads", "AccountPage", "/account/", "cleo",
          then=lambda tab: tab.fill(Name="laptop").check("upload").press("Make the token")),
    Shown("journal of an account", "AccountPage @@journal", "/account/@@journal"),
    Shown("journal of a new account", "AccountPage @@journal", "/account/@@journal", "cleo"),
    Shown("password", "AccountPage @@password", "/account/@@password"),
    Shown("first password", "AccountPage @@password", "/account/@@password", "new-here"),
    Shown("password, two that differ", "AccountPage @@password", "/account/@@password", status=400,
          then=_other_password),
    Shown("administration", "AdminPage", "/admin/", "root"),
    Shown("administration, name taken", "AdminPage", "/admin/", "root", 409,
          then=lambda tab: tab.fill(Name="ada").press("Add the account")),
    Shown("new account", "AdminPage", "/admin/", "root",
          then=lambda tab: tab.fill(Name=f"new-{time.time_ns()}").press("Add the account")),
    Shown("new first password", "AdminPage", "/admin/", "root",
          then=lambda tab: tab.press("New password for colleague-0")),
    Shown("one account", "AccountPlace", "/admin/accounts/ada/", "root"),
    Shown("one account with ways to sign in", "AccountPlace", "/admin/accounts/ada/", "root", site="ways"),
    Shown("one account, a join that no provider answers", "AccountPlace", "/admin/accounts/ada/", "root", 503,
          "ways", then=lambda tab: tab.fill(Subject=HOSTILE[:200]).press("Join")),
    Shown("one account with a long name", "AccountPlace", f"/admin/accounts/{LONG_ACCOUNT}/", "root"),
    Shown("one account, an administrator", "AccountPlace", "/admin/accounts/deputy/", "root"),
    Shown("one account, an administrator by the settings", "AccountPlace", "/admin/accounts/ben/", "root",
          site="ways"),
    Shown("one account, disabled", "AccountPlace", "/admin/accounts/gone/", "root"),
    Shown("one account, one's own", "AccountPlace", "/admin/accounts/root/", "root"),
    Shown("all projects", "AdminPage @@projects", "/admin/@@projects", "root"),
    Shown("all projects, none found", "AdminPage @@projects", "/admin/@@projects?q=nothing-at-all", "root"),
    Shown("all projects, a look refused", "AdminPage @@projects", "/admin/@@projects", "root", 400,
          then=lambda tab: tab.fill(Project="not-here", Reason=HOSTILE[:90]).press("Look as administrator")),
    Shown("journal of the site", "AdminPage @@journal", "/admin/@@journal", "root"),
    Shown("journal of the site, in the middle", "AdminPage @@journal", "/admin/@@journal?before=80", "root"),
    Shown("sizes and settings", "AdminPage @@settings", "/admin/@@settings", "root"),
    Shown("style", "StylePage", "/style/"),
    Shown("error 400", "ProjectPages @@new", "/projects/@@new", status=400, then=_forged),
    Shown("error 401", "ProjectPages @@new", "/projects/@@new", status=401, then=_signed_out_meanwhile,
          alone=True),
    Shown("error 403", "ProjectPage @@settings", f"{_ORBIT}/@@settings", "ben", 403),
    Shown("error 404", "", "/projects/not-here/", status=404),
    Shown("error 404 for nobody", "", "/static/not-here/", "", 404),
    Shown("error 405", "", "/logout", status=405),
    Shown("error 413", "ProjectPages @@new", "/projects/@@new", status=413, then=_too_long),
    Shown("error 415", "ProjectPages @@new", "/projects/@@new", status=415, then=_of_a_wrong_kind),
    Shown("error 500", "ProjectPage", f"/projects/{BROKEN}/", status=500, site="damaged"),
    Shown("error 503", "", _wheel(LOST, "1.0"), status=503, site="damaged"),
]  # fmt: skip

#: Every page once.
PLAIN = list({shown.view: shown for shown in reversed(SHOWN)}.values())

#: Views of browser pages that answer a GET with something else than a page.
NO_PAGES = {"FilePage", "StaticFile", "ProviderPlace @@start"}
