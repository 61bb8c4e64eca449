"""The public face of the core: what it offers, and how little it loads."""

from __future__ import annotations

import ast
import importlib
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from guard import GUARD_S

import vieneu_colab_server
import vieneu_core
from vieneu_colab_server.app import create_app

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


ROOT = Path(__file__).parents[2]
PARTS = (
    *("audio", "backends", "clock", "config", "credentials", "engines", "errors", "notebook"),
    *("pairing", "router", "synthesis", "testing", "text", "voices", "wire", "worker"),
)
"""The public parts; each is a module, or a package that exports names or (``wire``) modules."""
FRONTS = ["vieneu_core", *(f"vieneu_core.{part}" for part in PARTS)]
PACKAGES = [name for name in FRONTS if hasattr(importlib.import_module(name), "__path__")]
EXPORTING = [name for name in PACKAGES if name != "vieneu_core.wire"]
SHARED_INSIDE = (
    "vieneu_core.backoff",
    "vieneu_core.builder",
    "vieneu_core.cache_builder",
    "vieneu_core.cli",
    "vieneu_core.files",
    "vieneu_core.i18n",
    "vieneu_core.installation",
    "vieneu_core.preparer",
    "vieneu_core.process_end",
    "vieneu_core.proxies",
    "vieneu_core.request_pace",
    "vieneu_core.speech_cache",
    "vieneu_core.threads",
    "vieneu_core.untrusted_json",
    "vieneu_core.translatable",
    "vieneu_core.validation",
)
"""What our own packages share, always of one version; no program needs it."""
ANY_PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


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


@pytest.mark.parametrize("package", EXPORTING)
def test_each_public_name_is_there_and_is_listed(package: str) -> None:
    module = importlib.import_module(package)

    for name in module.__all__:
        assert getattr(module, name) is not None
        assert name in dir(module)


@pytest.mark.parametrize("package", EXPORTING)
def test_public_names_are_equal_to_those_that_the_type_checker_sees(package: str) -> None:
    module = importlib.import_module(package)
    tree = ast.parse(Path(str(module.__file__)).read_text("utf-8"))
    lazy = [part for part in tree.body if isinstance(part, ast.If)]
    body = lazy[0].body if lazy else tree.body
    imports = [part for part in body if isinstance(part, ast.ImportFrom)]
    seen = {
        alias.name
        for part in imports
        if str(part.module).startswith("vieneu_core.")
        for alias in part.names
    }

    assert sorted(seen) == sorted(module.__all__)


@pytest.mark.parametrize("part", ["audio", "backends", "engines", "testing", "text", "worker"])
def test_a_public_part_loads_nothing_before_a_name_is_used(part: str) -> None:
    loaded = modules_loaded_by(f"import vieneu_core.{part}")

    assert sorted(m for m in loaded if m.startswith("vieneu")) == [
        "vieneu_core",
        f"vieneu_core.{part}",
    ]


def imported_names(
    sources: Iterable[str], package: str = "vieneu_core"
) -> Iterator[tuple[str, str]]:
    """Yield what programs take from a package: module and name."""
    for source in sources:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith(package):
                for alias in node.names:
                    yield str(node.module), alias.name


def is_public(module: str, name: str) -> bool:
    """Whether a program may write ``from module import name``."""
    if f"{module}.{name}" in FRONTS or module == "vieneu_core.wire":
        return True
    if module in FRONTS or module.rpartition(".")[0] == "vieneu_core.wire":
        exported = getattr(importlib.import_module(module), "__all__", None)
        return name == "__version__" or exported is None or name in exported
    return False


def programs_of_users() -> list[str]:
    """Return the Python of all documents and examples."""
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("packages/*/README.md")]
    return [
        *(match[1] for page in pages for match in ANY_PYTHON.finditer(page.read_text("utf-8"))),
        *(path.read_text("utf-8") for path in ROOT.glob("examples/*.py")),
    ]


def test_documentation_and_examples_use_public_names_only() -> None:
    used = set(imported_names(each for each in programs_of_users() if "vieneu_core" in each))

    assert len(used) > 25
    assert sorted(pair for pair in used if not is_public(*pair)) == []


def test_they_use_public_names_of_the_server_only() -> None:
    server = "vieneu_colab_server"
    programs = [each for each in programs_of_users() if server in each]
    used = set(imported_names(programs, server))

    assert sorted(used) == [
        *((server, name) for name in vieneu_colab_server.__all__ if name != "__version__"),
        (f"{server}.launch", "launch"),
    ]


def test_the_server_loads_nothing_before_a_name_is_used() -> None:
    loaded = modules_loaded_by("import vieneu_colab_server")

    assert sorted(m for m in loaded if m.startswith("vieneu")) == [
        "vieneu_colab_server",
        "vieneu_core",
    ]
    assert vieneu_colab_server.create_app is create_app


@pytest.mark.parametrize(
    "folder", ["packages/vieneu-colab-server/src", "packages/vieneu-ha-integration/src"]
)
def test_what_server_and_integration_use_is_exported(folder: str) -> None:
    """They may import a name from where it is defined, but a program need not know that place."""
    sources = [path.read_text("utf-8") for path in (ROOT / folder).rglob("*.py")]
    if "ha-integration" in folder:
        sources += [path.read_text("utf-8") for path in ROOT.glob("custom_components/vieneu/*.py")]
    used = {
        (module, name)
        for module, name in imported_names(sources)
        if not module.startswith(SHARED_INSIDE) and name != "lazy_names"
    }

    assert len(used) > 25
    assert [
        pair
        for pair in sorted(used)
        if not any(is_public(front, pair[1]) for front in (pair[0], front_of(pair[0])))
    ] == []


def front_of(module: str) -> str:
    """Return the public part to which a module belongs."""
    return ".".join(module.split(".")[:2])


def test_an_unknown_name_is_an_attribute_error_that_names_it() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Roter'"):
        _ = vieneu_core.Roter
