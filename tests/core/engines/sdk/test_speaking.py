"""What the SDK passes over in silence while it speaks has a name: on a fake SDK."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from fake_sdk import AN, FakeVieneu, load, speak_sdk

from vieneu_core.engines.base import Utterance
from vieneu_core.errors import DeviceMemoryError, SynthesisFailedError

Pieces = list[Any]


def streaming(monkeypatch: pytest.MonkeyPatch, sdk: FakeVieneu, pieces: Pieces) -> None:
    """Have the fake yield these, or raise what is an error among them."""

    def stream(*_: object, **__: object) -> Iterator[Any]:
        for piece in pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    monkeypatch.setattr(sdk, "infer_stream", stream)


@pytest.mark.parametrize(
    ("pieces", "reported"),
    [
        ([], "returned no audio"),
        ([None], "a part of a sentence"),
        ([np.ones(10, np.float32), np.zeros(0, np.float32)], "a part of a sentence"),
        ([np.full(10, np.nan, np.float32)], "not made of numbers"),
        ([np.full(10, np.inf, np.float32)], "not made of numbers"),
        ([np.ones(24_000, np.float32)] * 60, "did not end"),
    ],
)
def test_what_is_no_speech_is_an_error(
    sdk: FakeVieneu, monkeypatch: pytest.MonkeyPatch, pieces: Pieces, reported: str
) -> None:
    streaming(monkeypatch, sdk, pieces)
    with pytest.raises(SynthesisFailedError, match=reported):
        speak_sdk(load()[0])


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ValueError("odd"), SynthesisFailedError),
        (RuntimeError("CUDA out of memory. Tried"), DeviceMemoryError),
        (MemoryError(), DeviceMemoryError),
    ],
)
def test_whatever_it_raises_has_a_name(
    sdk: FakeVieneu, monkeypatch: pytest.MonkeyPatch, error: Exception, kind: type[Exception]
) -> None:
    streaming(monkeypatch, sdk, [np.ones(10, np.float32), error])
    with pytest.raises(kind):
        speak_sdk(load()[0])


def test_too_loud_samples_are_clipped(sdk: FakeVieneu, monkeypatch: pytest.MonkeyPatch) -> None:
    streaming(monkeypatch, sdk, [np.array([2.0, -2.0, 0.5], np.float32)])

    assert np.frombuffer(speak_sdk(load()[0]), "<i2").tolist() == [32_767, -32_767, 16_384]


def test_a_cancelled_sentence_closes_its_stream(
    sdk: FakeVieneu, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[bool] = []

    def stream(*_: object, **__: object) -> Iterator[Any]:
        try:
            while True:
                yield np.ones(10, np.float32)
        finally:
            closed.append(True)

    monkeypatch.setattr(sdk, "infer_stream", stream)
    got: list[bytes] = []
    engine = load()[0]
    for pcm in engine.synthesize(Utterance(text="Số 5.", voice=AN), lambda: len(got) == 2):
        got.append(pcm)  # noqa: PERF402 - looked at meanwhile

    assert (len(got), closed) == (2, [True])


def test_a_thread_that_died_is_replaced(sdk: FakeVieneu, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = load()[0]
    dead = SimpleNamespace(_error=RuntimeError("CUDA error"))
    monkeypatch.setattr(sdk, "_stream_sched", dead, raising=False)

    assert speak_sdk(engine)
    assert sdk._stream_sched is None  # type: ignore[attr-defined]  # as the SDK names it
