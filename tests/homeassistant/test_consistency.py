"""What lies beside the code: manifest, translations, icons, actions. All of it fits together."""

from __future__ import annotations

import json
import re
import string
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.metadata import requires
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import COMPONENT, EMBEDDED, ROOT, SetUp
from homeassistant.components.automation.config import (
    AUTOMATION_BLUEPRINT_SCHEMA,
    async_validate_config_item,
)
from homeassistant.components.blueprint.models import Blueprint, BlueprintInputs
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import selector
from homeassistant.util.yaml import load_yaml
from packaging.requirements import Requirement
from real_hass import RELEASES

from vieneu_core import __version__

LANGUAGES = ("en", "vi")
PACKAGE = ROOT / "packages/vieneu-ha-integration"
TEXTS = {
    language: json.loads((COMPONENT / f"translations/{language}.json").read_text("utf-8"))
    for language in LANGUAGES
}
ICONS = json.loads((COMPONENT / "icons.json").read_text("utf-8"))
ACTIONS = yaml.safe_load((COMPONENT / "services.yaml").read_text("utf-8"))
CODE = "\n".join(path.read_text("utf-8") for path in COMPONENT.glob("*.py"))


def leaves(texts: dict[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    for key, value in texts.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value


def test_both_languages_say_the_same_things_with_the_same_values() -> None:
    english, vietnamese = dict(leaves(TEXTS["en"])), dict(leaves(TEXTS["vi"]))

    assert list(english) == list(vietnamese)
    for key, text in english.items():
        names = [set(re.findall(r"\{(\w+)\}", t)) for t in (text, vietnamese[key])]
        assert names[0] == names[1], key


def test_the_manifest_is_of_this_version_and_names_distributions_without_extras() -> None:
    """Home Assistant ignores extras once the distribution is there."""
    manifest = json.loads((COMPONENT / "manifest.json").read_text("utf-8"))
    stated = [Requirement(text) for text in requires("vieneu-core") or ()]
    notebook = [
        f"{each.name}{each.specifier}"
        for each in stated
        if each.marker and each.marker.evaluate({"extra": "notebook"})
    ]

    assert manifest["version"] == __version__
    assert manifest["requirements"] == [f"vieneu-core=={__version__}", *sorted(notebook)]
    assert list(manifest)[:2] == ["domain", "name"]
    assert list(manifest)[2:] == sorted(list(manifest)[2:])


def test_every_action_is_described_in_full() -> None:
    for language in LANGUAGES:
        texts = TEXTS[language]["services"]
        assert set(texts) == set(ACTIONS) == set(ICONS["services"])
        for action, fields in ACTIONS.items():
            assert set(texts[action]["fields"]) == set(fields["fields"])
            assert texts[action]["name"]


def test_every_message_that_is_raised_is_translated() -> None:
    raised = set(re.findall(r'translation_key="(\w+)",\n\s+translation_placeholders', CODE))
    raised |= set(re.findall(r'translated\([\w.]+, error, "(\w+)"\)', CODE))
    raised |= {"local_not_ready", "remote_not_ready"}

    assert raised - {"mode", "voice"} <= set(TEXTS["en"]["exceptions"])
    assert len(raised) > 8


async def test_every_entity_has_a_name_and_where_no_class_draws_one_an_icon(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    entry = await set_up(EMBEDDED)
    for entity in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id):
        key = entity.translation_key
        assert key is not None
        for language in LANGUAGES:
            assert TEXTS[language]["entity"][entity.domain][key]["name"]
        if entity.domain != "tts" and entity.original_device_class is None:
            assert key in ICONS["entity"][entity.domain]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_state_of_a_list_has_a_word(
    hass: HomeAssistant, set_up: SetUp, language: str
) -> None:
    await set_up(EMBEDDED)
    for domain in ("sensor", "select"):
        for state in hass.states.async_all(domain):
            registered = er.async_get(hass).async_get(state.entity_id)
            assert registered is not None
            if options := state.attributes.get("options"):
                words = TEXTS[language]["entity"][domain][registered.translation_key]["state"]
                assert set(words) <= set(options)
                assert registered.translation_key == "voice" or set(words) == set(options)


def test_no_module_of_the_component_speaks_http_or_loads_a_model() -> None:
    imported = re.findall(r"^(?:from|import) ([\w.]+)", CODE, re.MULTILINE)

    assert {"requests", "httpx", "torch", "fastapi"}.isdisjoint(
        name.partition(".")[0] for name in imported
    )
    assert "ClientSession(" not in CODE
    assert Path(COMPONENT / "services.yaml").is_file()


def test_the_quality_scale_names_every_rule_with_its_proof() -> None:
    scale = yaml.safe_load((COMPONENT / "quality_scale.yaml").read_text("utf-8"))["rules"]

    assert len(scale) == 54
    for rule, stated in scale.items():
        assert stated["status"] in {"done", "exempt"}, rule
        assert len(stated["comment"]) > 10, rule
    page = (ROOT / "docs/home-assistant.md").read_text("utf-8")
    headings = re.findall(r"^## (.*)$", page, re.MULTILINE)
    for rule, stated in scale.items():
        for heading in re.findall(r"docs/home-assistant\.md, ([A-Z][^.]*)\.", stated["comment"]):
            assert heading == "its beginning" or heading in headings, rule


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


def test_each_release_of_home_assistant_is_tested_and_the_checkout_checked_as_it_is() -> None:
    text = (ROOT / ".github/workflows/home-assistant.yml").read_text("utf-8")
    jobs = yaml.safe_load(text)["jobs"]

    tested = {each["release"] for each in jobs["tests"]["strategy"]["matrix"]["include"]}
    assert tested == set(RELEASES)
    for check in ("hassfest", "hacs"):
        assert not [step for step in jobs[check]["steps"] if "run" in step]


KEY = re.compile(r"^(?!.+[_-]{2})(?![_-])[a-z0-9-_]+(?<![_-])$")
URL = re.compile(r"(https?://|www\.)[a-z0-9]", re.IGNORECASE)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_keeps_to_the_rules_of_home_assistants_own_check(language: str) -> None:
    """Those of hassfest: no markup, no address, no quoted or odd placeholder, no stray space."""
    for path, text in leaves(TEXTS[language]):
        assert cv.string_with_no_html(text) == text
        assert text == text.strip(), path
        assert not URL.search(text), f"{path}: an address belongs into a placeholder"
        assert not re.search(r"'{\w+}'", text), path
        for _, field, _, _ in string.Formatter().parse(text):
            assert not field or field.isidentifier(), path
        if path.startswith(("entity.", "selector.", "services.", "exceptions.", "system_health.")):
            assert all(KEY.match(key) for key in path.split(".")), path
        if path.startswith("entity."):
            assert "{" not in text, path
    for flow in ("config", "options"):
        for step in TEXTS[language][flow]["step"].values():
            assert set(step.get("data_description", {})) == set(step.get("data", {}))
    for issue in TEXTS[language]["issues"].values():
        assert ("description" in issue) != ("fix_flow" in issue)


def test_every_icon_is_of_material_design_and_says_something_new() -> None:
    for path, icon in leaves(ICONS):
        assert re.fullmatch(r"mdi:[a-z0-9-]+", icon), path
    for entities in ICONS["entity"].values():
        for entity in entities.values():
            assert entity["default"] not in entity.get("state", {}).values()


def test_what_is_imported_from_home_assistant_is_named_in_the_manifest() -> None:
    manifest = json.loads((COMPONENT / "manifest.json").read_text("utf-8"))
    known = {*manifest["dependencies"], *(platform.value for platform in Platform)}
    # Always there, by hassfest's own list.
    known |= {"device_automation", "homeassistant", "persistent_notification", "system_health"}
    known |= {"webhook"}
    for module in COMPONENT.glob("*.py"):
        used = re.findall(r"homeassistant\.components\.(\w+)", module.read_text("utf-8"))
        used += re.findall(r"from homeassistant\.components import (\w+)", module.read_text())
        assert set(used) <= known | {module.stem}, module.name


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_every_field_of_an_action_has_a_selector_that_home_assistant_knows(name: str) -> None:
    for field in ACTIONS[name]["fields"].values():
        chosen = selector.validate_selector(field["selector"])
        if key := chosen.get("select", {}).get("translation_key"):
            options = [str(each) for each in chosen["select"]["options"]]
            assert set(TEXTS["en"]["selector"][key]["options"]) == set(options)
