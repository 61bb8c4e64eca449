"""The app's files obey the rules of Supervisor and of the linter of apps, restated for our keys.

Supervisor: supervisor/apps/validate.py, apps/options.py, apps/model.py, store/validate.py,
utils/apparmor.py. The linter: frenck/action-addon-linter, src/lint.py and src/config.schema.json.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
import yaml
from pydantic import BaseModel, ConfigDict, Field, HttpUrl, StringConstraints

from vieneu_colab_server.relay.home_assistant.app_options import AppOptions
from vieneu_colab_server.relay.home_assistant.supervisor import SERVICE
from vieneu_colab_server.relay.ingress import INGRESS_PORT
from vieneu_colab_server.settings import ENV_PREFIX, ServerSettings
from vieneu_core import __version__

ROOT = Path(__file__).parents[2]
APP = ROOT / "apps/vieneu"
TEXT = (APP / "config.yaml").read_text("utf-8")
CONFIG: dict[str, Any] = yaml.safe_load(TEXT)
CONTAINER = (APP / "Dockerfile").read_text("utf-8")
LANGUAGES = ("en", "vi")
_ELEMENT = (  # RE_SCHEMA_ELEMENT
    r"^(?:|bool|email|url|port|device(?:\((?P<filter>subsystem=[a-z]+)\))?"
    r"|str(?:\((?P<s_min>\d+)?,(?P<s_max>\d+)?\))?"
    r"|password(?:\((?P<p_min>\d+)?,(?P<p_max>\d+)?\))?"
    r"|int(?:\((?P<i_min>-?\d+)?,(?P<i_max>-?\d+)?\))?"
    r"|float(?:\((?P<f_min>-?\d*\.?\d+)?,(?P<f_max>-?\d*\.?\d+)?\))?"
    r"|match\((?P<match>.*)\)|list\((?P<list>.+)\))\??$"
)
DEFAULTS = {  # of both: the linter wants what is a default to be left out
    "advanced": False,
    "apparmor": True,
    "auth_api": False,
    "backup": "hot",
    "boot": "auto",
    "hassio_api": False,
    "hassio_role": "default",
    "homeassistant_api": False,
    "host_network": False,
    "ingress_port": 8099,
    "ingress_stream": False,
    "init": True,
    "options": {},
    "panel_admin": True,
    "panel_icon": "mdi:puzzle",
    "schema": {},
    "stage": "stable",
    "startup": "application",
    "timeout": 10,
    "tmpfs": False,
}
Slug = Annotated[str, StringConstraints(pattern=r"^[-_.A-Za-z0-9]+$")]
PortName = Annotated[str, StringConstraints(pattern=r"^\d+(?:/tcp|/udp)?$")]


class AppConfig(BaseModel):
    """Schema of config.yaml (_SCHEMA_APP_CONFIG), as far as we use it; other keys are refused."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str
    version: Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+$")]
    slug: Slug
    description: str
    url: Annotated[HttpUrl, Field(strict=False)]
    arch: list[Literal["aarch64", "amd64"]]
    startup: Literal["initialize", "system", "services", "application", "once"]
    stage: Literal["stable", "experimental", "deprecated"] = "stable"
    discovery: list[str]
    ingress: bool
    panel_icon: Annotated[str, StringConstraints(pattern=r"^mdi:[a-z-]+$")]
    panel_title: str
    ports: dict[PortName, Annotated[int, Field(ge=1, le=65535)] | None]
    ports_description: dict[PortName, str]
    backup_exclude: list[str]
    timeout: Annotated[int, Field(ge=10, le=300)]
    options: dict[str, str | int | bool]
    options_schema: Annotated[
        dict[str, Annotated[str, StringConstraints(pattern=_ELEMENT)]], Field(alias="schema")
    ]


class Repository(BaseModel):
    """Schema of repository.yaml (SCHEMA_REPOSITORY_CONFIG)."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str
    url: Annotated[HttpUrl, Field(strict=False)]
    maintainer: str


def test_supervisor_takes_the_configuration() -> None:
    config = AppConfig.model_validate(CONFIG)

    assert config.version == __version__
    assert config.slug == APP.name
    assert set(config.ports) == set(config.ports_description)
    assert set(config.options) == set(config.options_schema)


def test_supervisor_takes_the_repository() -> None:
    Repository.model_validate(yaml.safe_load((ROOT / "repository.yaml").read_text("utf-8")))


def test_the_linter_finds_nothing() -> None:
    stated = {key: value for key, value in CONFIG.items() if DEFAULTS.get(key, value) != value}
    repeated = [key for key in DEFAULTS if key in CONFIG and key not in stated]
    assert repeated == [], "they are the defaults"
    refused = {"webui", "watchdog", "auto_uart", "codenotary", "full_access", "advanced", "map"}
    assert refused.isdisjoint(CONFIG)
    assert not list(APP.glob("build.*")), "deprecated: the Dockerfile states its base"


def test_the_app_asks_for_no_more_rights_than_it_needs() -> None:
    """So Supervisor rates its security with 8 of 8: own AppArmor profile, ingress, no rights."""
    asked = {"privileged", "hassio_api", "homeassistant_api", "auth_api", "docker_api", "devices"}
    asked |= {"host_network", "host_pid", "host_dbus", "kernel_modules", "full_access"}
    assert asked.isdisjoint(CONFIG)
    assert DEFAULTS["ingress_port"] == INGRESS_PORT
    assert not any(name.startswith(str(INGRESS_PORT)) for name in CONFIG["ports"]), (
        "another machine must not reach the port that needs no login"
    )
    assert set(CONFIG["ports"].values()) == {None}, "closed until the user opens it"


def test_the_options_are_those_that_the_start_reads() -> None:
    fields = AppOptions.model_fields
    assert set(CONFIG["options"]) == set(fields)
    assert AppOptions.model_validate(CONFIG["options"]) == AppOptions()
    levels = re.fullmatch(r"list\((.+)\)", CONFIG["schema"]["log_level"])
    assert levels
    for level in levels[1].split("|"):
        AppOptions.model_validate({"log_level": level})


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_option_and_port_is_described_in_every_language(language: str) -> None:
    """SCHEMA_APP_TRANSLATIONS: configuration with name and description, network by port."""
    texts = yaml.safe_load((APP / f"translations/{language}.yaml").read_text("utf-8"))

    assert set(texts) == {"configuration", "network"}
    assert set(texts["configuration"]) == set(CONFIG["schema"])
    for described in texts["configuration"].values():
        assert set(described) == {"name", "description"}
        assert all(isinstance(text, str) and text for text in described.values())
    assert set(texts["network"]) == set(CONFIG["ports"])


def test_the_service_is_the_domain_of_the_integration() -> None:
    assert CONFIG["discovery"] == [SERVICE]
    assert (ROOT / "custom_components" / SERVICE / "manifest.json").is_file()


def test_the_profile_of_apparmor_has_the_one_name_that_supervisor_replaces() -> None:
    lines = (APP / "apparmor.txt").read_text("utf-8").splitlines()
    names = [found[1] for line in lines if (found := re.match(r"^profile ([^ ]+).*$", line))]
    assert names == [CONFIG["slug"]]
    rules = [line.strip() for line in lines if line.startswith("  ") and not line.startswith("  #")]
    assert all(rule.endswith(",") for rule in rules), "each rule ends so"
    assert "\n".join(lines).count("{") == "\n".join(lines).count("}")
    capabilities = {rule[:-1].split()[1] for rule in rules if rule.startswith("capability ")}
    assert capabilities.isdisjoint({"sys_admin", "sys_ptrace", "net_admin", "sys_module"})


def test_the_container_runs_the_app_of_this_version() -> None:
    (version,) = re.findall(r"^ARG BUILD_VERSION=(.*)$", CONTAINER, re.MULTILINE)
    assert version == __version__
    (entry,) = re.findall(r"^ENTRYPOINT (.*)$", CONTAINER, re.MULTILINE)
    *_, module = yaml.safe_load(entry)
    source = ROOT / "packages/vieneu-colab-server/src" / module.replace(".", "/")
    assert (source / "__main__.py").is_file()


def test_the_container_states_variables_that_exist() -> None:
    stated = dict(
        pair.split("=", 1)
        for line in re.findall(r"ENV (.*?[^\\])\n", CONTAINER, re.DOTALL)
        for pair in shlex.split(line.replace("\\\n", " "))
    )
    own = {name.removeprefix(ENV_PREFIX) for name in stated if name.startswith(ENV_PREFIX)}
    assert {name.lower() for name in own} <= set(ServerSettings.model_fields)
    assert f"{stated[f'{ENV_PREFIX}PORT']}/tcp" in CONFIG["ports"]
    assert "useradd --uid 1000 --home-dir /data/vieneu" in CONTAINER
    assert stated["VIENEU_APP_USER"] == "vieneu"
    assert all(stated[name].startswith("/data/vieneu/") for name in stated if "XDG" in name)
    excluded = CONFIG["backup_exclude"][0].removeprefix("*/")
    assert stated["XDG_CACHE_HOME"] == f"/data/{excluded}"


def test_the_container_is_made_as_that_of_the_relay_is() -> None:
    """Same base, same packages of the system, same health check."""
    relay = (ROOT / "deploy/Containerfile.relay").read_text("utf-8")
    for pattern in (r"^ARG BASE=.*$", r"^    CMD .*$", r"'packages/vieneu-colab-server\[.*\]'"):
        assert re.findall(pattern, CONTAINER, re.MULTILINE) == re.findall(
            pattern, relay, re.MULTILINE
        )


def test_the_container_takes_no_package_of_ours_by_its_name_alone() -> None:
    """Before the first release anybody could publish under them."""
    installed = re.findall(r"'([^'\s]*vieneu-(?:core|colab)[^'\s]*)'", CONTAINER)
    assert len(installed) == 2
    assert all(each.startswith("packages/") for each in installed)


def test_the_container_is_built_without_git() -> None:
    """Home Assistant OS has none, which a source of git needs on the machine that builds."""
    added = re.findall(r"^(?:ADD|ARG) .*$", CONTAINER, re.MULTILINE)
    assert [each for each in added if ".git" in each.replace("//github.com", "")] == []
    (archive,) = re.findall(
        r"^ADD https://\S+/v\$\{BUILD_VERSION\}\.tar\.gz (\S+)$", CONTAINER, re.MULTILINE
    )
    assert f"tar -xzf {archive} --strip-components=1 -C /source" in CONTAINER


def test_the_container_can_be_built_from_a_clone() -> None:
    stages = re.findall(r"^FROM \S+ AS (\S+)$", CONTAINER, re.MULTILINE)
    (default,) = re.findall(r"^ARG SOURCE=(.*)$", CONTAINER, re.MULTILINE)
    (other,) = re.findall(r"--build-arg SOURCE=(\S+)", CONTAINER)
    assert {default, other} < set(stages)
    assert "FROM ${SOURCE} AS source" in CONTAINER


@pytest.mark.parametrize("name", ["icon.png", "logo.png"])
def test_the_pictures_are_those_of_the_integration(name: str) -> None:
    brand = ROOT / "custom_components/vieneu/brand" / name
    assert (APP / name).read_bytes() == brand.read_bytes()


def test_the_changelog_begins_with_this_version() -> None:
    (latest, *_) = re.findall(r"^## (\S+)", (APP / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert latest == __version__
