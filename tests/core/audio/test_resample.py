"""Other rates, same sound."""

from __future__ import annotations

import pytest
from tones import heard_hz, in_parts, tone

from vieneu_core.audio.resample import Resampler


@pytest.mark.parametrize("from_hz", [8_000, 22_050, 24_000, 48_000])
@pytest.mark.parametrize("to_hz", [16_000, 22_050, 44_100])
def test_length_and_pitch_stay(from_hz: int, to_hz: int) -> None:
    resampler = Resampler(from_hz, to_hz)
    parts = [resampler.push(part) for part in in_parts(tone(440, 2, from_hz), 3_000)]
    pcm = b"".join([*parts, resampler.finish()])
    assert len(pcm) / 2 / to_hz == pytest.approx(2, abs=0.002)
    assert heard_hz(pcm, to_hz) == pytest.approx(440, abs=1)
    assert any(parts[:5])


def test_the_same_rate_is_untouched() -> None:
    resampler = Resampler(22_050, 22_050)
    assert (resampler.push(b"\x01\x02"), resampler.finish()) == (b"\x01\x02", b"")


def test_nothing_in_nothing_out() -> None:
    resampler = Resampler(22_050, 48_000)
    assert resampler.push(b"") + resampler.finish() == b""
