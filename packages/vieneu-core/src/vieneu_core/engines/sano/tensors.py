"""Tensors that the networks of a sanoTTS voice need, by the configuration of each.

Names and shapes are those that ``sanotts.models`` (0.5) reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

_KERNEL = 0
"""Stands in a shape for the width of a kernel: any odd number up to `_WIDEST_KERNEL`."""
_WIDEST_KERNEL = 31
_BANK_KERNELS = (3, 5, 7)
_UPSAMPLING_KERNELS = (16, 16, 8)
_DURATION_FEATURES, _TOKEN_FEATURES, _FRAME_FEATURES = 3, 2, 3
"""Numbers that each network gets beside a phoneme, such as its place in the sentence."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A required shape."""

    sizes: tuple[int, ...]

    def fits(self, found: tuple[int, ...]) -> bool:
        """Return whether a shape is this one."""
        return len(found) == len(self.sizes) and all(map(_fits, found, self.sizes))

    def __str__(self) -> str:
        return f"({', '.join(str(size or 'kernel') for size in self.sizes)})"


class _Network(Protocol):
    @property
    def vocab_size(self) -> int: ...
    @property
    def hidden(self) -> int: ...
    @property
    def depth(self) -> int: ...


class _Acoustic(_Network, Protocol):
    @property
    def token_depth(self) -> int: ...
    @property
    def out_channels(self) -> int: ...


class _Decoder(Protocol):
    @property
    def channels(self) -> tuple[int, ...]: ...
    @property
    def branches(self) -> tuple[tuple[int, ...], ...]: ...


def required_tensors(
    duration: _Network, acoustic: _Acoustic, decoder: _Decoder
) -> dict[str, Mapping[str, Shape]]:
    """Return name and shape of each tensor, by component."""
    parts = {
        "duration": dict(_duration(duration)),
        "acoustic": dict(_acoustic(acoustic)),
        "decoder": dict(_decoder(decoder, acoustic.out_channels)),
    }
    return {
        component: {name: Shape(sizes) for name, sizes in sizes_of.items()}
        for component, sizes_of in parts.items()
    }


_Sizes = tuple[str, tuple[int, ...]]


def _duration(config: _Network) -> Iterator[_Sizes]:
    hidden = config.hidden
    yield "embedding.weight", (config.vocab_size, hidden)
    yield from _projection("input_proj", hidden, hidden + _DURATION_FEATURES)
    yield from _blocks("blocks", hidden, config.depth)
    yield from _projection("output", 1, hidden)


def _acoustic(config: _Acoustic) -> Iterator[_Sizes]:
    hidden = config.hidden
    yield "embedding.weight", (config.vocab_size, hidden)
    yield from _projection("token_input_proj", hidden, hidden + _TOKEN_FEATURES)
    yield from _blocks("token_blocks", hidden, config.token_depth)
    yield from _projection("frame_input_proj", hidden, hidden + _FRAME_FEATURES)
    yield from _blocks("frame_blocks", hidden, config.depth)
    yield from _projection("output", config.out_channels, hidden)


def _decoder(config: _Decoder, in_channels: int) -> Iterator[_Sizes]:
    widths = config.channels
    yield from _convolution("pre", widths[0], in_channels, _KERNEL)
    for stage, branches in enumerate(config.branches):
        before, after = widths[stage], widths[stage + 1]
        yield f"up{stage}.weight", (before, after, _UPSAMPLING_KERNELS[stage])
        yield f"up{stage}.bias", (after,)
        for branch in branches:
            block = f"res{stage}.0.blocks.{branch}"
            for part in ("conv1", "conv2"):
                kernel = _BANK_KERNELS[branch]
                yield from _convolution(f"{block}.{part}", after, after, kernel)
    yield from _convolution("post", 1, widths[-1], _KERNEL)


def _blocks(name: str, width: int, depth: int) -> Iterator[_Sizes]:
    for block in range(depth):
        yield f"{name}.{block}.scale", (1,)
        for layer in (0, 2):
            yield from _convolution(f"{name}.{block}.net.{layer}", width, width, _KERNEL)


def _projection(name: str, after: int, before: int) -> Iterator[_Sizes]:
    yield from _convolution(name, after, before, 1)


def _convolution(name: str, after: int, before: int, kernel: int) -> Iterator[_Sizes]:
    yield f"{name}.weight", (after, before, kernel)
    yield f"{name}.bias", (after,)


def _fits(found: int, wanted: int) -> bool:
    if wanted == _KERNEL:
        return found % 2 == 1 and found <= _WIDEST_KERNEL
    return found == wanted
