"""What is known of a direct upload, as notes that lie beside its parts."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Self

from warehouse14.domain.errors import (
    AlreadyExists,
    FileExists,
    Forbidden,
    Rejected,
    TooLarge,
    WarehouseError,
)
from warehouse14.domain.services.uploadform import UploadForm

#: How long a key is.
KEY_LENGTH = 32


class _Note:
    """A dataclass of text, numbers and times, to JSON and back."""

    def to_json(self) -> bytes:
        """Return it for a store to keep."""
        return json.dumps(asdict(self), default=datetime.isoformat).encode("ascii")  # type: ignore[call-overload]

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Return what :meth:`to_json` wrote."""
        values: dict[str, Any] = json.loads(data)
        moments = {name: datetime.fromisoformat(values[name]) for name in values if name.endswith("_at")}
        return cls(**values | moments)


@dataclass(frozen=True, slots=True)
class Begun(_Note):
    """What was allowed to come.

    Attributes:
        secret: what is in the id of the upload that nobody can guess.
        parts: what the store calls them.
        owner: the account that began it, as the journal names it.
        project, filename, filetype, version: the fields of the form.
        size: in bytes.
        sha256: what all of it hashes to, in hex.
        part_bytes: the size of every part but the last.
        begun_at: when.
    """

    secret: str = field(repr=False)
    parts: str = field(repr=False)
    owner: str
    project: str
    filename: str
    filetype: str
    version: str | None
    size: int
    sha256: str
    part_bytes: int
    begun_at: datetime

    @property
    def key(self) -> str:
        """Where it lies: the same whenever the same account sends the same file."""
        said = (self.owner, self.project, self.filename, self.filetype, self.version, self.size, self.sha256)
        return hashlib.sha256(json.dumps(said).encode("ascii")).hexdigest()[:KEY_LENGTH]

    @property
    def id(self) -> str:
        """What names this attempt, to the account that began it alone."""
        return self.key + self.secret

    @property
    def form(self) -> UploadForm:
        """What was said of the file."""
        return UploadForm(self.project, self.filetype, self.filename, self.version)

    @property
    def sizes(self) -> Mapping[int, int]:
        """The size of each part in bytes, by its number."""
        starts = range(0, self.size, self.part_bytes)
        return {
            number: min(self.part_bytes, self.size - start) for number, start in enumerate(starts, start=1)
        }


@dataclass(frozen=True, slots=True)
class Asked(_Note):
    """Who has asked that it be published, and from where: an account, by a token if there was one, or the
    operator if there was neither."""

    account: str | None
    token: str | None
    origin: str


@dataclass(frozen=True, slots=True)
class Lease(_Note):
    """Until when somebody is trusted to be at work on it, and how often anybody has begun to.

    After ``calls`` in a row nobody is at work yet: whoever was called last may be on the way until then.
    """

    ends_at: datetime
    runs: int
    calls: int = 0


@dataclass(frozen=True, slots=True)
class Outcome(_Note):
    """What came of it: a file, with warnings for its publisher, or a refusal, by its code."""

    code: str = ""
    message: str = ""
    field: str = ""
    limit: int = 0
    is_new: bool = False
    warnings: tuple[str, ...] = ()

    @classmethod
    def of(cls, error: WarehouseError) -> Self:
        """Return a refusal."""
        details = {name: getattr(error, name) for name in ("field", "limit") if hasattr(error, name)}
        return cls(code=error.code, message=error.message, **details)

    def error(self, filename: str) -> WarehouseError | None:
        """Return the refusal as it was raised, or None if it is none."""
        return _ERRORS.get(self.code, _rejected)(self, filename) if self.code else None


def _rejected(outcome: Outcome, _: str) -> WarehouseError:
    return Rejected(outcome.message, field=outcome.field)


_ERRORS: Mapping[str, Callable[[Outcome, str], WarehouseError]] = {
    TooLarge.code: lambda outcome, _: TooLarge(outcome.message, field=outcome.field, limit=outcome.limit),
    Forbidden.code: lambda outcome, _: Forbidden(outcome.message),
    FileExists.code: lambda _, filename: FileExists(filename),
    AlreadyExists.code: lambda outcome, filename: AlreadyExists("file", filename, outcome.message),
}
