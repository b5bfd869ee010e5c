"""Warehouse14, a private Python package index. ``open_warehouse`` embeds its domain."""

from warehouse14.bootstrap import open_warehouse

__all__ = ["open_warehouse"]
