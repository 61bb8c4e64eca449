"""Writes a synthetic voice of Piper: a graph of an exported VITS's inputs, and its configuration.

The inputs are those of ``piper.train.export_onnx``: ``input`` int64 [1, n], ``input_lengths``,
``scales`` (noise, length, rhythm) and, for several speakers, ``sid``; the output is float32
[1, 1, 1, t]. Each phoneme becomes a tone whose pitch grows with its id, padding becomes silence,
so that phonemes can be heard again from the sound. The length of a tone grows with the scales of
length and rhythm, its second harmonic with that of noise; each speaker sounds higher than the last.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from checkpoint.onnx_graph import FLOAT, INT64, save_graph
from numpy.typing import NDArray
from piper.phoneme_ids import DEFAULT_PHONEME_ID_MAP

RATE_HZ = 22_050
N_TONAL, N_OLD = 154, 130
"""Phonemes of the voice vais1000, and those of older voices, which have no marks of tones."""
_TONE_SAMPLES, _RHYTHM_SAMPLES = 600, 100
LOWEST_HZ, STEP_HZ, SPEAKER_HZ = 200, 20, 300
_SILENT_IDS = 2
Samples = NDArray[np.float32]


def write_voice(
    folder: Path,
    name: str = "vi_VN-synthetic-medium",
    *,
    espeak: str = "vi",
    n_phonemes: int = N_TONAL,
    speakers: Sequence[str] = (),
    rate_hz: int = RATE_HZ,
    **config: Any,
) -> Path:
    """Write a voice, and return the path of its graph.

    Args:
        folder: Created if necessary.
        name: Name of the files, without ``.onnx``.
        espeak: Voice of eSpeak NG that makes its phonemes.
        n_phonemes: So many of Piper's phonemes are known to it.
        speakers: Names of its speakers, if there are several.
        rate_hz: Sample rate.
        config: Further members of the configuration, or others than the default ones.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.onnx"
    _write_graph(path, rate_hz, several=len(speakers) > 1)
    ids = {
        phoneme: list(numbers)
        for phoneme, numbers in DEFAULT_PHONEME_ID_MAP.items()
        if numbers[0] < n_phonemes
    }
    stated = {
        "audio": {"sample_rate": rate_hz, "quality": "medium"},
        "espeak": {"voice": espeak},
        "inference": {"noise_scale": 0.667, "length_scale": 1, "noise_w": 0.8},
        "phoneme_map": {},
        "phoneme_id_map": ids,
        "num_symbols": 256,
        "num_speakers": max(1, len(speakers)),
        "speaker_id_map": {name: number for number, name in enumerate(speakers)},
        "piper_version": "1.0.0",
        "dataset": "synthetic",
    }
    text = json.dumps(stated | config, indent=2, ensure_ascii=False)
    path.with_name(f"{path.name}.json").write_text(text, "utf-8")
    return path


def tone_samples(length_scale: float = 1.0, noise_w: float = 0.8) -> int:
    """Return the number of samples of each phoneme."""
    return round((_TONE_SAMPLES + _RHYTHM_SAMPLES * noise_w) * length_scale)


def phoneme_pitches_of(samples: Samples, n_tone: int, rate_hz: int = RATE_HZ) -> list[int]:
    """Return the pitch of each phoneme in Hz, 0 where it is silent, to the next `STEP_HZ`."""
    tones = samples[: len(samples) // n_tone * n_tone].astype(np.float64).reshape(-1, n_tone)
    padded = np.fft.rfft(tones * np.hanning(n_tone), n=8 * n_tone, axis=1)
    loudest = np.argmax(np.abs(padded), axis=1) * rate_hz / (8 * n_tone)
    loud = np.abs(tones).max(axis=1) > 0.01 * np.abs(tones).max()
    return [
        round(float(hz) / STEP_HZ) * STEP_HZ if heard else 0
        for hz, heard in zip(loudest, loud, strict=True)
    ]


def phoneme_pitch_hz(phoneme: str, speaker: int = 0) -> int:
    """Return the pitch of a phoneme."""
    phoneme_id: int = DEFAULT_PHONEME_ID_MAP[phoneme][0]
    return LOWEST_HZ + STEP_HZ * phoneme_id + SPEAKER_HZ * speaker


def _write_graph(path: Path, rate_hz: int, *, several: bool) -> None:
    constants: Mapping[str, NDArray[np.generic]] = {
        "first": np.array([0], np.int64),
        "second": np.array([1], np.int64),
        "third": np.array([2], np.int64),
        "last_axis": np.array([2], np.int64),
        "one": np.array(1.0, np.float32),
        "zero": np.array(0.0, np.float32),
        "tone": np.array(_TONE_SAMPLES, np.float32),
        "rhythm": np.array(_RHYTHM_SAMPLES, np.float32),
        "step": np.array(STEP_HZ, np.float32),
        "lowest": np.array(LOWEST_HZ, np.float32),
        "higher": np.array(SPEAKER_HZ, np.float32),
        "silent": np.array(_SILENT_IDS, np.float32),
        "turn": np.array(2 * np.pi / rate_hz, np.float32),
        "loudness": np.array(0.3, np.float32),
        "scalar": np.array([], np.int64),
        "shape": np.array([1, 1, 1, -1], np.int64),
    }
    one = {"axis": 0}
    steps = [
        ("Gather", "scales first", "noise_1", one),
        ("Gather", "scales second", "length_1", one),
        ("Gather", "scales third", "rhythm_1", one),
        ("Mul", "rhythm_1 rhythm", "swing", {}),
        ("Add", "swing tone", "plain_samples", {}),
        ("Mul", "plain_samples length_1", "exact_samples", {}),
        ("Round", "exact_samples", "n_samples_1", {}),
        ("Reshape", "n_samples_1 scalar", "n_samples", {}),
        ("Range", "zero n_samples one", "time", {}),
        ("Cast", "input", "ids", {"to": FLOAT}),
        ("Mul", "ids step", "rise", {}),
        ("Add", "rise lowest", "pitch_of_one", {}),
        ("Greater", "ids silent", "sounding", {}),
        ("Cast", "sounding", "gate", {"to": FLOAT}),
    ]
    inputs = [
        ("input", INT64, [1, "phonemes"]),
        ("input_lengths", INT64, [1]),
        ("scales", FLOAT, [3]),
    ]
    if several:
        inputs.append(("sid", INT64, [1]))
        steps += [
            ("Cast", "sid", "speaker", {"to": FLOAT}),
            ("Mul", "speaker higher", "above", {}),
            ("Add", "pitch_of_one above", "pitch", {}),
        ]
    else:
        steps.append(("Identity", "pitch_of_one", "pitch", {}))
    steps += [
        ("Unsqueeze", "pitch last_axis", "pitch_3d", {}),
        ("Unsqueeze", "gate last_axis", "gate_3d", {}),
        ("Mul", "pitch_3d turn", "speed", {}),
        ("Mul", "speed time", "phase", {}),
        ("Sin", "phase", "fundamental", {}),
        ("Add", "phase phase", "double_phase", {}),
        ("Sin", "double_phase", "octave", {}),
        ("Mul", "octave noise_1", "tint", {}),
        ("Add", "fundamental tint", "mix", {}),
        ("Mul", "mix gate_3d", "gated", {}),
        ("Mul", "gated loudness", "quiet", {}),
        ("Reshape", "quiet shape", "output", {}),
    ]
    save_graph(path, steps, inputs, [("output", FLOAT, [1, 1, 1, "time"])], constants)
