"""The ear and its verdict, with samples made here: no backend, no clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from chaos.ear import Ear, Sound
from chaos.verdict import Verdict, judge
from chaos.voice import VOICES

from vieneu_core.audio.opus import OpusSentenceDecoder, OpusSentenceEncoder
from vieneu_core.testing.tone import in_chunks, sentence_tone

RATE_HZ = 24_000
NEWS = tuple(f"Đây là câu {number} của bản tin." for number in range(60, 64))
ASKED_S = 1_000.0
"""Anything but 0, as the system's clock."""


@dataclass
class Line:
    """Chunks that arrive at times which a test chooses."""

    ear: Ear = field(default_factory=Ear)
    now_s: float = ASKED_S

    def say(self, sentence: str, *, voice: str = "remote", part: float = 1.0) -> None:
        """Let a sentence, or its beginning, arrive at once."""
        self.arrive(spoken(sentence, voice=voice, part=part))

    def arrive(self, pcm: bytes) -> None:
        for chunk in in_chunks(pcm, RATE_HZ):
            self.ear.take(chunk, RATE_HZ, self.now_s)

    def wait_until_over(self, *, and_s: float) -> None:
        self.now_s = self.ear.heard_until_s + and_s

    def verdict(self, written_s: Iterable[float] = ()) -> Verdict:
        sounds = self.ear.sounds()
        return judge(sounds, NEWS, asked_s=ASKED_S, written_s=tuple(written_s))


def spoken(sentence: str, *, voice: str = "remote", part: float = 1.0) -> bytes:
    tone = sentence_tone(sentence)
    pcm = replace(tone, hz=tone.hz + VOICES[voice]).pcm(RATE_HZ)
    return pcm[: round(len(pcm) * part / 2) * 2]


def after_opus(pcm: bytes) -> bytes:
    """Encode and decode a sentence as the wire does."""
    encoder = OpusSentenceEncoder(RATE_HZ)
    decoder = OpusSentenceDecoder(RATE_HZ, pre_skip=encoder.pre_skip)
    packets = encoder.encode(pcm) + encoder.finish()
    return decoder.decode(packets) + decoder.finish(len(pcm) // 2)


def heard(*sentences: str) -> Line:
    line = Line()
    for sentence in sentences:
        line.say(sentence)
    return line


def test_all_sentences_in_order_are_all_well() -> None:
    verdict = heard(*NEWS).verdict()

    assert (verdict.n_sentences, verdict.lost, verdict.repeated, verdict.reordered) == (4, 0, 0, 0)
    assert (verdict.begun_again, verdict.unknown, verdict.voices) == (0, 0, ("remote",) * 4)
    assert verdict.first_sound_s == pytest.approx(0.0, abs=0.011)
    assert verdict.longest_silence_s == pytest.approx(0.0, abs=0.011)
    assert not verdict.broken


@pytest.mark.parametrize("gone", range(4))
def test_a_sentence_that_is_missing_is_lost(gone: int) -> None:
    verdict = heard(*(text for at, text in enumerate(NEWS) if at != gone)).verdict()

    assert (verdict.lost, verdict.repeated, verdict.reordered, verdict.begun_again) == (1, 0, 0, 0)
    assert verdict.broken


def test_a_sentence_whose_end_is_missing_is_lost() -> None:
    line = heard(*NEWS[:3])
    line.say(NEWS[3], part=0.8)

    assert line.verdict().lost == 1


def test_nothing_at_all_is_all_lost_and_has_no_first_sound() -> None:
    verdict = Line().verdict()

    assert (verdict.lost, verdict.first_sound_s) == (4, None)


def test_a_sentence_heard_twice_is_repeated() -> None:
    verdict = heard(NEWS[0], NEWS[0], *NEWS[1:]).verdict()

    assert (verdict.lost, verdict.repeated, verdict.reordered, verdict.begun_again) == (0, 1, 0, 0)
    assert not verdict.broken, "the one that was being heard may be"


def test_two_sentences_heard_twice_break_the_promise() -> None:
    verdict = heard(NEWS[0], NEWS[1], NEWS[0], *NEWS[1:]).verdict()

    assert verdict.repeated == 2
    assert verdict.broken


def test_the_beginning_of_a_sentence_after_all_of_it_is_a_repeat() -> None:
    line = heard(NEWS[0])
    line.say(NEWS[0], part=0.5)
    for sentence in NEWS[1:]:
        line.say(sentence)

    assert (line.verdict().repeated, line.verdict().begun_again) == (1, 0)


def test_two_sentences_in_the_wrong_order_are_reordered() -> None:
    verdict = heard(NEWS[0], NEWS[2], NEWS[1], NEWS[3]).verdict()

    assert (verdict.lost, verdict.repeated, verdict.reordered) == (0, 0, 1)
    assert verdict.broken


@pytest.mark.parametrize("part", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("again", ["remote", "local"])
def test_a_sentence_that_was_cut_and_said_again_is_begun_again(part: float, again: str) -> None:
    line = Line()
    line.say(NEWS[0], part=part)
    for sentence in NEWS:
        line.say(sentence, voice=again)

    verdict = line.verdict()
    assert (verdict.lost, verdict.repeated, verdict.reordered, verdict.begun_again) == (0, 0, 0, 1)
    assert not verdict.broken


def test_the_ear_knows_who_speaks() -> None:
    line = Line()
    for voice, sentence in zip(["remote", "local", "last_resort", "local"], NEWS, strict=True):
        line.say(sentence, voice=voice)

    assert line.verdict().voices == ("remote", "local", "last_resort", "local")


@pytest.mark.parametrize("voice", VOICES)
def test_the_ear_knows_every_sentence_and_voice_after_opus(voice: str) -> None:
    line = Line()
    for sentence in NEWS:
        line.arrive(after_opus(spoken(sentence, voice=voice)))

    verdict = line.verdict()
    assert (verdict.lost, verdict.unknown, verdict.voices) == (0, 0, (voice,) * 4)
    assert verdict.longest_silence_s < 0.03


def test_a_cut_without_a_pause_before_the_next_sentence_is_two_sounds() -> None:
    line = Line()
    line.say(NEWS[0], part=0.5)
    line.arrive(spoken(NEWS[1])[round(0.1 * RATE_HZ) * 2 :])

    assert [sound.hz for sound in line.ear.sounds()] == [sentence_tone(t).hz for t in NEWS[:2]]


def test_a_gap_of_two_seconds_between_sentences_is_two_seconds_of_silence() -> None:
    line = heard(*NEWS[:2])
    line.wait_until_over(and_s=2.0)
    line.say(NEWS[2])
    line.say(NEWS[3])

    assert line.verdict().longest_silence_s == pytest.approx(2.0, abs=0.02)
    assert line.verdict().first_sound_s == pytest.approx(0.0, abs=0.02)


def test_a_gap_of_two_seconds_within_a_sentence_is_one_sentence_with_silence() -> None:
    line = heard(NEWS[0])
    pcm = spoken(NEWS[1])
    line.arrive(pcm[: len(pcm) // 4 * 2])
    line.wait_until_over(and_s=2.0)
    line.arrive(pcm[len(pcm) // 4 * 2 :])
    for sentence in NEWS[2:]:
        line.say(sentence)

    assert (line.verdict().lost, line.verdict().begun_again) == (0, 0)
    assert line.verdict().longest_silence_s == pytest.approx(2.0, abs=0.02)


def test_two_seconds_of_silent_samples_are_silence_too() -> None:
    line = heard(NEWS[0])
    line.arrive(bytes(2 * 2 * RATE_HZ))
    for sentence in NEWS[1:]:
        line.say(sentence)

    assert line.verdict().longest_silence_s == pytest.approx(2.0, abs=0.02)


def test_a_first_sound_that_comes_late_is_late() -> None:
    line = Line(now_s=ASKED_S + 1.7)
    for sentence in NEWS:
        line.say(sentence)

    assert line.verdict().first_sound_s == pytest.approx(1.7, abs=0.02)
    assert line.verdict().longest_silence_s == pytest.approx(1.7, abs=0.02)


def test_what_arrives_ahead_hides_a_failure() -> None:
    line = heard(*NEWS[:3])
    line.now_s = ASKED_S + 3.0  # three sentences are 3.4 s long
    line.say(NEWS[3])

    assert line.verdict().longest_silence_s == pytest.approx(0.0, abs=0.02)


def test_nobody_waits_for_text_that_is_not_written() -> None:
    line = heard(NEWS[0])
    line.now_s = ASKED_S + 6.25
    for sentence in NEWS[1:]:
        line.say(sentence)
    written_s = [ASKED_S, *(ASKED_S + 6.0,) * 3]

    assert line.verdict(written_s).longest_silence_s == pytest.approx(0.25, abs=0.02)
    assert line.verdict().longest_silence_s > 4.0


def test_noise_is_no_sentence() -> None:
    line = heard(*NEWS)
    noise = np.random.default_rng(1).normal(0, 6_000, RATE_HZ // 2).astype("<i2").tobytes()
    line.arrive(noise)

    assert [sound.hz for sound in line.ear.sounds()][-1] == 0
    assert line.verdict().unknown >= 1
    assert line.verdict().broken


def test_a_sentence_of_another_announcement_is_unknown() -> None:
    assert heard(*NEWS, "Đây là câu 70 của bản tin.").verdict().unknown == 1


def test_another_sample_rate_in_the_same_stream_is_refused() -> None:
    line = heard(NEWS[0])

    with pytest.raises(ValueError, match="sample rate"):
        line.ear.take(spoken(NEWS[1]), 48_000, line.now_s)


def test_two_sentences_of_one_pitch_are_refused() -> None:
    with pytest.raises(ValueError, match="same pitch"):
        judge(list[Sound](), ["Một câu 1.", "Hai câu 1."], asked_s=0.0)
