"""From the environment of a function to a site: by its ini, by its variables, or by both."""

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from warehouse14.aws_lambda.logs import log_to_the_platform
from warehouse14.aws_lambda.secretsmanager import with_secrets
from warehouse14.aws_lambda.starting import start_of
from warehouse14.bootstrap import Assembly, assemble, verify_site
from warehouse14.domain.errors import Misconfigured, Unavailable
from warehouse14.settings import settings_of_variables

_INI = "WAREHOUSE14_INI"
#: Where a function's logs go, and from which level on, if its ini does not say.
_FORMAT = "AWS_LAMBDA_LOG_FORMAT"
_LEVEL = "AWS_LAMBDA_LOG_LEVEL"


class Opened(NamedTuple):
    """A site whose stores are as they must be.

    Attributes:
        assembly: the site.
        settings: as they were given: where they name a secret, that is in its place.
    """

    assembly: Assembly
    settings: Mapping[str, str]


def open_site(environment: Mapping[str, str] = os.environ) -> Opened:
    """Return the site that ``WAREHOUSE14_INI`` and the other variables describe; these come first.

    Raises ``Misconfigured`` and ``Unavailable``.
    """
    log_to_the_platform(environment.get(_FORMAT, ""), environment.get(_LEVEL, ""))
    settings = {**_settings_of_ini(environment.get(_INI, "")), **settings_of_variables(environment)}
    assembly = _assembled(with_secrets(settings))
    _check_secret(assembly)
    verify_site(assembly.site)
    assembly.warehouse.verify()
    if assembly.site.temporary is not None:
        tempfile.tempdir = assembly.site.temporary
    return Opened(assembly, settings)


@contextmanager
def one_line() -> Iterator[None]:
    """End the process with one line and status 2 where a site cannot be opened."""
    try:
        yield
    except (Misconfigured, Unavailable) as error:
        told = error.in_full if isinstance(error, Unavailable) else error
        sys.stderr.write(f"warehouse14: {told}\n")
        raise SystemExit(2) from error


def _assembled(settings: Mapping[str, str]) -> Assembly:
    """Return a site that leaves no direct upload to a thread."""

    def start(upload: str) -> None:
        # It may need the site, which is there by then.
        starting(upload)

    assembly = assemble(settings, {}, start=start)
    starting = start_of(assembly.warehouse, assembly.site.lambda_gate)
    return assembly


def _settings_of_ini(named: str) -> Mapping[str, str]:
    """Return the settings of ``FILE`` or ``FILE#SECTION``, and log as the file says; nothing for no file."""
    if not named:
        return {}
    # What reads one takes a part of the time of a start.
    from warehouse14.cli.site import SiteFile

    path, _, section = named.partition("#")
    file = SiteFile(path, section or "main")
    file.set_logging_up()
    return file.settings()


def _check_secret(assembly: Assembly) -> None:
    """Raise ``Misconfigured`` if people come back from a provider to a process that does not know them."""
    site = assembly.site
    if assembly.sign_ins.providers and site.secret is None and site.secret_file is None:
        raise Misconfigured(
            "warehouse14.sign_in names identity providers, and the processes of a function need one secret "
            "for those who come back from there: set warehouse14.secret or warehouse14.secret_arn"
        )
