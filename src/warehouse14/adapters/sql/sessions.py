"""Sessions and failed attempts in SQL."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, case, delete, insert, or_, select, update

from warehouse14.adapters.sql.running import Runner
from warehouse14.adapters.sql.tables import accounts, attempts, sessions
from warehouse14.domain.errors import Conflict
from warehouse14.domain.model import Begun, Failures, Looked, Session
from warehouse14.domain.names import AccountName, Principal, ProjectName, ProviderName

_THERE = sessions.c.id == bindparam("of_id")
_GET = select(sessions).where(_THERE)
_OF = (
    select(sessions)
    .where(sessions.c.account == bindparam("of_account"))
    .order_by(sessions.c.seen_at.desc(), sessions.c.id.desc())
)
_ACCOUNT = select(accounts.c.name).where(accounts.c.name == bindparam("of_account"))
_ADD = insert(sessions)
_TOUCH = update(sessions).where(_THERE).values(seen_at=bindparam("at"))
_SET_LOOKS = update(sessions).where(_THERE).values(looks=bindparam("new_looks"))
_END = delete(sessions).where(_THERE)
_END_OF = delete(sessions).where(sessions.c.account == bindparam("of_account"))
_END_OTHERS = _END_OF.where(sessions.c.id != bindparam("but"))
_BEGUN_BY_SID = (sessions.c.issuer == bindparam("of_issuer"), sessions.c.sid == bindparam("of_sid"))
_BEGUN_BY_SUBJECT = (
    sessions.c.issuer == bindparam("of_issuer"),
    sessions.c.subject == bindparam("of_subject"),
)
_WHOSE = select(sessions.c.account).distinct().order_by(sessions.c.account)
_FORGET_SESSIONS = delete(sessions).where(
    or_(sessions.c.created_at < bindparam("created"), sessions.c.seen_at < bindparam("seen"))
)

_FAILURES = select(attempts).where(attempts.c.key.in_(bindparam("keys", expanding=True)))
_COUNT = (
    update(attempts)
    .where(
        attempts.c.key == bindparam("of_key"),
        bindparam("expected") == case((attempts.c.last_at < bindparam("since"), 0), else_=attempts.c.count),
    )
    .values(count=bindparam("new_count"), last_at=bindparam("at"))
)
_TAKE_BACK = (
    update(attempts)
    .where(attempts.c.key == bindparam("of_key"), attempts.c.count > 0)
    .values(
        count=attempts.c.count - 1,
        last_at=case(
            (attempts.c.last_at == bindparam("at"), bindparam("earlier", type_=attempts.c.last_at.type)),
            else_=attempts.c.last_at,
        ),
    )
)
_CLEAR = delete(attempts).where(attempts.c.key == bindparam("of_key"))
_FORGET_ATTEMPTS = delete(attempts).where(attempts.c.last_at < bindparam("before"))


class SqlSessions:
    """Implements ``Sessions``."""

    def __init__(self, runner: Runner) -> None:
        self._run = runner

    def get(self, session: str) -> Session | None:
        """See the port."""
        row = self._run.rows(_GET, of_id=session).one_or_none()
        return None if row is None else _session(row)

    def of(self, account: AccountName) -> Sequence[Session]:
        """See the port."""
        return [_session(row) for row in self._run.rows(_OF, of_account=account)]

    def add(self, session: Session) -> None:
        """See the port."""
        if self._run.rows(_ACCOUNT, of_account=session.account).one_or_none() is None:
            raise Conflict("account", session.account)
        values = {
            "id": session.id,
            "account": session.account,
            "created_at": session.created_at,
            "seen_at": session.seen_at,
            "origin": session.origin,
            "agent": session.agent,
            "looks": _written(session.looks),
            **_begun_values(session.begun),
        }
        self._run.insert(_ADD, values, kind="session", name=session.id)

    def touch(self, session: str, at: datetime) -> None:
        """See the port."""
        self._run.rows(_TOUCH, of_id=session, at=at)

    def set_looks(self, session: str, looks: Mapping[Looked, datetime]) -> None:
        """See the port."""
        values = {"of_id": session, "new_looks": _written(looks)}
        self._run.change(_SET_LOOKS, values, kind="session", name=session)

    def end(self, session: str) -> None:
        """See the port."""
        self._run.change(_END, {"of_id": session}, kind="session", name=session)

    def end_of(self, account: AccountName, *, but: str | None) -> None:
        """See the port."""
        if but is None:
            self._run.rows(_END_OF, of_account=account)
        else:
            self._run.rows(_END_OTHERS, of_account=account, but=but)

    def end_begun(self, issuer: str, *, subject: str | None, sid: str | None) -> Sequence[AccountName]:
        """See the port."""
        if sid is not None:
            which, name = _BEGUN_BY_SID, {"of_sid": sid}
        else:
            which, name = _BEGUN_BY_SUBJECT, {"of_subject": subject or ""}
        values = {"of_issuer": issuer, **name}
        whose = self._run.rows(_WHOSE.where(*which), **values).scalars().all()
        self._run.rows(delete(sessions).where(*which), **values)
        return [AccountName(name) for name in whose]

    def forget(self, *, created_before: datetime, seen_before: datetime) -> None:
        """See the port."""
        self._run.rows(_FORGET_SESSIONS, created=created_before, seen=seen_before)


class SqlAttempts:
    """Implements ``Attempts``."""

    def __init__(self, runner: Runner) -> None:
        self._run = runner

    def of(self, keys: Sequence[str]) -> Mapping[str, Failures]:
        """See the port."""
        rows = self._run.rows(_FAILURES, keys=list(keys)).mappings()
        return {row["key"]: Failures(row["count"], row["last_at"]) for row in rows}

    def count(self, key: str, at: datetime, *, since: datetime, expected: int) -> None:
        """See the port."""
        values = {"of_key": key, "at": at, "since": since, "expected": expected, "new_count": expected + 1}
        if self._run.rows(_COUNT, **values).rowcount == 1:
            return
        if expected:
            raise Conflict("attempts", key)
        first = {"key": key, "count": 1, "last_at": at}
        self._run.insert(insert(attempts), first, kind="attempts", name=key)

    def take_back(self, key: str, at: datetime, before: datetime) -> None:
        """See the port."""
        self._run.rows(_TAKE_BACK, of_key=key, at=at, earlier=before)

    def clear(self, key: str) -> None:
        """See the port."""
        self._run.rows(_CLEAR, of_key=key)

    def forget(self, before: datetime) -> None:
        """See the port."""
        self._run.rows(_FORGET_ATTEMPTS, before=before)


def _session(row: Row[Any]) -> Session:
    return Session(
        id=row.id,
        account=AccountName(row.account),
        created_at=row.created_at,
        seen_at=row.seen_at,
        origin=row.origin,
        agent=row.agent,
        begun=_begun(row),
        looks={_looked(name): datetime.fromisoformat(at) for name, at in (row.looks or {}).items()},
    )


def _written(looks: Mapping[Looked, datetime]) -> dict[str, str] | None:
    return {name: at.isoformat() for name, at in looks.items()} or None


def _looked(text: str) -> Looked:
    # No name of a project has a colon.
    return Principal(text) if ":" in text else ProjectName(text)


def _begun_values(begun: Begun | None) -> dict[str, str | None]:
    names = ("provider", "issuer", "subject", "sid", "id_token")
    return {name: getattr(begun, name, None) for name in names}


def _begun(row: Row[Any]) -> Begun | None:
    if row.provider is None:
        return None
    return Begun(ProviderName(row.provider), row.issuer, row.subject, row.sid, row.id_token)
