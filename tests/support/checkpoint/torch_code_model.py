"""The model on PyTorch: what it is asked, what it says, and what it evaluates for that."""

from __future__ import annotations

from typing import Any

import pytest
from checkpoint.code_prompts import AN, SENTENCES
from engine_calls import never

from vieneu_core.engines.pytorch.device import DeviceChoice, Dtype, TorchDevice
from vieneu_core.engines.pytorch.model import TorchModel
from vieneu_core.engines.speech_lm.model import CodePrompt, ReferencePrompt

CPU = TorchDevice.choose(DeviceChoice.CPU, Dtype.FLOAT32)


def prompts(voice: ReferencePrompt = AN) -> list[CodePrompt]:
    return [CodePrompt(phonemes=phonemes, reference=voice) for phonemes in SENTENCES]


def say_codes(model: TorchModel, prompt: CodePrompt) -> list[int]:
    return list(model.codes(prompt, never))


def watched(model: TorchModel, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Return where (sentences, tokens) of each evaluation from now on will be noted."""
    shapes: list[tuple[int, int]] = []
    network = model._batch._model

    def noting(**given: Any) -> Any:
        shapes.append(tuple(given["input_ids"].shape))
        return network(**given)

    monkeypatch.setattr(model._batch, "_model", noting)
    return shapes
