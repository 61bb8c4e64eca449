from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
from checkpoint.piper_voice import write_voice

from vieneu_core.config import Settings
from vieneu_core.doctor import (
    Finding,
    Level,
    Topic,
    examine_backends,
    examine_engine,
    examine_installation,
    examine_settings,
    examine_watermark,
)
from vieneu_core.engines import registry
from vieneu_core.engines.ik_llama_wheels import Machine
from vieneu_core.engines.registry import ENGINES
from vieneu_core.engines.sano.fetching import FailureRecord
from vieneu_core.installation import extra_command


def test_missing_packages_come_with_the_pip_line(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("espeakng_loader", "av"):
        monkeypatch.setitem(sys.modules, module, None)
    found = {finding.topic: finding for finding in examine_installation({})}
    assert found[Topic.EMBEDDED_VOICE].level is Level.PROBLEM
    assert found[Topic.EMBEDDED_VOICE].command == extra_command("espeak")
    assert found[Topic.AUDIO_FILES].command == extra_command("")
    monkeypatch.setitem(sys.modules, "perth", None)
    assert examine_watermark().command == extra_command("watermark")


def engines(which: str) -> Finding:
    return examine_engine(next(needs for needs in ENGINES if needs.engine == which))


def test_the_engine_that_is_not_installed_is_named_with_its_own_extra(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where nothing is compiled, that is the extra that needs no compiler."""
    monkeypatch.setattr(registry, "Machine", lambda: Machine("linux", "riscv64"))
    for module in ("huggingface_hub", "ik_llama_cpp", "llama_cpp", "xllamacpp"):
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)

    assert engines("gguf").fact == "gguf (extra gguf-prebuilt: huggingface_hub, xllamacpp)"
    assert engines("gguf").command == extra_command("gguf-prebuilt")
    assert engines("pytorch").command == extra_command("torch")


def test_piper_without_a_voice_is_named_with_the_command_that_gets_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for variable in ("HF_HUB_CACHE", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path))

    without = engines("piper")
    write_voice(tmp_path / "vieneu/piper")
    with_voice = engines("piper")

    assert (without.level, without.command) == (
        Level.NOTE,
        "vieneu models use vi_VN-vais1000-medium",
    )
    assert (with_voice.level, with_voice.fact) == (Level.OK, "piper")


@pytest.mark.parametrize(
    ("package", "engine"), [("xllamacpp", "gguf"), ("sea_g2p", "gguf"), ("vieneu", "sdk")]
)
def test_an_engine_that_cannot_be_imported_is_not_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, package: str, engine: str
) -> None:
    for binding in ("ik_llama_cpp", "llama_cpp"):
        monkeypatch.setitem(sys.modules, binding, None)
    (tmp_path / f"{package}.py").write_text("raise OSError('libgomp.so.1: no such file')", "utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(tmp_path)

    found = engines(engine)

    assert found.level is Level.NOTE
    assert f"{package}: OSError: libgomp.so.1: no such file" in str(found.error)


def test_a_package_that_left_its_folder_is_not_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "vieneu/assets").mkdir(parents=True)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *(p for p in sys.path if "site-p" not in p)])
    monkeypatch.delitem(sys.modules, "vieneu", raising=False)

    assert "extra sdk: vieneu" in engines("sdk").fact


def test_the_neural_voice_comes_with_what_is_missing_for_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def found() -> Finding:
        return {f.topic: f for f in examine_installation({})}[Topic.NEURAL_VOICE]

    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert (found().level, found().command) == (Level.NOTE, "vieneu models get sano-vi")
    assert found().error is None
    FailureRecord(tmp_path / "vieneu/voice-download.json").put("sano-vi", "No network.")
    assert str(found().error) == "No network."
    monkeypatch.setitem(sys.modules, "sanotts", None)
    assert found().command == extra_command("sano")


def test_players_are_listed_in_the_order_in_which_they_are_tried() -> None:
    found = {f.topic: f for f in examine_installation({"aplay": "/a", "pw-cat": "/p"})}
    assert found[Topic.PLAYER].fact == "pw-cat, aplay"
    none = {f.topic: f for f in examine_installation({})}[Topic.PLAYER]
    assert none.level is Level.NOTE
    assert none.command


def test_a_source_tree_without_metadata_has_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(package: str) -> str:
        raise PackageNotFoundError(package)

    monkeypatch.setattr("vieneu_core.installation.distribution", unknown)
    assert {f.topic: f for f in examine_installation({})}[Topic.CORE].fact == "vieneu-core"


def test_the_settings_file_and_its_mode_are_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "my config.yaml"
    settings, (nothing,) = examine_settings(path, {})
    assert (settings, nothing.level) == (Settings(), Level.NOTE)
    path.write_text("backend_mode: local\n", "utf-8")
    path.chmod(0o644)
    _, (without_token, _) = examine_settings(path, {"COLAB_AUTH_TOKEN": "secret"})
    assert without_token.level is Level.OK, "there is nothing in it to hide"
    path.write_text("colab:\n  auth_token: secret-secret-secret-secret-secret\n", "utf-8")
    path.chmod(0o640)
    _, (wide, variables) = examine_settings(path, {"COLAB_AUTH_TOKEN": "secret"})
    assert wide.level is Level.PROBLEM
    assert wide.command == f"chmod 600 '{path}'"
    assert variables.fact == "COLAB_AUTH_TOKEN"
    path.chmod(0o600)
    _, (good,) = examine_settings(path, {})
    assert good.level is Level.OK


async def test_a_remote_that_is_switched_off_is_named_with_the_setting_that_does_so() -> None:
    url = "https://abc123.ngrok-free.app"
    off = Settings.model_validate({"colab": {"enabled": False, "endpoint_url": url}})

    findings = {finding.topic: finding for finding in await examine_backends(off)}

    assert findings[Topic.REMOTE].fact == "colab.enabled: false"
    assert findings[Topic.REMOTE].command == f"vieneu connect {url}"


def test_a_bad_settings_file_is_a_finding(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("colab: [secret]\n", "utf-8")
    settings, (bad,) = examine_settings(path, {})
    assert settings is None
    assert bad.error is not None
    assert "secret" not in str(bad.error)


async def test_the_backends_are_looked_at_for_real() -> None:
    local, remote = await examine_backends(Settings())
    assert local.level is Level.OK
    assert local.fact.startswith("espeak (eSpeak NG")
    assert remote.command == "vieneu connect URL"


async def test_the_voice_of_the_settings_is_looked_for() -> None:
    settings = Settings.model_validate({"local": {"voice": "vi-south"}})
    _, good, _ = await examine_backends(settings)
    assert (good.topic, good.level, good.fact) == (Topic.VOICE, Level.OK, "vi-south")
    settings = Settings.model_validate({"local": {"voice": "ba-ngoai"}})
    loaded, bad, _ = await examine_backends(settings)
    assert (loaded.level, bad.topic, bad.level) == (Level.OK, Topic.VOICE, Level.PROBLEM)
    assert bad.fact == "local.voice: ba-ngoai"
    assert bad.command == "vi-north, vi-central, vi-south, en-us, en-gb"


def test_a_settings_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    settings, (bad,) = examine_settings(tmp_path / "config.yaml", {}, must_exist=True)
    assert settings is None
    assert bad.level is Level.PROBLEM


def test_a_url_to_which_no_token_may_go_is_named_by_line_and_field(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("colab:\n  enabled: true\n  endpoint_url: http://abc.example\n", "utf-8")
    settings, (bad,) = examine_settings(path, {}, must_exist=True)
    assert settings is None
    assert bad.level is Level.PROBLEM
    assert "line 3, column 17, colab.endpoint_url" in str(bad.fact) + str(bad.error)


@pytest.mark.parametrize(
    ("url", "code"),
    [("http://127.0.0.1:9", "connection"), ("", "configuration")],
)
async def test_a_remote_that_cannot_be_used_is_a_problem(url: str, code: str) -> None:
    settings = Settings.model_validate(
        {
            "colab": {"enabled": True, "endpoint_url": url, "auth_token": "secret"},
            "local": {"engine": "nowhere:create"},
        }
    )
    local, remote = await examine_backends(settings)
    assert (local.level, remote.level) == (Level.PROBLEM, Level.PROBLEM)
    assert remote.error is not None
    assert remote.error.code == code
    assert "secret" not in f"{local}{remote}"
