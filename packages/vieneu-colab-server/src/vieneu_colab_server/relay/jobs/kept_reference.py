"""Reference audio of a job as it is kept: a line of JSON, then FLAC.

Both are one file, so that a clip is never without its transcript.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vieneu_colab_server.relay.jobs.errors import DamagedJobError
from vieneu_core.audio.decode import decode_clip
from vieneu_core.audio.encode import AudioFormat, encode_stream
from vieneu_core.audio.pcm import AudioChunk, Speaker
from vieneu_core.errors import ReferenceAudioError
from vieneu_core.synthesis import ReferenceAudio

_MAX_SECONDS = 600.0
"""No clip is accepted that is as long; a damaged file must not fill the memory."""


class _Head(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    transcript: str = Field(repr=False)
    content_id: str
    """Of the clip with its transcript: FLAC is without loss."""


async def kept(reference: ReferenceAudio) -> bytes:
    """Return the content of the file."""
    head = _Head(transcript=reference.transcript, content_id=reference.content_id)
    encoded = [part async for part in encode_stream(_chunks(reference), AudioFormat.FLAC)]
    return head.model_dump_json().encode() + b"\n" + b"".join(encoded)


async def _chunks(reference: ReferenceAudio) -> AsyncGenerator[AudioChunk, None]:
    speaker = Speaker(backend="", engine="", voice="")
    yield AudioChunk(reference.pcm, reference.sample_rate_hz, 0, speaker, final=True)


def restored(content: bytes) -> ReferenceAudio:
    """Return the reference audio out of the content of the file. Blocking.

    Raises:
        DamagedJobError: it is not as it was written.
    """
    line, _, data = content.partition(b"\n")
    try:
        head = _Head.model_validate_json(line)
        clip = decode_clip(data, max_seconds=_MAX_SECONDS)
    except (ValidationError, ReferenceAudioError) as error:
        raise _damaged() from error
    reference = ReferenceAudio(
        pcm=clip.pcm, sample_rate_hz=clip.sample_rate_hz, transcript=head.transcript
    )
    if reference.content_id != head.content_id:
        raise _damaged()
    return reference


def _damaged() -> DamagedJobError:
    return DamagedJobError("The reference audio of this job is damaged.")
