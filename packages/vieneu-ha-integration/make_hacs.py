"""Makes the tree that HACS wants: hacs.json, README and custom_components/vieneu; and a zip of it.

https://hacs.xyz/docs/publish/integration/
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).parent
HACS = {
    "name": "VieNeu Relay",
    "content_in_root": False,
    "filename": "vieneu.zip",
    "homeassistant": "2026.10.0",
    "zip_release": True,
}


def make(folder: Path) -> Path:
    """Make the tree in a folder, in place of what was there; return the zip."""
    shutil.rmtree(folder, ignore_errors=True)
    target = folder / "custom_components/vieneu"
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
    shutil.copytree(HERE / "src/vieneu_ha/component", target, ignore=ignored)
    shutil.copyfile(HERE / "README.md", folder / "README.md")
    shutil.copyfile(HERE / "LICENSE", folder / "LICENSE")
    (folder / "hacs.json").write_text(json.dumps(HACS, indent=2) + "\n", "utf-8")
    return Path(shutil.make_archive(str(folder / "vieneu"), "zip", target))


if __name__ == "__main__":
    sys.stdout.write(f"{make(Path(sys.argv[1]))}\n")
