"""Likelihood of given tokens, by a model of transformers."""

from __future__ import annotations

from typing import Any

from vieneu_core.engines.pytorch.device import TorchDevice


def log_likelihood(model: Any, device: TorchDevice, before: list[int], tokens: list[int]) -> float:
    """Return the mean log-likelihood of tokens after others.

    Raises:
        DeviceMemoryError: the device has too little memory.
    """
    torch = device.torch
    with device.guarded():
        given = torch.tensor([[*before, *tokens]], dtype=torch.long, device=device.kind)
        logits = model(input_ids=given, use_cache=False, logits_to_keep=len(tokens) + 1).logits
        odds = torch.log_softmax(logits[0, :-1].float(), dim=1)
        scored = odds.gather(1, given[0, len(before) :, None])
        return float(scored.mean())
