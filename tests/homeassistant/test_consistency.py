"""What lies beside the code: manifest, translations, icons, actions. All of it fits together."""

from __future__ import annotations

import json
import re
import string
from collections.abc import Iterator
from graphlib import TopologicalSorter
from importlib.metadata import requires
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import COMPONENT, ROOT, SetUp
from custom_components.vieneu.config_forms import ENGINE_OPTIONS
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import selector
from packaging.requirements import Requirement

from vieneu_core import __version__
from vieneu_core.config import TunnelKind
from vieneu_core.engines.registry import MODEL_ENGINES
from vieneu_core.errors import error_class
from vieneu_core.router import Mode

LANGUAGES = sorted(path.stem for path in (COMPONENT / "translations").glob("*.json"))
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


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_the_same_things_with_the_same_values(language: str) -> None:
    english, other = dict(leaves(TEXTS["en"])), dict(leaves(TEXTS[language]))

    assert list(english) == list(other)
    for key, text in english.items():
        names = [set(re.findall(r"\{(\w+)\}", t)) for t in (text, other[key])]
        assert names[0] == names[1], key


def test_the_manifest_is_of_this_version_and_names_distributions_without_extras() -> None:
    """Home Assistant ignores extras once the distribution is there."""
    manifest = json.loads((COMPONENT / "manifest.json").read_text("utf-8"))
    stated = [Requirement(text) for text in requires("vieneu-core") or ()]
    extras = [
        f"{each.name}{each.specifier}"
        for each in stated
        for extra in ("cache", "notebook")
        if each.marker and each.marker.evaluate({"extra": extra})
    ]

    assert manifest["version"] == __version__
    assert manifest["requirements"] == [f"vieneu-core=={__version__}", *sorted(extras)]
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


def test_no_message_is_unused() -> None:
    used = set(re.findall(r'"(\w+)(?:\.message)?"', CODE))
    used |= {f"{mode.value}_not_ready" for mode in Mode}  # as the select composes them
    for key in (*TEXTS["en"]["exceptions"], *TEXTS["en"]["config"]["error"]):
        code = key.removeprefix("remedy_")
        assert key in used or (code != key and error_class(code) is not None), key


def test_every_engine_of_the_core_can_be_chosen() -> None:
    engines = tuple(sorted(MODEL_ENGINES))
    assert engines == ("auto", "gguf", "piper", "pytorch", "sdk")
    offered = ACTIONS["generate_notebook"]["fields"]["engine"]["selector"]["select"]["options"]
    assert tuple(offered) == engines
    assert tuple(option["value"] for option in ENGINE_OPTIONS) == engines
    assert all(option["label"] for option in ENGINE_OPTIONS)


def test_every_tunnel_of_the_core_can_be_chosen() -> None:
    select = ACTIONS["generate_notebook"]["fields"]["tunnel"]["selector"]["select"]
    assert sorted(select["options"]) == sorted(TunnelKind)
    unnamed = {kind.value for kind in TunnelKind if kind.label is None}
    for language in LANGUAGES:
        assert set(TEXTS[language]["selector"]["tunnel"]["options"]) == unnamed


@pytest.mark.parametrize(
    ("language", "about", "of_tunnels"),
    [("en", "reserved domain", "tunnel"), ("vi", "tên miền dành riêng", "đường hầm")],
)
def test_texts_leave_it_to_the_core_which_tunnels_have_domains(
    language: str, about: str, of_tunnels: str
) -> None:
    reported = [text for _, text in leaves(TEXTS[language]) if about in text.lower()]
    named = [text for text in reported if of_tunnels in text.lower()]

    assert len(named) == 2
    for text in named:
        assert "{tunnels}" in text
        assert not [kind for kind in TunnelKind if re.search(rf"\b{kind}\b(?!\.app)", text)], text


def test_no_modules_import_in_a_circle() -> None:
    imports = {}
    for module in COMPONENT.glob("*.py"):
        text = module.read_text("utf-8")
        found = set(re.findall(r"^\s*from \.(\w+) import", text, re.MULTILINE))
        for names in re.findall(r"^\s*from \. import (.+)$", text, re.MULTILINE):
            found |= set(names.split(", "))
        imports[module.stem] = found
    TopologicalSorter(imports).prepare()


async def test_every_entity_has_a_name_and_where_no_class_draws_one_an_icon(
    hass: HomeAssistant, set_up: SetUp, colab: dict[str, Any]
) -> None:
    entry = await set_up(colab)
    for entity in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id):
        key = entity.translation_key
        assert key is not None
        for language in LANGUAGES:
            assert TEXTS[language]["entity"][entity.domain][key]["name"]
        if entity.domain != "tts" and entity.original_device_class is None:
            assert key in ICONS["entity"][entity.domain]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_state_of_a_list_has_a_word(
    hass: HomeAssistant, set_up: SetUp, colab: dict[str, Any], language: str
) -> None:
    await set_up(colab)
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
    known = {
        *manifest["dependencies"],
        *manifest["after_dependencies"],
        *(platform.value for platform in Platform),
    }
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
            # A name that is the same in each language has no text: the option itself is shown.
            assert set(TEXTS["en"]["selector"][key]["options"]) <= set(options)
