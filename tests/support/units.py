"""Units of systemd, read as far as these are written."""

import shlex
from collections import defaultdict
from pathlib import Path

from support.sites import REPOSITORY


class Unit:
    """A file of ``deploy/``: its settings, each with all its values."""

    def __init__(self, name: str) -> None:
        self.path = REPOSITORY / "deploy" / name
        self.settings: dict[str, list[str]] = defaultdict(list)
        for line in self.path.read_text(encoding="utf-8").splitlines():
            key, separator, value = line.partition("=")
            if separator and not line.startswith("#"):
                self.settings[key].append(value)

    def commands(self, key: str) -> list[list[str]]:
        """Return the words of ``ExecStart`` or the like, but for the program."""
        return [shlex.split(value)[1:] for value in self.settings[key]]

    def variables(self, credentials: Path) -> dict[str, str]:
        """Return the environment of its commands, with the folder that ``%d`` stands for."""
        given = dict(value.split("=", 1) for value in self.settings["Environment"])
        return {name: value.replace("%d", str(credentials)) for name, value in given.items()}
