"""Blobs as objects in a bucket of any S3-compatible store.

The factory is found by the entry point ``s3`` of the group ``warehouse14.files``.
"""

from warehouse14.adapters.s3.opening import file_store

__all__ = ["file_store"]
