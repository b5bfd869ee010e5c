"""The site's own settings: read, and shown without their secrets."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace

from warehouse14.settings.metrics import MetricsAccess, read_metrics
from warehouse14.settings.section import Section, SettingError
from warehouse14.settings.spelling import PREFIX

ENVIRONMENT_PREFIX = "WAREHOUSE14_"

#: What is in the name of a setting, or of a parameter in an address, whose value is a secret.
_SECRET = re.compile(
    r"secret|pass|pwd|token|credential|private|dsn|auth(?!or)|sig\Z|signature|key\Z", re.IGNORECASE | re.ASCII
)
#: Settings with such a name that hold none: a path.
_NO_SECRETS = frozenset({"secret_file"})
_PARAMETER = re.compile(r"""(?<![^?&;#\s])([\w.-]+)=('[^']*'|"[^"]*"|[^&;#\s]+)""")
_WORD = re.compile(r"\S+")
_HIDDEN = "(hidden)"


@dataclass(frozen=True, slots=True)
class Site:
    """The settings of the site itself. Sizes are in bytes.

    Attributes:
        url: the public address, which then decides every absolute link.
        max_file_bytes: the largest file that an upload may bring.
        create_on_upload: whether the first upload of a new name creates its project.
        denied_read: the status for a project that the caller may not read, 404 or 403.
        page_cache_bytes: how much memory the rendered pages may take.
        temporary: the folder for what waits on this machine, such as request bodies and the rows of a backup,
            or None for the system's.
        secret_file: where the site's secret lies, or None for a site that has none in a file.
        secret: the site's secret, or None for a site whose settings do not hold it.
        session_idle_minutes: how long a browser stays signed in without being used.
        session_hours: how long it stays signed in at most.
        reverify_hours: how long a token counts after the last sign-in of its owner, 0 for any time.
        image_hosts: the hosts whose images descriptions may show.
        creators: who may take new project names, as principals or names of accounts; nobody in it for all.
        administrators: the names of accounts that are administrators.
        style_page: whether ``/style`` shows every component of the pages.
        read_only: whether every change is refused, for the time of a move.
        incoming_account: the account that files count as uploaded by which others put into the store.
        metrics: who may read the metrics, or None for nobody.
        lambda_gate: the name or the ARN of the function of AWS Lambda that checks direct uploads, or None for
            the one that is asked for them.
        lambda_proxies: how many known proxies are before the front end of a function of AWS Lambda.
    """

    url: str | None
    max_file_bytes: int
    create_on_upload: bool
    denied_read: int
    page_cache_bytes: int
    temporary: str | None
    secret_file: str | None
    secret: str | None = field(repr=False)
    session_idle_minutes: int
    session_hours: int
    reverify_hours: int
    image_hosts: tuple[str, ...]
    creators: tuple[str, ...]
    administrators: tuple[str, ...]
    style_page: bool
    read_only: bool
    incoming_account: str | None
    metrics: MetricsAccess | None
    lambda_gate: str | None
    lambda_proxies: int


_TEMPORARY = "tmp"
DEFAULT_MAX_FILE_BYTES = 5_368_709_119
DEFAULT_PAGE_CACHE_BYTES = 64 * 1024 * 1024
#: A pebibyte, a tebibyte, and ten years: more than a site can mean, and less than anything overflows at.
_MOST_FILE_BYTES = 2**50
_MOST_CACHE_BYTES = 2**40
_MOST_HOURS = 10 * 365 * 24
#: A secret that is made by a program has at least so many characters.
_SHORTEST_SECRET = 32
_MOST_PROXIES = 10


def read_site(section: Section) -> Site:
    """Read the site's own keys out of ``section``."""
    secret = _secret(section)
    return Site(
        url=section.address("url"),
        max_file_bytes=section.number(
            "max_file_bytes", DEFAULT_MAX_FILE_BYTES, least=1, most=_MOST_FILE_BYTES
        ),
        create_on_upload=section.flag("create_on_upload", False),
        denied_read=int(section.choice("denied_read", "404", frozenset({"404", "403"}))),
        page_cache_bytes=section.number("page_cache_bytes", DEFAULT_PAGE_CACHE_BYTES, most=_MOST_CACHE_BYTES),
        temporary=section.path(_TEMPORARY) if section.has(_TEMPORARY) else None,
        secret_file=section.path("secret_file") if section.has("secret_file") else None,
        secret=secret,
        session_idle_minutes=section.number("session_idle_minutes", 120, least=1, most=_MOST_HOURS * 60),
        session_hours=section.number("session_hours", 12, least=1, most=_MOST_HOURS),
        reverify_hours=section.number("reverify_hours", 0, most=_MOST_HOURS),
        image_hosts=section.hosts("image_hosts"),
        creators=section.words("creators"),
        administrators=section.words("administrators"),
        style_page=section.flag("style_page", False),
        read_only=section.flag("read_only", False),
        incoming_account=section.text("incoming_account", "") or None,
        metrics=read_metrics(section),
        lambda_gate=section.text("lambda_gate", "") or None,
        lambda_proxies=section.number("lambda_proxies", 0, most=_MOST_PROXIES),
    )


def _secret(section: Section) -> str | None:
    """Return the site's secret where a setting holds it. Raises ``SettingError``."""
    found = section.text("secret", "") or None
    if found is not None and len(found) < _SHORTEST_SECRET:
        raise SettingError(f"warehouse14.secret has less than {_SHORTEST_SECRET} characters")
    if found is not None and section.has("secret_file"):
        raise SettingError("warehouse14.secret and warehouse14.secret_file are both set: keep one of them")
    return found


#: The adapters' own sections, whose keys this module does not know.
_SUBSECTIONS = ("metadata", "files", "metrics")


#: ``SIGN_IN_<provider>_<key>``: no name of a provider has an underscore.
_PROVIDER_KEY = re.compile(r"sign_in_([a-z0-9]+)_([a-z0-9_]+)", re.ASCII)

#: Variables of this program that are no settings: where the ini lies, and a token for uploads.
_NO_SETTINGS = frozenset({"ini", "token"})

_KEYS = frozenset(Site.__dataclass_fields__) - {"temporary"} | {_TEMPORARY}


def section_of(settings: Mapping[str, str], environment: Mapping[str, str]) -> Section:
    """Return the ``warehouse14.`` keys of ``settings``, overridden by the environment.

    ``WAREHOUSE14_MAX_FILE_BYTES`` overrides ``warehouse14.max_file_bytes``, and
    ``WAREHOUSE14_METADATA_URL`` overrides ``warehouse14.metadata.url``. A
    variable that fits neither form is somebody else's and is left alone.
    """
    beside = [key for key in settings if not key.startswith(PREFIX)]
    variables = {PREFIX + key: name for key, name in _variables_of(environment).items()}
    return Section(PREFIX, _in_force(settings, environment), beside=beside, variables=variables)


def settings_of_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what the variables of a site say that has no ini, by the keys that an ini would have.

    Where the variables are the site's own, one that begins as ours and is no key is one misspelt: it is
    returned as a key that nobody reads, for the complaint about that.
    """
    ours = {
        name.removeprefix(ENVIRONMENT_PREFIX).lower(): value
        for name, value in environment.items()
        if name.startswith(ENVIRONMENT_PREFIX)
    }
    return {
        PREFIX + (_key_of_variable(name) or name): value
        for name, value in ours.items()
        if name not in _NO_SETTINGS
    }


def shown_settings(site: Site, settings: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """Return the settings in force as an administrator may see them, by key: those that are given, and
    the site's own that are not. A value that is a secret, or holds one, is hidden."""
    given = {key: _shown(key, value) for key, value in _in_force(settings, environment).items()}
    # The addresses that may read the metrics are given, if any are; the secret is not shown.
    kept = asdict(replace(site, metrics=None, secret=None))
    own = {_TEMPORARY if key == "temporary" else key: value for key, value in kept.items()}
    left = {key: f"{_worded(value)} (default)" for key, value in own.items() if key not in given}
    return {PREFIX + key: value for key, value in sorted((left | given).items())}


def _worded(value: object) -> str:
    """Return the value of a setting that is not given as an ini file would have it."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if value not in {None, ()} else "not set"


def _shown(key: str, value: str) -> str:
    if value and key not in _NO_SECRETS and _SECRET.search(key):
        return _HIDDEN
    return _WORD.sub(_without_password, _PARAMETER.sub(_without_value, value))


def _without_value(parameter: re.Match[str]) -> str:
    name, value = parameter.groups()
    # What is quoted may hold parameters of its own.
    is_secret = _SECRET.search(name) or "%3d" in value.lower()
    return f"{name}={_HIDDEN}" if is_secret else parameter[0]


def _without_password(word: re.Match[str]) -> str:
    """Return an address without the password before its last "@"; without one, the name may be a token."""
    scheme, separator, rest = word[0].partition("://")
    credentials, at, host = rest.rpartition("@")
    if not separator or not at:
        return word[0]
    user, _, password = credentials.partition(":")
    return f"{scheme}://{user}:{_HIDDEN}@{host}" if password else f"{scheme}://{_HIDDEN}@{host}"


def _in_force(settings: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    values = {key[len(PREFIX) :]: value for key, value in settings.items() if key.startswith(PREFIX)}
    return values | {key: environment[name] for key, name in _variables_of(environment).items()}


def _variables_of(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that set a key of ours, by the key."""
    ours = [name for name in environment if name.startswith(ENVIRONMENT_PREFIX)]
    keys = ((_key_of_variable(name.removeprefix(ENVIRONMENT_PREFIX).lower()), name) for name in ours)
    return {key: name for key, name in keys if key is not None}


def _key_of_variable(name: str) -> str | None:
    if name in _SUBSECTIONS or name in _KEYS or name == "sign_in":
        return name
    provider = _PROVIDER_KEY.fullmatch(name)
    if provider is not None:
        return "sign_in.{}.{}".format(*provider.groups())
    subsection, separator, key = name.partition("_")
    return f"{subsection}.{key}" if separator and subsection in _SUBSECTIONS else None
