"""What can become of the files of a v3 Turbo, and where the SDK has them from."""

from __future__ import annotations

import gc
import json
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from checkpoint.moss_codec import CLONED, moss_pitch_hz
from checkpoint.v3_engine import (
    AN,
    CHI,
    LAST,
    SHORT,
    cut_off,
    invalid,
    loaded_sdk,
    make_turbo,
    missing,
    noise_clip,
    pitches_spoken,
    spoken,
    turbo,
)
from checkpoint.v3_nano import write_v3_nano
from checkpoint.v3_turbo import GRAPHS
from hub_site import hub_site

from vieneu_core.engines.base import LoadProgress
from vieneu_core.engines.sdk import create
from vieneu_core.errors import CloningUnsupportedError, ModelLoadError, SynthesisFailedError

VOICES = "model/voices_v3_turbo.json"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_turbo(tmp_path_factory.mktemp("sdk"))
    write_v3_nano(folder / "nano")
    return folder


@pytest.fixture
def copy(made: Path, tmp_path: Path) -> Path:
    """The same, to be damaged."""
    return Path(shutil.copytree(made, tmp_path / "copy"))


# NumPy leaves the file of a broken archive open.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("damage", [missing, invalid, cut_off])
@pytest.mark.parametrize(
    "file",
    [
        f"model/{GRAPHS}/vieneu_prefill.onnx",
        f"model/{GRAPHS}/vieneu_decode_step.onnx",
        f"model/{GRAPHS}/vieneu_acoustic_cached.onnx",
        f"model/{GRAPHS}/vieneu_backbone_shared.data",
        f"model/{GRAPHS}/vieneu_v3_heads.npz",
        f"model/{GRAPHS}/config.json",
        f"model/{GRAPHS}/tokenizer.json",
        "codec/moss_audio_tokenizer_decode_full.onnx",
        "codec/moss_audio_tokenizer_decode_step.onnx",
        "codec/codec_browser_onnx_meta.json",
    ],
)
def test_a_file_that_is_missing_or_broken_is_an_error(
    copy: Path, file: str, damage: Callable[[Path], None]
) -> None:
    damage(copy / file)

    with pytest.raises(ModelLoadError, match=r"does not load|missing or broken"):
        loaded_sdk(turbo(copy))
    gc.collect()  # the SDK leaves a broken file open: told here, and not in a later test


def test_voices_that_cannot_be_read_are_an_error(copy: Path) -> None:
    invalid(copy / VOICES)

    with pytest.raises(ModelLoadError, match="unreadable voices file"):
        loaded_sdk(turbo(copy))


@pytest.mark.parametrize(
    ("change", "reported"),
    [
        (lambda file: file["presets"][CHI].pop("speaker_emb"), f"{CHI}.* has no speaker_emb"),
        (lambda file: file.update(default_voice="nobody"), "'nobody' as its default"),
    ],
)
def test_voices_that_the_sdk_would_leave_out_are_an_error(
    copy: Path, change: Callable[[Any], object], reported: str
) -> None:
    rewrite(copy / VOICES, change)

    with pytest.raises(ModelLoadError, match=reported):
        loaded_sdk(turbo(copy))


def test_the_default_of_a_model_may_be_one_of_the_sdks_own_voices(made: Path, copy: Path) -> None:
    others = [voice.id for voice in loaded_sdk(turbo(made))[1].voices if voice.id not in {AN, CHI}]
    rewrite(copy / VOICES, lambda file: file.update(default_voice=others[0]))

    assert loaded_sdk(turbo(copy))[1].voices[0].id == others[0]


def rewrite(path: Path, change: Callable[[Any], object]) -> None:
    reported = json.loads(path.read_text("utf-8"))
    change(reported)
    path.write_text(json.dumps(reported), "utf-8")


def test_weights_that_only_speaking_would_miss_are_missed_while_it_loads(copy: Path) -> None:
    heads = copy / "model" / GRAPHS / "vieneu_v3_heads.npz"
    with np.load(heads) as whole:
        kept: dict[str, Any] = {name: whole[name] for name in whole if name != "xvec_w"}
    np.savez(heads, **kept)

    with pytest.raises(ModelLoadError, match=r"cannot speak.*xvec_proj"):
        loaded_sdk(turbo(copy))


@pytest.mark.parametrize("damage", [missing, invalid])
def test_without_a_denoiser_no_clip_is_cloned_unless_it_is_not_wanted(
    copy: Path, damage: Callable[[Path], None]
) -> None:
    damage(copy / "model/denoiser.onnx")
    noisy, _ = loaded_sdk(turbo(copy))

    with pytest.raises(CloningUnsupportedError, match=r"denoiser\.onnx"):
        spoken(noisy, SHORT, noise_clip())
    undenoised, _ = loaded_sdk(turbo(copy, denoise=False))
    assert pitches_spoken(undenoised, SHORT, noise_clip())[0] == moss_pitch_hz(CLONED[0] + 1)


@pytest.mark.parametrize(
    "file", ["model/speaker_encoder.onnx", "codec/moss_audio_tokenizer_encode.onnx"]
)
def test_without_an_encoder_it_says_that_it_does_not_clone(copy: Path, file: str) -> None:
    missing(copy / file)
    silent, info = loaded_sdk(turbo(copy))

    assert not info.clones
    with pytest.raises(CloningUnsupportedError):
        spoken(silent, SHORT, noise_clip())


def test_a_broken_speaker_encoder_is_not_the_clips_fault(copy: Path) -> None:
    invalid(copy / "model/speaker_encoder.onnx")
    broken, _ = loaded_sdk(turbo(copy))

    with pytest.raises(SynthesisFailedError, match="clone"):
        spoken(broken, SHORT, noise_clip())


def test_a_folder_of_graphs_alone_speaks_with_the_sdks_own_voices(
    made: Path, tmp_path: Path
) -> None:
    shutil.copytree(made / "model" / GRAPHS, tmp_path / "flat")
    flat, info = loaded_sdk(turbo(made, model=str(tmp_path / "flat")))

    assert not info.clones
    assert pitches_spoken(flat, SHORT, info.voices[0].id)


def test_a_path_that_is_not_there_is_an_error(made: Path) -> None:
    with pytest.raises(ModelLoadError, match="/nowhere"):
        loaded_sdk(turbo(made, model="/nowhere"))


def test_what_is_here_is_loaded_and_spoken_with_without_one_call_of_the_network(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[object] = []

    def refuse(_: socket.socket, address: object) -> None:
        calls.append(address)
        raise OSError

    monkeypatch.setattr(socket.socket, "connect", refuse)
    local, _ = loaded_sdk(turbo(made))
    assert pitches_spoken(local, SHORT, noise_clip())
    nano, info = loaded_sdk({"mode": "v3nano", "model": str(made / "nano")})
    assert spoken(nano, SHORT, info.voices[0].id)
    assert spoken(nano, SHORT, noise_clip())
    assert not calls


def test_it_is_fetched_from_the_hub_once_with_progress_and_found_again_offline(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = turbo(made, cache=str(tmp_path), model="a/model", codec="a/codec")
    reported: list[LoadProgress] = []
    with hub_site() as site:
        site.files = {f"a/{repo}": contents(made / repo) for repo in ("model", "codec")}
        monkeypatch.setenv("HF_ENDPOINT", site.url)
        fetched = create(options)
        assert fetched.load(reported.append).model == "model"
    assert pitches_spoken(fetched, SHORT)[0] == moss_pitch_hz(LAST[AN] + 1)
    assert any(each.done_bytes and each.done_bytes == each.total_bytes for each in reported)

    again, _ = loaded_sdk({**options, "offline": True})
    assert pitches_spoken(again, SHORT) == pitches_spoken(fetched, SHORT)


def test_offline_and_not_here_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelLoadError, match="is not on this machine"):
        loaded_sdk({"cache": str(tmp_path), "offline": True, "device": "cpu"})


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
