from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from checkpoint.piper_voice import N_OLD, write_voice

from vieneu_core.engines.piper.voice_config import (
    MAX_CONFIG_BYTES,
    config_path,
    read_config,
)
from vieneu_core.errors import ModelLoadError


def changed(tmp_path: Path, **members: Any) -> Path:
    return write_voice(tmp_path, **members)


def test_what_is_used_of_a_configuration_is_read(tmp_path: Path) -> None:
    config = read_config(write_voice(tmp_path, speakers=("An", "Bình"), rate_hz=16_000))

    assert config.audio.sample_rate == 16_000
    assert config.language == "vi"
    assert config.speakers == (("An", 0), ("Bình", 1))
    assert config.has_all_tones
    assert config.for_piper()["piper_version"] == "1.0.0"


@pytest.mark.parametrize(
    ("espeak", "n_phonemes", "understood"),
    [
        ("vi", 154, True),
        ("vi", N_OLD, False),
        ("vi-vn-x-south", N_OLD, False),
        ("en-us", N_OLD, True),
    ],
)
def test_only_vietnamese_needs_the_marks_of_tones(
    tmp_path: Path, espeak: str, n_phonemes: int, *, understood: bool
) -> None:
    graph = write_voice(tmp_path, espeak=espeak, n_phonemes=n_phonemes)

    assert read_config(graph).has_all_tones is understood


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"audio": {}}, "audio.sample_rate: it is missing"),
        ({"audio": {"sample_rate": 10**9}}, "audio.sample_rate: it must be 48000 or less"),
        ({"espeak": "../../etc"}, "espeak.voice: it has not the right form"),
        ({"num_symbols": 0}, "num_symbols: it must be 1 or more"),
        ({"num_speakers": 10**6}, "num_speakers: it must be 2000 or less"),
        ({"phoneme_id_map": {}}, "phoneme_id_map: it must have at least 1 entries"),
        ({"phoneme_id_map": {"a": [1]}}, "the marks of a sentence's ends are missing"),
        (
            {"phoneme_id_map": {"_": [0], "^": [1], "$": [2], "a": [256]}},
            "phoneme_id_map: an id is out of range",
        ),
        ({"phoneme_id_map": {"_": [-1], "^": [1], "$": [2]}}, "an id is out of range"),
        ({"speaker_id_map": {"An": 1}}, "speaker_id_map: an id is out of range"),
        ({"phoneme_type": "pinyin"}, "phoneme_type: it must be one of espeak, text"),
        ({"inference": {"length_scale": 1e9}}, "inference.length_scale: it must be 10 or less"),
        ({"inference": {"noise_w": float("nan")}}, "inference.noise_w"),
    ],
)
def test_a_wrong_member_is_named(tmp_path: Path, members: dict[str, Any], expected: str) -> None:
    with pytest.raises(ModelLoadError) as caught:
        read_config(changed(tmp_path, **members))

    assert expected in caught.value.detail
    assert caught.value.detail.startswith(str(tmp_path))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "it is not JSON"),
        (b"{", "it is not JSON"),
        (b"[" * 200_000, "it is not JSON"),
        (b"\xff\xfe", "it is not JSON"),
        (b"[]", "it must be an object"),
        (b" " * (MAX_CONFIG_BYTES + 1), "larger than 1 MB"),
    ],
)
def test_what_is_no_configuration_is_refused(tmp_path: Path, content: bytes, expected: str) -> None:
    graph = write_voice(tmp_path)
    config_path(graph).write_bytes(content)

    with pytest.raises(ModelLoadError, match=expected):
        read_config(graph)


def test_a_missing_configuration_is_named(tmp_path: Path) -> None:
    graph = write_voice(tmp_path)
    config_path(graph).unlink()

    with pytest.raises(ModelLoadError, match=r"There is no file .*medium\.onnx\.json"):
        read_config(graph)


def test_members_of_later_versions_are_kept(tmp_path: Path) -> None:
    graph = write_voice(tmp_path)
    stated = json.loads(config_path(graph).read_text("utf-8"))
    config_path(graph).write_text(json.dumps({**stated, "hop_length": 128}), "utf-8")

    assert read_config(graph).for_piper()["hop_length"] == 128
