"""From settings to a warehouse. Adapters are found by entry point; none is known by name."""

import logging
import os
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, NamedTuple

from warehouse14.domain.access import SiteRules
from warehouse14.domain.errors import Misconfigured, Rejected, WarehouseError
from warehouse14.domain.names import (
    AccountName,
    Principal,
    ProviderName,
    account_name,
    account_principal,
    principal,
    provider_name,
)
from warehouse14.domain.origins import ranges
from warehouse14.domain.ports import FileStore, OldSite, SignIn, TakesIncoming, Units
from warehouse14.domain.services.gate import Start
from warehouse14.domain.warehouse import Policy, Warehouse
from warehouse14.settings import PREFIX, Section, SettingError, Site, read_site, section_of

METADATA_GROUP = "warehouse14.metadata"
FILES_GROUP = "warehouse14.files"
SIGN_IN_GROUP = "warehouse14.sign_in"
OLD_SITES_GROUP = "warehouse14.old_sites"

#: The way to sign in that is the site's own: it needs no adapter.
_LOCAL = "local"

_log = logging.getLogger(__name__)

_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class SignIns:
    """The ways in which people sign in to a site: with its own passwords, and through providers."""

    local: bool = True
    providers: Mapping[ProviderName, SignIn] = field(default_factory=dict)

    @property
    def origins(self) -> list[str]:
        """The origins that a form may lead to."""
        return sorted({origin for provider in self.providers.values() for origin in provider.origins})

    def warm_up(self) -> None:
        """Get ready, without waiting for it."""
        for provider in self.providers.values():
            provider.warm_up()


class Assembly(NamedTuple):
    """What a site's settings make."""

    warehouse: Warehouse
    site: Site
    sign_ins: SignIns


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
    warehouse = assemble(given, environment or {}).warehouse
    warehouse.prepare()
    return warehouse


def assemble(
    settings: Mapping[str, str],
    environment: Mapping[str, str] = os.environ,
    *,
    start: Start | None = None,
) -> Assembly:
    """Return the warehouse, the site's own settings and its ways to sign in, without touching the stores
    or asking anybody.

    ``start`` has a direct upload checked soon, by its id, where no thread may stay behind: it has somebody
    call ``warehouse.direct.run``. By default a thread of this process does.

    Raises ``Misconfigured`` for a setting that is wrong or unknown.
    """
    try:
        section = section_of(settings, environment)
        units = _adapter(section, "metadata", METADATA_GROUP, Units)
        store = _adapter(section, "files", FILES_GROUP, FileStore)
        sign_ins = _sign_ins(section)
        site = read_site(section)
        rules = _rules(site, sign_ins)
        incoming_account = _incoming_account(site, store)
        _check_metrics(site)
        section.finish()
    except SettingError as error:
        raise Misconfigured(str(error)) from error
    policy = Policy(
        max_file_bytes=site.max_file_bytes,
        create_on_upload=site.create_on_upload,
        page_cache_bytes=site.page_cache_bytes,
        session_idle=timedelta(minutes=site.session_idle_minutes),
        session_longest=timedelta(hours=site.session_hours),
        rules=rules,
        reverify=timedelta(hours=site.reverify_hours) or None,
        read_only=site.read_only,
        incoming_account=incoming_account,
    )
    return Assembly(Warehouse(units, store, policy, start=start), site, sign_ins)


def old_site(program: str, values: Mapping[str, str]) -> OldSite:
    """Return a site of another program, that is to be taken over.

    Args:
        program: its name.
        values: what the adapter of that program asks for: where it is, and how to get there.

    Raises:
        Misconfigured: there is no such adapter, or a value is missing or malformed.
    """
    try:
        site: OldSite = _made(program, f"--from {program}", Section("", values), OLD_SITES_GROUP, OldSite)
    except SettingError as error:
        raise Misconfigured(str(error)) from error
    return site


def _rules(site: Site, sign_ins: SignIns) -> SiteRules:
    try:
        return SiteRules(
            creators=frozenset(map(_creator, site.creators)),
            administrators=frozenset(
                account_name(word, field="administrators") for word in site.administrators
            ),
            providers=frozenset(sign_ins.providers),
            passwords=sign_ins.local,
        )
    except Rejected as error:
        raise SettingError(f"{PREFIX}{error}") from error


def _incoming_account(site: Site, store: FileStore) -> AccountName | None:
    key = "incoming_account"
    if site.incoming_account is None:
        return None
    if not isinstance(store, TakesIncoming):
        raise SettingError(f"{PREFIX}{key} is set, but the file store is none that others put files into")
    try:
        return account_name(site.incoming_account, field=key)
    except Rejected as error:
        raise SettingError(f"{PREFIX}{error}") from error


def _check_metrics(site: Site) -> None:
    try:
        ranges(site.metrics.addresses if site.metrics else (), field="metrics.addresses")
    except Rejected as error:
        raise SettingError(f"{PREFIX}{error}") from error


def _creator(word: str) -> Principal:
    if word.startswith(("account:", "group:")):
        return principal(word, field="creators")
    return account_principal(account_name(word, field="creators"))


def prepare_site(site: Site) -> None:
    """Make the site's folder for what waits, and its secret, for its owner alone."""
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
    if site.secret is not None:
        return site.secret.encode()
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
    return _made(name, setting, section.below(key), group, port)


def _sign_ins(section: Section) -> SignIns:
    """Read ``sign_in``: a list of ``adapter`` or ``adapter:name``, each name with settings of its own."""
    listed = section.words("sign_in") or (_LOCAL,)
    setting = f"{PREFIX}sign_in = {' '.join(listed)!r}"
    below = section.below("sign_in")
    local = False
    providers: dict[ProviderName, SignIn] = {}
    for each in listed:
        adapter, _, name = each.rpartition(":") if ":" in each else (each, "", each)
        if each == _LOCAL and not local:
            local = True
            continue
        if adapter == _LOCAL or name in {*providers, _LOCAL}:
            raise SettingError(
                f"{setting}: {each!r} is not 'adapter' or 'adapter:name' with a name of its own"
            )
        try:
            provider = provider_name(name)
        except Rejected as error:
            raise SettingError(f"{setting}: {error}") from error
        providers[provider] = _made(adapter, setting, below.below(name), SIGN_IN_GROUP, SignIn)
    _require_listed(below, setting)
    below.finish()
    return SignIns(local, providers)


def _require_listed(below: Section, setting: str) -> None:
    """Raise ``SettingError`` for what is left of ``below`` if it is the setting of a provider."""
    for key in below.unread():
        name, dot, _ = key.partition(".")
        if dot:
            raise SettingError(
                f"{PREFIX}sign_in.{key} is set, but {name} is not listed in {setting}:"
                f" list it, as oidc:{name}, or leave out its settings and variables"
            )


def _made(name: str, setting: str, own: Section, group: str, port: type[Any]) -> Any:
    """Return the adapter ``name`` of a group of entry points, made from its ``own`` section."""
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
