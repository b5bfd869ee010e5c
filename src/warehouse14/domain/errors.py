"""Every way in which the domain says no.

    WarehouseError
    ├── Rejected            the input is wrong; the sender can mend it
    │   └── TooLarge        it is larger than the site allows
    ├── Unauthenticated     nobody, or credentials that do not count
    │   └── SignInNeeded    a token that counts again when its owner has signed in
    ├── SignInFailed        an identity provider's answer does not count
    ├── Forbidden           known, but not permitted
    ├── NotFound            no such project, file, account or token
    ├── Conflict            it changed after it was read: somebody else was faster
    │   └── AlreadyExists   it is taken, and trying again will not help
    │       └── FileExists  other bytes under the name of a listed file
    ├── TooManyAttempts     it failed too often lately; try later
    ├── Unavailable         a store or database does not answer; try again
    └── Misconfigured       the settings or the schema do not fit this program

Each class has a stable ``code`` for programs and a sentence for people, and
carries its data as attributes. None of them knows HTTP.
"""


class WarehouseError(Exception):
    """Base of all errors that the domain raises on purpose."""

    code = "error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return self.message


class Rejected(WarehouseError, ValueError):
    """What was sent breaks a rule. ``field`` names the form field, argument or member."""

    code = "rejected"

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


class TooLarge(Rejected):
    """What was sent is larger than ``limit`` bytes."""

    code = "too-large"

    def __init__(self, message: str, *, field: str, limit: int) -> None:
        super().__init__(message, field=field)
        self.limit = limit


class Unauthenticated(WarehouseError):
    """Nobody is known to have made this request."""

    code = "unauthenticated"


class SignInNeeded(Unauthenticated):
    """A token's owner has not signed in for too long."""

    code = "sign-in-needed"

    def __init__(self, address: str = "this site's address") -> None:
        super().__init__(
            f"The owner of this token has not signed in for too long. Sign in at {address} in the browser: "
            "then the token counts again."
        )


class SignInFailed(WarehouseError):
    """A sign-in through an identity provider came to nothing.

    Attributes:
        detail: what is wrong, for the log; the message is for the person.
        asked: whether the provider was asked first, which costs both, so that it is counted.
    """

    code = "sign-in-failed"
    asked = False

    def __init__(self, message: str, *, detail: str = "") -> None:
        super().__init__(message)
        self.detail = detail


class Forbidden(WarehouseError, PermissionError):
    """The account is known and lacks the permission."""

    code = "forbidden"


class NotFound(WarehouseError, LookupError):
    """There is no such ``kind`` (project, file, account, token, blob, upload)."""

    code = "not-found"

    def __init__(self, kind: str, name: str, message: str = "") -> None:
        super().__init__(message or f"There is no {kind} {name!r}.")
        self.kind = kind
        self.name = name


class Conflict(WarehouseError):
    """The ``kind`` is taken, or it changed after it was read. Nothing was written."""

    code = "conflict"

    def __init__(self, kind: str, name: str, message: str = "") -> None:
        super().__init__(message or f"The {kind} {name!r} exists or was changed meanwhile.")
        self.kind = kind
        self.name = name


class AlreadyExists(Conflict):
    """The name is taken."""

    code = "already-exists"


class FileExists(AlreadyExists):
    """A listed file has this name and other bytes.

    Upload clients match the words ``File already exists``.
    """

    code = "file-exists"

    def __init__(self, filename: str) -> None:
        super().__init__(
            "file",
            filename,
            f"File already exists: {filename} has other bytes. "
            "A file name never takes other bytes; publish a new version or build number.",
        )


class TooManyAttempts(WarehouseError):
    """It was tried too often without success. ``retry_after`` is in seconds."""

    code = "too-many-attempts"

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"Too many attempts failed. Try again in {retry_after} seconds.")
        self.retry_after = retry_after


class Unavailable(WarehouseError):
    """A port failed. The cause is chained.

    Attributes:
        retry_after: after how many seconds to try again.
        detail: what the engine says, for the log and for whoever runs the site; the message is shown
            to everybody.
    """

    code = "unavailable"

    def __init__(self, message: str, *, retry_after: int = 5, detail: str = "") -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.detail = detail

    @property
    def in_full(self) -> str:
        """The message with what the engine says."""
        return f"{self} ({self.detail})" if self.detail else str(self)


class Replaced(Unavailable):
    """What was stored need not be what was judged, as others have put something in its place."""

    def __init__(self) -> None:
        super().__init__("The file was replaced while it was looked at. Try again.")


class ReadOnly(Unavailable):
    """The site takes no changes for now, because somebody wanted it so; nothing failed."""


class Misconfigured(WarehouseError):
    """The settings, the schema or the folders do not fit this program. One line."""

    code = "misconfigured"
