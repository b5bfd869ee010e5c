"""The Dockerfile, read as far as ours is written, and its steps without Docker."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from support.sites import REPOSITORY, environment

DOCKERFILE = REPOSITORY / "deploy/Dockerfile"
COMPOSE = REPOSITORY / "deploy/compose.yaml"
#: What goes beside it for a site with a bucket.
COMPOSE_S3 = REPOSITORY / "deploy/compose.s3.yaml"
#: Where the image has the program.
PLACE = "/opt/warehouse14"


def instructions() -> list[tuple[str, str]]:
    """Return the instructions of the Dockerfile, and what each says."""
    text = re.sub(r"\\\n\s*", "", DOCKERFILE.read_text(encoding="utf-8"))
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


def said(word: str) -> str:
    """Return what the last instruction of a kind says."""
    return [rest for found, rest in instructions() if found == word][-1]


def health_check(place: Path, port: int) -> list[str]:
    """Return the words of the health check, for a program at ``place`` that listens on ``port``."""
    words: list[str] = json.loads(said("HEALTHCHECK").partition(" CMD ")[2])
    return [word.replace(PLACE, str(place)).replace("6543", str(port)) for word in words]


def compose(file: Path = COMPOSE) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the compose file, or what goes beside it."""
    found: dict[str, dict[str, dict[str, Any]]] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return found


def build(source: Path, place: Path) -> None:
    """Copy what the Dockerfile copies into the folder ``source``, and install from there."""
    for word, rest in instructions():
        *copied, target = rest.split()
        if word == "COPY" and not rest.startswith("--from"):
            for name in copied:
                _copy(REPOSITORY / name, source / target / (name if target.endswith("./") else ""))
    done = subprocess.run(
        [source / "deploy/install", place],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=600,
        cwd=source,
        env=environment(PYTHON=sys.executable),
    )
    assert done.returncode == 0, done.stdout


def _copy(what: Path, where: Path) -> None:
    where.parent.mkdir(parents=True, exist_ok=True)
    if what.is_dir():
        shutil.copytree(what, where, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    else:
        shutil.copy(what, where)
