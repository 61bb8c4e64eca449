"""Mixing of several channels to one, also where they cancel each other out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_CANCELLED_BELOW = 0.05
"""Power of the mix against that of the loudest channel; one channel of two alone leaves 0.25."""
_AS_LOUD = 0.5
"""Share of the loudest channel's power from which on a channel that was taken is kept."""


def channel_instead_of_mix(powers: Sequence[float], mixed: float, *, kept: int = 0) -> int | None:
    """Return the channel to take where the mix is next to nothing; None: the mix is right.

    That is so in recordings with one channel of opposite phase (a cable with wrong polarity).

    Args:
        powers: Power of each channel.
        mixed: Power of their mix.
        kept: The channel to prefer among channels about as loud as the loudest.
    """
    loudest = max(powers)
    if mixed >= _CANCELLED_BELOW * loudest:
        return None
    return kept if powers[kept] >= _AS_LOUD * loudest else list(powers).index(loudest)


class ChannelMixer:
    """Mixes speech that comes in parts. What is taken is decided by all that has come so far.

    So a part that says little, such as the noise before the first word, decides nothing for long,
    and the speech does not change between channels of opposite phase.

    Args:
        channels: Number of interleaved channels.
    """

    def __init__(self, channels: int) -> None:
        self._energies = [0.0] * channels
        self._mixed = 0.0
        self._taken = 0

    def push(self, interleaved: NDArray[np.int16]) -> bytes:
        """Return samples of one channel, signed 16-bit little-endian.

        Args:
            interleaved: One row per moment, with a sample of each channel.
        """
        import numpy as np

        mix = interleaved.mean(axis=1)
        energies = np.sum(interleaved.astype(np.float64) ** 2, axis=0)
        self._energies = [a + float(b) for a, b in zip(self._energies, energies, strict=True)]
        self._mixed += float(np.sum(mix**2))
        taken = channel_instead_of_mix(self._energies, self._mixed, kept=self._taken)
        if taken is None:
            return bytes(mix.round().astype("<i2").tobytes())
        self._taken = taken
        return bytes(interleaved[:, taken].astype("<i2").tobytes())
