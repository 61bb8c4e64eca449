"""Makes the sample notebooks again: for a release, and when a test says that they differ.

Each holds the packages of this clone, 1.6 MB, so they are not made at every change of the source.
"""

from __future__ import annotations

from pathlib import Path

from vieneu_core.notebook import NotebookSettings, write_notebook

for language in ("vi", "en"):
    path = Path(__file__).with_name(f"vieneu_relay.{language}.ipynb")
    write_notebook(NotebookSettings.model_validate({"language": language}), path)
    path.chmod(0o644)
