"""Settings: flat text keys in, typed values out. Standard library only.

A key is read by exactly one place, and a key that nobody reads is an error:
a misspelt setting must not be silently without effect.
"""

from warehouse14.settings.metrics import MetricsAccess
from warehouse14.settings.section import Section, SettingError
from warehouse14.settings.site import (
    DEFAULT_MAX_FILE_BYTES,
    Site,
    read_site,
    section_of,
    settings_of_variables,
    shown_settings,
)
from warehouse14.settings.spelling import PREFIX

__all__ = [
    "DEFAULT_MAX_FILE_BYTES",
    "PREFIX",
    "MetricsAccess",
    "Section",
    "SettingError",
    "Site",
    "read_site",
    "section_of",
    "settings_of_variables",
    "shown_settings",
]
