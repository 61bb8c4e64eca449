"""Commands that install the packages, as shown in messages.

The documentation has the same lines: ``docs/install_lines.py`` writes them, based on `PUBLISHED`.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution, version
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit

PUBLISHED = False
"""Whether the packages are on PyPI: the one value to change at the first release.

Until then no command may give pip only their names: anybody could publish under them.
"""
CORE = "vieneu-core"
_SYSTEM_PACKAGES = {"libgomp.so.1": "libgomp1"}
"""System libraries that wheels need (both bindings of llama.cpp), and their Debian packages."""
_MISSING_LIBRARY = re.compile(r"(lib[\w.+-]+\.so[.\d]*): cannot open shared object file")


def install_command(*requirements: str) -> str:
    """Return the command that installs requirements into the environment of this process.

    It works in any folder. An environment created by uv has no pip: then the command uses uv,
    from PATH or from the clone's ``.tools``, or else installs pip first.
    """
    python = sys.executable or "python3"
    pip = [python, "-m", "pip", "install"]
    if has_module("pip"):
        return shlex.join([*pip, *requirements])
    if uv := _uv():
        return shlex.join([uv, "pip", "install", "--python", python, *requirements])
    return f"{shlex.join([python, '-m', 'ensurepip'])} && {shlex.join([*pip, *requirements])}"


def extra_command(extra: str, package: str = CORE) -> str:
    """Return the command that adds an extra of one of our packages to this environment.

    Before the packages are published, it installs from the clone that the package came from;
    without one (an installation from wheels), the requirements of the extra.

    Args:
        extra: Name of the extra; "" means the package without extras.
        package: One of our packages, installed.
    """
    named = f"{package}[{extra}]" if extra else package
    if PUBLISHED:
        return install_command(named)
    if source := _source(package):
        path = f"{source.folder}[{extra}]" if extra else str(source.folder)
        return install_command(*(["-e"] if source.editable else []), path)
    return install_command(*(requirements_of(extra, package) or (named,)))


def requirements_of(extra: str, package: str = CORE) -> tuple[str, ...]:
    """Return the requirements of an extra for pip, without packages of ours.

    Args:
        extra: Name of the extra; "" means the package without extras.
        package: One of our packages; empty result if it is not installed.
    """
    return tuple(dict.fromkeys(_brought_by(extra, package)))


@dataclass(frozen=True, slots=True)
class WrongVersion:
    """An installed package whose version an extra does not admit."""

    name: str
    installed: str
    """The version that is installed."""
    wanted: str
    """The versions that the extra admits, such as ``<2.14,>=2.7``."""

    def __str__(self) -> str:
        return f"{self.name}{self.wanted} ({self.installed})"


def wrong_versions(extra: str, package: str = CORE) -> tuple[WrongVersion, ...]:
    """Return the installed packages whose versions an extra does not admit.

    A package that is not installed is none of them: its modules may come from another one.

    Args:
        extra: Name of the extra; "" means the package without extras.
        package: One of our packages.
    """
    from packaging.requirements import Requirement

    return tuple(
        WrongVersion(wanted.name, installed, str(wanted.specifier))
        for wanted in map(Requirement, requirements_of(extra, package))
        if (installed := installed_version(wanted.name)) is not None
        and not wanted.specifier.contains(installed, prereleases=True)
    )


def installed_version(name: str) -> str | None:
    """Return the version of an installed package; None if it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def library_command(failure: str) -> str:
    """Return the command that installs the missing system library named in a failure.

    Args:
        failure: Message of the loader, such as ``libgomp.so.1: cannot open shared object file``.

    Returns:
        The command for Debian and its derivatives; "" if the failure names no known library.
    """
    missing = _MISSING_LIBRARY.search(failure)
    package = _SYSTEM_PACKAGES.get(missing[1], "") if missing else ""
    return f"sudo apt-get install {package}" if package else ""


def version_of(package: str) -> str:
    """Return name and version of an installed package; only the name in a source tree."""
    try:
        return f"{package} {distribution(package).version}"
    except PackageNotFoundError:
        return package


def has_module(name: str) -> bool:
    """Return whether a module can be imported; a removed package's leftover folder cannot."""
    try:
        spec = find_spec(name)
    except ValueError:  # already imported, without a spec
        return True
    except ImportError:
        return False
    return spec is not None and spec.origin is not None


@dataclass(frozen=True, slots=True)
class _Source:
    """The folder in a clone from which a package is installed."""

    folder: Path
    editable: bool


def _source(package: str) -> _Source | None:
    """Return that folder, as recorded by the installer (PEP 610); None if there is none."""
    try:
        stated = json.loads(distribution(package).read_text("direct_url.json") or "{}")
    except PackageNotFoundError:  # running from a source tree that is not installed
        folder = Path(__file__).parents[3] / package
        return _Source(folder, editable=True) if (folder / "pyproject.toml").is_file() else None
    except ValueError:
        return None
    folder = Path(unquote(urlsplit(stated.get("url", "")).path))
    if "dir_info" not in stated or not (folder / "pyproject.toml").is_file():
        return None
    return _Source(folder, editable=bool(stated["dir_info"].get("editable")))


def _uv() -> str | None:
    if found := shutil.which("uv"):
        return found
    source = _source(CORE)
    if source is None:
        return None
    programs = sorted(source.folder.parents[1].glob(".tools/uv-*/bin/uv"))
    return str(programs[-1]) if programs else None


def _brought_by(extra: str, package: str) -> Iterator[str]:
    try:
        lines = distribution(package).requires or []
    except PackageNotFoundError:
        return
    for line in lines:
        what, _, condition = line.partition(";")
        if not _applies(condition, extra):
            continue
        name, _, more = what.strip().partition("[")
        if name == package:
            for each in more.rstrip("]").split(","):
                yield from _brought_by(each.strip(), package)
        elif not name.startswith("vieneu-"):
            yield what.strip()


def _applies(condition: str, extra: str) -> bool:
    """Return whether a requirement belongs to an extra, and to this machine."""
    if ("extra" in condition) != bool(extra):
        return False
    if not condition:
        return True
    from packaging.markers import Marker

    return Marker(condition).evaluate({"extra": extra})
