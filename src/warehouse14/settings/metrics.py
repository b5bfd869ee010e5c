"""Who may read the metrics."""

from dataclasses import dataclass, field

from warehouse14.settings.section import Section, SettingError

_TOKEN = "token"
#: A secret that nobody guesses has at least so many characters.
_SHORTEST = 16


@dataclass(frozen=True, slots=True)
class MetricsAccess:
    """What whoever reads the metrics has to bring, all of it.

    Attributes:
        token: the secret, or "" if none is asked for.
        addresses: the ranges of addresses to come from, as they were written; empty for any.
    """

    token: str = field(repr=False)
    addresses: tuple[str, ...]


def read_metrics(section: Section) -> MetricsAccess | None:
    """Read ``metrics`` and the keys below it out of the site's ``section``; None for a site that shows its
    metrics to nobody. Raises ``SettingError``."""
    asks_for_token = bool(section.choice("metrics", "", frozenset({_TOKEN})))
    own = section.below("metrics")
    token, addresses = own.secret(_TOKEN), own.words("addresses")
    own.finish()
    if asks_for_token and not token:
        raise SettingError("warehouse14.metrics = token needs warehouse14.metrics.token_file")
    if token and not asks_for_token:
        raise SettingError("warehouse14.metrics.token is set, and warehouse14.metrics is not token")
    if token and len(token) < _SHORTEST:
        raise SettingError(f"warehouse14.metrics.token has less than {_SHORTEST} characters")
    return MetricsAccess(token, addresses) if token or addresses else None
