"""``warehouse14 serve``: the ini's application on the ini's server, on another address if one is given."""

from argparse import Namespace
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any

from warehouse14.cli.arguments import Commands, add_command, address
from warehouse14.cli.site import SiteFile, site_file
from warehouse14.domain.errors import Misconfigured

_GROUP = "paste.server_runner"
_EGG = "egg:"
#: The settings of waitress that say where to listen.
_PLACES = frozenset({"host", "port", "listen", "unix_socket"})


def add_commands(commands: Commands) -> None:
    """Add the commands of this module."""
    parser = add_command(commands, "serve", _serve, "Serve the site in the foreground until SIGTERM.")
    parser.add_argument(
        "--listen",
        metavar="HOST:PORT",
        type=address,
        help="where to listen (default: as [server:main] of the ini says)",
    )


def _serve(arguments: Namespace) -> int:
    file = site_file(arguments)
    server = file.server()
    runner = _runner(file, server.use)
    settings = _listening(server.settings, arguments.listen)
    file.set_logging_up()
    # The application verifies the site itself; a composite has more than one.
    application = file.application()
    return runner(application, server.defaults, **settings) or 0


def _listening(settings: Mapping[str, str], listen: str | None) -> dict[str, str]:
    if listen is None:
        return dict(settings)
    return {key: value for key, value in settings.items() if key not in _PLACES} | {"listen": listen}


def _runner(file: SiteFile, use: str) -> Any:
    """Return the function that ``use = egg:PACKAGE#NAME`` means, as Paste Deploy reads it."""
    package, _, name = use.removeprefix(_EGG).partition("#")
    try:
        found = distribution(package).entry_points.select(group=_GROUP, name=name or "main")
    except (PackageNotFoundError, ValueError):
        found = None
    if not use.startswith(_EGG) or not found:
        raise Misconfigured(f"{file.path}: [server:main] use = {use} names no server; write egg:warehouse14")
    try:
        return next(iter(found)).load()
    except (ImportError, AttributeError) as error:
        raise Misconfigured(f"{file.path}: [server:main] use = {use} cannot be loaded: {error}") from error
