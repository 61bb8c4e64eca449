"""Other speeds, same pitch."""

from __future__ import annotations

import pytest
from tones import heard_hz, in_parts, samples, tone

from vieneu_core.audio.tempo import TempoStretcher


@pytest.mark.parametrize("sample_rate_hz", [8_000, 22_050, 24_000, 48_000])
@pytest.mark.parametrize("speed", [0.5, 0.7, 0.99, 1.25, 2.0])
def test_length_follows_the_speed_and_pitch_stays(sample_rate_hz: int, speed: float) -> None:
    stretcher = TempoStretcher(sample_rate_hz, speed)
    parts = [stretcher.push(part) for part in in_parts(tone(300, 3, sample_rate_hz), 2_000)]
    assert any(parts[: len(parts) // 2]), "nothing came before the end"
    pcm = b"".join([*parts, stretcher.finish()])
    assert len(pcm) / 2 / sample_rate_hz == pytest.approx(3 / speed, abs=0.001)
    assert heard_hz(pcm, sample_rate_hz) == pytest.approx(300, abs=1)


@pytest.mark.parametrize("speed", [0.5, 2.0])
@pytest.mark.parametrize("seconds", [0.0001, 0.02, 0.1])
def test_a_very_short_sound_is_not_lost(seconds: float, speed: float) -> None:
    stretcher = TempoStretcher(22_050, speed)
    pcm = stretcher.push(tone(1_000, seconds, 22_050)) + stretcher.finish()
    assert len(pcm) == 2 * round(round(seconds * 22_050) / speed)
    if seconds > 0.01:
        assert abs(samples(pcm)).max() > 5_000


def test_speed_one_is_untouched() -> None:
    stretcher = TempoStretcher(22_050, 1.0)
    assert (stretcher.push(b"\x01\x02"), stretcher.finish()) == (b"\x01\x02", b"")


def test_nothing_in_nothing_out() -> None:
    stretcher = TempoStretcher(22_050, 2.0)
    assert stretcher.push(b"") + stretcher.finish() == b""
