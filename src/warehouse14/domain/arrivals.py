"""People who come from an identity provider: what it says of them, on the way there and back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Departure:
    """Where a browser goes to sign in.

    Attributes:
        address: the provider's, with all that it asks for.
        state: what the provider's answer repeats, so that it can be told which journey it ends.
        kept: what the browser keeps until then; the provider never sees all of it.
    """

    address: str = field(repr=False)
    state: str = field(repr=False)
    kept: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A person whom a provider vouches for.

    Attributes:
        issuer: the provider, as its tokens name it.
        subject: who that is, there and for ever; with ``issuer`` it is what an account is known by.
        name: what a new account is to be called, or None if the provider does not say so, or does not
            vouch for it.
        email: their address in lower case, if the provider has verified it.
        groups: their groups there.
        refusal: why the site's rules on domains and groups keep them out, or None.
        sid: the provider's session, if it names one.
        id_token: what the provider knows this sign-in by when it is to end.
    """

    issuer: str
    subject: str
    name: str | None
    email: str | None
    groups: frozenset[str]
    refusal: str | None
    sid: str | None
    id_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ending:
    """What a provider says has ended: one of its sessions, or all of a person.

    Attributes:
        issuer: the provider.
        subject: whose sessions end, or None if ``sid`` alone says which.
        sid: the one session that ends, or None for all of ``subject``.
        jti: the name of this message, by which a second one like it is known.
        until: when the message is no longer taken, so that ``jti`` need not be kept for longer.
    """

    issuer: str
    subject: str | None
    sid: str | None
    jti: str
    until: datetime
