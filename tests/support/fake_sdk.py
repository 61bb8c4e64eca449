"""A fake of the official SDK that does as the SDK does, and the engine ``sdk`` on it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from vieneu_core.engines.base import EngineInfo, Utterance
from vieneu_core.engines.sdk import SdkEngine, create
from vieneu_core.voices import Voice

AN = Voice(id="An", name="An", language="vi")
BASE = {"mode": "standard", "device": "cpu"}


class FakeVieneu:
    """Stands for the SDK's object; tests replace what it does."""

    sample_rate = 24_000
    _default_voice = "An"
    codec = SimpleNamespace(encode_code=None)
    arguments: dict[str, object]
    asked: tuple[str, dict[str, Any]]

    def list_preset_voices(self) -> list[tuple[str, str]]:
        return [("⭐ Chị Bình", "Bình"), ("Anh An", "An")]

    def get_preset_voice(self, name: str) -> dict[str, object]:
        return {"codes": np.ones(128, np.float32), "text": name}

    def infer_stream(self, text: str, **more: object) -> Iterator[Any]:
        self.asked = (text, more)
        yield np.zeros(100, np.float32) + np.float32(0.5)


def pretend(monkeypatch: pytest.MonkeyPatch, make: Callable[..., object]) -> None:
    """Put ``make`` in the place of the SDK's class."""
    module = ModuleType("vieneu")
    module.Vieneu = make  # type: ignore[attr-defined]  # a module made of what the engine asks for
    monkeypatch.setitem(sys.modules, "vieneu", module)


def load(**more: object) -> tuple[SdkEngine, EngineInfo]:
    engine = create({**BASE, **more})
    return engine, engine.load(lambda _: None)


def speak_sdk(engine: SdkEngine, voice: Voice = AN) -> bytes:
    return b"".join(engine.synthesize(Utterance(text="Số 5.", voice=voice), lambda: False))
