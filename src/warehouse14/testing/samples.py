"""Values to write, each complete, each with the parts that a test wants different."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from warehouse14.domain.model import (
    Account,
    Begun,
    Change,
    File,
    FileType,
    Group,
    Latest,
    Login,
    Project,
    Reach,
    Role,
    Scope,
    Session,
    Token,
    Vouched,
)
from warehouse14.domain.names import (
    AccountName,
    FileName,
    GroupName,
    Principal,
    ProjectName,
    ProviderName,
    account_name,
    account_principal,
    project_name,
)

WHEN = datetime(2026, 3, 4, 5, 6, 7, 890123, tzinfo=UTC)
LATER = datetime(2026, 3, 5, 6, 7, 8, 901234, tzinfo=UTC)

ADA = account_name("ada")
BOB = account_name("bob")
DEMO = project_name("demo")
CREW = GroupName("crew")
WHEEL = FileName("demo-1.0-py3-none-any.whl")
ISSUER = "https://login.example.org/realms/corp"
LATEST = Latest("1.0", "A demonstration", WHEN)


def sample_project(name: ProjectName = DEMO, **parts: Any) -> Project:
    """Return a private project of Ada's."""
    project = Project(
        name=name,
        display_name=name.title(),
        public=False,
        created_at=WHEN,
        created_by=ADA,
        grants={account_principal(ADA): Role.ADMIN},
    )
    return replace(project, **parts)


def sample_file(filename: str = WHEEL, project: ProjectName = DEMO, **parts: Any) -> File:
    """Return a wheel."""
    file = File(
        project=project,
        filename=FileName(filename),
        version="1.0",
        filetype=FileType.WHEEL,
        size=12_345_678_901,
        sha256="5e" * 32,
        blake2_256="b2" * 32,
        requires_python=">=3.11",
        summary="A demonstration",
        metadata_sha256="3a" * 32,
        uploaded_at=WHEN,
        uploaded_by=ADA,
    )
    return replace(file, **parts)


def sample_account(name: AccountName = ADA, **parts: Any) -> Account:
    """Return an account with a password."""
    account = Account(name=name, administrator=False, created_at=WHEN, password_hash="scrypt$1$2$3")  # noqa: S106
    return replace(account, **parts)


def sample_group(name: GroupName = CREW, **parts: Any) -> Group:
    """Return a group with Ada as its admin."""
    return replace(Group(name=name, created_at=WHEN, created_by=ADA, members={ADA: True}), **parts)


def sample_login(subject: str = "248289761001", account: AccountName = ADA, **parts: Any) -> Login:
    """Return who an account is at an identity provider."""
    value = Login(
        issuer=ISSUER, subject=subject, provider=ProviderName("corp"), account=account, created_at=WHEN
    )
    return replace(value, **parts)


def sample_begun(**parts: Any) -> Begun:
    """Return the provider's session that a session began with."""
    value = Begun(
        provider=ProviderName("corp"),
        issuer=ISSUER,
        subject="248289761001",
        sid="08a5019c",
        id_token="e30.e30.c2ln",  # noqa: S106
    )
    return replace(value, **parts)


def sample_vouched(**parts: Any) -> Vouched:
    """Return what identity providers say of an account."""
    value = Vouched(
        at=WHEN,
        email="ada@example.org",
        groups=frozenset({Principal("group:corp/platform"), Principal("group:corp/Größe, rot")}),
        seen={ProviderName("corp"): WHEN},
    )
    return replace(value, **parts)


def sample_token(token: str = "t0", account: AccountName = ADA, **parts: Any) -> Token:  # noqa: S107
    """Return a token for uploads."""
    value = Token(
        id=token,
        account=account,
        name="laptop",
        scopes=frozenset({Scope.UPLOAD}),
        reach=Reach(),
        secret_sha256="c0" * 32,
        created_at=WHEN,
        expires_at=None,
    )
    return replace(value, **parts)


def sample_change(action: str = "test", **parts: Any) -> Change:
    """Return an entry for the journal."""
    return replace(Change(action=action, at=WHEN, actor=ADA, origin="192.0.2.1"), **parts)


def sample_session(session: str = "50" * 32, account: AccountName = ADA, **parts: Any) -> Session:
    """Return a browser's session."""
    value = Session(
        id=session, account=account, created_at=WHEN, seen_at=WHEN, origin="192.0.2.1", agent="Lynx"
    )
    return replace(value, **parts)
