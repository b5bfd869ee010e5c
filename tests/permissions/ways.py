"""The ways to sign in to a site, which decide where its pages lead."""

import re
from dataclasses import dataclass

#: No page leads there on any of the sites: it is the provider's, for those who develop, or for many versions.
_UNLINKED = re.compile(r"/oauth/<provider>(/logout)?|/static/.*|/style|/projects/<name>/@@versions")
#: Where pages of a site with an identity provider lead alone, and those of one with passwords.
_OF_PROVIDERS = re.compile(r"/oauth/<provider>/@@(start|join)|/admin/accounts/<name>/@@join")
_OF_PASSWORDS = re.compile(r"/account/@@password|/admin/accounts/<name>/@@reset")


@dataclass(frozen=True)
class Ways:
    """The ways to sign in to a site, as its setting has them."""

    sign_in: str

    @property
    def passwords(self) -> bool:
        """Whether people sign in with passwords of the site."""
        return "local" in self.sign_in.split()

    @property
    def provider(self) -> bool:
        """Whether people come from an identity provider."""
        return "oidc:corp" in self.sign_in.split()

    def lead_to(self, address: str, *, is_form: bool) -> bool:
        """Whether any page of such a site leads to an address of the table."""
        if _UNLINKED.fullmatch(address) or (_OF_PROVIDERS.fullmatch(address) and not self.provider):
            return False
        of_passwords = _OF_PASSWORDS.fullmatch(address) or (is_form and address == "/login")
        return self.passwords or not of_passwords


PASSWORDS, BOTH, PROVIDER = Ways("local"), Ways("local oidc:corp"), Ways("oidc:corp")
