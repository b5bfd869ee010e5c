"""The settings of one provider."""

from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

from warehouse14.settings import Section, SettingError

_DISCOVERY = "/.well-known/openid-configuration"


@dataclass(frozen=True, slots=True)
class Options:
    """What a site says of a provider.

    Attributes:
        metadata_url: where its metadata is (OpenID Connect Discovery 1.0).
        issuer: what it calls itself: none can pass for another.
        client_id, client_secret: what it knows this site by; no secret for a public client.
        scope: what is asked for, separated by spaces.
        user_id_claim: the claim that names a new account.
        groups_claim: the claim that lists a person's groups, or "" if none does.
        allowed_domains: the domains of e-mail addresses that may sign in; empty for all.
        allowed_groups: the groups that may sign in; empty for all.
        trust_email: whether an address counts that the provider does not call verified.
        title: what people call the provider.
    """

    metadata_url: str
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str
    user_id_claim: str
    groups_claim: str
    allowed_domains: frozenset[str]
    allowed_groups: frozenset[str]
    trust_email: bool
    title: str


def read_options(section: Section) -> Options:
    """Read the keys of one provider out of ``section``. Raises ``SettingError``."""
    url = section.text("server_metadata_url")
    if not is_safe(url):
        raise SettingError(
            f"server_metadata_url = {url[:200]!r} is not an https address (http is for this machine alone)"
        )
    allowed_groups = frozenset(section.words("allowed_groups"))
    return Options(
        metadata_url=url,
        client_id=section.text("client_id"),
        client_secret=section.secret("client_secret"),
        scope=_scope(section.text("scope", "openid email profile")),
        user_id_claim=section.text("user_id_claim", "email"),
        groups_claim=_groups_claim(section, allowed_groups),
        allowed_domains=frozenset(section.hosts("allowed_domains")),
        allowed_groups=allowed_groups,
        trust_email=section.flag("trust_email", False),
        title=section.text("title", urlsplit(url).hostname or url),
        issuer=section.text("issuer", _issuer(url)),
    )


def _issuer(url: str) -> str | None:
    """Return the issuer whose metadata are at an address (Discovery, section 4), or None if that does not
    say."""
    issuer, found, _ = url.partition(_DISCOVERY)
    return issuer if found else None


def _groups_claim(section: Section, allowed: frozenset[str]) -> str:
    try:
        return section.text("groups_claim", None if allowed else "")
    except SettingError as error:
        raise SettingError(
            f"{error}: allowed_groups lets nobody in unless it names the claim that lists a person's groups"
        ) from error


def is_safe(url: str) -> bool:
    """Whether an address keeps to itself what is sent there: https, or this machine."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if parts.scheme == "https":
        return bool(parts.hostname)
    return parts.scheme == "http" and _is_here(parts.hostname or "")


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _scope(raw: str) -> str:
    words = raw.split()
    return " ".join(words if "openid" in words else ["openid", *words])
