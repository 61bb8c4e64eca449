"""Measure how well a speech recogniser understands each voice: `nox -s understood -- --help`.

The sentences of `understood.tsv` are announcements of a home, once as automations write them
(`written`, with digits and signs) and once in words alone (`spoken`, scored against; readings that
are accepted are separated by " | "). Each voice speaks them through a `LocalBackend`, thus with
the text prepared by the program; its audio is resampled to 16 kHz and recognised. `error_rates.py`
defines the rates. The half `tune` chose parameters of voices (eSpeak's variant, lengths of
phonemes); the half `confirm` was never used for a choice, so its rates are the ones to quote.

A recogniser is no person: it is used to one way of speaking, and it knows which words follow each
other. So clips of a person show what the same recogniser makes of natural speech, and of the same
speech after a known loss.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import sys
from collections.abc import Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from distortions import Samples, at_8_khz, in_bands, noisy, unchanged, vocoded
from error_rates import Edits, character_error_rate, edits, word_error_rate
from recogniser import HEARD_HZ, Recogniser, resampled

from vieneu_core.audio.decode import decode_clip
from vieneu_core.backends.base import synthesize
from vieneu_core.backends.local import LocalBackend
from vieneu_core.errors import VieneuError
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.worker.spec import EngineSpec

SENTENCES = Path(__file__).with_suffix(".tsv")
HALVES = ("tune", "confirm")
FORMS = ("written", "spoken")
ESPEAK = ("espeak/vi-north", "espeak/vi-central", "espeak/vi-south")
CONDITIONS: dict[str, Callable[[Samples], Samples]] = {
    "as recorded": unchanged,
    "at 8 kHz": at_8_khz,
    "white noise, signal-to-noise ratio 10 dB": noisy(10),
    "white noise, signal-to-noise ratio 0 dB": noisy(0),
    "Griffin-Lim from magnitudes": vocoded,
    "noise in 16 bands": in_bands,
}
_MAX_CLIP_S = 60.0
_LOUDEST = 32_767


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence and its accepted readings."""

    half: str
    written: str
    spoken: tuple[str, ...]

    def in_form(self, form: str) -> str:
        """Return the text that is spoken."""
        return self.written if form == "written" else self.spoken[0]


@dataclass(frozen=True, slots=True)
class VoiceUnderTest:
    """A voice of an engine; the engine's default voice if it has no id."""

    engine: EngineSpec
    voice: str | None

    @property
    def name(self) -> str:
        """Its name in the table."""
        return self.engine.target + (f" {self.voice}" if self.voice else "")


@dataclass(slots=True)
class Result:
    """What was understood of one voice, or of one condition."""

    name: str
    edits: list[Edits] = field(default_factory=list)
    seconds: float = 0.0
    peak: int = 0
    n_clipped: int = 0

    def add(self, samples: Samples, rate_hz: int, found: Edits) -> None:
        """Add a sentence; ``samples`` as the voice delivered them."""
        loudness = np.abs(samples.astype(np.int32))
        self.edits.append(found)
        self.seconds += len(samples) / rate_hz
        self.peak = max(self.peak, int(loudness.max(initial=0)))
        self.n_clipped += int((loudness >= _LOUDEST).sum())

    @property
    def row(self) -> str:
        """Its line of the table."""
        cells = (
            self.name,
            str(len(self.edits)),
            str(character_error_rate(self.edits)),
            str(word_error_rate(self.edits)),
            f"{self.seconds / len(self.edits):.1f} s",
            f"{20 * np.log10(max(self.peak, 1) / 32_768):.1f} dB",
            str(self.n_clipped),
        )
        return f"| {' | '.join(cells)} |"


HEADER = (
    "| Voice | Sentences | Character error rate | Word error rate | Length | Peak | Clipped |"
    "\n|---|---|---|---|---|---|---|"
)


def main() -> None:
    asked = _arguments()
    try:
        recogniser = Recogniser()
    except ImportError as error:
        raise SystemExit(
            f"The recogniser is missing ({error}). Install it: uv sync --group understood"
        ) from error
    chosen = [one for one in sentences() if asked.half in {one.half, "all"}][:: asked.every]
    rows = list(natural(recogniser, asked.clips)) if asked.clips else []
    for voice in asked.voices:
        for form in asked.forms:
            try:
                rows.append(asyncio.run(understood(recogniser, voice, chosen, form, asked.heard)))
            except VieneuError as error:
                print(f"{voice.name} is not measured: {error}", file=sys.stderr)
    if not rows:
        raise SystemExit("No voice could be measured.")
    print(table(rows))


def sentences() -> list[Sentence]:
    """Read the sentences."""
    with SENTENCES.open(encoding="utf-8", newline="") as file:
        return [
            Sentence(row["half"], row["written"], tuple(row["spoken"].split(" | ")))
            for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        ]


async def understood(
    recogniser: Recogniser,
    voice: VoiceUnderTest,
    chosen: list[Sentence],
    form: str,
    heard: bool,
) -> Result:
    """Speak sentences with a voice and return what was understood.

    Raises:
        VieneuError: the engine cannot be loaded, or fails.
    """
    result = Result(f"{voice.name}, {form}")
    async with aclosing(LocalBackend(voice.engine)) as backend:
        await backend.load()
        for sentence in chosen:
            request = SynthesisRequest(text=sentence.in_form(form), voice=voice.voice)
            speech = await synthesize(backend, request)
            text = recogniser.transcribe(resampled(speech.pcm, speech.sample_rate_hz))
            result.add(
                np.frombuffer(speech.pcm, "<i2"),
                speech.sample_rate_hz,
                edits(sentence.spoken, text),
            )
            if heard:
                print(f"{result.name}: {sentence.written} -> {text}", file=sys.stderr)
    return result


def natural(recogniser: Recogniser, folder: Path) -> Iterator[Result]:
    """Yield what is understood of a person's clips, in each condition.

    Args:
        recogniser: The recogniser.
        folder: WAV files, each with its text in a file of the same name that ends in ``.txt``.
            Clips whose text has digits are left out: which words they were is not stated.
    """
    clips = []
    for path in sorted(folder.glob("*.wav")):
        text = path.with_suffix(".txt").read_text("utf-8")
        clip = decode_clip(path.read_bytes(), max_seconds=_MAX_CLIP_S)
        if not any(map(str.isdecimal, text)):
            clips.append((text, resampled(clip.pcm, clip.sample_rate_hz)))
    for name, condition in CONDITIONS.items():
        result = Result(f"a person, {name}")
        for text, samples in clips:
            worse = condition(samples)
            result.add(worse, HEARD_HZ, edits((text,), recogniser.transcribe(worse)))
        if clips:
            yield result


def table(rows: list[Result]) -> str:
    """Return the table in Markdown."""
    return "\n".join([HEADER, *(result.row for result in rows)])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "voices",
        nargs="*",
        metavar="ENGINE[/VOICE]",
        help=f"engine and voice; default: {' '.join(ESPEAK)}",
    )
    parser.add_argument(
        "--sano-voice", metavar="DIR", help="also the engine sano with the voice in this folder"
    )
    parser.add_argument(
        "--piper-voice", metavar="FILE", help="also the engine piper with this .onnx file"
    )
    parser.add_argument(
        "--clips",
        type=Path,
        default=_clips_of_vieneu(),
        metavar="DIR",
        help="WAV files of a person with .txt files beside them; default: those that the wheel of "
        "vieneu has (CC BY-NC 4.0), where it is installed",
    )
    parser.add_argument("--half", choices=(*HALVES, "all"), default="all")
    parser.add_argument("--form", choices=(*FORMS, "both"), default="both")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="every Nth sentence only")
    parser.add_argument("--heard", action="store_true", help="also print what was recognised")
    asked = parser.parse_args()
    asked.forms = FORMS if asked.form == "both" else (asked.form,)
    extra = [("sano", asked.sano_voice), ("piper", asked.piper_voice)]
    asked.voices = [_voice(name) for name in asked.voices or ESPEAK]
    asked.voices += [
        VoiceUnderTest(EngineSpec(engine, {"voice": str(Path(path).resolve())}), None)
        for engine, path in extra
        if path
    ]
    if asked.every < 1:
        parser.error("--every needs a number from 1")
    if asked.clips and not asked.clips.is_dir():
        parser.error(f"--clips: there is no folder {asked.clips}")
    return asked


def _voice(name: str) -> VoiceUnderTest:
    engine, _, voice = name.partition("/")
    return VoiceUnderTest(EngineSpec(engine), voice or None)


def _clips_of_vieneu() -> Path | None:
    found = find_spec("vieneu")
    if found is None or found.origin is None:
        return None
    folder = Path(found.origin).parent / "assets/samples"
    return folder if folder.is_dir() else None


if __name__ == "__main__":
    main()
