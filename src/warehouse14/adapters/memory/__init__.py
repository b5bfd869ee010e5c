"""Everything in memory: for trying it out, and the double that tests use. The strictest of the adapters."""

from warehouse14.adapters.memory.files import MemoryFiles
from warehouse14.adapters.memory.units import MemoryUnits
from warehouse14.domain.ports import FileStore, Units
from warehouse14.settings import Section

__all__ = ["MemoryFiles", "MemoryUnits", "file_store", "units"]


def units(section: Section) -> Units:  # noqa: ARG001 - there is nothing to set
    """Return an empty metadata store."""
    return MemoryUnits()


def file_store(section: Section) -> FileStore:  # noqa: ARG001 - there is nothing to set
    """Return an empty file store."""
    return MemoryFiles()
