"""Audio samples: types, encoding, decoding, resampling, tempo and watermark."""

from __future__ import annotations

from vieneu_core import lazy_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from vieneu_core.audio.decode import MAX_CLIP_BYTES, Clip, decode_clip
    from vieneu_core.audio.encode import AudioFormat, encode_stream, pcm_stream
    from vieneu_core.audio.file import write_file
    from vieneu_core.audio.listener import Listener
    from vieneu_core.audio.opening import MAX_LEAD_IN_S, Opening, with_opening
    from vieneu_core.audio.opus import OpusSentenceDecoder, OpusSentenceEncoder
    from vieneu_core.audio.pauses import NATURAL_PAUSES, NO_PAUSES, Pauses, with_pauses
    from vieneu_core.audio.pcm import BYTES_PER_SAMPLE, AudioChunk, Speaker
    from vieneu_core.audio.rate import at_rate
    from vieneu_core.audio.resample import Resampler
    from vieneu_core.audio.sanity_check import LONGEST_SENTENCE_S, SpeechCheck
    from vieneu_core.audio.silence import SILENT_ENGINE
    from vieneu_core.audio.tempo import TempoStretcher

__all__ = [
    "BYTES_PER_SAMPLE",
    "LONGEST_SENTENCE_S",
    "MAX_CLIP_BYTES",
    "MAX_LEAD_IN_S",
    "NATURAL_PAUSES",
    "NO_PAUSES",
    "SILENT_ENGINE",
    "AudioChunk",
    "AudioFormat",
    "Clip",
    "Listener",
    "Opening",
    "OpusSentenceDecoder",
    "OpusSentenceEncoder",
    "Pauses",
    "Resampler",
    "Speaker",
    "SpeechCheck",
    "TempoStretcher",
    "at_rate",
    "decode_clip",
    "encode_stream",
    "pcm_stream",
    "with_opening",
    "with_pauses",
    "write_file",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "decode": ("MAX_CLIP_BYTES", "Clip", "decode_clip"),
        "encode": ("AudioFormat", "encode_stream", "pcm_stream"),
        "file": ("write_file",),
        "listener": ("Listener",),
        "opening": ("MAX_LEAD_IN_S", "Opening", "with_opening"),
        "opus": ("OpusSentenceDecoder", "OpusSentenceEncoder"),
        "pauses": ("NATURAL_PAUSES", "NO_PAUSES", "Pauses", "with_pauses"),
        "pcm": ("BYTES_PER_SAMPLE", "AudioChunk", "Speaker"),
        "rate": ("at_rate",),
        "resample": ("Resampler",),
        "silence": ("SILENT_ENGINE",),
        "sanity_check": ("LONGEST_SENTENCE_S", "SpeechCheck"),
        "tempo": ("TempoStretcher",),
    },
)
