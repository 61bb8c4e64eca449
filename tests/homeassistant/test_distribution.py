"""Distribution beside the component: blueprints, HACS, releases, tested Home Assistants."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml
from conftest import COMPONENT, ROOT
from homeassistant.components.automation.config import (
    AUTOMATION_BLUEPRINT_SCHEMA,
    async_validate_config_item,
)
from homeassistant.components.blueprint.models import Blueprint, BlueprintInputs
from homeassistant.core import HomeAssistant
from homeassistant.util.yaml import load_yaml
from user_machine import RELEASES

PACKAGE = ROOT / "packages/vieneu-ha-integration"


@pytest.mark.parametrize(
    "path",
    sorted((PACKAGE / "src/vieneu_ha/blueprint_files").rglob("*.yaml")),
    ids=lambda path: str(path.stem),
)
async def test_the_blueprints_are_valid_and_make_automations(
    hass: HomeAssistant, path: Path
) -> None:
    data = load_yaml(str(path))
    blueprint = Blueprint(
        data, path=str(path), expected_domain="automation", schema=AUTOMATION_BLUEPRINT_SCHEMA
    )
    given = {
        "door": "binary_sensor.door", "players": ["media_player.a"], "text": "Cửa mở.",
        "volume": 0.5, "event": "event.a", "mode": "select.a", "connected": "binary_sensor.c",
        "begin": "18:00:00", "end": "22:00:00",
    }  # fmt: skip
    inputs = BlueprintInputs(
        blueprint,
        {
            "use_blueprint": {
                "path": str(path),
                "input": {name: given[name] for name in blueprint.inputs},
            }
        },
    )
    inputs.validate()
    config = await async_validate_config_item(hass, "a", inputs.async_substitute())
    assert config is not None
    assert config.validation_error is None


def test_the_repository_itself_is_what_hacs_installs_from(tmp_path: Path) -> None:
    """As https://hacs.xyz/docs/publish/integration/ asks; HACS reads the repository on GitHub."""
    stated = json.loads((ROOT / "hacs.json").read_text("utf-8"))
    made = subprocess.run(
        [sys.executable, PACKAGE / "make_hacs.py", tmp_path / "made"],
        check=True,
        capture_output=True,
        text=True,
    )
    names = {
        str(path.relative_to(COMPONENT))
        for path in COMPONENT.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    assert [path.name for path in COMPONENT.parent.iterdir()] == ["vieneu"]
    assert not [path for path in (COMPONENT, *COMPONENT.rglob("*")) if path.is_symlink()]
    assert {"manifest.json", "brand/icon.png", "translations/vi.json", "tts.py"} <= names
    assert (ROOT / "README.md").is_file()
    assert stated["homeassistant"] == f"{min(RELEASES)}.0"
    assert stated["zip_release"]
    assert Path(made.stdout.strip()) == tmp_path / "made" / stated["filename"]
    with zipfile.ZipFile(made.stdout.strip()) as archive:
        assert {n for n in archive.namelist() if not n.endswith("/")} == names


def test_a_release_has_the_file_that_hacs_asks_for() -> None:
    asset = json.loads((ROOT / "hacs.json").read_text("utf-8"))["filename"]
    jobs = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text("utf-8"))["jobs"]
    runs = [step.get("run", "") for job in jobs.values() for step in job["steps"]]

    assert any("make_hacs.py" in run for run in runs)
    (attach,) = [run for run in runs if "gh release create" in run]
    assert asset in attach
    assert jobs["github"]["permissions"] == {"contents": "write"}


def test_the_component_is_the_only_one_that_hassfest_finds() -> None:
    """Its action checks whatever ``find . -name manifest.json`` finds in the checkout."""
    listed = subprocess.run(
        # In the container of a CI job the checkout belongs to another user.
        ["git", "-c", "safe.directory=*", "ls-files", "*manifest.json"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    assert listed.stdout.split() == ["custom_components/vieneu/manifest.json"]


def test_each_release_of_home_assistant_is_tested_and_the_checkout_checked_as_it_is() -> None:
    text = (ROOT / ".github/workflows/home-assistant.yml").read_text("utf-8")
    jobs = yaml.safe_load(text)["jobs"]

    tested = {each["release"] for each in jobs["tests"]["strategy"]["matrix"]["include"]}
    assert tested == set(RELEASES)
    for check in ("hassfest", "hacs"):
        assert not [step for step in jobs[check]["steps"] if "run" in step]
