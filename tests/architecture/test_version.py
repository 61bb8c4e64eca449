"""All packages and the Home Assistant component have one version."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType

import pytest

import vieneu_colab_server
import vieneu_core
import vieneu_ha

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def program() -> ModuleType:
    spec = importlib.util.spec_from_file_location("set_version", ROOT / "scripts/set_version.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_file_states_the_version_of_the_core(program: ModuleType) -> None:
    version = vieneu_core.__version__

    assert program.stated_versions(ROOT) == {name: {version} for name in program.FILES}
    assert vieneu_colab_server.__version__ == vieneu_ha.__version__ == version


def test_only_one_line_of_code_states_it() -> None:
    sources = [*ROOT.glob("packages/*/src/**/*.py"), *ROOT.glob("custom_components/**/*.py")]
    stating = [path for path in sources if "\n__version__ = " in path.read_text("utf-8")]

    assert [path.relative_to(ROOT).as_posix() for path in stating] == [
        "packages/vieneu-core/src/vieneu_core/__init__.py"
    ]


def test_the_version_is_set_everywhere_at_once(program: ModuleType, tmp_path: Path) -> None:
    for name in program.FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)

    program.set_version(tmp_path, "12.34.56")

    assert program.stated_versions(tmp_path) == {name: {"12.34.56"} for name in program.FILES}


@pytest.mark.parametrize("version", ["", "v1.2.3", "1.2", "1.2.3 "])
def test_what_is_no_version_is_refused(program: ModuleType, version: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is no version"):
        program.set_version(tmp_path, version)
