"""The tags of a wheel, in words (PEP 425, 600, 656, 730, 738)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_IMPLEMENTATIONS = {"py": "Python", "cp": "CPython", "pp": "PyPy", "graalpy": "GraalPy", "ip": "IronPython"}
_PYTHON = re.compile(r"([a-z]+)([0-9])([0-9]*)")
#: ABIs that later versions keep (PEP 384, PEP 803), and those of a Python without its lock (PEP 703).
_STABLE = frozenset({"abi3", "abi3t"})
_FREE_THREADED = re.compile(r"cp[0-9]+t|abi3t")
_ARCHITECTURES = {
    "x86_64": "x86-64",
    "amd64": "x86-64",
    "i686": "x86 (32 bit)",
    "i386": "x86 (32 bit)",
    "aarch64": "ARM 64",
    "arm64": "ARM 64",
    "armv7l": "ARM 32",
    "armv6l": "ARM v6",
    "universal2": "Intel and ARM",
    "intel": "Intel",
}
#: How a platform tag begins, and what it means; the groups are version and architecture.
_PLATFORMS = (
    (re.compile(r"manylinux_(\d+)_(\d+)_(\w+)"), "Linux {arch}, glibc {0}.{1} or later"),
    (re.compile(r"manylinux1_(\w+)"), "Linux {arch}, glibc 2.5 or later"),
    (re.compile(r"manylinux2010_(\w+)"), "Linux {arch}, glibc 2.12 or later"),
    (re.compile(r"manylinux2014_(\w+)"), "Linux {arch}, glibc 2.17 or later"),
    (re.compile(r"musllinux_(\d+)_(\d+)_(\w+)"), "Linux {arch}, musl {0}.{1} or later"),
    (re.compile(r"linux_(\w+)"), "Linux {arch}"),
    (re.compile(r"macosx_(\d+)_(\d+)_(\w+)"), "macOS {0}.{1} or later, {arch}"),
    (re.compile(r"win_(\w+)"), "Windows {arch}"),
    (re.compile(r"(win32)"), "Windows x86 (32 bit)"),
    (re.compile(r"ios_(\d+)_(\d+)_(\w+)"), "iOS {0}.{1} or later, {arch}"),
    (re.compile(r"android_(\d+)_(\w+)"), "Android API {0} or later, {arch}"),
    (re.compile(r"pyodide_(\d+)_(\d+)_wasm32"), "Pyodide {0}.{1}"),
)


@dataclass(frozen=True, slots=True)
class Fits:
    """What a wheel is for: Pythons and platforms, each in words and without repeats."""

    pythons: tuple[str, ...]
    platforms: tuple[str, ...]


def describe(filename: str) -> Fits | None:
    """Return what the wheel of this name is for, or None if it is no wheel."""
    if not filename.endswith(".whl"):
        return None
    parts = filename.removesuffix(".whl").rsplit("-", 3)
    if len(parts) != 4:
        return None
    _, pythons, abis, platforms = parts
    free = ", free-threaded" if all(_FREE_THREADED.fullmatch(abi) for abi in abis.split(".")) else ""
    stable = not _STABLE.isdisjoint(abis.split("."))
    return Fits(
        _unique(_python(tag, stable=stable) + free for tag in pythons.split(".")),
        _unique(_platform(tag) for tag in platforms.split(".")),
    )


def _unique(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))


def _python(tag: str, *, stable: bool) -> str:
    match = _PYTHON.fullmatch(tag)
    if match is None or match[1] not in _IMPLEMENTATIONS:
        return tag
    version = f"{match[2]}.{match[3]}" if match[3] else match[2]
    # What py38 says holds for 3.9 as well, and what py3 says for no Python 4 (PEP 425).
    goes_on = stable or (match[1] == "py" and match[3])
    return f"{_IMPLEMENTATIONS[match[1]]} {version}{' or later' if goes_on else ''}"


def _platform(tag: str) -> str:
    if tag == "any":
        return "any platform"
    for pattern, words in _PLATFORMS:
        match = pattern.fullmatch(tag)
        if match is not None:
            *versions, last = match.groups()
            return words.format(*versions, last, arch=_ARCHITECTURES.get(last, last))
    return tag
