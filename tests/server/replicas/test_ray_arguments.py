"""Arguments of the application, and the settings of an ingress."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import warnings
from importlib.util import find_spec
from pathlib import Path

import pytest
from guard import GUARD_S

from vieneu_colab_server import ray_app
from vieneu_colab_server.cli import TOKEN_FILE_VARIABLE, TOKEN_VARIABLE
from vieneu_colab_server.exit_codes import EXIT_CONFIGURATION, EXIT_MAY_PASS
from vieneu_colab_server.replicas.arguments import RayAppArguments
from vieneu_colab_server.replicas.ingress import ingress_settings
from vieneu_core.errors import ConfigurationError, MissingExtraError


@pytest.fixture(autouse=True)
def no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (TOKEN_VARIABLE, TOKEN_FILE_VARIABLE):
        monkeypatch.delenv(name, raising=False)


def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "vieneu_colab_server.ray_app", *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=GUARD_S,
        env={**os.environ, **environ},
    )


@pytest.mark.parametrize(
    ("argument", "named"),
    [
        ("max_replicas=0", "max_replicas"),
        ("min_replicas=3", "min_replicas: it is above max_replicas"),
        ("replicas=2", "replicas"),
        ("no-value", "key=value"),
    ],
)
def test_a_wrong_argument_is_named(argument: str, named: str) -> None:
    ended = run(argument, VIENEU_SERVER_TOKEN="token-for-tests-0123456789")

    assert ended.returncode == EXIT_CONFIGURATION, ended.stderr
    assert named in ended.stderr
    assert "Traceback" not in ended.stderr


def test_all_arguments_may_be_text_as_serve_run_passes_them() -> None:
    given: dict[str, object] = {
        "engine": "gguf",
        "engine_options": {"model": "v2", "threads": 2},
        "voices_dir": Path("/voices"),
        "dictionary": "/words.txt",
        "min_replicas": 2,
        "max_replicas": 3,
        "target_ongoing_requests": 1.5,
        "upscale_delay_s": 0.0,
        "downscale_delay_s": 60.0,
        "max_ongoing_requests": 5,
        "max_queued_requests": 0,
        "replica_cpus": 0.5,
        "replica_gpus": 0.25,
        "drain_timeout_s": 30.0,
        "ingress_replicas": 2,
        "ingress_cpus": 0.5,
        "ingress_resource": "ingress",
    }
    text = {
        name: json.dumps(value) if isinstance(value, dict) else str(value)
        for name, value in given.items()
    }

    assert given.keys() == RayAppArguments.model_fields.keys()
    assert RayAppArguments.model_validate(text).model_dump() == given


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("model=v2", "it is not JSON"),
        ("[" * 50_000, "it is not JSON"),
        ("[1]", "it must be an object"),
        (" " * 100_000, "it must have at most 65536 characters"),
    ],
)
def test_options_of_the_engine_that_are_no_object_in_json_are_refused(
    options: str, reason: str
) -> None:
    with pytest.raises(ConfigurationError, match=f"engine_options: {reason}"):
        ray_app.build({"engine_options": options})


@pytest.mark.skipif(find_spec("ray") is None, reason="ray is not installed: nox -s ray")
@pytest.mark.parametrize(("resource", "taken"), [(None, set()), ("ingress", {"ingress"})])
def test_an_ingress_runs_where_its_resource_is(resource: str | None, taken: set[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Ray's own, when it is imported
        app = ray_app.build({"ingress_resource": resource})

    options = app._bound_deployment.ray_actor_options
    assert options.get("resources", {}).keys() == taken


def test_without_a_token_it_does_not_start() -> None:
    ended = run("max_replicas=2")

    assert ended.returncode == EXIT_CONFIGURATION
    assert ended.stderr.startswith("error: The ingress has no token. Set VIENEU_SERVER_TOKEN_FILE")


@pytest.mark.skipif(find_spec("ray") is None, reason="ray is not installed: nox -s ray")
def test_a_port_that_is_taken_is_named_before_ray_starts() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        token = "token-for-tests-0123456789"
        ended = run(VIENEU_SERVER_TOKEN=token, VIENEU_SERVER_PORT=port)

    assert ended.returncode == EXIT_MAY_PASS
    assert ended.stderr.startswith(f"error: Cannot listen on 127.0.0.1 port {port}")


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match="ray of vieneu-colab-server"):
        ray_app.build({})


def test_an_ingress_takes_what_the_replicas_and_their_queue_can_hold(tmp_path: Path) -> None:
    token_file = tmp_path / "token"
    token_file.write_text("token-for-tests-0123456789\n")
    token_file.chmod(0o600)
    arguments = RayAppArguments(max_replicas=3, max_ongoing_requests=4, max_queued_requests=5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(TOKEN_FILE_VARIABLE, str(token_file))
        settings = ingress_settings(arguments)

    assert (settings.max_concurrent, settings.max_queue) == (17, 0)
    assert settings.token.get_secret_value() == "token-for-tests-0123456789"


def test_an_ingress_without_a_token_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="no token"):
        ingress_settings(RayAppArguments())
