"""Wheels and sdists: what a file must be before an index lists it.

:func:`parse_file_name` judges the name alone and costs nothing;
:func:`inspect_archive` unpacks every member once, in bounded memory, and
returns what the archive says of itself. Both raise
:class:`~warehouse14.domain.errors.Rejected` with a sentence for people and
nothing else, whatever the bytes are.

The modules, from the outside in: ``inspection`` puts them in order;
``filenames``, ``wheel``, ``record``, ``sdist`` and ``coremetadata`` know the packaging
standards; ``zipdirectory``, ``zipframing`` and ``tarstream`` know the archive
formats; ``paths`` and ``bounds`` say what no archive may do.
"""

from warehouse14.domain.archives.filenames import ClaimedName, name_warnings, parse_file_name
from warehouse14.domain.archives.inspection import Inspected, inspect_archive

__all__ = ["ClaimedName", "Inspected", "inspect_archive", "name_warnings", "parse_file_name"]
