"""The engine auto takes a better voice that could not be loaded at first, once it can be."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from vieneu_core.engines import auto
from vieneu_core.engines.auto import AutoEngine, AutoOptions
from vieneu_core.engines.base import (
    EngineInfo,
    EngineMemory,
    LoadProgress,
    SpokenBy,
    Utterance,
)
from vieneu_core.engines.registry import SpeedRecord
from vieneu_core.errors import DeviceMemoryError, ModelDownloadError
from vieneu_core.voices import Voice

AWAY = ModelDownloadError("huggingface.co is not found")
GOOD = Voice(id="good", name="Good", language="vi")
SMALL = Voice(id="small", name="Small", language="vi")
DAY_S = 86_400.0


class Stub:
    """An engine that may fail to load, and speaks one second for each sentence."""

    def __init__(self, name: str, rate_hz: int, voice: Voice) -> None:
        self.name, self.rate_hz, self.voice = name, rate_hz, voice
        self.error: Exception | None = None
        self.n_loads = 0
        self.spoken: list[str] = []
        self.may_renew = False

    def load(self, progress: Callable[[LoadProgress], None]) -> EngineInfo:
        del progress
        self.n_loads += 1
        if self.error is not None:
            raise self.error
        return self.info()

    def info(self) -> EngineInfo:
        return EngineInfo(
            engine=self.name, model="m", sample_rate_hz=self.rate_hz, voices=(self.voice,)
        )

    def synthesize(self, utterance: Utterance, cancelled: Callable[[], bool]) -> Iterator[bytes]:
        del cancelled
        self.spoken.append(utterance.text)
        yield bytes(2 * self.rate_hz)

    def memory(self) -> EngineMemory:
        return EngineMemory()

    def renewed(self) -> EngineInfo | None:
        if not self.may_renew:
            return None
        self.may_renew = False
        self.voice = Voice(id="smaller", name="Smaller", language="vi")
        return self.info()


class Rig:
    """A machine on which `gguf` is fast enough, and can be loaded or not, and `espeak` speaks."""

    def __init__(self, record: SpeedRecord) -> None:
        self.gguf = Stub("gguf", 24_000, GOOD)
        self.espeak = Stub("espeak", 22_050, SMALL)
        self.record = record
        self.now_s = 1_000.0
        for name in ("gguf", "espeak"):
            record.put(name, "m", 0.1)
        options = AutoOptions(engines=("gguf", "espeak"))
        self.auto = AutoEngine(options, record, clock=lambda: self.now_s)

    def load(self) -> EngineInfo:
        return self.auto.load(lambda _: None)

    def after(self, seconds: float) -> EngineInfo | None:
        """Let time pass, and a try that is due then end; return what is new."""
        self.now_s += seconds
        renewed = self.auto.renewed()
        for thread in threading.enumerate():
            if thread.name == "engine-retry":
                thread.join()
        return renewed or self.auto.renewed()

    def say(self, voice: Voice | None, speed: float = 1.0) -> tuple[float, list[SpokenBy]]:
        """Return the length of a sentence in seconds at the rate of eSpeak, and who spoke it."""
        utterance = Utterance(text="Xin chào.", voice=voice, speed=speed)
        pieces = list(self.auto.synthesize(utterance, lambda: False))
        n_bytes = sum(len(piece) for piece in pieces if isinstance(piece, bytes))
        return n_bytes / 2 / 22_050, [piece for piece in pieces if isinstance(piece, SpokenBy)]


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    rig = Rig(SpeedRecord(tmp_path / "speed.json"))
    for stub in (rig.gguf, rig.espeak):
        module = ModuleType(stub.name)
        module.create = lambda _, s=stub: s  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, f"vieneu_core.engines.{stub.name}", module)
    return rig


def test_a_better_voice_speaks_once_its_model_is_there(rig: Rig) -> None:
    rig.gguf.error = AWAY
    assert rig.load().engine == "espeak"
    assert rig.auto.may_renew
    assert rig.say(SMALL) == (1.0, [])
    rig.gguf.error = None

    info = rig.after(301)

    assert info is not None
    assert (info.engine, info.voices) == ("gguf", (GOOD,))
    assert info.sample_rate_hz == 22_050, "a rate never changes while a worker runs"
    assert not rig.auto.may_renew
    assert rig.say(GOOD) == (1.0, [SpokenBy(engine="gguf", model="m", voice="good")])
    length_s, _ = rig.say(GOOD, speed=2.0)
    assert length_s == pytest.approx(0.5, abs=0.1)
    assert rig.say(None)[0] == 1.0, "a cloned voice"
    assert len(rig.espeak.spoken) == 1
    assert rig.auto.memory() == EngineMemory()


def test_a_request_that_runs_meanwhile_keeps_its_voice(rig: Rig) -> None:
    rig.gguf.error = AWAY
    rig.load()
    rig.gguf.error = None
    assert rig.after(301) is not None

    assert rig.say(SMALL) == (1.0, [SpokenBy(engine="espeak", model="m", voice="small")])
    gone = Voice(id="gone", name="Gone", language="vi")
    assert rig.say(gone)[1] == [SpokenBy(engine="gguf", model="m", voice="good")]


def test_the_tries_become_rarer_while_there_is_no_network(rig: Rig) -> None:
    rig.gguf.error = AWAY
    rig.load()
    tries = []
    for _ in range(48):
        rig.after(300)
        tries.append(rig.gguf.n_loads - 1)

    assert tries[:7] == [1, 1, 2, 2, 2, 2, 3]
    assert tries[-1] <= 7, "at most one an hour in the end"
    rig.gguf.error = None
    assert rig.after(3600) is not None


@pytest.mark.parametrize("error", [DeviceMemoryError("too little"), ValueError("a bug")])
def test_what_would_fail_again_is_not_tried_again(rig: Rig, error: Exception) -> None:
    rig.gguf.error = error
    rig.load()
    assert not rig.auto.may_renew
    rig.after(DAY_S)
    assert rig.gguf.n_loads == 1


def test_a_try_that_shows_that_it_never_will_is_the_last(rig: Rig) -> None:
    rig.gguf.error = AWAY
    rig.load()
    rig.gguf.error = DeviceMemoryError("too little")
    assert rig.after(301) is None
    assert not rig.auto.may_renew
    assert rig.after(DAY_S) is None
    assert rig.gguf.n_loads == 2


def test_one_that_is_too_slow_here_is_not_taken(rig: Rig) -> None:
    rig.gguf.error = AWAY
    rig.load()
    rig.gguf.error = None
    rig.record.put("gguf", "m", 3.0)
    assert rig.after(301) is None
    assert not rig.auto.may_renew
    assert rig.say(SMALL) == (1.0, [])


def test_one_that_seems_slow_while_other_programs_run_is_tried_again(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.gguf.error = AWAY
    rig.load()
    rig.gguf.error = None
    (tmp_path / "speed.json").unlink()
    monkeypatch.setattr(auto, "_busy", lambda: True)
    monkeypatch.setattr(auto, "_measured", lambda *_: 3.0)
    assert rig.after(301) is None
    assert rig.auto.may_renew
    monkeypatch.setattr(auto, "_measured", lambda *_: 0.1)
    assert rig.after(DAY_S) is not None


def test_a_good_voice_waits_for_no_better_one(rig: Rig) -> None:
    rig.gguf.error = AWAY
    rig.espeak.name = "sdk"
    rig.record.put("sdk", "m", 0.1)
    rig.load()
    assert not rig.auto.may_renew


def test_voices_that_the_small_one_gets_are_offered_too(rig: Rig) -> None:
    rig.gguf.error = AWAY
    rig.load()
    rig.espeak.may_renew = True
    info = rig.after(1)
    assert info is not None
    assert info.voices[0].id == "smaller"
    assert rig.auto.may_renew


def test_a_machine_with_too_many_threads_tries_later(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.gguf.error = AWAY
    rig.load()
    rig.gguf.error = None

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as full:
        full.setattr(threading.Thread, "start", refuse)
        assert rig.after(301) is None
    assert rig.gguf.n_loads == 1
    assert rig.after(601) is not None
