"""Who acts for somebody who has asked for something and gone: with what they may do by now."""

from collections.abc import Callable
from dataclasses import replace

from warehouse14.domain.access import Identity, operator
from warehouse14.domain.errors import Forbidden, NotFound, Rejected, Unauthenticated
from warehouse14.domain.services.directnotes import Asked
from warehouse14.domain.services.tokens import TokenService


class Acting:
    """Returns the identity of those who have asked.

    Args:
        tokens: knows tokens by their ids.
        account: returns the identity of an account by its name.
    """

    def __init__(self, tokens: TokenService, account: Callable[[str], Identity]) -> None:
        self._tokens = tokens
        self._account = account

    def __call__(self, asked: Asked) -> Identity:
        """Return who acts. Raises ``Forbidden`` if they may do nothing any more."""
        try:
            return self._found(asked)
        except (Unauthenticated, NotFound, Rejected) as error:
            raise Forbidden("The token or the account that this was asked with counts no more.") from error

    def _found(self, asked: Asked) -> Identity:
        if asked.account is None:
            return operator(asked.origin)
        if asked.token is None:
            return replace(self._account(asked.account), origin=asked.origin)
        return self._tokens.identify_again(asked.token, origin=asked.origin)
