"""Atomic installation of the component into a configuration of Home Assistant.

A wheel must not contain a top-level ``custom_components``: it would hide the user's, or be hidden
by it. So the component is inside this package, and is copied from here. In the repository it is
``custom_components/vieneu`` at the root, where HACS expects it, with a link to it here.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from vieneu_ha.errors import InstallError

COMPONENT = Path(__file__).with_name("component").resolve()
DOMAIN = "vieneu"
_NOT_COPIED = shutil.ignore_patterns("__pycache__", "*.pyc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """A component in a configuration."""

    path: Path
    version: str
    is_link: bool


def version_here() -> str:
    """Return the version of the component in this package."""
    return _version(COMPONENT)


def find(config: Path) -> Installed | None:
    """Return the component in a configuration; None if there is none.

    Raises:
        InstallError: it is not a configuration, or another file has the component's name.
    """
    target = _target(config)
    if not target.exists() and not target.is_symlink():
        return None
    if target.is_symlink() and not target.exists():
        return Installed(path=target, version="", is_link=True)  # the link's target does not exist
    return Installed(path=target, version=_version(target), is_link=target.is_symlink())


def install(config: Path, *, link: bool = False, force: bool = False) -> Installed:
    """Install or upgrade the component. Home Assistant has to be restarted afterwards.

    Args:
        config: The folder with ``configuration.yaml``.
        link: Make a link to this package's files instead of a copy, for development.
        force: Also replace a newer version.

    Raises:
        InstallError: installation failed; nothing has changed.
    """
    before, target = find(config), _target(config)
    if before is not None and not force and _key(before.version) > _key(version_here()):
        raise InstallError(
            f"{target} has the newer version {before.version}; this is {version_here()}.",
            remedy="Upgrade this package, or give --force.",
        )
    try:
        target.parent.mkdir(exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{DOMAIN}-"))
        try:
            made = draft / DOMAIN
            if link:
                made.symlink_to(COMPONENT)
            else:
                shutil.copytree(COMPONENT, made, ignore=_NOT_COPIED)
            if before is not None:
                target.rename(draft / "before")
            try:
                made.rename(target)
            except OSError:
                if before is not None:
                    (draft / "before").rename(target)
                raise
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as error:
        raise InstallError(f"{target} cannot be written: {error.strerror or error}.") from error
    return Installed(path=target, version=version_here(), is_link=link)


def uninstall(config: Path) -> Installed | None:
    """Remove the component, and return it. Home Assistant keeps the settings.

    Raises:
        InstallError: it cannot be removed.
    """
    before = find(config)
    if before is None:
        return None
    try:
        if before.is_link:
            before.path.unlink()
        else:
            shutil.rmtree(before.path)
    except OSError as error:
        raise InstallError(
            f"{before.path} cannot be removed: {error.strerror or error}."
        ) from error
    with suppress(OSError):  # the user's other components may be there
        before.path.parent.rmdir()
    return before


def _target(config: Path) -> Path:
    if not (config / "configuration.yaml").is_file():
        raise InstallError(
            f"{config} is not a configuration of Home Assistant: it has no configuration.yaml.",
            remedy="Give its folder: vieneu-ha install --config /config",
        )
    return config / "custom_components" / DOMAIN


def _version(folder: Path) -> str:
    """Return the version of our component in a folder.

    Raises:
        InstallError: it is another component, or cannot be read.
    """
    try:
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
        if manifest["domain"] != DOMAIN:
            raise KeyError(DOMAIN)  # noqa: TRY301 - the same failure, from another cause
        return str(manifest["version"])
    except (OSError, ValueError, KeyError, TypeError):
        raise InstallError(
            f"{folder} contains something else than the integration {DOMAIN}.",
            remedy="Check it, and move it away.",
        ) from None


def _key(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
