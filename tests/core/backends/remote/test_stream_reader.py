"""The reader of frames is strict: whatever a stream does wrong, it is no speech."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.backends.remote.request_plan import PlannedRequest
from vieneu_core.backends.remote.stream_reader import Codec, SpeechReader
from vieneu_core.errors import (
    BackendBusyError,
    BackendError,
    BadAudioError,
    BadResponseError,
    RequestError,
    ServerTooNewError,
    SynthesisFailedError,
    VieneuError,
    VoiceNotFoundError,
)
from vieneu_core.testing.tone import sentence_tone
from vieneu_core.wire.framing import (
    End,
    FrameType,
    SentenceEnd,
    SentenceStart,
    Start,
    encode_error,
    encode_frame,
)
from vieneu_core.wire.problem import to_problem

RATE_HZ = 16_000
SENTENCES = ("Một câu.", "Hai câu.")
PCM = sentence_tone(SENTENCES[0]).pcm(RATE_HZ)
START = encode_frame(
    FrameType.START, Start(wire_version="1.0", request_id="r", sample_rate_hz=RATE_HZ)
)


def begun(index: int, engine: str = "tone") -> bytes:
    return encode_frame(FrameType.SENTENCE, SentenceStart(engine=engine, voice="v"), index)


def audio(index: int, pcm: bytes = PCM) -> bytes:
    return encode_frame(FrameType.AUDIO, pcm, index)


def done(index: int, n_samples: int = len(PCM) // 2) -> bytes:
    return encode_frame(FrameType.SENTENCE_END, SentenceEnd(n_samples=n_samples), index)


def end(n: int = 2) -> bytes:
    return encode_frame(FrameType.END, End(n_sentences=n))


def whole(index: int) -> bytes:
    return begun(index) + audio(index) + done(index)


def reader(codec: Codec = Codec.PCM) -> SpeechReader:
    planned = PlannedRequest(
        sentences=SENTENCES, first_sentence=7, request_id="r", speed=1.0, body=b""
    )
    return SpeechReader(planned, codec, backend="remote")


async def read(data: bytes, codec: Codec = Codec.PCM) -> AsyncIterator[AudioChunk]:
    speech = reader(codec)
    async for chunk in speech.feed(data):
        yield chunk
    assert speech.ended


async def test_a_right_stream_is_read_however_it_is_cut() -> None:
    data = START + whole(0) + whole(1) + end()
    for size in (1, 3, 1_000, len(data)):
        speech = reader()
        chunks = [
            chunk
            for at in range(0, len(data), size)
            async for chunk in speech.feed(data[at : at + size])
        ]

        assert b"".join(c.pcm for c in chunks) == PCM * 2
        assert [c.sentence for c in chunks if c.final] == [7, 8]
        assert speech.ended


async def test_a_sentence_that_another_voice_began_anew_is_heard_as_that_voice_ends_it() -> None:
    data = START + begun(0) + audio(0, PCM[:2_000]) + begun(0, "other") + audio(0) + done(0)

    chunks = [chunk async for chunk in read(data + whole(1) + end())]

    assert b"".join(c.pcm for c in chunks if c.speaker.engine == "other") == PCM
    assert [c.speaker.engine for c in chunks if c.final] == ["other", "tone"]


@pytest.mark.parametrize("codec", list(Codec))
async def test_a_sentence_without_samples_is_one_that_is_not_pronounced(codec: Codec) -> None:
    data = START + begun(0) + done(0, 0) + begun(1) + done(1, 0) + end()

    chunks = [chunk async for chunk in read(data, codec)]

    assert [(chunk.sentence, chunk.pcm, chunk.final) for chunk in chunks] == [
        (7, b"", True),
        (8, b"", True),
    ]


@pytest.mark.parametrize(
    ("data", "cls", "words"),
    [
        (b"<html><title>Hi</title>", BadResponseError, "a web page titled 'Hi'"),
        (b"RIFF1234WAVE", BadResponseError, "a WAV file"),
        (whole(0), BadResponseError, "instead of audio"),
        (START + START, BadResponseError, "twice"),
        (START + audio(0), BadResponseError, "not being spoken"),
        (START + done(0), BadResponseError, "not being spoken"),
        (START + begun(1), BadResponseError, "out of turn"),
        (START + begun(0) + begun(1), BadResponseError, "out of turn"),
        (START + begun(0) + audio(1), BadResponseError, "not being spoken"),
        (START + whole(0) + whole(0), BadResponseError, "out of turn"),
        (START + whole(0) + whole(1) + begun(2), BadResponseError, "out of turn"),
        (START + begun(0) + audio(0) + done(0, 5), BadResponseError, "stated"),
        (START + begun(0) + audio(0, PCM[:-2]) + done(0), BadResponseError, "stated"),
        (START + begun(0) + audio(0, b"\x01"), BadResponseError, "half a sample"),
        (START + end(0), BadResponseError, "0 sentences of 2"),
        (START + whole(0) + end(1), BadResponseError, "1 sentences of 2"),
        (START + whole(0) + whole(1) + end(3), BadResponseError, "2 sentences of 2"),
        (START + whole(0) + begun(1) + end(2), BadResponseError, "1 sentences of 2"),
        (START + whole(0) + whole(1) + end() + end(), BadResponseError, "end mark"),
        (START + encode_frame(FrameType.SENTENCE, b"{}"), BadResponseError, "SENTENCE frame"),
        (START + encode_frame(FrameType.SENTENCE, b"\xff"), BadResponseError, "SENTENCE frame"),
        (encode_frame(FrameType.START, b"[]"), BadResponseError, "START frame"),
        (START + encode_frame(FrameType.ERROR, b"oops"), BadResponseError, "cannot be read"),
        (
            START + begun(0) + audio(0, bytes(len(PCM))) + done(0),
            BadAudioError,
            "silent",
        ),
        (START + begun(0) + audio(0, PCM[:20]) + done(0, 10), BadAudioError, "far too short"),
        (START + begun(0) + audio(0, PCM * 20) * 5, BadAudioError, "is longer than"),
        (
            encode_frame(
                FrameType.START, Start(wire_version="1.0", request_id="x", sample_rate_hz=16_000)
            ),
            BadResponseError,
            "another request",
        ),
        (
            encode_frame(
                FrameType.START, Start(wire_version="3.0", request_id="r", sample_rate_hz=16_000)
            ),
            ServerTooNewError,
            "wire version 3.0",
        ),
        (
            encode_frame(
                FrameType.START, Start(wire_version="1.0", request_id="r", sample_rate_hz=0)
            ),
            BadResponseError,
            "0 Hz",
        ),
        (
            START + encode_error(to_problem(SynthesisFailedError("No."), 500)),
            SynthesisFailedError,
            "No.",
        ),
        (
            START + encode_error(to_problem(VoiceNotFoundError("None."), 404)),
            VoiceNotFoundError,
            "None.",
        ),
    ],
)
async def test_a_stream_that_is_wrong_is_refused(
    data: bytes, cls: type[VieneuError], words: str
) -> None:
    speech = reader()
    got: list[AudioChunk] = []

    async def listen() -> None:
        async for chunk in speech.feed(data):
            got.append(chunk)  # noqa: PERF401 - what came before the error is looked at

    with pytest.raises(cls, match=words) as caught:
        await listen()

    assert type(caught.value) is cls
    assert isinstance(caught.value, BackendError | RequestError)
    assert not speech.ended or words == "end mark"


@pytest.mark.parametrize(
    "packets", [b"\x00", b"\x00\x05ab", b"\x00\x03\xff\xff\xff"], ids=["cut", "short", "no opus"]
)
async def test_opus_that_is_none_is_refused(packets: bytes) -> None:
    speech = reader(Codec.OPUS)
    data = START + begun(0) + encode_frame(FrameType.AUDIO, packets, 0) + done(0)

    with pytest.raises(BadResponseError):
        _ = [chunk async for chunk in speech.feed(data)]


@pytest.mark.parametrize("seconds", ["1e999", "NaN", "-5", "1e300"])
async def test_a_senseless_wait_of_a_failure_midway_is_not_believed(seconds: str) -> None:
    problem = f'{{"title":"x","detail":"y","code":"busy","status":503,"retry_after_s":{seconds}}}'
    data = START + encode_frame(FrameType.ERROR, problem.encode())

    with pytest.raises(BackendBusyError) as caught:
        _ = [chunk async for chunk in reader().feed(data)]

    assert caught.value.retry_after_s is None
