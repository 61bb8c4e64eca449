"""Draws the next tokens of a batch on its device."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from vieneu_core.engines.pytorch.device import TorchDevice
from vieneu_core.engines.speech_lm.model import Sampling
from vieneu_core.engines.speech_lm.prompt import SpeechVocabulary
from vieneu_core.engines.speech_lm.sampling import BOUNDS
from vieneu_core.errors import ModelLoadError, SynthesisFailedError
from vieneu_core.translatable import Translatable


class NotFiniteError(SynthesisFailedError):
    """Logits are infinite or NaN, as where float16 is too narrow for a model."""


class Drawer:
    """Draws the next token of each row on the device: a speech code or the end."""

    def __init__(
        self, device: TorchDevice, vocabulary: SpeechVocabulary, sampling: Sampling
    ) -> None:
        self._torch = device.torch
        self._vocabulary = vocabulary
        self._sampling = sampling
        self._random = device.torch.Generator(device=device.kind)
        if sampling.seed is not None:
            self._random.manual_seed(sampling.seed)
        else:
            self._random.seed()

    @property
    def code(self) -> Callable[[int], int | None]:
        """Returns the code of a token; None means the end."""
        return self._vocabulary.code

    def __call__(self, logits: Any, may_end: Sequence[bool]) -> list[int]:
        """Return a token for each row of logits.

        Raises:
            NotFiniteError: the logits are NaN.
        """
        tokens, odds = self.odds(logits, may_end)
        drawn = self._torch.multinomial(odds, 1, generator=self._random)
        chosen: list[int] = tokens.gather(1, drawn)[:, 0].tolist()
        return chosen

    def odds(self, logits: Any, may_end: Sequence[bool]) -> tuple[Any, Any]:
        """Return the tokens that may be drawn and their probabilities, the likeliest first.

        The order is that of transformers: temperature, top_k, top_p, min_p.

        Raises:
            NotFiniteError: the logits are NaN.
        """
        torch, how = self._torch, self._sampling
        best, tokens = self._candidates(logits, may_end)
        if not torch.isfinite(best[:, 0]).all():
            raise NotFiniteError("The model's output is not made of numbers.")
        if how.temperature == 0.0:
            return tokens[:, :1], torch.ones_like(best[:, :1])
        odds = torch.softmax(best / how.temperature, dim=1)
        if how.top_p is not None and how.top_p < 1.0:
            odds = odds * (odds.cumsum(dim=1) - odds < how.top_p)
        if how.min_p:
            odds = odds * (odds >= how.min_p * odds[:, :1])
        return tokens, odds / odds.sum(dim=1, keepdim=True)

    def _candidates(self, logits: Any, may_end: Sequence[bool]) -> tuple[Any, Any]:
        """Return the top_k largest logits in descending order, and their tokens."""
        torch, speech = self._torch, self._vocabulary
        codes = logits[:, speech.first_code : speech.first_code + speech.n_codes].float()
        end = logits[:, speech.end : speech.end + 1].float()
        ends = torch.tensor(may_end, device=end.device)[:, None]
        choices = torch.cat([codes, end.masked_fill(~ends, float("-inf"))], dim=1)
        best, indices = choices.topk(min(self._sampling.top_k, choices.shape[1]), dim=1)
        tokens = torch.where(indices == speech.n_codes, speech.end, indices + speech.first_code)
        return best, tokens


def with_own(sampling: Sampling, model: Any, folder: Path) -> Sampling:
    """Complete the parameters by those of the model's generation_config.json.

    Raises:
        ModelLoadError: the file states one that is none.
    """
    own = getattr(model, "generation_config", None)
    for name in ("top_p", "min_p"):
        stated = getattr(own, name, None)
        if stated is not None and getattr(sampling, name) is None:
            _check_stated(name, stated, folder)
            sampling = replace(sampling, **{name: stated})
    return sampling


def _check_stated(name: str, stated: object, folder: Path) -> None:
    least, most = BOUNDS[name]
    if isinstance(stated, int | float) and stated is not True and least <= stated <= most:
        return
    raise ModelLoadError(
        Translatable(
            "{path} has the unusable value {value} for {name}.",
            path=folder / "generation_config.json",
            value=repr(stated)[:40],
            name=name,
        ),
        remedy=Translatable(
            "Write a number from {least:g} to {most:g} there, or in the option {name}.",
            least=least,
            most=most,
            name=name,
        ),
    )
