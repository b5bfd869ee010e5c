"""What the domain needs from outside. Adapters implement it; nothing here has code.

Every method may raise ``Unavailable``, with the engine's own error as its
cause, when the engine does not answer; after that nothing was changed.
"""

from collections.abc import Callable
from datetime import datetime

from warehouse14.domain.ports.files import Blob, Elsewhere, FileStore, HandsOver, Staged, Waiting
from warehouse14.domain.ports.ground import Prepared
from warehouse14.domain.ports.incoming import Arrived, Incoming, TakesIncoming
from warehouse14.domain.ports.oldsites import OldContents, OldFile, OldProject, OldSite, Untaken
from warehouse14.domain.ports.parts import Part, PartRequest, Place, TakesParts
from warehouse14.domain.ports.records import (
    MOST_COUNTED,
    Accounts,
    Attempts,
    Files,
    Groups,
    Journal,
    Logins,
    Projects,
    Sessions,
    Tokens,
)
from warehouse14.domain.ports.signin import SignIn
from warehouse14.domain.ports.units import Restoration, Restores, Settles, UnitOfWork, Units

__all__ = [
    "MOST_COUNTED",
    "Accounts",
    "Arrived",
    "Attempts",
    "Blob",
    "Elsewhere",
    "FileStore",
    "Files",
    "Groups",
    "HandsOver",
    "Incoming",
    "Journal",
    "Logins",
    "Now",
    "OldContents",
    "OldFile",
    "OldProject",
    "OldSite",
    "Part",
    "PartRequest",
    "Place",
    "Prepared",
    "Projects",
    "Restoration",
    "Restores",
    "Sessions",
    "Settles",
    "SignIn",
    "Staged",
    "TakesIncoming",
    "TakesParts",
    "Tokens",
    "UnitOfWork",
    "Units",
    "Untaken",
    "Waiting",
]

#: Returns the time, aware, in UTC.
Now = Callable[[], datetime]
