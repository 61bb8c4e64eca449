"""Installation of the blueprints for automations.

Automations keep using a blueprint, so one that a user has changed is neither replaced nor
removed.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from vieneu_ha.errors import InstallError

HERE = Path(__file__).with_name("blueprint_files")


def add(config: Path) -> list[Path]:
    """Install missing blueprints; return them.

    Raises:
        InstallError: they cannot be written.
    """
    added = []
    for source, target in _pairs(config):
        if target.exists():
            continue
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
        except OSError as error:
            raise InstallError(f"{target} cannot be written: {error.strerror}.") from error
        added.append(target)
    return added


def remove(config: Path) -> list[Path]:
    """Remove unchanged blueprints; return them.

    Raises:
        InstallError: they cannot be removed.
    """
    removed = []
    for source, target in _pairs(config):
        try:
            if target.is_file() and target.read_bytes() == source.read_bytes():
                target.unlink()
                removed.append(target)
        except OSError as error:
            raise InstallError(f"{target} cannot be removed: {error.strerror}.") from error
    with suppress(OSError):  # other files may be there
        for folder in ("automation/vieneu", "automation", "."):
            (config / "blueprints" / folder).rmdir()
    return removed


def _pairs(config: Path) -> list[tuple[Path, Path]]:
    """Return each blueprint of this package with its path in a configuration."""
    files = sorted(HERE.rglob("*.yaml"))
    return [(file, config / "blueprints" / file.relative_to(HERE)) for file in files]
