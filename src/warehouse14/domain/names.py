"""Names, made from raw text in one place.

A function here takes text from outside and returns a type that the rest of
the code trusts, or raises :class:`~warehouse14.domain.errors.Rejected`.
"""

import re
from collections.abc import Container
from typing import NewType

from packaging.utils import canonicalize_name

from warehouse14.domain.errors import Rejected
from warehouse14.domain.lengths import FILENAME, GROUP, NAME

#: A project's name, normalized as PEP 503 says: the key of a project.
ProjectName = NewType("ProjectName", str)
#: A distribution file's name, safe as the last part of an address and of a path.
FileName = NewType("FileName", str)
#: An account's name, in lower case; that of a service account has a colon in it, as nobody's can.
AccountName = NewType("AccountName", str)
#: What a site calls an identity provider.
ProviderName = NewType("ProviderName", str)
#: What a group of this site is called, in lower case and without a slash.
GroupName = NewType("GroupName", str)
#: Who a grant is for: ``account:NAME``, ``group:NAME``, ``group:PROVIDER/NAME``, ``invitation:ADDRESS`` or
#: ``authenticated``.
Principal = NewType("Principal", str)

AUTHENTICATED = Principal("authenticated")

#: Who acts at the command line, as the journal calls them. No account has this name.
OPERATOR = "operator"

#: PEP 752 serves ``/namespaces`` and ``/namespace/`` beside the projects.
RESERVED_PROJECTS = frozenset({"namespaces", "namespace"})

_PROJECT = re.compile(r"([A-Z0-9]|[A-Z0-9][A-Z0-9._-]*[A-Z0-9])\Z", re.IGNORECASE | re.ASCII)
_ACCOUNT = re.compile(r"[a-z0-9]([a-z0-9._@+-]*[a-z0-9])?\Z", re.ASCII)
_GROUP = re.compile(r"[a-z0-9]([a-z0-9._+-]*[a-z0-9])?\Z", re.ASCII)
_PROVIDER = re.compile(r"[a-z][a-z0-9]{0,39}\Z", re.ASCII)
_FILE = re.compile(r"[A-Z0-9][A-Z0-9._+!-]*\Z", re.IGNORECASE | re.ASCII)
_PREFIX = re.compile(r"[A-Z0-9][A-Z0-9._-]*\Z", re.IGNORECASE | re.ASCII)
_SEPARATORS = re.compile(r"[-_.]+")

_PROJECT_LENGTH = NAME
_ACCOUNT_LENGTH = NAME
_GROUP_LENGTH = GROUP
_FILE_LENGTH = FILENAME
#: The longest name of a group at an identity provider.
PROVIDER_GROUP_LENGTH = 180
#: The longest version, written as PEP 440 normalises it: stores keep no more, and no file name holds it.
VERSION_LENGTH = _FILE_LENGTH

_ACCOUNT_KIND, _GROUP_KIND, _INVITATION_KIND = "account:", "group:", "invitation:"


def project_name(raw: str, *, field: str = "name") -> ProjectName:
    """Return the normalized name (PEP 503) of the project that ``raw`` spells.

    Raises ``Rejected`` if it is no name by the names specification
    (letters, digits, ``.``, ``-``, ``_``; a letter or digit at both ends).
    """
    if len(raw) > _PROJECT_LENGTH or not _PROJECT.match(raw):
        raise Rejected(
            f"{field}: {_shown(raw)} is not a project name. Use up to {_PROJECT_LENGTH} ASCII letters, "
            "digits, '.', '-' and '_', with a letter or digit at both ends.",
            field=field,
        )
    return ProjectName(canonicalize_name(raw))


def project_prefix(raw: str, *, field: str = "prefix") -> str:
    """Return how normalized names (PEP 503) begin that are spelled with ``raw`` first.

    Raises ``Rejected`` if no name begins so.
    """
    if len(raw) > _PROJECT_LENGTH or not _PREFIX.match(raw):
        raise Rejected(
            f"{field}: {_shown(raw)} begins no project name. Use up to {_PROJECT_LENGTH} ASCII letters, "
            "digits, '.', '-' and '_', with a letter or digit first.",
            field=field,
        )
    return _SEPARATORS.sub("-", raw).lower()


def file_name(raw: str, *, field: str = "content") -> FileName:
    """Return ``raw`` as a file name, or raise ``Rejected``.

    Only what the names of wheels and sdists are made of is taken, and at most
    240 characters; whether it is such a name is for the archive's inspection.
    """
    if not _FILE.match(raw):
        raise Rejected(
            f"{field}: {_shown(raw)} is not a file name. Use ASCII letters, digits, '.', '-', '_', '+' "
            "and '!', with a letter or digit first.",
            field=field,
        )
    if len(raw) > _FILE_LENGTH:
        raise Rejected(f"{field}: the file name is longer than {_FILE_LENGTH} characters.", field=field)
    return FileName(raw)


def account_name(raw: str, *, field: str = "account") -> AccountName:
    """Return the account name that ``raw`` spells, in lower case, or raise ``Rejected``."""
    folded = _folded(raw)
    if len(folded) > _ACCOUNT_LENGTH or not _ACCOUNT.match(folded):
        raise Rejected(
            f"{field}: {_shown(raw)} is not an account name. Use ASCII letters, digits, '.', '-', '_', "
            "'+' and '@', with a letter or digit at both ends.",
            field=field,
        )
    return AccountName(folded)


def new_account_name(raw: str, *, field: str = "account") -> AccountName:
    """Return the same for an account that is to be added: not the name that the journal gives to whoever
    runs commands."""
    name = account_name(raw, field=field)
    if name == OPERATOR:
        raise Rejected(f"{field}: {name} is what the journal calls whoever runs commands.", field=field)
    return name


def group_name(raw: str, *, field: str = "group") -> GroupName:
    """Return the name of a group of this site that ``raw`` spells, in lower case, or raise ``Rejected``."""
    folded = _folded(raw)
    if len(folded) > _GROUP_LENGTH or not _GROUP.match(folded):
        raise Rejected(
            f"{field}: {_shown(raw)} is not the name of a group. Use up to {_GROUP_LENGTH} ASCII letters, "
            "digits, '.', '-', '_' and '+', with a letter or digit at both ends.",
            field=field,
        )
    return GroupName(folded)


def service_name(kind: str, owner: str) -> AccountName:
    """Return the name of the service account of a project or a group, or raise ``Rejected``."""
    name = f"{kind}:{owner}"
    if len(name) > _ACCOUNT_LENGTH:
        longest = _ACCOUNT_LENGTH - len(kind) - 1
        raise Rejected(
            f"service: a {kind} whose name has more than {longest} characters has no service account.",
            field="service",
        )
    return AccountName(name)


def is_service_name(name: str) -> bool:
    """Whether an account of this name is a service account: it belongs to a project or a group."""
    return ":" in name


def account_principal(name: AccountName) -> Principal:
    """Return the principal of one account."""
    return Principal(f"{_ACCOUNT_KIND}{name}")


def group_principal(name: GroupName) -> Principal:
    """Return the principal of a group of this site."""
    return Principal(f"{_GROUP_KIND}{name}")


def invitation_principal(address: AccountName) -> Principal:
    """Return the principal of whoever signs in with an e-mail address for the first time."""
    return Principal(f"{_INVITATION_KIND}{address}")


def provider_name(raw: str) -> ProviderName:
    """Return what a site calls an identity provider, or raise ``Rejected``."""
    if not _PROVIDER.match(raw):
        raise Rejected(
            f"provider: {_shown(raw)} is not the name of a provider. Use up to 40 small letters and digits, "
            "a letter first.",
            field="provider",
        )
    return ProviderName(raw)


def is_service_principal(value: Principal) -> bool:
    """Whether ``value`` is the principal of a service account."""
    kind, _, name = value.partition(":")
    return kind == "account" and is_service_name(name)


def provider_group(provider: ProviderName, group: str) -> Principal:
    """Return the principal of a group at an identity provider; no group of ours has a slash."""
    return Principal(f"{_GROUP_KIND}{provider}/{group}")


def principal(raw: str, *, field: str = "principal") -> Principal:
    """Return the principal that ``raw`` names, or raise ``Rejected``.

    It is ``account:ada``, ``group:platform`` for a group of this site, ``group:corp/Platform Team`` for
    one at the identity provider ``corp``, whose name is taken as it is, or ``invitation:bob@example.org`` for
    an e-mail address that was invited.
    """
    kind, _, name = raw.partition(":")
    if f"{kind}:" == _INVITATION_KIND and "@" in name:
        return invitation_principal(account_name(name, field=field))
    if kind == "account" and name:
        return account_principal(account_name(name, field=field))
    if kind != "group" or not name:
        raise Rejected(
            f"{field}: {_shown(raw)} names nobody. Write account:NAME, group:NAME, or group:PROVIDER/NAME "
            "for a group at an identity provider.",
            field=field,
        )
    provider, slash, group = name.partition("/")
    if not slash:
        return group_principal(group_name(name, field=field))
    if not is_plain(group, PROVIDER_GROUP_LENGTH) or not _PROVIDER.match(provider):
        raise Rejected(
            f"{field}: {_shown(raw)} is no group at an identity provider. Write group:PROVIDER/NAME with the "
            f"name that the provider gives it, 1 to {PROVIDER_GROUP_LENGTH} printable characters.",
            field=field,
        )
    return provider_group(ProviderName(provider), group)


def granted_principal(raw: str, granted: Container[str], *, field: str = "principal") -> Principal:
    """Return the principal that ``raw`` names: a group at an identity provider that is one of those
    ``granted`` as it is spelt, whatever the rules for new names were then, or else as :func:`principal`
    does."""
    is_old = raw in granted and group_provider(Principal(raw)) is not None
    return Principal(raw) if is_old else principal(raw, field=field)


def principal_account(value: Principal) -> AccountName | None:
    """Return the account that a principal names, or None for any other."""
    return AccountName(value.removeprefix(_ACCOUNT_KIND)) if value.startswith(_ACCOUNT_KIND) else None


def principal_group(value: Principal) -> GroupName | None:
    """Return the group of this site that a principal names, or None for any other."""
    is_ours = value.startswith(_GROUP_KIND) and "/" not in value
    return GroupName(value.removeprefix(_GROUP_KIND)) if is_ours else None


def invited_address(value: Principal) -> AccountName | None:
    """Return the e-mail address that a principal invites, or None for any other."""
    is_one = value.startswith(_INVITATION_KIND)
    return AccountName(value.removeprefix(_INVITATION_KIND)) if is_one else None


def group_provider(value: Principal) -> ProviderName | None:
    """Return the identity provider of the group that a principal names, or None for any other."""
    provider, slash, _ = value.removeprefix(_GROUP_KIND).partition("/")
    return ProviderName(provider) if slash and value.startswith(_GROUP_KIND) else None


def principal_words(value: Principal) -> str:
    """Return how a sentence names a principal: ``ada``, or ``the group platform``."""
    if value.startswith(_GROUP_KIND):
        return f"the group {value.removeprefix(_GROUP_KIND)}"
    return value.removeprefix(_ACCOUNT_KIND).removeprefix(_INVITATION_KIND)


def is_plain(text: str, most: int) -> bool:
    """Whether ``text`` has 1 to ``most`` printable characters, none at its ends a space: it can be kept and
    shown, and some databases pass over spaces at the end."""
    return 1 <= len(text) <= most and text.isprintable() and text == text.strip()


def _folded(raw: str) -> str:
    """Return ASCII in lower case, and anything else as it is: the Kelvin sign would become a ``k``."""
    return raw.lower() if raw.isascii() else raw


def _shown(raw: str) -> str:
    """``raw`` shortened and in quotes, with everything escaped that cannot be printed."""
    return repr(raw if len(raw) <= 60 else raw[:57] + "...")
