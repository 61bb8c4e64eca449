"""Sentences of a batch are what they are alone, and each is made once."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
from checkpoint.code_prompts import CHI, PLAIN, codes_after
from checkpoint.torch_code_model import CPU, prompts, say_codes, watched
from engine_calls import never

from vieneu_core.engines.pytorch.device import TorchDevice
from vieneu_core.engines.pytorch.model import FIRST_SOUND, TorchModel
from vieneu_core.errors import DeviceMemoryError


def test_sentences_of_a_batch_are_what_they_are_alone(
    model: TorchModel, batching: TorchModel
) -> None:
    alone = [say_codes(model, prompt) for prompt in prompts()]

    batching.prefetch(prompts()[1:])
    together = []
    for prompt in prompts():
        together.append(say_codes(batching, prompt))
        batching.prefetch_next(never)

    assert together == alone


def test_the_batch_is_made_once(batching: TorchModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was made beside the first sentence is handed out without another step."""
    batching.prefetch(prompts(CHI)[1:])
    say_codes(batching, prompts(CHI)[0])
    batching.prefetch_next(never)
    shapes = watched(batching, monkeypatch)

    assert all(len(say_codes(batching, prompt)) > 5 for prompt in prompts(CHI)[1:])
    assert not shapes


def test_a_sentence_begins_alone_and_others_join_once_it_is_heard(
    model: TorchModel, batching: TorchModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = [say_codes(model, prompt) for prompt in prompts()]
    monkeypatch.setattr(TorchDevice, "is_accelerator", True)
    shapes = watched(batching, monkeypatch)
    say_codes(batching, prompts(CHI)[1])  # what it leaves behind must not be heard
    del shapes[:]

    batching.prefetch(prompts()[1:])
    together = [say_codes(batching, prompt) for prompt in prompts()]

    assert together == alone
    n_alone = next(i for i, (n_rows, _) in enumerate(shapes) if n_rows > 1)
    assert n_alone == FIRST_SOUND
    assert len(shapes) < sum(map(len, alone)) / 2


def test_a_sentence_that_has_ended_leaves_the_batch(
    batching: TorchModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    say_codes(batching, prompts()[0])
    shapes = watched(batching, monkeypatch)
    batching.prefetch(prompts(CHI))
    batching.prefetch_next(never)

    n_rows = [n_rows for n_rows, _ in shapes]
    assert set(n_rows) == {1, 2, 3, 4}
    assert n_rows == sorted(n_rows, reverse=True)


def test_work_ahead_is_abandoned_within_one_code(
    batching: TorchModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    say_codes(batching, prompts()[0])
    shapes = watched(batching, monkeypatch)
    batching.prefetch(prompts(CHI))
    batching.prefetch_next(lambda: len(shapes) == 3)

    assert len(shapes) == 3


def test_after_a_failure_in_a_batch_all_is_made_anew_and_less_at_once(
    path: Path, model: TorchModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    alone = [say_codes(model, prompt) for prompt in prompts()]
    batching = TorchModel(path, PLAIN, CPU, batch=4)
    shapes = watched(batching, monkeypatch)
    whole = batching._batch._model

    def short(**given: Any) -> Any:
        out = whole(**given)  # some of the cache has grown when memory ends
        if len(given["input_ids"]) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return out

    monkeypatch.setattr(batching._batch, "_model", short)
    batching.prefetch(prompts())
    with pytest.raises(DeviceMemoryError):
        batching.prefetch_next(never)

    together = []
    for index, prompt in enumerate(prompts()):
        batching.prefetch(prompts()[index + 1 :])
        together.append(say_codes(batching, prompt))
        batching.prefetch_next(never)
    assert together == alone
    assert max(n_rows for n_rows, _ in shapes[1:]) == 2


def test_a_batch_of_which_something_else_is_asked_is_left(batching: TorchModel) -> None:
    batching.prefetch(prompts()[1:])
    first = batching.codes(prompts()[0], never)
    next(first)
    first.close()  # type: ignore[attr-defined]

    other = prompts(CHI)[2]
    assert say_codes(batching, other) == list(
        itertools.islice(codes_after(339), len(say_codes(batching, other)))
    )
