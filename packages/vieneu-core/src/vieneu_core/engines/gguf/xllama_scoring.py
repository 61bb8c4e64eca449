"""Tokens and likelihoods of a model on xllamacpp, whose server shows both in its answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from math import nan
from pathlib import Path
from typing import Any

from vieneu_core.engines.speech_lm.model import PromptStyle, ReferencePrompt
from vieneu_core.engines.speech_lm.prompt import framed, speech_token
from vieneu_core.errors import ModelLoadError
from vieneu_core.models.gguf_header import read_header
from vieneu_core.translatable import Translatable
from vieneu_core.untrusted_json import parse_json

_CERTAIN = 1e5
"""Added to a logit, so that exactly this token is drawn. Likelihoods are those without it."""


class XllamaScoring:
    """Asks the server about its model, before it speaks.

    Args:
        server: The loaded server.
        path: Its GGUF file.
    """

    def __init__(self, server: Any, path: Path) -> None:
        self._server = server
        self._path = path

    def is_token(self, name: str) -> bool:
        """Return whether the tokenizer has a text as one token.

        The server counts the tokens that it puts before and after each text, too.
        """
        return self._n_tokens(name * 2) - self._n_tokens(name) == 1

    def score(self, style: PromptStyle, sample: ReferencePrompt) -> float:
        """Return the mean log-likelihood of a voice's codes; see `prompt_style.Score`."""
        first = self._first_code
        text, total = framed(sample.phonemes, style, frozenset()), 0.0
        for code in sample.codes:
            answer = self._ask(text, logit_bias=[[first + code, _CERTAIN]], logprobs=1)
            logarithm = answer["choices"][0]["logprobs"]["content"][0]["logprob"]
            total += nan if logarithm is None else logarithm  # JSON has no NaN
            text += speech_token(code)
        return total / max(1, len(sample.codes))

    @cached_property
    def _first_code(self) -> int:
        """Token of code 0; reading all names takes a while."""
        return read_header(self._path).token_id(speech_token(0)) or 0

    def _n_tokens(self, text: str) -> int:
        return int(self._ask(text)["usage"]["prompt_tokens"])

    def _ask(self, prompt: str, **more: object) -> Mapping[str, Any]:
        """Let one token be drawn after a text; return the server's answer.

        Raises:
            ModelLoadError: it has none.
        """
        body = {"prompt": prompt, "n_predict": 1, "temperature": 0, "cache_prompt": True, **more}
        answers: list[Mapping[str, Any]] = []

        def take(event: str) -> bool:
            answers.append(parse_json(event))
            return False

        try:
            self._server.handle_completions(json.dumps(body), take)
            if "choices" in answers[-1]:
                return answers[-1]
        except (RuntimeError, IndexError) as error:
            raise self._failure(error) from error
        raise self._failure(answers[-1].get("error", {}).get("message", ""))

    def _failure(self, reason: object) -> ModelLoadError:
        return ModelLoadError(
            Translatable(
                "llama.cpp cannot try the model {path}: {reason}", path=self._path, reason=reason
            ),
            remedy="Name the model's own style in the options format and emotion.",
        )
