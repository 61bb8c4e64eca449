"""The library of eSpeak NG: one for a process, and its data wherever they are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import espeakng_loader
import pytest
from guard import GUARD_S

from vieneu_core.engines.base import LoadProgress
from vieneu_core.engines.espeak import create
from vieneu_core.errors import ModelLoadError


def quiet(now: LoadProgress) -> None:
    del now


def in_a_process(program: str, *arguments: str) -> str:
    """Return what it prints: eSpeak starts once in a process, with the data of the first engine."""
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        timeout=GUARD_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


TWO_ENGINES = """
import gc
from vieneu_core.engines.base import Utterance
from vieneu_core.engines.espeak import VOICES, create

def speak(engine):
    utterance = Utterance(text="Xin chào các bạn.", voice=VOICES[0])
    return sum(map(len, engine.synthesize(utterance, lambda: False)))

first, second = create({}), create({})
for engine in (first, second):
    engine.load(lambda _: None)
shared = first._library is second._library
lengths = [speak(first), speak(second), speak(first)]
del engine, second
gc.collect()
print(int(shared), *lengths, speak(first))
"""


def test_each_of_two_engines_in_a_process_gets_what_it_speaks() -> None:
    shared, *lengths = map(int, in_a_process(TWO_ENGINES).split())

    assert shared, "a second start would free what the first one's voice points to"
    assert len(lengths) == 4
    assert min(lengths) > 20_000


def test_a_library_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "libespeak-ng.so"
    broken.write_bytes(b"no library")
    monkeypatch.setattr(espeakng_loader, "get_library_path", lambda: str(broken))

    with pytest.raises(ModelLoadError, match="cannot be loaded"):
        create({}).load(quiet)


def test_data_that_are_not_there_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(espeakng_loader, "get_data_path", lambda: str(tmp_path / "none"))

    with pytest.raises(ModelLoadError, match="none"):
        create({}).load(quiet)


def test_damaged_data_are_no_voice(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "phontab").write_bytes(b"")
    program = f"""
import espeakng_loader
from vieneu_core.engines.espeak import create
from vieneu_core.errors import ModelLoadError
espeakng_loader.get_data_path = lambda: {str(tmp_path)!r}
try:
    create({{}}).load(print)
except ModelLoadError as error:
    print(error.detail)
"""
    monkeypatch.delenv("ESPEAK_DATA_PATH", raising=False)

    assert "does not start" in in_a_process(program)


LONG_PATH = """
import sys
import espeakng_loader
from vieneu_core.engines.base import Utterance
from vieneu_core.engines.espeak import VOICES, create

espeakng_loader.get_data_path = lambda: sys.argv[1]
engine = create({})
engine.load(lambda _: None)
utterance = Utterance(text="Xin chào các bạn.", voice=VOICES[1])
print(sum(map(len, engine.synthesize(utterance, lambda: False))))
"""


def test_data_under_a_very_long_path_are_found(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    deep.mkdir(parents=True)
    link = deep / "espeak-ng-data"
    link.symlink_to(espeakng_loader.get_data_path())

    assert int(in_a_process(LONG_PATH, str(link))) > 20_000
