"""Identity providers."""

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from warehouse14.domain.arrivals import Arrival, Departure, Ending


@runtime_checkable
class SignIn(Protocol):
    """One identity provider, to which a browser goes and from which it comes back.

    Raises ``Unavailable`` when the provider does not answer as it must, and
    ``SignInFailed`` when it does and the person is not signed in. None of it
    holds many threads for long, however slow the provider is.
    """

    @property
    def title(self) -> str:
        """What people call the provider."""

    @property
    def origins(self) -> Sequence[str]:
        """The origins that a form may lead to, by way of a redirect, for the pages' security policy."""

    def warm_up(self) -> None:
        """Get ready soon, without waiting for it."""

    def issuer(self) -> str:
        """Return the provider as its tokens name it, to the letter: it is asked."""

    def begin(self, answer_to: str) -> Departure:
        """Return where the browser goes. The provider answers to the address ``answer_to``."""

    def finish(
        self, answer: Mapping[str, str], *, state: str, kept: Mapping[str, str], answer_to: str
    ) -> Arrival:
        """Return who has come back.

        Args:
            answer: the parameters that the browser brought.
            state, kept: those of the departure.
            answer_to: the address that the provider answered to.
        """

    def farewell(self, id_token: str | None, back_to: str) -> str | None:
        """Return where the browser goes to end its session there too, and comes back from to the
        address ``back_to``; None if the provider has no such place. It is asked only as long as
        nothing is known of it."""

    def ending(self, message: str) -> Ending:
        """Return what a message from the provider says has ended."""
