from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from checkpoint.gguf_model import write_gguf
from checkpoint.piper_voice import write_voice
from cli_sandbox import CliSandbox
from hub_site import hub_site
from llama_library import NEEDS_C_INTERFACE

from vieneu_core.models.catalogue import known_model
from vieneu_core.text import phoneme_inventory

WORDS_READ = 110_000
"""The command needs that many at least; the dictionary has about a million."""


@pytest.mark.usefixtures("in_process")
def test_known_models_are_listed_for_people_and_programs(sandbox: CliSandbox) -> None:
    table, as_json = sandbox.run("models", "--lang", "vi"), sandbox.run("models", "--json")

    names = [model["name"] for model in json.loads(as_json.stdout)]
    assert {"vieneu-0.5b-q4", "vieneu-0.3b-q8", "neucodec-decoder-int8"} <= set(names)
    assert all(name in table.stdout for name in names)
    assert "Giấy phép" in table.stdout
    licences = {m["name"]: (m["licence"], m["voices_licence"]) for m in json.loads(as_json.stdout)}
    assert licences["vieneu-0.3b-q4"] == ("CC-BY-NC-4.0", "CC-BY-NC-4.0")
    assert licences["vieneu-v2-q4"] == ("Apache-2.0", "unknown")
    assert licences["neucodec-decoder-int8"] == ("Apache-2.0", None)


def test_a_model_is_fetched_with_its_voices(sandbox: CliSandbox) -> None:
    with hub_site() as site:
        site.files["pnnbao-ump/VieNeu-TTS-v2"] = {
            "VieNeu-TTS-v2-Q4-K-M.gguf": b"GGUF" * 5000,
            "voices.json": b"{}",
        }
        done = sandbox.run("models", "get", "vieneu-v2-q4", HF_ENDPOINT=site.url)
        wrong = sandbox.run("models", "get", "vieneu-0.5b-q4", HF_ENDPOINT=site.url)

    assert done.returncode == 0, done.stderr
    model = Path(done.stdout.replace("\n", ""))
    assert model.read_bytes() == b"GGUF" * 5000
    assert (model.parent / "voices.json").read_bytes() == b"{}"
    assert "vieneu-v2-q4: licence Apache-2.0; its voices: unknown" in done.stderr
    assert wrong.returncode == 5
    assert "its voices: CC-BY-NC-4.0" in wrong.stderr, "said before anything is downloaded"
    assert "no such repository" in wrong.stderr


@pytest.mark.usefixtures("in_process")
def test_an_unknown_model_is_told_with_those_that_are_known(sandbox: CliSandbox) -> None:
    done = sandbox.run("models", "get", "vieneu-9b")

    assert done.returncode == 4
    assert "vieneu-0.5b-q4" in done.stderr


def test_a_voice_becomes_the_local_one_with_one_command(sandbox: CliSandbox) -> None:
    """The files are synthetic, under the name of a known voice whose checksum is not pinned."""
    name = "vi_VN-25hours_single-low"
    graph = write_voice(sandbox.home / "made", name)
    with hub_site() as site:
        files = dict.fromkeys(known_model(name).source.files, b"")
        for file in files:
            files[file] = (graph.parent / Path(file).name).read_bytes()
        site.files["rhasspy/piper-voices"] = files
        done = sandbox.run("models", "use", name, HF_ENDPOINT=site.url)
        listed = sandbox.run("models", "--json")
        again = sandbox.run("models", "get", name, HF_ENDPOINT="http://127.0.0.1:9")

    assert done.returncode == 0, done.stderr
    assert f"{name}: licence" in done.stderr
    assert f"{name} is the local voice now (engine piper)" in done.stdout
    settings = (sandbox.home / ".config/vieneu/config.yaml").read_text("utf-8")
    assert "engine: piper" in settings
    assert f'voice: "{name}"' in settings
    (row,) = [row for row in json.loads(listed.stdout) if row["name"] == name]
    assert (row["language"], row["kind"]) == ("vi", "piper")
    assert row["path"] == again.stdout.replace("\n", "")
    assert Path(row["path"]).read_bytes() == graph.read_bytes()


@pytest.mark.usefixtures("in_process")
def test_options_of_another_engine_are_left_alone(sandbox: CliSandbox) -> None:
    config = sandbox.home / "config.yaml"
    config.write_text("local:\n  engine: gguf\n  options:\n    threads: 2\n", "utf-8")
    before = config.read_bytes()

    done = sandbox.run("models", "use", "vi_VN-vais1000-medium", "--config", str(config))

    assert done.returncode == 3, done.stderr
    assert "are those of the engine gguf" in done.stderr
    assert config.read_bytes() == before


@pytest.mark.usefixtures("in_process")
def test_what_does_not_speak_is_no_voice(sandbox: CliSandbox) -> None:
    done = sandbox.run("models", "use", "neucodec-decoder")

    assert done.returncode == 4
    assert "neucodec-decoder does not speak by itself" in done.stderr


@pytest.mark.slow
@NEEDS_C_INTERFACE
@pytest.mark.usefixtures("in_process")
def test_a_model_is_trimmed_and_still_speaks(
    sandbox: CliSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words_of = phoneme_inventory._words

    def first_words(path: Path) -> Iterator[str]:
        return islice(words_of(path), WORDS_READ)

    monkeypatch.setattr(phoneme_inventory, "_words", first_words)
    write_gguf(sandbox.home / "whole.gguf", n_codes=1024, n_words=3000)

    done = sandbox.run("optimize", "whole.gguf")

    assert done.returncode == 0, done.stderr
    trimmed = sandbox.home / "whole-trimmed.gguf"
    assert trimmed.stat().st_size < (sandbox.home / "whole.gguf").stat().st_size
    assert str(trimmed.name) in done.stdout
    again = sandbox.on_terminal("optimize", "whole-trimmed.gguf", "-o", str(tmp_path / "a.gguf"))
    assert again.finish() == 4
    assert "trimmed already" in again.shown
    assert "Reading words" not in again.shown, "told before a minute of reading"


@pytest.mark.usefixtures("in_process")
def test_what_cannot_be_trimmed_is_told_and_nobody_is_told_to_delete_it(
    sandbox: CliSandbox,
) -> None:
    (sandbox.home / "page.gguf").write_bytes(b"<html>")

    done = sandbox.run("optimize", "page.gguf")
    missing = sandbox.run("optimize", "nothing.gguf")

    assert done.returncode == missing.returncode == 4
    assert "web page" in done.stderr
    assert "Delete" not in done.stderr
    assert "There is no file nothing.gguf" in missing.stderr
