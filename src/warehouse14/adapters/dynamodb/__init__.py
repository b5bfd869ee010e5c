"""Metadata in one DynamoDB table.

The factory is found by the entry point ``dynamodb`` of the group ``warehouse14.metadata``.
"""

from warehouse14.adapters.dynamodb.opening import units

__all__ = ["units"]
