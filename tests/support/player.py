"""A player: what is heard of a file or a stream of audio, decoded by FFmpeg alone."""

from __future__ import annotations

import io

import av
from av.container import InputContainer

from vieneu_core.audio.decode import Clip
from vieneu_core.audio.pcm import pcm_of


def played(data: bytes) -> Clip:
    """Decode audio of any format, mono; raises where it is broken."""
    with av.open(io.BytesIO(data)) as container:
        assert isinstance(container, InputContainer)
        stream = container.streams.audio[0]
        assert stream.channels == 1
        mixer = av.AudioResampler(format="s16", layout="mono", rate=stream.sample_rate)
        frames = [out for frame in container.decode(stream) for out in mixer.resample(frame)]
        rest = mixer.resample(None) if frames else []
        pcm = b"".join(map(pcm_of, [*frames, *rest]))
        return Clip(pcm, stream.sample_rate)
