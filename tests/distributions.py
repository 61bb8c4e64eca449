"""What `uv build` makes of this repository."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Built:
    """The distributions of all packages."""

    wheels: tuple[Path, ...]
    sdists: tuple[Path, ...]
