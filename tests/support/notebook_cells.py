"""Cells of a notebook, and small wheels for it to carry."""

from __future__ import annotations

import ast
import base64
import io
import zipfile
from typing import Any

from vieneu_core.notebook import Carried, Wheel


def code_of(notebook: dict[str, Any]) -> dict[str, str]:
    return {c["id"]: c["source"] for c in notebook["cells"] if c["cell_type"] == "code"}


def carried_voices(notebook: dict[str, Any]) -> list[tuple[str, str, bytes]]:
    """Return name, transcript and clip of each voice that a notebook carries."""
    (value,) = [
        node.value
        for node in ast.parse(code_of(notebook)["voices"]).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "CARRIED_VOICES"
    ]
    return [(n, t, base64.b64decode(c)) for n, t, c in ast.literal_eval(value)]


def wheel(distribution: str, version: str = "0.1.0", **files: str) -> Wheel:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in {"a.py": "1", **files}.items():
            archive.writestr(name, text)
    return Wheel(f"{distribution}-{version}-py3-none-any.whl", made.getvalue())


SMALL = Carried.of([wheel("vieneu_core"), wheel("vieneu_colab_server")])
"""Packed once, so that many notebooks are made fast."""
