"""Puts the wheel of vieneu-colab-server into this distribution, as data for notebooks.

A notebook carries both packages, also where the core alone is installed: on the command line and
in Home Assistant. An sdist holds that wheel already, so that a wheel built from it has it too.
"""

from __future__ import annotations

import runpy
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CarriedServerHook(BuildHookInterface[Any]):  # type: ignore[misc]  # hatchling is there in builds only
    """Packs the server from the folder beside this one."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the wheel to what is built.

        Raises:
            FileNotFoundError: the server's source is not beside this folder.
        """
        root = Path(self.root)
        if version == "editable" or (root / "PKG-INFO").is_file():
            return
        server = root.parent / "vieneu-colab-server"
        if not (server / "pyproject.toml").is_file():
            raise FileNotFoundError(
                f"vieneu-core carries the server for notebooks, and {server} is not there."
                " Build from a clone of the whole repository, or from the sdist of vieneu-core."
            )
        packing = runpy.run_path(str(root / "src/vieneu_core/notebook/packing.py"))
        name, content = packing["pack_project"](server)
        self._folder = tempfile.TemporaryDirectory()
        wheel = Path(self._folder.name) / name
        wheel.write_bytes(content)
        source = "src/" if self.target_name == "sdist" else ""
        build_data["force_include"][str(wheel)] = f"{source}vieneu_core/notebook/{name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the draft of the wheel."""
        if hasattr(self, "_folder"):
            self._folder.cleanup()
