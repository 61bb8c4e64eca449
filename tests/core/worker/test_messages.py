from __future__ import annotations

import contextlib
import json
import pickle
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vieneu_core.engines.base import EngineInfo, LoadProgress, SpokenBy
from vieneu_core.errors import (
    BackendError,
    DeviceMemoryError,
    RequestError,
    SynthesisFailedError,
    VoiceNotFoundError,
    all_error_classes,
)
from vieneu_core.synthesis import ReferenceAudio
from vieneu_core.voices import Voice
from vieneu_core.worker.messages import (
    LENGTH,
    MAX_FRAME_BYTES,
    Audio,
    Cancel,
    Failed,
    Finished,
    Load,
    Loaded,
    Memory,
    Message,
    MessageError,
    Progress,
    Shutdown,
    Speak,
    Speaking,
    decode,
    encode,
    frame_length,
)

VOICE = Voice(id="vi-north", name="Bắc", language="vi")
CLIP = ReferenceAudio(pcm=b"\x01\x02" * 9, sample_rate_hz=24_000, transcript="Xin chào")
INFO = EngineInfo(
    engine="tone",
    model="sine",
    sample_rate_hz=24_000,
    voices=(VOICE, Voice(id="b", name="B", language="en")),
    clones=True,
    accelerator="Tesla T4",
)
MESSAGES: list[Message] = [
    Load("espeak"),
    Load("module:create", {"threads": 2, "deep": {"list": [1, None, "ă"]}}),
    Speak(1, "Xin chào \u0000 😀", VOICE),
    Speak(2, "Nhanh", None, speed=1.5, watermark=True, reference=CLIP, upcoming=("Sau.", "Nữa.")),
    Cancel(3),
    Shutdown(),
    Progress(LoadProgress("Đang tải", 5, 10)),
    Loaded(INFO),
    Audio(4, b"\x00\xff" * 100),
    Audio(4, b""),
    Finished(5),
    Speaking(6, SpokenBy(engine="espeak", model="eSpeak NG", voice="vi-north")),
    Failed(6, "device_memory", "Hết bộ nhớ.", "Thử lại."),
    Failed(None, "model_load", "x", ""),
    Memory(1_000_000),
    Memory(1_000_000, 1.5, 15.0),
]


def round_trip(message: Message) -> Message:
    frame = encode(message)
    assert frame_length(frame[: LENGTH.size]) == len(frame) - LENGTH.size
    return decode(frame[LENGTH.size :])


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: type(m).__name__)
def test_each_message_arrives_as_it_was_sent(message: Message) -> None:
    assert round_trip(message) == message


@given(text=st.text(), job=st.integers(0, 2**40), pcm=st.binary(max_size=200))
def test_any_text_and_any_samples_arrive(text: str, job: int, pcm: bytes) -> None:
    clip = ReferenceAudio(pcm=pcm, sample_rate_hz=16_000, transcript=text)
    for message in (Speak(job, text, None, reference=clip), Audio(job, pcm)):
        assert round_trip(message) == message


@given(noise=st.binary(max_size=100))
def test_noise_is_an_error_or_a_message_and_nothing_else(noise: bytes) -> None:
    with contextlib.suppress(MessageError):
        assert isinstance(decode(noise), Message)


def test_a_pickle_is_noise() -> None:
    with pytest.raises(MessageError):
        decode(pickle.dumps(Shutdown()))


def test_a_header_that_does_not_fit_its_kind_is_an_error() -> None:
    header = b'{"job": 1, "shell": "rm"}'
    with pytest.raises(MessageError):
        decode(struct.pack(">BI", Cancel.kind, len(header)) + header)


@pytest.mark.parametrize("parts", ["[]", '"x"', "null"])
def test_a_failure_whose_parts_are_none_is_an_error(parts: str) -> None:
    encoded = encode(Failed(1, "worker_died", "It died.", ""))[LENGTH.size :]
    header = json.loads(encoded[5:])
    header["parts"] = json.loads(parts)
    body = json.dumps(header).encode()
    with pytest.raises(MessageError):
        decode(struct.pack(">BI", encoded[0], len(body)) + body)


@pytest.mark.parametrize("deep", [b"[", b'{"job":', b'{"job": [{"a": ['])
def test_a_header_nested_without_end_is_an_error(deep: bytes) -> None:
    header = deep * 100_000
    with pytest.raises(MessageError):
        decode(struct.pack(">BI", Cancel.kind, len(header)) + header)


@pytest.mark.parametrize("n_bytes", [0, 4, MAX_FRAME_BYTES + 1, 2**32 - 1])
def test_an_impossible_length_is_refused_before_anything_is_read(n_bytes: int) -> None:
    with pytest.raises(MessageError):
        frame_length(LENGTH.pack(n_bytes))


@pytest.mark.parametrize(
    "cls",
    [
        cls
        for cls in all_error_classes()
        if issubclass(cls, RequestError | BackendError) and cls.__module__ == "vieneu_core.errors"
    ],
    ids=lambda cls: cls.__name__,
)
def test_each_error_crosses_with_its_words(cls: type[RequestError | BackendError]) -> None:
    error = Failed(1, cls.code, "What failed.", "What to do.").error()

    assert type(error) is cls
    assert (error.detail, error.remedy) == ("What failed.", "What to do.")


@pytest.mark.parametrize("code", ["no_such_code", "missing_extra", "error"])
def test_a_code_that_cannot_come_from_an_engine_is_a_failed_sentence(code: str) -> None:
    assert type(Failed(1, code, "x", "").error()) is SynthesisFailedError


def test_examples_of_errors_keep_their_class() -> None:
    assert isinstance(Failed(1, "voice_not_found", "x", "").error(), VoiceNotFoundError)
    assert isinstance(Failed(1, "device_memory", "x", "").error(), DeviceMemoryError)
