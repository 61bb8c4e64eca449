"""Speech as one answer, in JSON."""

from __future__ import annotations

import base64
import io

import soundfile
from server_site import Site, serving
from tone_engine import expected, heard, same

from vieneu_core.errors import SynthesisFailedError
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep
from vieneu_core.wire.schemas import SynthesisAnswer


async def test_the_answer_of_synthesize_has_the_designed_shape(site: Site) -> None:
    body = {"text": "Xin chào. Đây là câu 9.", "speed": 1.0, "request_id": "r"}

    async with site.post("/tts/synthesize", json=body) as response:
        answer = await response.json()

    assert response.content_type == "application/json"
    assert {"audio_base64", "sample_rate", "duration_ms"} <= set(answer)
    assert (answer["engine"], answer["voice"], answer["request_id"]) == ("scripted", "vi-tone", "r")
    samples, rate = soundfile.read(
        io.BytesIO(base64.b64decode(answer["audio_base64"])), dtype="int16"
    )
    assert rate == answer["sample_rate"] == 24_000
    assert answer["duration_ms"] == round(len(samples) / 24)
    assert same(heard(samples.tobytes(), rate), [expected("Xin chào."), expected("Đây là câu 9.")])
    assert SynthesisAnswer.model_validate(answer).stand_in is False


async def test_a_failure_midway_is_no_answer_with_half_of_the_speech() -> None:
    backend = ScriptedBackend([ScriptStep(at_sentence=1, error=SynthesisFailedError("No."))])

    async with (
        serving(backend) as site,
        site.post("/tts/synthesize", json={"text": ["Một.", "Hai."]}) as response,
    ):
        assert (await site.problem(response)).code == "synthesis_failed"
