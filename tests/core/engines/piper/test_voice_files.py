"""Voices on this machine, and their download from a hub that behaves like the real one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from checkpoint.piper_voice import N_OLD, write_voice
from hub_site import HubSite, hub_site

from vieneu_core.engines.base import LoadProgress
from vieneu_core.engines.piper import create
from vieneu_core.engines.piper.options import PiperOptions
from vieneu_core.engines.piper.voice_config import config_path
from vieneu_core.engines.piper.voice_files import (
    MAX_GRAPH_BYTES,
    files_of,
    present_voices,
    voice_source,
)
from vieneu_core.errors import ModelLoadError
from vieneu_core.models.catalogue import DEFAULT_PIPER, MODELS, KnownModel, ModelKind, known_model

REPO = "rhasspy/piper-voices"
OTHER = "en/en_US/joe/medium/en_US-joe-medium.onnx"
VOICES = [model for model in MODELS if model.kind is ModelKind.PIPER]


def quiet(now: LoadProgress) -> None:
    del now


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    """A user without any voice."""
    folders = {
        "HF_HUB_CACHE": str(tmp_path / "hub"),
        "XDG_DATA_HOME": str(tmp_path / "share"),
        "HOME": str(tmp_path),
    }
    for name, value in folders.items():
        monkeypatch.setenv(name, value)
    return folders


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubSite]:
    """A hub with synthetic voices under the names of real ones, in the real repository."""
    with hub_site() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        files: dict[str, bytes] = {}
        for voice in (*VOICES, None):
            name, config = (voice.source.files[:2]) if voice else (OTHER, f"{OTHER}.json")
            known = 154 if voice is None or voice.name == DEFAULT_PIPER else N_OLD
            espeak = "vi" if voice else "en-us"
            graph = write_voice(tmp_path / "made", Path(name).stem, espeak=espeak, n_phonemes=known)
            files |= {name: graph.read_bytes(), config: config_path(graph).read_bytes()}
        running.files[REPO] = files
        yield running


def own(environ: dict[str, str]) -> Path:
    return Path(environ["XDG_DATA_HOME"]) / "vieneu" / "piper"


@pytest.fixture
def pins_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let synthetic files pass for the known voices, whose checksums are those of the real ones."""
    unpinned = tuple(replace(model, sha256="") for model in MODELS)
    monkeypatch.setattr("vieneu_core.models.catalogue.MODELS", unpinned)
    monkeypatch.setattr("vieneu_core.engines.piper.voice_files.MODELS", unpinned)


def test_without_any_voice_there_is_none(environ: dict[str, str]) -> None:
    assert present_voices(environ) == ()
    assert present_voices() == ()


@pytest.mark.usefixtures("pins_off")
def test_a_known_voice_is_downloaded_once_and_present_from_then_on(
    environ: dict[str, str], site: HubSite
) -> None:
    steps: list[str] = []
    info = create({}).load(lambda now: steps.append(now.step))
    asked = len(site.asked)

    assert info.model == DEFAULT_PIPER
    assert any(step.startswith(f"Downloading {DEFAULT_PIPER}") for step in steps)
    assert [(each.name, each.language) for each in present_voices(environ)] == [
        (DEFAULT_PIPER, "vi")
    ]
    create({"offline": True}).load(quiet)
    create({"voice": str(present_voices(environ)[0].graph)}).load(quiet)
    assert len(site.asked) == asked


@pytest.mark.usefixtures("environ")
def test_a_known_voice_must_have_its_checksum(site: HubSite) -> None:
    pinned = known_model(DEFAULT_PIPER).sha256

    with pytest.raises(ModelLoadError, match=f"is damaged.*{pinned} is required.*deleted"):
        create({}).load(quiet)
    assert site.asked
    assert present_voices() == ()


@pytest.mark.usefixtures("site", "environ")
def test_any_voice_of_a_repository_can_be_named() -> None:
    info = create({"voice": f"{REPO}:{OTHER}"}).load(quiet)

    assert (info.model, info.voices[0].language) == ("en_US-joe-medium", "en")


@pytest.mark.usefixtures("site", "environ")
def test_a_checksum_can_be_required_of_any_voice() -> None:
    with pytest.raises(ModelLoadError, match="is damaged"):
        create({"voice": f"{REPO}:{OTHER}#sha256={'0' * 64}"}).load(quiet)


@pytest.mark.usefixtures("environ")
def test_offline_a_missing_voice_names_the_command() -> None:
    with pytest.raises(ModelLoadError) as caught:
        create({"offline": True}).load(quiet)

    assert caught.value.remedy.endswith(f"vieneu models get {DEFAULT_PIPER}")


def test_voices_of_the_user_are_present_in_the_order_of_use(environ: dict[str, str]) -> None:
    folder = own(environ)
    write_voice(folder, "a_old", n_phonemes=N_OLD)
    write_voice(folder, "b_english", espeak="en-us")
    write_voice(folder, "c_tonal")
    config_path(write_voice(folder, "a_damaged")).write_text("{", "utf-8")
    (folder / "notes.txt").write_text("x", "utf-8")

    found = present_voices(environ)

    assert [each.name for each in found] == ["c_tonal", "b_english", "a_old", "a_damaged"]
    assert [each.has_all_tones for each in found] == [True, True, False, False]
    with pytest.raises(ModelLoadError, match=r"a_damaged\.onnx\.json is no configuration"):
        create({"voice": str(found[-1].graph)}).load(quiet)


def test_to_ask_for_voices_loads_neither_piper_nor_onnx_runtime(environ: dict[str, str]) -> None:
    write_voice(own(environ), "c_tonal")
    program = (
        "import sys; from vieneu_core.engines.piper.voice_files import present_voices;"
        "print([each.name for each in present_voices()]);"
        "print({'piper', 'onnxruntime', 'numpy', 'huggingface_hub'} & set(sys.modules))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True, timeout=120
    )

    assert done.stdout.split() == ["['c_tonal']", "set()"], done.stderr


def test_a_folder_is_no_voice(tmp_path: Path) -> None:
    write_voice(tmp_path)

    with pytest.raises(ModelLoadError, match="is a folder"):
        files_of(PiperOptions(voice=str(tmp_path)), quiet)


def test_a_voice_needs_its_configuration_beside_it(tmp_path: Path) -> None:
    graph = write_voice(tmp_path)
    config_path(graph).unlink()

    with pytest.raises(ModelLoadError, match=r"has no vi_VN-synthetic-medium\.onnx\.json beside"):
        files_of(PiperOptions(voice=str(graph)), quiet)


def test_a_file_that_is_far_too_large_is_not_opened(tmp_path: Path) -> None:
    graph = write_voice(tmp_path)
    with graph.open("r+b") as file:
        file.truncate(MAX_GRAPH_BYTES + 1)  # without using the disk

    with pytest.raises(ModelLoadError, match="larger than 1000 MB"):
        files_of(PiperOptions(voice=str(graph)), quiet)


def test_known_voices_are_found_by_their_names_in_any_case() -> None:
    assert known_model("VI_vn-Vais1000-medium").name == DEFAULT_PIPER
    with pytest.raises(ModelLoadError, match="mean vi_VN-vais1000-medium"):
        known_model("vi_VN-vais1000-low")


@pytest.mark.parametrize("voice", VOICES, ids=lambda voice: voice.name)
def test_a_known_voice_is_a_graph_with_its_configuration(voice: KnownModel) -> None:
    graph, config = voice_source(voice.name).files

    assert graph == f"vi/vi_VN/{voice.name[6:].replace('-', '/')}/{voice.name}.onnx"
    assert config == f"{graph}.json"
    assert voice.language == "vi"
