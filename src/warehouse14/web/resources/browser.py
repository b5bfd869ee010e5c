"""The pages for browsers.

/login  /logout                          SignIn, SignOut
/oauth/<provider>                        ProviderPlace    the answer; @@start, @@join
/oauth/<provider>/logout                 ProviderEnd
/projects/                               ProjectPages     list, @@new
/projects/<name>/                        ProjectPage      @@versions, @@people, @@journal, @@settings,
                                                          @@delete, @@token, @@token-rotate,
                                                          @@token-revoke
/projects/<name>/<version>/              ReleasePage      @@yank, @@unyank, @@delete
/projects/<name>/<version>/<file>        FilePage         the file; @@yank, @@unyank, @@delete
/groups/                                 GroupPages       list, @@new
/groups/<name>/                          GroupPage        @@members, @@remove, @@delete, @@journal, @@look,
                                                          @@token, @@token-rotate, @@token-revoke
/account/                                AccountPage      @@password, @@token, @@part, @@journal
/account/tokens/<id>/                    TokenPlace       @@revoke, @@rotate
/account/sessions/<id>/                  SessionPlace     @@end
/admin/                                  AdminPage        @@accounts, @@projects, @@look, @@journal,
                                                          @@settings
/admin/accounts/<name>/                  AccountPlace     @@disable, @@enable, @@reset, @@join, @@part,
                                                          @@sessions, @@token-revoke
/style                                   StylePage
/static/<digest>/<file>                  StaticFile
"""

from __future__ import annotations

from packaging.version import Version
from pyramid.authorization import DENY_ALL, Allow

from warehouse14.domain.access import Permission
from warehouse14.domain.errors import Rejected
from warehouse14.domain.model import File, Group
from warehouse14.domain.names import AccountName, ProviderName, account_name, account_principal
from warehouse14.web.resources.base import (
    ADMINISTRATORS,
    KNOWN,
    Acl,
    Place,
    ProjectBound,
    Resource,
    looking_into,
)
from warehouse14.web.resources.lookup import Lookup

_ADMINISTRATORS_ONLY: Acl = (
    (Allow, ADMINISTRATORS, frozenset({Permission.ADMINISTER})),
    DENY_ALL,
)


_MEMBERS_DO = frozenset({Permission.READ})
_ADMINS_DO = frozenset({Permission.READ, Permission.MANAGE})
_ADMINISTRATORS_DO = frozenset({Permission.READ, Permission.ADMINISTER})


class Page(Place):
    """A page of the site: for everybody who is signed in."""

    __acl__ = KNOWN


class SignIn(Place):
    """``/login``"""


class SignOut(Page):
    """``/logout``"""


class ProviderPlaces(Place):
    """``/oauth/``: nothing itself."""

    def __getitem__(self, name: str) -> Resource:
        return ProviderPlace(self, name, self._lookup)


class ProviderPlace(Page):
    """``/oauth/<provider>``"""

    def __init__(self, parent: Resource, name: str, lookup: Lookup) -> None:
        super().__init__(parent, name, lookup)
        self.name = ProviderName(name)
        self.provider = lookup.provider(self.name)

    def __getitem__(self, name: str) -> Resource:
        return {"logout": ProviderEnd}[name](self, name, self._lookup)


class ProviderEnd(Place):
    """``/oauth/<provider>/logout``: for the provider itself."""

    __parent__: ProviderPlace


class ProjectPages(Page):
    """``/projects/``"""

    def __getitem__(self, name: str) -> Resource:
        return ProjectPage(self, name, self._lookup.project(name), self._lookup)


class ProjectPage(ProjectBound):
    """``/projects/<name>/``"""

    __parent__: ProjectPages

    def __getitem__(self, name: str) -> Resource:
        return ReleasePage(self, name, self._lookup.version(name))


class ReleasePage(ProjectBound):
    """``/projects/<name>/<version>/``: one that has no files is not there for its view."""

    def __init__(self, parent: ProjectPage, name: str, version: Version) -> None:
        super().__init__(parent, name, parent.project, parent._lookup)  # noqa: SLF001
        self.version = version

    def __getitem__(self, name: str) -> Resource:
        return FilePage(self, name, self._lookup.file_of(self.project.name, self.version, name))


class FilePage(ProjectBound):
    """``/projects/<name>/<version>/<file>``"""

    __parent__: ReleasePage

    def __init__(self, parent: ReleasePage, name: str, file: File) -> None:
        super().__init__(parent, name, parent.project, parent._lookup)  # noqa: SLF001
        self.file = file


class GroupPages(Page):
    """``/groups/``"""

    def __getitem__(self, name: str) -> Resource:
        return GroupPage(self, name, self._lookup.group(name))


class GroupPage(Resource):
    """``/groups/<name>/``"""

    def __init__(self, parent: GroupPages, name: str, group: Group) -> None:
        super().__init__(parent, name)
        self.group = group

    @property
    def __acl__(self) -> Acl:  # type: ignore[override]
        """Who is in it sees it, and so do administrators; its admins change it, and administrators who look
        into it."""
        members = [
            (Allow, account_principal(account), _ADMINS_DO if admin else _MEMBERS_DO)
            for account, admin in self.group.members.items()
        ]
        return (
            *members,
            (Allow, looking_into(self.group.principal), _ADMINS_DO),
            (Allow, ADMINISTRATORS, _ADMINISTRATORS_DO),
            DENY_ALL,
        )


class AccountPage(Page):
    """``/account/``"""

    def __getitem__(self, name: str) -> Resource:
        return {"tokens": Tokens, "sessions": Sessions}[name](self, name, self._lookup)


class Tokens(Page):
    """``/account/tokens/``: nothing itself."""

    def __getitem__(self, name: str) -> Resource:
        return TokenPlace(self, name, self._lookup)


class TokenPlace(Page):
    """``/account/tokens/<id>/``: its views know whether there is one."""


class Sessions(Page):
    """``/account/sessions/``: nothing itself."""

    def __getitem__(self, name: str) -> Resource:
        return SessionPlace(self, name, self._lookup)


class SessionPlace(Page):
    """``/account/sessions/<id>/``: its views know whether there is one."""


class StylePage(Page):
    """``/style``: there for those who develop."""


class AdminPage(Place):
    """``/admin/``"""

    __acl__ = _ADMINISTRATORS_ONLY

    def __getitem__(self, name: str) -> Resource:
        if name == "accounts":
            return AccountPlaces(self, name, self._lookup)
        raise KeyError(name)


class AccountPlaces(Place):
    """``/admin/accounts/``: nothing itself."""

    __acl__ = _ADMINISTRATORS_ONLY

    def __getitem__(self, name: str) -> Resource:
        try:
            return AccountPlace(self, name, account_name(name), self._lookup)
        except Rejected as error:
            raise KeyError(name) from error


class AccountPlace(Place):
    """``/admin/accounts/<name>/``: its views know whether there is one."""

    __acl__ = _ADMINISTRATORS_ONLY

    def __init__(self, parent: Resource, name: str, account: AccountName, lookup: Lookup) -> None:
        super().__init__(parent, name, lookup)
        self.account = account


class Static(Place):
    """``/static/``: nothing itself."""

    def __getitem__(self, name: str) -> Resource:
        return StaticFolder(self, name, self._lookup)


class StaticFolder(Place):
    """``/static/<digest>/``: nothing itself."""

    def __getitem__(self, name: str) -> Resource:
        return StaticFile(self, name, self._lookup)


class StaticFile(Place):
    """``/static/<digest>/<file>``: its view knows whether there is one."""

    __parent__: StaticFolder
