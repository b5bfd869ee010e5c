"""From settings to a warehouse. Adapters are found by entry point; none is known by name."""

import logging
import os
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from warehouse14.domain.errors import Misconfigured, WarehouseError
from warehouse14.domain.ports import FileStore, Units
from warehouse14.domain.warehouse import Policy, Warehouse
from warehouse14.settings import PREFIX, Section, SettingError, Site, read_site, section_of

METADATA_GROUP = "warehouse14.metadata"
FILES_GROUP = "warehouse14.files"

_log = logging.getLogger(__name__)

_SECRET_BYTES = 32


def open_warehouse(
    settings: Mapping[str, str] | None = None, *, environment: Mapping[str, str] | None = None
) -> Warehouse:
    """Open an index, and make what its stores lack.

    Args:
        settings: the keys of an ini file's ``[app:...]`` section, with or
            without ``warehouse14.`` before them; by default everything is in memory.
        environment: overrides, as ``os.environ``; none by default.

    Returns:
        The warehouse. Call its ``close`` at the end.

    Raises:
        Misconfigured: a setting is wrong, or a store cannot be opened.
    """
    given = settings or {"metadata": "memory", "files": "memory"}
    if not any(key.startswith(PREFIX) for key in given):
        given = {PREFIX + key: value for key, value in given.items()}
    # What else the settings hold is the host application's.
    given = {key: value for key, value in given.items() if key.startswith(PREFIX)}
    warehouse, _ = assemble(given, environment or {})
    warehouse.prepare()
    return warehouse


def assemble(
    settings: Mapping[str, str], environment: Mapping[str, str] = os.environ
) -> tuple[Warehouse, Site]:
    """Return the warehouse and the site's own settings, without touching the stores.

    Raises ``Misconfigured`` for a setting that is wrong or unknown.
    """
    try:
        section = section_of(settings, environment)
        units = _adapter(section, "metadata", METADATA_GROUP, Units)
        store = _adapter(section, "files", FILES_GROUP, FileStore)
        site = read_site(section)
        section.finish()
    except SettingError as error:
        raise Misconfigured(str(error)) from error
    policy = Policy(
        max_file_bytes=site.max_file_bytes,
        create_on_upload=site.create_on_upload,
        page_cache_bytes=site.page_cache_bytes,
        session_idle=timedelta(minutes=site.session_idle_minutes),
        session_longest=timedelta(hours=site.session_hours),
    )
    return Warehouse(units, store, policy), site


def prepare_site(site: Site) -> None:
    """Make the site's folder for request bodies, and its secret, for its owner alone."""
    try:
        if site.temporary is not None:
            os.makedirs(site.temporary, mode=0o700, exist_ok=True)
        if site.secret_file is not None:
            _make_secret(site.secret_file)
    except OSError as error:
        raise Misconfigured(f"{error.filename}: {error.strerror}") from error


def verify_site(site: Site) -> None:
    """Raise ``Misconfigured`` unless the site's folder and secret are there and closed to others."""
    folder = site.temporary
    if folder is not None and not (os.path.isdir(folder) and os.access(folder, os.W_OK | os.X_OK)):
        raise Misconfigured(f"{folder} is not a folder that can be written; 'warehouse14 init' makes it")
    if site.secret_file is None:
        return
    try:
        found = os.stat(site.secret_file)
    except OSError as error:
        raise Misconfigured(f"{site.secret_file}: {error.strerror}; 'warehouse14 init' makes it") from error
    if not (stat.S_ISREG(found.st_mode) and os.access(site.secret_file, os.R_OK)):
        raise Misconfigured(f"{site.secret_file} is not a file that can be read")
    if found.st_size < _SECRET_BYTES:
        raise Misconfigured(f"{site.secret_file} is too short; remove it and run 'warehouse14 init'")
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise Misconfigured(f"{site.secret_file} is open to others; run chmod 600 on it")


def read_secret(site: Site) -> bytes:
    """Return the site's secret, or nothing for a site without one."""
    if site.secret_file is None:
        _log.warning(
            "%ssecret_file is not set: no browser is known again, so that whoever fails to sign in to an"
            " account slows down its owner behind the same address",
            PREFIX,
        )
        return b""
    with open(site.secret_file, "rb") as file:
        return file.read().strip()


def _make_secret(path: str) -> None:
    """Make the secret whole or not at all; one that is there stays."""
    folder = os.path.dirname(path)
    os.makedirs(folder, exist_ok=True)
    if os.path.exists(path):
        return
    with tempfile.NamedTemporaryFile("w", dir=folder, encoding="ascii") as file:
        file.write(os.urandom(_SECRET_BYTES).hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(file.name, path)


def _adapter(section: Section, key: str, group: str, port: type[Any]) -> Any:
    name = section.text(key)
    setting = f"{PREFIX}{key} = {name!r}"
    own = section.below(key)
    with _blaming(setting, "cannot be loaded"):
        factory = _factory(name, setting, group)
    with _blaming(setting, f"is no {port.__name__}"):
        adapter = factory(own)
    if not isinstance(adapter, port):
        raise SettingError(f"{setting} is no {port.__name__}")
    own.finish()
    return adapter


@contextmanager
def _blaming(setting: str, what: str) -> Iterator[None]:
    """Turn whatever code that a setting names raises into one line about that setting."""
    try:
        yield
    except (SettingError, WarehouseError):
        raise
    except (Exception, SystemExit) as error:
        raise SettingError(" ".join(f"{setting} {what}: {error}".split())) from error


def _factory(name: str, setting: str, group: str) -> Callable[[Section], Any]:
    found = entry_points(group=group)
    if name in found.names:
        return found[name].load()  # type: ignore[no-any-return]
    module, separator, attribute = name.partition(":")
    if not separator:
        raise SettingError(
            f"{setting} is not one of {', '.join(sorted(found.names))}, nor package.module:factory"
        )
    return getattr(import_module(module), attribute)  # type: ignore[no-any-return]
