"""Texts with content but nothing to say: a short silence, and no error; see also `markup`."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator

import pytest
import soundfile
from router_rig import RouterRig

from vieneu_core.audio.encode import AudioFormat, encode_stream
from vieneu_core.audio.silence import SILENCE_S, SILENT_ENGINE
from vieneu_core.errors import EmptyTextError, NothingToSayError
from vieneu_core.synthesis import SynthesisRequest, collect
from vieneu_core.testing.scripted import ScriptStep

SIGNS = ["👍", "<br/>", "***", "…!", "```yaml\na: 1\n```", "<think>x</think>"]


@pytest.mark.parametrize("text", SIGNS)
async def test_signs_alone_are_a_short_silence_and_no_backend_is_asked(text: str) -> None:
    async with RouterRig() as rig:
        n_asked = len(rig.remote.record.requests)
        speech = await collect(rig.router.stream(SynthesisRequest(text=text)))
        assert speech.seconds == pytest.approx(SILENCE_S)
        assert not any(speech.pcm)
        assert [speaker.engine for speaker in speech.speakers] == [SILENT_ENGINE]
        assert len(rig.remote.record.requests) == n_asked


@pytest.mark.parametrize("fmt", [AudioFormat.WAV, AudioFormat.MP3, AudioFormat.OGG])
async def test_the_silence_is_audio_of_the_requested_format(fmt: AudioFormat) -> None:
    async with RouterRig() as rig:
        stream = rig.router.stream(SynthesisRequest(text="👍"))
        data = b"".join([part async for part in encode_stream(stream, fmt)])
    samples, rate = soundfile.read(io.BytesIO(data))
    assert len(samples) / rate == pytest.approx(SILENCE_S, abs=0.1)
    assert abs(samples).max() < 0.001


async def test_signs_that_are_written_in_pieces_are_silence_too() -> None:
    async def written() -> AsyncIterator[str]:
        for piece in ("<th", "ink>Người dùng", " hỏi.</think>", "\n👍"):
            yield piece

    async with RouterRig() as rig:
        speech = await collect(rig.router.stream(SynthesisRequest(text=written())))
    assert [speaker.engine for speaker in speech.speakers] == [SILENT_ENGINE]


async def test_signs_among_words_are_skipped() -> None:
    async with RouterRig() as rig:
        heard = [c async for c in rig.router.stream(SynthesisRequest(text="👍\n\nXong.\n\n***"))]
    assert {chunk.sentence for chunk in heard} == {0}
    assert {chunk.speaker.engine for chunk in heard} != {SILENT_ENGINE}


@pytest.mark.parametrize("text", ["", " \n ", "\x07\x00"])
async def test_an_empty_text_stays_an_error(text: str) -> None:
    async with RouterRig() as rig:
        with pytest.raises(EmptyTextError) as caught:
            await collect(rig.router.stream(SynthesisRequest(text=text)))
    assert not isinstance(caught.value, NothingToSayError)


async def test_a_backend_that_finds_nothing_in_words_is_no_silence() -> None:
    async with RouterRig() as rig:
        rig.remote.always = ScriptStep(error=NothingToSayError("No letter."))
        with pytest.raises(NothingToSayError):
            await collect(rig.router.stream(SynthesisRequest(text="Xin chào.")))
