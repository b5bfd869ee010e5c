"""Sign-in through an OpenID Connect provider (OpenID Connect Core 1.0, Discovery, RFC 7636, RFC 9207)."""

from warehouse14.adapters.oidc.options import read_options
from warehouse14.adapters.oidc.provider import Provider
from warehouse14.domain.ports import SignIn
from warehouse14.settings import Section

__all__ = ["Provider", "sign_in"]


def sign_in(section: Section) -> SignIn:
    """Return the provider that a site's settings name. Nothing is fetched before it is needed."""
    return Provider(read_options(section))
