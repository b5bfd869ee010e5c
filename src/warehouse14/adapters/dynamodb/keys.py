"""Where everything stands in the table: the partition and the place in it.

What is asked for together stands in one partition, in the order that it is
asked for. Nothing is in an index of DynamoDB, which would lag behind: what is
found in two ways is there twice, and both are written in one transaction.
"""

import hashlib

from warehouse14.domain.names import AccountName, FileName, GroupName, Principal, ProjectName

#: The partition of an item, and its place in that.
Key = tuple[str, str]

#: The serial of the newest entry, and who keeps it there.
SITE: Key = ("site", "serial")
#: The version of this layout.
LAYOUT: Key = ("site", "layout")

ACCOUNTS, GROUPS, SESSIONS, ATTEMPTS, JOURNAL = "accounts", "groups", "sessions", "attempts", "journal"
#: The tokens of services that end, by their end.
ENDING = "ending"
#: Comes after everything that a name may begin with.
END = "\U0010ffff"

#: The partitions that list all projects, those that are deleted in the last.
PUBLIC, PRIVATE, DELETED = LISTS = ("projects#public", "projects#private", "projects#deleted")

ROW = "!"
_GRANT, _FILE = "!grant#", "file#"
#: The last place of a project's partition that is no file.
LAST_GRANT = _GRANT + END
FIRST_FILE = _FILE
#: The last place of an account's partition that says who it is: its groups.
FIRST_GROUP, LAST_GROUP = "!group#", "!group#" + END
FIRST_LOGIN, FIRST_SESSION, FIRST_TOKEN = "login#", "session#", "token#"

_SERIAL_DIGITS = 20


def of_project(name: ProjectName) -> str:
    """Return the partition of a project, its grants and its files."""
    return f"project#{name}"


def project(name: ProjectName) -> Key:
    """Return where a project stands."""
    return of_project(name), ROW


def grant(name: ProjectName, who: Principal) -> Key:
    """Return where a grant stands, with its project."""
    return of_project(name), _GRANT + who


def file(name: ProjectName, filename: FileName) -> Key:
    """Return where a file stands, with its project."""
    return of_project(name), _FILE + filename


def of_principal(who: Principal) -> str:
    """Return the partition of what was granted to a principal, by project."""
    return f"granted#{who}"


def granted(who: Principal, name: ProjectName) -> Key:
    """Return where a grant stands, with its principal."""
    return of_principal(who), name


def of_account(name: AccountName) -> str:
    """Return the partition of an account and of what is its own."""
    return f"account#{name}"


def account(name: AccountName) -> Key:
    """Return where an account stands."""
    return of_account(name), ROW


def group(name: GroupName) -> Key:
    """Return where a group stands, before its members."""
    return GROUPS, name


def member(name: GroupName, of: AccountName) -> Key:
    """Return where a member stands, with its group: no name has the character between them."""
    return GROUPS, f"{name}#{of}"


def membership(of: AccountName, name: GroupName) -> Key:
    """Return where a member stands, with its account."""
    return of_account(of), FIRST_GROUP + name


def login(issuer: str, subject: str) -> Key:
    """Return where a login stands: both may be longer than a key."""
    return f"login#{_digest(issuer, subject)}", ROW


def login_of(of: AccountName, issuer: str, subject: str) -> Key:
    """Return where a login is noted with its account."""
    return of_account(of), FIRST_LOGIN + _digest(issuer, subject)


def token(name: str) -> Key:
    """Return where a token stands."""
    return f"token#{name}", ROW


def token_of(of: AccountName, name: str) -> Key:
    """Return where a token is noted with its account."""
    return of_account(of), FIRST_TOKEN + name


def session(name: str) -> Key:
    """Return where a session stands."""
    return SESSIONS, name


def session_of(of: AccountName, name: str) -> Key:
    """Return where a session is noted with its account."""
    return of_account(of), FIRST_SESSION + name


def of_begun(issuer: str, kind: str, value: str) -> str:
    """Return the partition of the sessions that began with one of a provider, or with any of a person."""
    return f"begun#{kind}#{_digest(issuer, value)}"


def attempts(name: str) -> Key:
    """Return where failures are counted."""
    return ATTEMPTS, name


def hold(name: str) -> Key:
    """Return where it is said who holds a name."""
    return f"hold#{name}", ROW


def entry(serial: int) -> Key:
    """Return where an entry of the journal stands."""
    return JOURNAL, place(serial)


def of_entries(kind: str, value: str) -> str:
    """Return the partition of the entries that name something."""
    return f"journal#{kind}#{value}"


def place(serial: int) -> str:
    """Return the place of an entry, which sorts as its serial does."""
    return f"{serial:0{_SERIAL_DIGITS}}"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8")).hexdigest()
