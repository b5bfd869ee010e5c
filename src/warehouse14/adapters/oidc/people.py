"""From a provider's claims to a person, as far as the site relies on them."""

import logging
from collections.abc import Mapping
from typing import Any

from warehouse14.adapters.oidc.options import Options
from warehouse14.domain.names import is_plain

_log = logging.getLogger(__name__)

_MOST_GROUPS = 1000
_GROUP_LENGTH = 180
_EMAIL_LENGTH = 200


def needed(options: Options) -> set[str]:
    """Return the claims that matter here, by name."""
    names = {"email", options.user_id_claim}
    if not options.trust_email:
        names.add("email_verified")
    return names | ({options.groups_claim} if options.groups_claim else set())


def joint(claims: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Return the claims of an ID token and those that the provider tells on request. Whether an address is
    verified is said beside it: of another address, or of none, that says nothing."""
    whole = {**more, **claims}
    whole.pop("email_verified", None)
    for place in (claims, more):
        if "email_verified" in place and place.get("email") == whole.get("email"):
            return {**whole, "email_verified": place["email_verified"]}
    return whole


def email(options: Options, claims: Mapping[str, Any]) -> str | None:
    """Return the person's e-mail address in lower case, if it is one that is verified."""
    found = claims.get("email")
    if not isinstance(found, str) or not 3 <= len(found) <= _EMAIL_LENGTH:
        return None
    local, _, domain = found.rpartition("@")
    if not (local and domain and found.isascii() and found.isprintable()):
        return None
    # It may be anything, also what cannot be looked up in a set.
    says = claims.get("email_verified")
    return found.lower() if options.trust_email or says is True or says == "true" else None


def name(options: Options, claims: Mapping[str, Any]) -> str | None:
    """Return what the person's account is to be called, or None if nothing says so.

    What looks like an e-mail address has to be the one that is verified: roles are given to addresses.
    """
    address = email(options, claims)
    if options.user_id_claim == "email":
        return address
    found = claims.get(options.user_id_claim)
    if not isinstance(found, str) or not found:
        return None
    counts = "@" not in found or options.trust_email or found.lower() == address
    return found if counts else None


def groups(options: Options, claims: Mapping[str, Any]) -> frozenset[str]:
    """Return the groups that the provider has put the person into."""
    found = claims.get(options.groups_claim) if options.groups_claim else None
    if found is None:
        return frozenset()
    listed = [found] if isinstance(found, str) else found
    if not isinstance(listed, list):
        _log.warning("%s sends no list of groups as %r", options.title, options.groups_claim)
        return frozenset()
    fit = [group for group in listed if _is_group(group)]
    if len(fit) < len(listed) or len(fit) > _MOST_GROUPS:
        _log.warning(
            "%s sends groups that cannot be used: %d of %d are taken, at most %d",
            options.title,
            len(fit),
            len(listed),
            _MOST_GROUPS,
        )
    return frozenset(fit[:_MOST_GROUPS])


def refusal(options: Options, address: str | None, member_of: frozenset[str]) -> str | None:
    """Return why the site's rules keep a person out, or None.

    Args:
        options: the rules.
        address: the person's verified e-mail address, or None.
        member_of: their groups.
    """
    if options.allowed_domains:
        if address is None:
            return f"{options.title} vouches for no e-mail address of yours, and this site asks for one."
        # Whole, and after the last "@": "ada@example.org@elsewhere" is of elsewhere.
        if address.rpartition("@")[2] not in options.allowed_domains:
            return f"This site is not for addresses like {address}."
    if options.allowed_groups and not member_of & options.allowed_groups:
        return f"You are in none of the groups at {options.title} that this site is for."
    return None


def _is_group(value: Any) -> bool:
    return isinstance(value, str) and is_plain(value, _GROUP_LENGTH)
