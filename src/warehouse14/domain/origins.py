"""Where requests come from: addresses, ranges of them, and programs."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from warehouse14.domain.errors import Rejected

Network = IPv4Network | IPv6Network

#: A token has no more ranges than this.
MOST_RANGES = 20

#: One person has a whole IPv6 network of this length to come from.
_IPV6_NETWORK = 64
#: How long the part of an IPv6 address is that says that the rest is an IPv4 address.
_MAPPED = 96
_AGENT_LENGTH = 200
_SHOWN = 60


def ranges(raw: Iterable[str], *, field: str = "address") -> tuple[str, ...]:
    """Return address ranges in their one spelling, each once, or raise ``Rejected``.

    An address alone is a range of one; IPv4 in the form of IPv6 is IPv4.
    """
    found = tuple(dict.fromkeys(str(_network(text, field)) for text in raw))
    if len(found) > MOST_RANGES:
        raise Rejected(f"{field}: name at most {MOST_RANGES} ranges.", field=field)
    return found


def networks(kept: Iterable[str]) -> Sequence[Network]:
    """Return the networks that ranges in their one spelling name."""
    return [ip_network(text) for text in kept]


def comes_from(origin: str, among: Iterable[Network]) -> bool:
    """Whether the address ``origin`` lies in one of the networks; what is no address lies in none."""
    address = _address(origin)
    return address is not None and any(address in network for network in among)


def network_of(origin: str) -> str:
    """Return what stands for an address where failures are counted: of an IPv6 address its network."""
    address = _address(origin)
    if address is None:
        return origin[:45]
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address), _IPV6_NETWORK), strict=False))
    return str(address)


def shown_agent(agent: str) -> str:
    """Return what a browser or a client calls itself, printable and short."""
    return "".join(character for character in agent if character.isprintable())[:_AGENT_LENGTH]


def program(agent: str) -> str:
    """Return the first program that a client names as itself: ``pip/26.3``."""
    return shown_agent(agent).strip().partition(" ")[0]


def _address(origin: str) -> IPv4Address | IPv6Address | None:
    try:
        # What comes after a percent sign is the server's own network card.
        address = ip_address(origin.partition("%")[0])
    except ValueError:
        return None
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address


def _network(raw: str, field: str) -> Network:
    # What comes after a percent sign would be a network card of the machine where it is written.
    text = raw.strip() if "%" not in raw else ""
    try:
        network = ip_network(text, strict=False)
        address = ip_address(text.partition("/")[0])
    except ValueError:
        raise Rejected(
            f"{field}: {raw[:_SHOWN]!a} is no address range. Write one such as 192.0.2.0/24, 192.0.2.7 or "
            "2001:db8::/32.",
            field=field,
        ) from None
    if address != network.network_address:
        raise Rejected(
            f"{field}: {raw[:_SHOWN]!a} is one address and a whole range. Write {network}, or {address}.",
            field=field,
        )
    mapped = network.network_address.ipv4_mapped if isinstance(network, IPv6Network) else None
    if mapped is not None and network.prefixlen >= _MAPPED:
        return IPv4Network((int(mapped), network.prefixlen - _MAPPED))
    return network
