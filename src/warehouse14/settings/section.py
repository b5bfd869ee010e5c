"""The settings below one prefix, read one by one."""

import os
import re
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar
from urllib.parse import urlsplit

from warehouse14.settings.spelling import complaint, guess, is_ours

Value = TypeVar("Value")

_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)
#: The largest number, where nothing else bounds it.
_LARGEST = 10**18 - 1
#: No file with a secret is read further.
_SECRET_LENGTH = 10_000
#: How much of a wrong value is shown.
_SHOWN = 60


class SettingError(ValueError):
    """A setting is missing, unknown or malformed. One line that names its key."""


class Section:
    """The settings below one prefix, such as ``warehouse14.files.``.

    An adapter's factory takes its own section, reads its keys from it, and
    the caller then asks :meth:`finish` that none is left. ``beside`` are keys
    without the prefix. They are others' but for those that are ours misspelt. ``variables`` are those of the
    environment that set a key, by the key.
    """

    def __init__(
        self,
        prefix: str,
        values: Mapping[str, str],
        *,
        beside: Iterable[str] = (),
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self._prefix = prefix
        self._values = dict(values)
        self._beside = tuple(beside)
        self._variables = variables or {}
        #: The keys that were asked for, here and in the sections below.
        self._known: set[str] = set()

    def text(self, key: str, default: str | None = None) -> str:
        """Return the text of ``key``; without a default it must be there."""
        return self._take(key, default, lambda raw: raw)

    def number(self, key: str, default: int, *, least: int = 0, most: int = _LARGEST) -> int:
        """Return ``key`` as a whole number from ``least`` to ``most``."""

        def parse(raw: str) -> int:
            if not _NUMBER.fullmatch(raw) or not least <= int(raw) <= most:
                raise ValueError
            return int(raw)

        return self._take(key, default, parse, f"a whole number from {least} to {most}")

    def flag(self, key: str, default: bool) -> bool:
        """Return ``key`` as true or false."""

        def parse(raw: str) -> bool:
            if raw.lower() not in _TRUE | _FALSE:
                raise ValueError
            return raw.lower() in _TRUE

        return self._take(key, default, parse, "true or false")

    def choice(self, key: str, default: str, choices: frozenset[str]) -> str:
        """Return ``key`` if it is one of ``choices``."""

        def parse(raw: str) -> str:
            if raw not in choices:
                raise ValueError
            return raw

        return self._take(key, default, parse, "one of " + ", ".join(sorted(choices)))

    def path(self, key: str, default: str | None = None) -> str:
        """Return ``key`` as an absolute path."""
        return os.path.abspath(self.text(key, default))

    def address(self, key: str) -> str | None:
        """Return ``key`` as an http(s) address without credentials or a last slash, or None if not set."""
        if "@" in self._values.get(key, ""):
            # Refused as others are, it would be shown.
            raise SettingError(
                f"{self._prefix}{key} has a name or a password before an @: leave them out, "
                "as addresses are shown to everybody"
            )

        def parse(raw: str) -> str:
            parts = urlsplit(raw)
            if parts.scheme not in {"http", "https"} or not parts.netloc or parts.query:
                raise ValueError
            return raw.rstrip("/")

        return self._take(key, "", parse, "an http or https address") or None

    def hosts(self, key: str) -> tuple[str, ...]:
        """Return ``key`` as names of hosts, in lower case, separated by commas or spaces."""

        def parse(raw: str) -> tuple[str, ...]:
            found = tuple(raw.lower().replace(",", " ").split())
            if not all(_HOST.fullmatch(host) for host in found):
                raise ValueError
            return found

        return self._take(key, (), parse, "a list of host names such as img.shields.io")

    def words(self, key: str) -> tuple[str, ...]:
        """Return ``key`` as a list, separated by commas where there is one and by spaces where there is
        none."""

        def parse(raw: str) -> tuple[str, ...]:
            parts = raw.split(",") if "," in raw else raw.split()
            return tuple(part.strip() for part in parts if part.strip())

        return self._take(key, (), parse)

    def secret(self, key: str) -> str:
        """Return the secret that ``key`` holds, or that the variable holds which ``key_env`` names, or the
        file at ``key_file``; "" if none is set."""
        forms = (key, f"{key}_env", f"{key}_file")
        given = [form for form in forms if self.has(form)]
        if len(given) > 1:
            named = " and ".join(self._prefix + form for form in given)
            raise SettingError(f"{named} are both set: keep one of them")
        value, variable, path = (self.text(form, "") for form in forms)
        if variable and not os.environ.get(variable):
            name = f"{self._prefix}{key}_env"
            raise SettingError(f"{name} names the variable {variable!r}, which is not set")
        if path:
            return _secret_in(path, f"{self._prefix}{key}_file")
        return os.environ[variable] if variable else value

    def has(self, key: str) -> bool:
        """Whether ``key`` is set to something."""
        self._known.add(self._prefix + key)
        return bool(self._values.get(key, "").strip())

    def below(self, prefix: str) -> "Section":
        """Return the section of the keys below ``prefix`` and take them out of this one."""
        start = prefix + "."
        taken = {key: self._values.pop(key) for key in list(self._values) if key.startswith(start)}
        values = {key[len(start) :]: value for key, value in taken.items()}
        section = Section(self._prefix + start, values, variables=self._variables)
        section._known = self._known
        return section

    def unread(self) -> list[str]:
        """Return the keys that nobody has read."""
        return sorted(self._values)

    def finish(self) -> None:
        """Raise ``SettingError`` if a key is left that nobody has read, or one that is ours misspelt."""
        unread = [self._prefix + key for key in self._values]
        unknown = [*unread, *(key for key in self._beside if is_ours(key, self._known))]
        if unknown:
            raise SettingError(complaint(unknown, self._known, self._variables))

    def _take(
        self,
        key: str,
        default: Value | None,
        parse: Callable[[str], Value],
        wanted: str = "a value",
    ) -> Value:
        name = self._prefix + key
        self._known.add(name)
        raw = self._values.pop(key, "").strip()
        if not raw:
            if default is None:
                raise SettingError(self._not_set(name))
            return default
        try:
            return parse(raw)
        except ValueError:
            shown = raw if len(raw) <= _SHOWN else raw[:_SHOWN] + "..."
            raise SettingError(f"{name} = {shown!r} is not {wanted}") from None

    def _not_set(self, name: str) -> str:
        unread = (self._prefix + key for key in self._values)
        ours = (key for key in self._beside if is_ours(key, {name}))
        misspelt = [key for key in (*unread, *ours) if guess(key, {name})]
        return f"{name} is not set" + (
            f"; {complaint(misspelt, {name}, self._variables)}" if misspelt else ""
        )


def _secret_in(path: str, key: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            found = file.read(_SECRET_LENGTH).strip()
    except (OSError, UnicodeError) as error:
        raise SettingError(f"{key} = {path!r} cannot be read: {error}") from error
    if not found:
        raise SettingError(f"{key} = {path!r} is empty")
    return found
