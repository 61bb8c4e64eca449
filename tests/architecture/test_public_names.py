"""The public face of the core: what it offers, and how little it loads."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest
from guard import GUARD_S

import vieneu_core

LOADED_BY_IMPORT = ["vieneu_core"]
"""Every module of ours that `import vieneu_core` loads."""
HEAVY = {
    "aiohttp",
    "av",
    "espeakng_loader",
    "jinja2",
    "llama_cpp",
    "nbformat",
    "numpy",
    "onnxruntime",
    "pydantic",
    "rich",
    "ruamel",
    "sentence_stream",
    "torch",
    "typer",
}


def modules_loaded_by(statement: str) -> set[str]:
    """Return what a fresh interpreter has loaded after a statement, less what it had before."""
    program = (
        "import sys, json; before = set(sys.modules)\n"
        f"{statement}\nprint(json.dumps(sorted(set(sys.modules) - before)))"
    )
    out = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=GUARD_S
    )
    return set(json.loads(out.stdout))


def test_import_loads_exactly_the_pinned_modules() -> None:
    loaded = modules_loaded_by("import vieneu_core")

    assert sorted(m for m in loaded if m.startswith("vieneu")) == LOADED_BY_IMPORT
    assert not HEAVY & {module.partition(".")[0] for module in loaded}
    assert "asyncio" not in loaded, "the event loop is loaded only once a backend is"


def test_the_values_that_every_caller_needs_load_nothing_heavy() -> None:
    loaded = modules_loaded_by(
        "from vieneu_core import AudioChunk, Backend, SynthesisRequest, Voice, synthesize\n"
        "import vieneu_core.errors"
    )

    assert not HEAVY & {module.partition(".")[0] for module in loaded}


@pytest.mark.parametrize("name", vieneu_core.__all__)
def test_each_public_name_is_there_and_is_listed(name: str) -> None:
    assert getattr(vieneu_core, name) is not None
    assert name in dir(vieneu_core)


def test_public_names_are_sorted_and_equal_to_those_that_the_type_checker_sees() -> None:
    module = ast.parse(Path(vieneu_core.__file__).read_text("utf-8"))
    (block,) = [part for part in module.body if isinstance(part, ast.If)]
    imports = [part for part in block.body if isinstance(part, ast.ImportFrom)]
    seen = {alias.name for part in imports for alias in part.names}

    assert sorted(seen) == vieneu_core.__all__
    assert sorted(vieneu_core._MODULE_OF) == vieneu_core.__all__


def test_an_unknown_name_is_an_attribute_error_that_names_it() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Roter'"):
        _ = vieneu_core.Roter
