"""Packs the component into the zip that HACS installs from a release on GitHub.

HACS reads ``hacs.json`` and ``custom_components`` at the root of the repository; the zip holds what
lies in ``custom_components/vieneu``, and has the name that ``hacs.json`` states.
https://hacs.xyz/docs/publish/integration/
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]


def make(folder: Path) -> Path:
    """Make the zip in a folder; return its path."""
    name = json.loads((ROOT / "hacs.json").read_text("utf-8"))["filename"]
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as draft:
        clean = Path(draft) / "vieneu"
        ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
        shutil.copytree(ROOT / "custom_components/vieneu", clean, ignore=ignored)
        return Path(shutil.make_archive(str(folder / Path(name).stem), "zip", clean))


if __name__ == "__main__":
    sys.stdout.write(f"{make(Path(sys.argv[1]))}\n")
