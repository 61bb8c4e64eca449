"""Write the version of a release everywhere: ``python scripts/set_version.py 0.2.0``.

All packages have one version and pin each other to it. In the code it is
`vieneu_core.__version__` alone; metadata must state it as plain text, since the packages build
alone, from their sdists.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
VERSION = re.compile(r"\d+\.\d+\.\d+")
STATED = re.compile(
    r"""(?P<before>^(?:__version__|version) = "|^version: "|"version": "|vieneu-core=="""
    r"""|^ARG BUILD_VERSION=)(?P<version>\d[\w.]*)""",
    re.MULTILINE,
)
FILES = (
    "packages/vieneu-core/src/vieneu_core/__init__.py",
    "packages/vieneu-core/pyproject.toml",
    "packages/vieneu-colab-server/pyproject.toml",
    "packages/vieneu-ha-integration/pyproject.toml",
    "custom_components/vieneu/manifest.json",
    "apps/vieneu/config.yaml",
    "apps/vieneu/Dockerfile",
)
"""Everything that states the version. `uv lock` and docs/install_lines.py follow it."""


def stated_versions(root: Path) -> dict[str, set[str]]:
    """Return the versions that each file states."""
    return {
        name: {match["version"] for match in STATED.finditer((root / name).read_text("utf-8"))}
        for name in FILES
    }


def set_version(root: Path, version: str) -> None:
    """Make every file state this version.

    Raises:
        ValueError: it is no version such as 1.2.3.
    """
    if not VERSION.fullmatch(version):
        raise ValueError(f"{version!r} is no version such as 1.2.3")
    for name in FILES:
        path = root / name
        path.write_text(STATED.sub(rf"\g<before>{version}", path.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    try:
        (wanted,) = sys.argv[1:]
        set_version(ROOT, wanted)
    except ValueError:
        sys.exit("usage: python scripts/set_version.py X.Y.Z")
