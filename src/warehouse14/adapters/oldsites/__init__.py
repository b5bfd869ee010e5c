"""Old sites of other programs, in buckets and tables of AWS or what speaks like it. They are only read."""

from warehouse14.domain.ports import OldSite
from warehouse14.settings import Section, SettingError


def elasticpypi(section: Section) -> OldSite:
    """Return a site of elasticpypi.

    Keys: ``bucket``; ``region``, ``profile`` and ``endpoint_url``, by default what boto3 finds. Raises
    ``SettingError``.
    """
    try:
        from warehouse14.adapters.oldsites.elasticpypi import ElasticPyPI
        from warehouse14.adapters.oldsites.speaking import Speaker
    except ModuleNotFoundError as error:
        raise _lacking() from error
    return ElasticPyPI(Speaker(section).bucket())


def warehouse14(section: Section) -> OldSite:
    """Return a site of the program that had the name Warehouse14 before this one.

    Keys: ``table``, ``bucket``; ``region``, ``profile``, ``endpoint_url`` (that of the bucket) and
    ``table_endpoint_url``, by default what boto3 finds. Raises ``SettingError``.
    """
    try:
        from warehouse14.adapters.oldsites.speaking import Speaker
        from warehouse14.adapters.oldsites.warehouse14 import OldWarehouse14
    except ModuleNotFoundError as error:
        raise _lacking() from error
    speaker = Speaker(section)
    return OldWarehouse14(speaker.table(), speaker.bucket())


def _lacking() -> SettingError:
    return SettingError("old sites are read with boto3; install that, or Warehouse14 with its extra aws")
