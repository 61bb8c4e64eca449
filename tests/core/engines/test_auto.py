"""The engine auto takes the best voice that is fast enough here."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from checkpoint.folder import ModelFolder, heard_codes, make_folder

from vieneu_core.engines import auto
from vieneu_core.engines.auto import AutoEngine, AutoOptions, create
from vieneu_core.engines.base import EngineInfo, EngineMemory, LoadProgress, Utterance
from vieneu_core.engines.registry import (
    ENGINES,
    EngineNeeds,
    SpeedRecord,
    candidates,
    has_nvidia_gpu,
)
from vieneu_core.errors import ModelLoadError, SynthesisFailedError
from vieneu_core.voices import Voice

VOICE = Voice(id="a", name="A", language="vi")


class Stub:
    """An engine of a speed of its own: it takes so long for each second of speech."""

    def __init__(self, name: str, real_time_factor: float, error: Exception | None = None) -> None:
        self.name, self.real_time_factor, self.error = name, real_time_factor, error
        self.n_spoken = 0
        self.accelerator: str | None = None

    def load(self, progress: Callable[[LoadProgress], None]) -> EngineInfo:
        progress(LoadProgress("loading"))
        if self.error is not None:
            raise self.error
        return EngineInfo(
            engine=self.name,
            model="m",
            sample_rate_hz=1000,
            voices=(VOICE,),
            accelerator=self.accelerator,
        )

    def synthesize(self, utterance: Utterance, cancelled: Callable[[], bool]) -> Iterator[bytes]:
        del utterance, cancelled
        self.n_spoken += 1
        yield bytes(2000)

    def memory(self) -> EngineMemory:
        return EngineMemory()


@pytest.fixture
def record(tmp_path: Path) -> SpeedRecord:
    return SpeedRecord(tmp_path / "state" / "speed.json")


@pytest.fixture
def pick(monkeypatch: pytest.MonkeyPatch, record: SpeedRecord) -> Callable[..., AutoEngine]:
    """An engine that chooses among stubs, whose speeds are known from before; nothing else runs."""
    monkeypatch.setattr("vieneu_core.engines.auto.os.getloadavg", lambda: (0.0, 0.0, 0.0))

    def made(*stubs: Stub) -> AutoEngine:
        for stub in stubs:
            module = ModuleType(stub.name)
            module.create = lambda _, s=stub: s  # type: ignore[attr-defined]
            monkeypatch.setitem(sys.modules, f"vieneu_core.engines.{stub.name}", module)
            record.put(stub.name, "m", stub.real_time_factor)
        names = tuple(stub.name for stub in stubs)
        return AutoEngine(AutoOptions(engines=names), record)

    return made


@pytest.mark.parametrize(
    ("speeds", "chosen"),
    [
        ({"pytorch": 0.2, "gguf": 0.1, "espeak": 0.01}, "pytorch"),
        ({"pytorch": 3.0, "gguf": 0.5, "espeak": 0.01}, "gguf"),
        ({"gguf": 2.0, "sdk": 1.5}, "sdk"),
        ({"gguf": 2.0, "espeak": 0.01}, "espeak"),
    ],
)
def test_the_first_that_is_fast_enough_is_taken_else_the_fastest(
    pick: Callable[..., AutoEngine], speeds: dict[str, float], chosen: str
) -> None:
    engine = pick(*(Stub(name, real_time_factor) for name, real_time_factor in speeds.items()))

    assert engine.load(lambda _: None).engine == chosen
    assert engine.memory() == EngineMemory()


def test_one_that_does_not_load_is_left_out(pick: Callable[..., AutoEngine]) -> None:
    broken = Stub("gguf", 0.1, ModelLoadError("no file"))
    steps: list[str] = []

    info = pick(broken, Stub("espeak", 0.01)).load(lambda now: steps.append(now.step))

    assert info.engine == "espeak"
    assert any("gguf" in step and "no file" in step for step in steps)


def test_none_is_an_error_with_the_reason_of_each(pick: Callable[..., AutoEngine]) -> None:
    engine = pick(
        Stub("gguf", 0.1, ModelLoadError("no file")), Stub("sdk", 0.1, ModelLoadError("no net"))
    )

    with pytest.raises(ModelLoadError, match=r"gguf: no file sdk: no net"):
        engine.load(lambda _: None)


def test_the_speed_is_measured_once_on_each_machine(
    pick: Callable[..., AutoEngine], record: SpeedRecord, tmp_path: Path
) -> None:
    stub = Stub("gguf", 0.0)
    engine = pick(stub)
    (tmp_path / "state" / "speed.json").unlink()

    engine.load(lambda _: None)
    engine.load(lambda _: None)

    assert stub.n_spoken == 1
    measured = record.get("gguf", "m")
    assert measured is not None
    assert 0 <= measured < 1


def test_what_only_the_first_sentence_waits_for_is_not_remembered_as_its_speed(
    pick: Callable[..., AutoEngine],
    record: SpeedRecord,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    cold, clock_s = Stub("gguf", 0.0), [0.0]
    engine = pick(cold, Stub("espeak", 0.01))
    (tmp_path / "state" / "speed.json").unlink()
    monkeypatch.setattr("vieneu_core.engines.auto.time.perf_counter", lambda: clock_s[0])

    def speak(*_: object) -> Iterator[bytes]:
        clock_s[0] += 0.2 if cold.n_spoken else 5.0  # imports what it needs at the first sentence
        cold.n_spoken += 1
        yield bytes(2000)

    monkeypatch.setattr(cold, "synthesize", speak)

    assert engine.load(lambda _: None).engine == "gguf"
    assert record.get("gguf", "m") == 0.2


@pytest.mark.parametrize(
    ("load", "cpu_s", "accelerator", "chosen", "kept"),
    [
        pytest.param(0.5, 5.0, None, "espeak", 5.0, id="slow"),
        pytest.param(0.5, 0.2, None, "espeak", 5.0, id="slow with little work"),
        pytest.param(500.0, 5.0, None, "espeak", None, id="slow or slowed: once more later"),
        pytest.param(500.0, 0.2, None, "gguf", 0.2, id="only slowed by others"),
        pytest.param(500.0, 0.2, "Tesla T4", "espeak", None, id="the work is not the processors'"),
    ],
)
def test_a_busy_moment_of_the_machine_is_not_its_speed_for_ever(
    pick: Callable[..., AutoEngine],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    load: float,
    cpu_s: float,
    accelerator: str | None,
    chosen: str,
    kept: float | None,
) -> None:
    slowed, n_spoken = Stub("gguf", 0.0), [0]
    slowed.accelerator = accelerator
    engine, record = pick(slowed, Stub("espeak", 0.01)), SpeedRecord(tmp_path / "state/speed.json")
    (tmp_path / "state" / "speed.json").unlink()
    record.put("espeak", "m", 0.01)
    auto = "vieneu_core.engines.auto"
    monkeypatch.setattr(f"{auto}.time.perf_counter", lambda: 5.0 * n_spoken[0])
    monkeypatch.setattr(f"{auto}.time.process_time", lambda: cpu_s * n_spoken[0])
    monkeypatch.setattr(f"{auto}.os.getloadavg", lambda: (load, 0.0, 0.0))

    def speak(*_: object) -> Iterator[bytes]:
        n_spoken[0] += 1
        yield bytes(2000)

    monkeypatch.setattr(slowed, "synthesize", speak)

    assert engine.load(lambda _: None).engine == chosen
    assert record.get("gguf", "m") == kept


def test_one_that_cannot_speak_while_it_is_measured_is_left_out(
    pick: Callable[..., AutoEngine], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mute = Stub("gguf", 0.1)
    engine = pick(mute, Stub("espeak", 0.1))
    (tmp_path / "state" / "speed.json").unlink()

    def refuse(*_: object) -> Iterator[bytes]:
        raise SynthesisFailedError("nothing came")

    monkeypatch.setattr(mute, "synthesize", refuse)
    assert engine.load(lambda _: None).engine == "espeak"


def test_a_damaged_record_is_measured_anew(record: SpeedRecord, tmp_path: Path) -> None:
    record.put("gguf", "m", 0.5)
    for content in ("{", "[1]", '{"a": "b"}'):
        (tmp_path / "state" / "speed.json").write_text(content)
        assert record.get("gguf", "m") is None
    record.put("gguf", "m", 0.25)
    assert record.all() == {"gguf m": 0.25}


def test_an_engine_that_does_not_exist_is_named() -> None:
    with pytest.raises(ModelLoadError, match="ollama"):
        create({"engines": ["ollama"]}).load(lambda _: None)
    with pytest.raises(ModelLoadError, match="ggfu"):
        create({"ggfu": {}})


def test_used_before_it_is_loaded_is_an_error() -> None:
    with pytest.raises(ModelLoadError, match="before it was loaded"):
        create({}).memory()


NEEDS = (
    EngineNeeds(engine="pytorch", label="", extra="torch", modules=("json",), wants_gpu=True),
    EngineNeeds(engine="gguf", label="", extra="gguf", modules=("json",), either=("no_a", "no_b")),
    EngineNeeds(engine="sdk", label="", extra="sdk", modules=("json",), either=("no_a", "math")),
    EngineNeeds(engine="espeak", label="", extra="espeak", modules=("json",)),
)


def test_what_is_installed_and_the_hardware_decide_the_order() -> None:
    assert candidates(gpu=True, engines=NEEDS) == ["pytorch", "sdk", "espeak"]
    assert candidates(gpu=False, engines=NEEDS) == ["sdk", "pytorch", "espeak"]
    assert candidates(gpu=False, engines=NEEDS[:3]) == ["sdk", "pytorch"]
    assert NEEDS[1].missing() == ("no_a",)
    assert all(needs.installed for needs in ENGINES), "the tests have all of them"


def test_a_gpu_is_known_by_its_driver(tmp_path: Path) -> None:
    assert not has_nvidia_gpu(tmp_path / "version")
    (tmp_path / "version").write_text("580")
    assert has_nvidia_gpu(tmp_path / "version")


def test_it_speaks_with_a_real_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder: ModelFolder = make_folder(tmp_path / "models")
    path = tmp_path / "speed.json"
    monkeypatch.setattr(auto, "speed_record_path", lambda: path)
    engine = create({"engines": ["gguf"], "gguf": folder.options()})
    info = engine.load(lambda _: None)

    pcm = b"".join(
        bytes(piece)  # type: ignore[arg-type]
        for piece in engine.synthesize(
            Utterance(text="Xin chào các bạn, trời đẹp quá.", voice=info.voices[1]), lambda: False
        )
    )

    assert set(heard_codes(pcm)[1]) == {1}
    assert list(json.loads(path.read_text())) == ["gguf tiny + codec"]
