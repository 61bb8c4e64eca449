"""CPU time of Opus for a second of speech, compared with WAV as base64 in JSON, and real time.

Opus saves bytes but needs CPU time, for encoding on the server and decoding on the client. The work
runs on threads; this is its share of one core.
"""

from __future__ import annotations

import base64
import io
import json
import time
import wave
from collections.abc import Callable
from statistics import median
from typing import TypeVar

from report import Row, ms, times
from speech import BULLETIN, load_engine, speak

from vieneu_core.audio.opus import OpusSentenceDecoder, OpusSentenceEncoder

N_TURNS = 7
_Made = TypeVar("_Made")


def measure() -> list[Row]:
    engine, rate_hz = load_engine()
    pcm = [speak(engine, sentence) for sentence in BULLETIN]
    seconds = sum(map(len, pcm)) / 2 / rate_hz
    encode, decode, as_json, from_json = zip(
        *(_turn(pcm, rate_hz, seconds) for _ in range(N_TURNS)), strict=True
    )
    return [
        _row("encode", median(encode), median(as_json)),
        _row("decode", median(decode), median(from_json)),
    ]


def _turn(pcm: list[bytes], rate_hz: int, seconds: float) -> tuple[float, float, float, float]:
    """Return CPU seconds per second of speech: Opus there and back, JSON there and back."""
    packets, encode_s = _cpu(lambda: [_encode(sentence, rate_hz) for sentence in pcm])
    decoded, decode_s = _cpu(lambda: [_decode(*p, rate_hz) for p in packets])
    assert [len(x) for x in decoded] == [len(x) for x in pcm]
    document, as_json_s = _cpu(lambda: _as_json(b"".join(pcm), rate_hz))
    back, from_json_s = _cpu(lambda: _from_json(document))
    assert back == b"".join(pcm)
    return encode_s / seconds, decode_s / seconds, as_json_s / seconds, from_json_s / seconds


def _cpu(work: Callable[[], _Made]) -> tuple[_Made, float]:
    began_s = time.thread_time()
    made = work()
    return made, time.thread_time() - began_s


def _encode(pcm: bytes, rate_hz: int) -> tuple[list[bytes], int, int]:
    encoder = OpusSentenceEncoder(rate_hz)
    return [*encoder.encode(pcm), *encoder.finish()], encoder.pre_skip, len(pcm) // 2


def _decode(packets: list[bytes], pre_skip: int, n_samples: int, rate_hz: int) -> bytes:
    decoder = OpusSentenceDecoder(rate_hz, pre_skip=pre_skip)
    return decoder.decode(packets) + decoder.finish(n_samples)


def _as_json(pcm: bytes, rate_hz: int) -> str:
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(rate_hz)
        wav.writeframes(pcm)
    return json.dumps({"audio_base64": base64.b64encode(file.getvalue()).decode()})


def _from_json(document: str) -> bytes:
    file = io.BytesIO(base64.b64decode(json.loads(document)["audio_base64"]))
    with wave.open(file, "rb") as wav:
        return wav.readframes(wav.getnframes())


def _row(what: str, opus_s: float, json_s: float) -> Row:
    return Row(
        part="CPU of Opus",
        what=f"{what}, for a second of speech",
        measured=f"{ms(opus_s)} (1/{1 / opus_s:.0f} of real time)",
        against=f"WAV as base64 in JSON: {ms(json_s)}",
        ratio=times(opus_s, json_s),
    )
