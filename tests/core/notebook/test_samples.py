"""The samples are what the template makes now; the packages in them are those of this version."""

from __future__ import annotations

import ast
import base64
import hashlib
import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest

from vieneu_core import __version__
from vieneu_core.notebook import NotebookSettings, render_notebook
from vieneu_core.wire.version import WIRE_VERSION

SAMPLES = Path(__file__).parents[3] / "notebooks"
AGAIN = "make it again: python notebooks/make_samples.py"
_WHEELS = re.compile(r"^WHEELS = (\{.*?^\})$", re.DOTALL | re.MULTILINE)


def sample(language: str) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(
        (SAMPLES / f"vieneu_relay.{language}.ipynb").read_text("utf-8")
    )
    return made


def wheels_in(notebook: dict[str, Any]) -> dict[str, tuple[str, str, str]]:
    (source,) = [cell["source"] for cell in notebook["cells"] if cell["id"] == "server"]
    found = _WHEELS.search(source)
    assert found is not None, "it carries its packages"
    wheels: dict[str, tuple[str, str, str]] = ast.literal_eval(found[1])
    return wheels


def without_wheels(notebook: dict[str, Any]) -> dict[str, Any]:
    for cell in notebook["cells"]:
        cell["source"] = _WHEELS.sub("WHEELS = {}", cell["source"])
    return notebook


@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_sample_is_what_the_template_makes_now_save_for_the_bytes_it_carries(
    language: str,
) -> None:
    made = render_notebook(NotebookSettings.model_validate({"language": language}))

    assert without_wheels(sample(language)) == without_wheels(made), AGAIN


@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_sample_carries_both_packages_whole_and_of_this_version(language: str) -> None:
    carried = wheels_in(sample(language))

    assert list(carried) == [
        f"vieneu_core-{__version__}-py3-none-any.whl",
        f"vieneu_colab_server-{__version__}-py3-none-any.whl",
    ], AGAIN
    for name, (_, sha256, packed) in carried.items():
        content = base64.b64decode(packed, validate=True)
        assert hashlib.sha256(content).hexdigest() == sha256
        with zipfile.ZipFile(io.BytesIO(content)) as wheel:
            assert wheel.testzip() is None
            info = "-".join(name.split("-")[:2])
            stated = wheel.read(f"{info}.dist-info/METADATA").decode()
        assert f"\nVersion: {__version__}\n" in stated


@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_sample_speaks_the_wire_version_of_today(language: str) -> None:
    (packed,) = [p for n, (_, _, p) in wheels_in(sample(language)).items() if "vieneu_core" in n]
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(packed))) as wheel:
        module = wheel.read("vieneu_core/wire/version.py").decode()

    assert f'WIRE_VERSION = "{WIRE_VERSION}"' in module, AGAIN
