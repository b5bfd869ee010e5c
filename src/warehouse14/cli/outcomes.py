"""What comes of each of several files that a command publishes."""

from enum import StrEnum


class Outcome(StrEnum):
    """What came of one file, as it is printed."""

    PUBLISHED = "published"
    THERE = "there already"
    #: To a site that does not say which of the two.
    SENT = "sent"
    REFUSED = "refused"
