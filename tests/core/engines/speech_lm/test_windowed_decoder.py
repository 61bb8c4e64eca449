from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from checkpoint.codec_graph import pitch_hz, pitches_of, write_codec
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from vieneu_core.engines.speech_lm.codec import SAMPLES_PER_CODE
from vieneu_core.engines.speech_lm.onnx_decoder import OnnxDecoder
from vieneu_core.engines.speech_lm.windowed_decoder import (
    FIRST_FRAMES,
    LEAST_CONTEXT_FRAMES,
    LONGEST_FRAMES,
    LOOKAHEAD_FRAMES,
    MOST_WORK,
    StreamDecoder,
    WindowPlan,
)

LENGTHS = [*range(1, 80), 127, 250, 1000]


@pytest.fixture(scope="module")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> OnnxDecoder:
    """A decoder that looks as far around a frame as the windows promise to show it."""
    path = tmp_path_factory.mktemp("codec") / "codec.onnx"
    write_codec(path, context=LOOKAHEAD_FRAMES - 1)
    return OnnxDecoder(path, threads=1)


def some_codes(n_codes: int) -> list[int]:
    return [(7 * i) % 256 for i in range(n_codes)]


def streamed(
    decoder: OnnxDecoder, codes: Sequence[int], *, at_once: int = 1
) -> tuple[NDArray[np.float32], StreamDecoder]:
    stream = StreamDecoder(decoder)
    parts = [
        part for i in range(0, len(codes), at_once) for part in stream.push(codes[i : i + at_once])
    ]
    return np.concatenate([*parts, stream.finish()]), stream


@pytest.mark.parametrize("n_codes", LENGTHS)
def test_a_stream_is_what_one_decoding_gives_but_for_one_frame_at_each_join(
    decoder: OnnxDecoder, n_codes: int
) -> None:
    codes = some_codes(n_codes)

    heard, _ = streamed(decoder, codes)

    whole = decoder.decode(codes)
    assert heard.shape == whole.shape, "no frame is missing, and none is heard twice"
    off = np.abs(heard - whole).reshape(-1, SAMPLES_PER_CODE).max(axis=1) > 1e-6
    assert off.sum() <= n_joins(n_codes)
    assert pitches_of(heard) == [pitch_hz(code) for code in codes]


def n_joins(n_codes: int) -> int:
    plan = WindowPlan()
    return sum(plan.next(known) is not None for known in range(1, n_codes + 1))


@pytest.mark.parametrize("n_codes", LENGTHS)
def test_at_most_one_and_a_half_times_the_frames_are_decoded(
    decoder: OnnxDecoder, n_codes: int
) -> None:
    _, stream = streamed(decoder, some_codes(n_codes))

    assert stream.n_decoded <= MOST_WORK * n_codes


@given(cuts=st.lists(st.integers(0, 40), max_size=12))
def test_the_windows_do_not_depend_on_how_the_codes_come(cuts: list[int]) -> None:
    n_codes = sum(cuts)
    one_by_one, in_runs = WindowPlan(), WindowPlan()
    first = [w for n in range(n_codes + 1) if (w := one_by_one.next(n)) is not None]
    second, known = [], 0
    for cut in cuts:
        known += cut
        while (window := in_runs.next(known)) is not None:
            second.append(window)

    assert second == first
    assert in_runs.last(n_codes) == one_by_one.last(n_codes)


def test_sound_begins_after_the_first_few_codes_and_the_windows_grow() -> None:
    plan = WindowPlan()
    windows = [(n, w) for n in range(1, 600) if (w := plan.next(n)) is not None]
    lengths = [w.end - w.start for _, w in windows]

    assert windows[0][0] == FIRST_FRAMES + LOOKAHEAD_FRAMES
    assert lengths[:4] == [8, 16, 32, 64]
    assert set(lengths[4:]) == {LONGEST_FRAMES}
    assert all(w.start - w.context >= LEAST_CONTEXT_FRAMES for _, w in windows[1:])


def test_no_join_clicks(decoder: OnnxDecoder) -> None:
    """Between two samples the sound never jumps further than within one decoding."""
    codes = some_codes(400)

    heard, _ = streamed(decoder, codes)

    steepest = np.abs(np.diff(decoder.decode(codes))).max()
    assert np.abs(np.diff(heard)).max() <= steepest * 1.02


class Blinkered:
    """A decoder whose every call is louder than the one before: nothing joins by itself."""

    name = "blinkered"

    def __init__(self) -> None:
        self.loudness = 0.0

    def decode(self, codes: Sequence[int]) -> NDArray[np.float32]:
        self.loudness += 0.1
        return np.full(len(codes) * SAMPLES_PER_CODE, self.loudness, np.float32)


def test_windows_that_differ_are_faded_into_each_other() -> None:
    stream = StreamDecoder(Blinkered())

    heard = np.concatenate([*stream.push(some_codes(60)), stream.finish()])

    assert np.abs(np.diff(heard)).max() < 0.001, "a step of 0.1 would be a click"
    assert heard[0] == pytest.approx(0.1)
    assert heard[-1] == pytest.approx(0.1 * 4)


def test_codes_that_are_all_there_are_heard_window_by_window(decoder: OnnxDecoder) -> None:
    pieces = StreamDecoder(decoder).push(some_codes(60))

    # Else a model that is faster than the codec would delay the first sound.
    assert [len(samples) // SAMPLES_PER_CODE for samples in pieces] == [8, 16, 32]


def test_nothing_pushed_is_nothing_heard(decoder: OnnxDecoder) -> None:
    stream = StreamDecoder(decoder)

    assert list(stream.push([])) == []
    assert len(stream.finish()) == 0


def test_a_path_of_the_codec_may_hold_any_letters(tmp_path: Path) -> None:
    path = tmp_path / "bộ giải mã" / "mô hình.onnx"
    write_codec(path)

    assert len(OnnxDecoder(path).decode([1, 2, 3])) == 3 * SAMPLES_PER_CODE
