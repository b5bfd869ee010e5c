"""Metadata in an SQL database, through SQLAlchemy 2 Core.

The factory is found by the entry point ``sql`` of the group ``warehouse14.metadata``.
"""

from warehouse14.adapters.sql.opening import units

__all__ = ["units"]
