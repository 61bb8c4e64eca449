"""Makes the sample notebooks again; a test compares them with what the template makes."""

from __future__ import annotations

from pathlib import Path

from vieneu_core.notebook import NotebookSettings, write_notebook

for language in ("vi", "en"):
    path = Path(__file__).with_name(f"vieneu_relay.{language}.ipynb")
    write_notebook(NotebookSettings.model_validate({"language": language}), path)
    path.chmod(0o644)
