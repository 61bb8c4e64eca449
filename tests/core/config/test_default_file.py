"""Settings without arguments: the file and the environment of the command `vieneu`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from guard import GUARD_S

from vieneu_core import LocalBackend, Settings, build_router, load_settings, save_settings
from vieneu_core.errors import ConfigurationError, SettingsFileError

YAML = "local:\n  engine: gguf\n"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable in ("VIENEU_CONFIG", "XDG_CONFIG_HOME", "COLAB_ENDPOINT_URL", "COLAB_AUTH_TOKEN"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def names_in(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir()]


def write(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(YAML, "utf-8")


def test_without_a_file_there_are_the_defaults() -> None:
    assert load_settings() == Settings()


def test_the_file_is_the_one_of_the_command(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(home / ".config/vieneu/config.yaml")
    assert load_settings().local.engine == "gguf"

    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "xdg"))
    assert load_settings() == Settings()
    write(home / "xdg/vieneu/config.yaml")
    assert load_settings().local.engine == "gguf"

    monkeypatch.setenv("VIENEU_CONFIG", "~/own/settings.yaml")
    assert load_settings() == Settings()
    write(home / "own/settings.yaml")
    assert load_settings().local.engine == "gguf"


def test_what_is_saved_is_what_the_command_reads(home: Path) -> None:
    save_settings({"local.voice": "vi-south", "colab.timeout_seconds": np.float32(30)})  # type: ignore[dict-item]

    assert load_settings().local.voice == "vi-south"
    assert load_settings().colab.timeout_seconds == 30
    done = subprocess.run(
        [Path(sys.executable).with_name("vieneu"), "doctor"],
        env={**os.environ, "COLUMNS": "200"}, cwd=home,
        capture_output=True, text=True, check=False, timeout=GUARD_S,
    )  # fmt: skip
    assert str(home / ".config/vieneu/config.yaml") in done.stdout + done.stderr


def test_the_environment_wins_also_over_a_file_that_is_named(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLAB_ENDPOINT_URL", "https://abc.example")
    monkeypatch.setenv("COLAB_AUTH_TOKEN", "token")
    write(home / "own/settings.yaml")
    for settings in (load_settings(), load_settings(home / "own/settings.yaml")):
        assert settings.colab.enabled
        assert settings.colab.endpoint_url == "https://abc.example"
    assert not load_settings(home / "own/settings.yaml", {}).colab.enabled


@pytest.mark.parametrize("path", ["~/own/settings.yaml", "own/settings.yaml"])
def test_a_path_may_be_a_string(path: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    assert save_settings({"local.engine": "gguf"}, path).local.engine == "gguf"
    assert load_settings(path, must_exist=True).local.engine == "gguf"
    assert (home / "own/settings.yaml").is_file()


def test_what_is_natural_and_wrong_is_named() -> None:
    for changes in ({"local": {"engine": "gguf"}}, {"local.voice": None}, {1: "a"}, "local.engine"):
        with pytest.raises(ConfigurationError):
            save_settings(changes)  # type: ignore[arg-type]
    with pytest.raises(SettingsFileError, match="Did you mean 'engine'"):
        save_settings({"local.engin": "gguf"})
    with pytest.raises(ConfigurationError, match="path is of type dict"):
        save_settings({}, {"local.engine": "gguf"})  # type: ignore[arg-type]
    assert load_settings() == Settings()


def test_a_value_of_the_environment_that_is_no_string_is_named_and_not_shown() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(None, {"COLAB_AUTH_TOKEN": 12345678})  # type: ignore[dict-item]
    assert "1234" not in str(caught.value)


def test_settings_of_a_program_name_what_is_wrong() -> None:
    with pytest.raises(ConfigurationError, match=r"Settings\.backend_mode: found 'locl'"):
        Settings.model_validate({"backend_mode": "locl"})
    with pytest.raises(ConfigurationError) as caught:
        Settings.model_validate({"colab": {"auth_token": "very secret token"}})
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert Settings.model_validate(json.loads(Settings().model_dump_json())) == Settings()


def test_a_router_keeps_voices_and_budget_where_the_command_does(home: Path) -> None:
    colab = {"enabled": True, "endpoint_url": "http://127.0.0.1:9", "auth_token": "x"}
    settings = Settings.model_validate({"colab": colab})
    for router, state, voices in (
        (build_router(settings), home / ".local/state/vieneu", home / ".local/share/vieneu/voices"),
        (build_router(settings, state_dir="a", voices_dir=Path("b")), Path("a"), Path("b")),
    ):
        local = router._pool.require("local").backend
        assert isinstance(local, LocalBackend)
        assert local._voices._added is not None
        assert local._voices._added.folder == voices
        assert router._quota is not None
        assert router._quota._path == state / "budget.json"


async def test_a_router_of_this_machine_alone_that_downloads_nothing_writes_nothing(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    async with build_router(Settings()) as router:
        assert router.active == "local"

    assert names_in(home) == []
