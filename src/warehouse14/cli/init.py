"""``warehouse14 init``: make or upgrade a site, and say how it is used."""

import os
import shlex
import sys
from argparse import Namespace
from contextlib import closing
from textwrap import dedent
from urllib.parse import quote

from warehouse14.bootstrap import assemble, prepare_site, verify_site
from warehouse14.cli.arguments import Commands, add_command, address
from warehouse14.cli.mounting import mount_point
from warehouse14.cli.output import complain, confirm, hand_over
from warehouse14.cli.site import SiteFile, site_file
from warehouse14.domain.services.accounts import FIRST_ADMINISTRATOR

_DEFAULT_LISTEN = "127.0.0.1:6543"
_ANY_HOST = frozenset({"", "*", "0.0.0.0", "[::]"})  # noqa: S104 - nothing is bound here

_LOST = (
    "the file store has files, and the database has never known a project. If it was lost, stop the server,"
    " and restore a backup or run 'warehouse14 rebuild'; if it is the wrong one, name the right one"
)

_WELCOME = """\
    The site is ready. Its first account is an administrator, and this is shown only now:

        account   {account}
        password  {password}

    Sign in with a browser, and choose your own password there, once it serves: {url}/

    Make a token. An administrator's token publishes and installs as any other does:

        export TOKEN=$({program} --ini {ini} token mint {account} --name first --scope upload)

    Publish what lies in dist/, with twine or with uv:

        TWINE_USERNAME=__token__ TWINE_PASSWORD="$TOKEN" twine upload --repository-url {url}/legacy/ dist/*
        UV_PUBLISH_TOKEN="$TOKEN" uv publish --publish-url {url}/legacy/ dist/*

    Install, with pip or with uv:

        PIP_INDEX_URL="{scheme}://__token__:$TOKEN@{rest}/simple/" pip install NAME
        UV_DEFAULT_INDEX="{scheme}://__token__:$TOKEN@{rest}/simple/" uv pip install NAME
"""


def add_commands(commands: Commands) -> None:
    """Add the commands of this module."""
    parser = add_command(
        commands,
        "init",
        _init,
        "Make or upgrade a site: schema, folders, secret, first account.",
    )
    parser.add_argument("--no-admin", action="store_true", help="add no account to a site without accounts")
    parser.add_argument("--quiet", action="store_true", help="print nothing but a new password, and warnings")
    parser.add_argument(
        "--listen",
        metavar="HOST:PORT",
        type=address,
        help="the address to show, if the server listens elsewhere than the ini says",
    )


def _init(arguments: Namespace) -> int:
    file = site_file(arguments)
    warehouse, site, sign_ins = assemble(file.settings())
    with closing(warehouse):
        # Before there is a password: nothing in the file may then keep it from being shown.
        url = site.url or _address(file, arguments.listen)
        prepare_site(site)
        warehouse.prepare()
        verify_site(site)
        warehouse.verify()
        # On a site without passwords of its own, nobody could use one.
        adds = sign_ins.local and not arguments.no_admin
        password = warehouse.accounts.add_first_administrator() if adds else None
        if warehouse.upkeep.is_lost():
            complain(_LOST)
    if password is not None:
        hand_over(_welcome(file, url, password), lambda: _unseen(file))
    elif not arguments.quiet:
        confirm("The site is ready.")
    return 0


def _unseen(file: SiteFile) -> str:
    """Say how to sign in to the first account when its password was not shown."""
    command = f"{_program()} --ini {shlex.quote(file.name)} account password {FIRST_ADMINISTRATOR}"
    return (
        f"the site is ready, but nobody has seen the password of the account {FIRST_ADMINISTRATOR}: "
        f"set one with '{command} --password-stdin'"
    )


def _welcome(file: SiteFile, url: str, password: str) -> str:
    scheme, _, rest = url.partition("://")
    return dedent(_WELCOME).format(
        account=FIRST_ADMINISTRATOR,
        password=password,
        program=_program(),
        ini=shlex.quote(file.name),
        url=url,
        scheme=scheme,
        rest=rest,
    )


def _program() -> str:
    """Return how this command is called from any folder."""
    called = sys.argv[0]
    is_found = os.path.basename(called) == "warehouse14"
    return shlex.quote(os.path.abspath(called)) if is_found else "warehouse14"


def _address(file: SiteFile, listen: str | None) -> str:
    """Return the address of the file's application on the file's server, which may ``listen`` elsewhere."""
    return f"http://{_reached(listen or _listen(file))}{quote(mount_point(file))}"


def _listen(file: SiteFile) -> str:
    """Return where the file's server listens, the first address if there are more."""
    if not file.has_server():
        return _DEFAULT_LISTEN
    settings = file.server().settings
    if "listen" in settings:
        return settings["listen"].split()[0]
    return f"{settings.get('host', '127.0.0.1')}:{settings.get('port', '8080')}"


def _reached(listen: str) -> str:
    """Return the address at which a client on this machine finds a server that listens there."""
    host, _, port = listen.rpartition(":")
    return f"127.0.0.1:{port}" if host in _ANY_HOST else listen
