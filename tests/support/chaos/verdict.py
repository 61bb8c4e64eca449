"""The verdict on what was heard of an announcement: what is missing, and how long it was silent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.ear import Sound

from vieneu_core.testing.tone import GAP_S, sentence_tone

CUT_S = 0.05
"""A tone that is shorter by more than this was cut."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a listener heard of an announcement."""

    n_sentences: int
    lost: int
    """Sentences that were never heard whole."""
    repeated: int
    """Times that a sentence, or a part of it, was heard after it had been heard whole."""
    reordered: int
    """Times that a sentence was heard before one that belongs in front of it."""
    begun_again: int
    """Times that a sentence was cut, and then said from its beginning."""
    unknown: int
    """Sounds that are none of the sentences."""
    first_sound_s: float | None
    """Silence before the first sound; None if there was none."""
    longest_silence_s: float
    """Longest silence, the one before the first sound included."""
    voices: tuple[str, ...]
    """Backend that spoke each sentence that was heard whole."""

    @property
    def broken(self) -> bool:
        """Whether a promise is broken: nothing is lost, out of order or said twice.

        The sentence that was being heard when something failed is begun again; where that was its
        last moment, it is repeated.
        """
        return bool(self.lost or self.reordered or self.unknown or self.repeated > 1)


def judge(
    sounds: Sequence[Sound],
    sentences: Sequence[str],
    *,
    asked_s: float,
    written_s: Sequence[float] = (),
) -> Verdict:
    """Compare what was heard with what was to be said.

    Args:
        sounds: What was heard.
        sentences: What was to be said; each has another pitch.
        asked_s: When the announcement was asked for, in seconds of the clock.
        written_s: When each sentence's text was complete, if later than that; a listener does not
            wait for what is not written yet.
    """
    tones = [sentence_tone(sentence) for sentence in sentences]
    index = {tone.hz: number for number, tone in enumerate(tones)}
    if len(index) < len(tones):
        raise ValueError("Two of the sentences have the same pitch.")
    known = [(index[sound.hz], sound) for sound in sounds if sound.hz in index]
    whole = [tones[number].seconds - sound.seconds <= CUT_S for number, sound in known]
    first_whole: dict[int, int] = {}
    for at, (number, _) in enumerate(known):
        if whole[at]:
            first_whole.setdefault(number, at)
    silences = _silences_s(known, asked_s, written_s)
    return Verdict(
        n_sentences=len(sentences),
        lost=len(sentences) - len(first_whole),
        repeated=sum(at > first_whole.get(number, at) for at, (number, _) in enumerate(known)),
        reordered=sum(
            any(later > at for earlier, later in first_whole.items() if earlier < number)
            for at, (number, _) in enumerate(known)
        ),
        begun_again=sum(at < first_whole.get(number, at) for at, (number, _) in enumerate(known)),
        unknown=len(sounds) - len(known),
        first_sound_s=silences[0] if silences else None,
        longest_silence_s=max([*silences, *(sound.waited_s for _, sound in known)], default=0.0),
        voices=tuple(known[first_whole[number]][1].voice for number in sorted(first_whole)),
    )


def _silences_s(
    known: Sequence[tuple[int, Sound]], asked_s: float, written_s: Sequence[float]
) -> list[float]:
    """Return the silence before each sound, without the margins that sentences have."""
    found: list[float] = []
    heard_until_s = asked_s
    for number, sound in known:
        due_s = max(heard_until_s, written_s[number] if written_s else asked_s)
        # Between two sentences there are two margins, after a wait for the text only its own.
        margins_s = 2 * GAP_S if found and due_s == heard_until_s else GAP_S
        found.append(max(0.0, sound.begins_s - due_s - min(sound.quiet_before_s, margins_s)))
        heard_until_s = max(heard_until_s, sound.ends_s)
    return found
