"""An engine that has been loaded, as one of several that speak as one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from vieneu_core.audio.resample import Resampler
from vieneu_core.audio.tempo import stretched
from vieneu_core.engines.base import Engine, EngineInfo, SpokenBy, Utterance
from vieneu_core.voices import Voice, choose_voice


@dataclass(frozen=True, slots=True)
class LoadedEngine:
    """An engine that has been loaded."""

    engine: Engine
    info: EngineInfo

    def offers(self, voice: Voice) -> bool:
        """Return whether this voice is one of its own."""
        return any(each.id == voice.id for each in self.info.voices)

    def voice_for(self, voice: Voice) -> Voice:
        """Return this voice, or the engine's own of the same language."""
        own = next((each for each in self.info.voices if each.id == voice.id), None)
        return own or choose_voice(self.info.voices, None, voice.language, where=self.info.engine)

    def spoken_by(self, voice: Voice) -> SpokenBy:
        """Return who speaks a sentence that it speaks with this voice of its own."""
        return SpokenBy(engine=self.info.engine, model=self.info.model, voice=voice.id)

    def pieces(
        self, utterance: Utterance, rate_hz: int, cancelled: Callable[[], bool]
    ) -> Iterator[bytes]:
        """Yield the samples of a sentence at a rate, at the speed of the utterance."""
        own_speed = utterance.speed if self.info.changes_speed else 1.0
        spoken = self.engine.synthesize(replace(utterance, speed=own_speed), cancelled)
        pieces: Iterator[bytes] = (piece for piece in spoken if isinstance(piece, bytes))
        if own_speed != utterance.speed:
            pieces = stretched(pieces, self.info.sample_rate_hz, utterance.speed)
        if rate_hz == self.info.sample_rate_hz:
            yield from pieces
            return
        resampler = Resampler(self.info.sample_rate_hz, rate_hz)
        for piece in pieces:
            yield resampler.push(piece)
        yield resampler.finish()
