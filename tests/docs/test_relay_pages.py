"""The pages of the relay, and the files that run it, say what the code says."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from relay_site import relaying

from vieneu_colab_server.launch import CLOSE_TIMEOUT_S as HTTP_CLOSE_S
from vieneu_colab_server.relay.admin_app import MAX_ADMIN_BODY_BYTES
from vieneu_colab_server.relay.speak.speech_file import MAX_SAMPLES_BYTES
from vieneu_colab_server.relay.wyoming.server import CLOSE_TIMEOUT_S as WYOMING_CLOSE_S
from vieneu_colab_server.settings import ENV_PREFIX, ServerSettings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
TO_CLOSE_THE_BACKENDS_S = 10
"""Left for the worker process and the connection to a server."""
PAGE = (ROOT / "docs/relay.md").read_text("utf-8")


@pytest.fixture(scope="module")
def options() -> set[str]:
    """The options of the command."""
    shown = subprocess.run(
        [sys.executable, "-m", "vieneu_colab_server.relay", "--help"],
        check=True, capture_output=True, text=True, env={**os.environ, "COLUMNS": "200"},
    ).stdout  # fmt: skip
    return set(re.findall(r"--[a-z-]+", shown))


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The service of the compose file."""
    stated = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    service: dict[str, Any] = stated["services"]["relay"]
    return service


async def test_the_page_lists_every_path_of_the_admin_api(tmp_path: Path) -> None:
    async with relaying(tmp_path) as site, site.session.get(f"{site.url}/relay/openapi.json") as on:
        described = (await on.json())["paths"]
    served = {
        (method.upper(), path.removeprefix("/api"))
        for path, methods in described.items()
        for method in methods
    }

    assert set(re.findall(r"^\| `([A-Z]+)` \| `(/\S+)` \|", PAGE, re.MULTILINE)) == served


def test_the_page_lists_every_option(options: set[str]) -> None:
    rows = "\n".join(re.findall(r"^\| `--.*?\|", PAGE, re.MULTILINE))
    assert set(re.findall(r"--[a-z-]+", rows)) == options - {"--help"}


def test_the_unit_starts_what_exists(options: set[str]) -> None:
    unit = (DEPLOY / "vieneu-relay.service").read_text("utf-8")
    (start,) = re.findall(r"^ExecStart=\S+/vieneu-relay (.*)$", unit, re.MULTILINE)
    assert set(re.findall(r"--[a-z-]+", start)) <= options
    stated = re.findall(rf"{ENV_PREFIX}([A-Z_]+)", unit)
    assert {name.lower() for name in stated} <= set(ServerSettings.model_fields)


def test_the_container_and_compose_agree(compose: dict[str, Any], options: set[str]) -> None:
    container = (DEPLOY / "Containerfile.relay").read_text("utf-8")

    user, check = (
        re.findall(rf"^{word} (.*)$", container, re.MULTILINE)[0] for word in ("USER", r"    CMD")
    )
    assert compose["user"] == user
    assert shlex.split(compose["healthcheck"]["test"]) == yaml.safe_load(check)
    build = compose["build"]
    assert (DEPLOY / build["context"]).resolve() == ROOT
    assert (ROOT / build["dockerfile"]).is_file()
    stated = re.findall(rf"{ENV_PREFIX}([A-Z_]+)", container)
    assert {name.lower() for name in stated} <= set(ServerSettings.model_fields)
    text = (DEPLOY / "compose.yaml").read_text("utf-8")
    (command,) = re.findall(r"^ *# command: (.*)$", text, re.MULTILINE)
    assert yaml.safe_load(command)[0] in options


def test_compose_protects_the_machine(compose: dict[str, Any]) -> None:
    assert compose["read_only"] is True
    assert compose["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in compose["security_opt"]
    assert all(port.startswith("127.0.0.1:") for port in compose["ports"])


def test_both_ways_to_mount_the_settings_are_shown(compose: dict[str, Any]) -> None:
    text = (DEPLOY / "compose.yaml").read_text("utf-8")
    page = (ROOT / "docs/relay/deployment.md").read_text("utf-8")
    file, folder = "./config.yaml:/config/config.yaml", "./config:/config"
    assert folder in compose["volumes"]
    assert f"# - {file}\n" in text
    assert file in page
    assert folder in page


@pytest.mark.parametrize("name", ["nginx.conf", "Caddyfile"])
def test_a_proxy_lets_pass_what_the_relay_takes(name: str) -> None:
    stated = (DEPLOY / name).read_text("utf-8")
    [mega] = re.findall(r"(?:client_max_body_size|max_size) (\d+)(?:m;|MB)", stated)

    assert int(mega) * 1_000_000 > max(MAX_SAMPLES_BYTES, MAX_ADMIN_BODY_BYTES)


@pytest.mark.parametrize(
    ("file", "stated"),
    [
        ("deploy/vieneu-relay.service", r"^TimeoutStopSec=(\d+)$"),
        ("deploy/vieneu-server.service", r"^TimeoutStopSec=(\d+)$"),
        ("deploy/compose.yaml", r"^ +stop_grace_period: (\d+)s\b"),
        ("apps/vieneu/config.yaml", r"^timeout: (\d+)$"),
        ("docs/relay/deployment.md", r"--stop-timeout (\d+) "),
    ],
)
def test_whoever_stops_the_program_lets_it_finish(file: str, stated: str) -> None:
    drain_s = ServerSettings.model_fields["drain_timeout_s"].default
    longest_s = drain_s + HTTP_CLOSE_S + WYOMING_CLOSE_S
    found = re.findall(stated, (ROOT / file).read_text("utf-8"), re.MULTILINE)
    assert found
    assert all(int(seconds) >= longest_s + TO_CLOSE_THE_BACKENDS_S for seconds in found)
