"""``warehouse14 upload``: publish files to a site that is reached by HTTP."""

import os
from argparse import ArgumentTypeError, Namespace
from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from warehouse14.cli.arguments import Commands, UsageError, add_command, text
from warehouse14.cli.outcomes import Outcome
from warehouse14.cli.output import complain, confirm, escaped, note
from warehouse14.cli.progress import byte_bar
from warehouse14.cli.site import VARIABLE, site_file
from warehouse14.domain.errors import WarehouseError
from warehouse14.settings import section_of

if TYPE_CHECKING:
    from warehouse14.cli.sending.site import Site

TOKEN = "WAREHOUSE14_TOKEN"
_URL = "WAREHOUSE14_URL"
#: What people paste, as other clients want it.
_PLACES = ("/legacy", "/simple")


def add_commands(commands: Commands) -> None:
    """Add the command of this module."""
    parser = add_command(
        commands,
        "upload",
        _upload,
        f"Publish files to a site, of any size, with the token in {TOKEN}; again: what is missing.",
    )
    parser.add_argument(
        "--url",
        metavar="URL",
        type=_address,
        help=f"the site's address (default: {_URL} in the environment, or warehouse14.url of the ini)",
    )
    parser.add_argument(
        "--again",
        action="store_true",
        help="send also what is listed already, which mends files whose stored bytes are damaged",
    )
    parser.add_argument("files", metavar="FILE", type=text, nargs="+", help="a wheel or a sdist")


def _upload(arguments: Namespace) -> int:
    from warehouse14.cli.sending.site import Site

    token = os.environ.get(TOKEN, "").strip()
    if not token:
        raise UsageError(f"{TOKEN} is not set: it holds a token with the scope upload")
    if not token.isascii():
        raise UsageError(f"{TOKEN} is no token: it has characters that none has")
    site = Site(arguments.url or _configured(arguments), token)
    missing = [path for path in arguments.files if not os.path.isfile(path)]
    if missing:
        raise UsageError(f"{missing[0]} is not a file")
    outcomes = Counter(_publish(site, path, again=arguments.again) for path in arguments.files)
    return 1 if outcomes[Outcome.REFUSED] else 0


def _publish(site: "Site", path: str, *, again: bool) -> Outcome:
    """Publish one file, and say what came of it; the next one comes whatever that is."""
    name = escaped(os.path.basename(path))
    try:
        outcome, warnings = _sent(site, path, again=again)
    except (WarehouseError, OSError) as error:
        complain(f"{name}: {getattr(error, 'strerror', None) or error}")
        return Outcome.REFUSED
    for warning in warnings:
        note(f"{name}: {escaped(warning)}")
    confirm(f"{name}: {outcome}")
    return outcome


def _sent(site: "Site", path: str, *, again: bool) -> tuple[Outcome, tuple[str, ...]]:
    from warehouse14.cli.sending.direct import NotTaken, send_in_parts
    from warehouse14.cli.sending.form import send_form
    from warehouse14.cli.sending.local import read_file

    name, size = escaped(os.path.basename(path)), os.path.getsize(path)
    with byte_bar(f"reading {name}", size) as advance:
        file = read_file(path, advance)
    try:
        with byte_bar(f"sending {name}", size) as advance:
            sent = send_in_parts(site, file, advance, again=again)
    except NotTaken:
        with byte_bar(f"sending {name}", size) as advance:
            # Its answer is the same for a file that was listed already.
            return Outcome.SENT, send_form(site, file, advance)
    return Outcome.PUBLISHED if sent.is_new else Outcome.THERE, tuple(sent.warnings)


def _configured(arguments: Namespace) -> str:
    """Return the address of the site that the environment or the ini names."""
    if os.environ.get(_URL):
        return _named(_URL, os.environ[_URL])
    if arguments.ini or os.environ.get(VARIABLE):
        url = section_of(site_file(arguments).settings(), {}).address("url")
        if url is not None:
            return _named("warehouse14.url", url)
    raise UsageError(f"say which site: --url URL, or {_URL} in the environment")


def _named(name: str, raw: str) -> str:
    """Return the address of a site that a setting names."""
    try:
        return _address(raw)
    except ArgumentTypeError as error:
        raise UsageError(f"{name}: {error}") from error


def _address(raw: str) -> str:
    """Return the address of a site, without a slash at its end."""
    if "@" in raw.partition("//")[2].partition("/")[0]:
        raise ArgumentTypeError(f"the address has a name or a password in it: keep the token in {TOKEN}")
    wrong = ArgumentTypeError(f"{raw!a} is not the address of a site, such as https://packages.example.com/")
    try:
        parts = urlsplit(raw)
        # Either is looked at only here.
        _, host = parts.port, (parts.hostname or "").encode("idna")
    except ValueError as error:
        raise wrong from error
    if parts.scheme not in {"http", "https"} or not host or parts.query or parts.fragment:
        raise wrong
    found = raw.rstrip("/")
    return next((found.removesuffix(place) for place in _PLACES if found.endswith(place)), found)
