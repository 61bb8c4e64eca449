"""The tone engine in the voice of a backend, with troubles that a file brings about while it runs.

``chaos.engine:create`` takes the options of `tone_engine` and ``voice`` (a key of `VOICES`) and
``script``: the path of a JSON file with the fields of `Script`, which the worker process reads
before each chunk. `write` changes it in one step.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from chaos.voice import VOICES
from tone_engine import ToneEngine, _distorted, _trouble

from vieneu_core.engines.base import Utterance
from vieneu_core.errors import EmptyTextError
from vieneu_core.testing.tone import in_chunks, sentence_tone

UNSAYABLE = "unsayable"
"""A sentence with this word cannot be said by any engine."""
DISTORTIONS = ("nothing", "tooshort", "silent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What goes wrong in an engine."""

    trouble: str = ""
    """A word of `tone_engine`, or none."""
    skip: int = 0
    """Sentences that are spoken well before it."""
    at: float = 0.5
    """Share of the sentence after which it happens."""
    lasting: bool = False
    """Whether it happens again and again."""
    chunk_delay_s: float | None = None
    """Time for each chunk of 0.1 s, in place of the engine's option."""


def write_script(path: Path, script: Script) -> None:
    """Change what goes wrong from the next chunk on."""
    new = path.with_suffix(".new")
    new.write_text(json.dumps(asdict(script)), "utf-8")
    new.replace(path)


def _read(path: Path) -> Script:
    try:
        return Script(**json.loads(path.read_text("utf-8")))
    except FileNotFoundError:
        return Script()


class ScriptedToneEngine(ToneEngine):
    """Speaks tones, and fails as its script says."""

    def __init__(self, options: Mapping[str, object]) -> None:
        super().__init__(options)
        self._shift_hz = VOICES[str(options["voice"])]
        self._path = Path(str(options["script"]))

    def synthesize(self, utterance: Utterance, cancelled: Callable[[], bool]) -> Iterator[bytes]:
        if UNSAYABLE in utterance.text:
            raise EmptyTextError("No letter that this engine can pronounce.")
        tone = sentence_tone(utterance.text)
        pcm = replace(tone, hz=tone.hz + self._shift_hz).pcm(self.sample_rate_hz)
        word = self._due_trouble()
        pcm = _distorted(word, pcm)
        n_sent, at = 0, _read(self._path).at * len(pcm)
        for part in in_chunks(pcm, self.sample_rate_hz):
            if cancelled():
                return
            time.sleep(self._delay_s())
            if word and n_sent <= at < n_sent + len(part):
                _trouble(word)
            yield part
            n_sent += len(part)

    def _delay_s(self) -> float:
        scripted = _read(self._path).chunk_delay_s
        return self.chunk_delay_s if scripted is None else scripted

    def _due_trouble(self) -> str:
        """Return the word for this sentence; a trouble that happens once leaves the script."""
        script = _read(self._path)
        if not script.trouble:
            return ""
        if script.skip:
            write_script(self._path, replace(script, skip=script.skip - 1))
            return ""
        if not script.lasting:
            write_script(self._path, replace(script, trouble=""))
        return script.trouble


def create(options: Mapping[str, object]) -> ScriptedToneEngine:
    """Make the engine from its options."""
    return ScriptedToneEngine(options)
