"""Description of this service for Wyoming clients: its program and voices."""

from __future__ import annotations

from collections.abc import Sequence

from wyoming.info import Attribution, Info, TtsProgram, TtsVoice

from vieneu_colab_server import __version__
from vieneu_core.voices import Voice

PROGRAM = "VieNeu Relay"
"""Home Assistant names the entity after it."""
_ATTRIBUTION = Attribution(
    name="The VieNeu Relay authors", url="https://github.com/vieneu-relay/vieneu-relay"
)


def info_of(voices: Sequence[Voice]) -> Info:
    """Return the answer to a ``describe``."""
    return Info(
        tts=[
            TtsProgram(
                name=PROGRAM,
                description="Vietnamese speech",
                attribution=_ATTRIBUTION,
                installed=True,
                version=__version__,
                voices=[_described(voice) for voice in voices],
                supports_synthesize_streaming=True,
            )
        ]
    )


def _described(voice: Voice) -> TtsVoice:
    return TtsVoice(
        name=voice.id,
        description=voice.name,
        attribution=_ATTRIBUTION,
        installed=True,
        version=__version__,
        languages=[voice.language],
    )
