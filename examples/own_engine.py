"""An engine of your own behind the local backend: here one that beeps once for each word.

The worker process imports the factory as ``module:attribute``. An installed package can register
it instead under the entry-point group ``vieneu_core.engines``; then its name is enough.

    python examples/own_engine.py
"""

import asyncio
import math
from array import array
from collections.abc import Callable, Iterator, Mapping

from vieneu_core import EngineSpec, LocalBackend, Voice, synthesize
from vieneu_core.engines import EngineInfo, EngineMemory, LoadProgress, Utterance

SAMPLE_RATE_HZ = 16_000
VOICES = (Voice(id="low", name="Low", language="vi"), Voice(id="high", name="High", language="vi"))
PITCH_HZ = {"low": 330, "high": 660}


class BeepEngine:
    """Implements the protocol `vieneu_core.engines.Engine`; blocking, one call at a time."""

    def __init__(self, beep_s: float) -> None:
        self._beep_s = beep_s

    def load(self, progress: Callable[[LoadProgress], None]) -> EngineInfo:
        progress(LoadProgress("Tuning the beeper"))
        return EngineInfo(
            engine="beep", model="sine wave", sample_rate_hz=SAMPLE_RATE_HZ, voices=VOICES
        )

    def synthesize(self, utterance: Utterance, cancelled: Callable[[], bool]) -> Iterator[bytes]:
        assert utterance.voice is not None  # None is for engines that clone
        step = 2 * math.pi * PITCH_HZ[utterance.voice.id] / SAMPLE_RATE_HZ
        n_samples = round(self._beep_s * SAMPLE_RATE_HZ)
        beep = array("h", (round(9000 * math.sin(step * n)) for n in range(n_samples)))
        for _ in utterance.text.split():
            if cancelled():
                return
            yield beep.tobytes() + bytes(2 * n_samples)

    def memory(self) -> EngineMemory:
        return EngineMemory()


def create(options: Mapping[str, object]) -> BeepEngine:
    """Make the engine from its options, which are plain JSON values."""
    return BeepEngine(beep_s=float(str(options.get("beep_s", 0.1))))


async def main() -> None:
    spec = EngineSpec("own_engine:create", {"beep_s": 0.15})
    async with LocalBackend(spec) as backend:
        speech = await synthesize(backend, "Ba tiếng bíp.")
        await speech.save("bip.wav")
        print(f"bip.wav: {speech.seconds:.1f} s from the engine {speech.speakers[0].engine}")


if __name__ == "__main__":
    asyncio.run(main())
