"""Settings: flat text keys in, typed values out. Standard library only.

A key is read by exactly one place, and a key that nobody reads is an error:
a misspelt setting must not be silently without effect.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

Value = TypeVar("Value")

PREFIX = "warehouse14."
ENVIRONMENT_PREFIX = "WAREHOUSE14_"
_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})


_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?", re.ASCII)


#: What the name of a setting ends with whose value is a secret.
_SECRETS = ("secret", "password", "token", "key")
#: The password in an address.
_CREDENTIALS = re.compile(r"(://[^/@:]*:)[^@]*@")
_HIDDEN = "(hidden)"


class SettingError(ValueError):
    """A setting is missing, unknown or malformed. One line that names its key."""


class Section:
    """The settings below one prefix, such as ``warehouse14.files.``.

    An adapter's factory takes its own section, reads its keys from it, and
    the caller then asks :meth:`finish` that none is left.
    """

    def __init__(self, prefix: str, values: Mapping[str, str]) -> None:
        self._prefix = prefix
        self._values = dict(values)

    def text(self, key: str, default: str | None = None) -> str:
        """Return the text of ``key``; without a default it must be there."""
        return self._take(key, default, lambda raw: raw)

    def number(self, key: str, default: int, *, least: int = 0) -> int:
        """Return ``key`` as a whole number of at least ``least``."""

        def parse(raw: str) -> int:
            value = int(raw)
            if value < least:
                raise ValueError
            return value

        return self._take(key, default, parse, f"a whole number of at least {least}")

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
        """Return ``key`` as an http(s) address without its last slash, or None if not set."""

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

    def has(self, key: str) -> bool:
        """Whether ``key`` is set to something."""
        return bool(self._values.get(key, "").strip())

    def below(self, prefix: str) -> "Section":
        """Return the section of the keys below ``prefix`` and take them out of this one."""
        start = prefix + "."
        taken = {key: self._values.pop(key) for key in list(self._values) if key.startswith(start)}
        return Section(self._prefix + start, {key[len(start) :]: value for key, value in taken.items()})

    def finish(self) -> None:
        """Raise ``SettingError`` if a key is left that nobody has read."""
        if self._values:
            unknown = ", ".join(self._prefix + key for key in sorted(self._values))
            raise SettingError(f"unknown setting: {unknown}")

    def _take(
        self,
        key: str,
        default: Value | None,
        parse: Callable[[str], Value],
        wanted: str = "a value",
    ) -> Value:
        raw = self._values.pop(key, "").strip()
        if not raw:
            if default is None:
                raise SettingError(f"{self._prefix}{key} is not set")
            return default
        try:
            return parse(raw)
        except ValueError:
            raise SettingError(f"{self._prefix}{key} = {raw!r} is not {wanted}") from None


@dataclass(frozen=True, slots=True)
class Site:
    """The settings of the site itself. Sizes are in bytes.

    Attributes:
        url: the public address, which then decides every absolute link.
        max_file_bytes: the largest file that an upload may bring.
        create_on_upload: whether the first upload of a new name creates its project.
        denied_read: the status for a project that the caller may not read, 404 or 403.
        page_cache_bytes: how much memory the rendered pages may take.
        temporary: the folder for request bodies on their way in, or None for the system's.
        secret_file: where the site's secret lies, or None for a site without one.
        session_idle_minutes: how long a browser stays signed in without being used.
        session_hours: how long it stays signed in at most.
        image_hosts: the hosts whose images descriptions may show.
        style_page: whether ``/style`` shows every component of the pages.
    """

    url: str | None
    max_file_bytes: int
    create_on_upload: bool
    denied_read: int
    page_cache_bytes: int
    temporary: str | None
    secret_file: str | None
    session_idle_minutes: int
    session_hours: int
    image_hosts: tuple[str, ...]
    style_page: bool


_TEMPORARY = "tmp"
DEFAULT_MAX_FILE_BYTES = 5_368_709_119
DEFAULT_PAGE_CACHE_BYTES = 64 * 1024 * 1024


def read_site(section: Section) -> Site:
    """Read the site's own keys out of ``section``."""
    return Site(
        url=section.address("url"),
        max_file_bytes=section.number("max_file_bytes", DEFAULT_MAX_FILE_BYTES, least=1),
        create_on_upload=section.flag("create_on_upload", False),
        denied_read=int(section.choice("denied_read", "404", frozenset({"404", "403"}))),
        page_cache_bytes=section.number("page_cache_bytes", DEFAULT_PAGE_CACHE_BYTES),
        temporary=section.path(_TEMPORARY) if section.has(_TEMPORARY) else None,
        secret_file=section.path("secret_file") if section.has("secret_file") else None,
        session_idle_minutes=section.number("session_idle_minutes", 120, least=1),
        session_hours=section.number("session_hours", 12, least=1),
        image_hosts=section.hosts("image_hosts"),
        style_page=section.flag("style_page", False),
    )


#: The adapters' own sections, whose keys this module does not know.
_SUBSECTIONS = ("metadata", "files")


def section_of(settings: Mapping[str, str], environment: Mapping[str, str]) -> Section:
    """Return the ``warehouse14.`` keys of ``settings``, overridden by the environment.

    ``WAREHOUSE14_MAX_FILE_BYTES`` overrides ``warehouse14.max_file_bytes``, and
    ``WAREHOUSE14_METADATA_URL`` overrides ``warehouse14.metadata.url``. A
    variable that fits neither form is somebody else's and is left alone.
    """
    return Section(PREFIX, _in_force(settings, environment))


def shown_settings(settings: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """Return the same settings as an administrator may see them, by key: a value that is a secret, or
    holds one, is hidden."""
    values = _in_force(settings, environment)
    return {PREFIX + key: _shown(key, values[key]) for key in sorted(values)}


def _shown(key: str, value: str) -> str:
    if key.endswith(_SECRETS) and value:
        return _HIDDEN
    return _CREDENTIALS.sub(rf"\g<1>{_HIDDEN}@", value)


def _in_force(settings: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    values = {key[len(PREFIX) :]: value for key, value in settings.items() if key.startswith(PREFIX)}
    for name, value in environment.items():
        if name.startswith(ENVIRONMENT_PREFIX):
            key = _key_of_variable(name[len(ENVIRONMENT_PREFIX) :].lower())
            if key is not None:
                values[key] = value
    return values


def _key_of_variable(name: str) -> str | None:
    if name in _SUBSECTIONS or name in Site.__dataclass_fields__ or name == _TEMPORARY:
        return name
    subsection, separator, key = name.partition("_")
    return f"{subsection}.{key}" if separator and subsection in _SUBSECTIONS else None
