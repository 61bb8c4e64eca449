"""The engine ``piper`` in the process of a worker, behind the local backend."""

from __future__ import annotations

from pathlib import Path

import pytest
from checkpoint.piper_voice import RATE_HZ, write_voice

from vieneu_core import SynthesisRequest, synthesize
from vieneu_core.backends.local import LocalBackend
from vieneu_core.errors import ModelLoadError
from vieneu_core.worker.spec import EngineSpec

CREATE = "vieneu_core.engines.piper:create"


def backend_of(graph: Path) -> LocalBackend:
    return LocalBackend(EngineSpec(CREATE, {"voice": str(graph), "threads": 1}))


async def test_a_text_is_spoken_in_order(tmp_path: Path) -> None:
    async with backend_of(write_voice(tmp_path)) as backend:
        voices = await backend.voices()
        speech = await synthesize(
            backend, SynthesisRequest(text="Cửa trước đang mở. Xin hãy kiểm tra lại.")
        )

    assert [voice.id for voice in voices] == ["vi_VN-synthetic-medium"]
    assert speech.sample_rate_hz == RATE_HZ
    assert speech.seconds > 2
    assert {speaker.engine for speaker in speech.speakers} == {"piper"}
    assert {speaker.model for speaker in speech.speakers} == {"vi_VN-synthetic-medium"}


async def test_a_damaged_voice_is_named_across_processes(tmp_path: Path) -> None:
    graph = write_voice(tmp_path)
    graph.write_bytes(graph.read_bytes()[:700])
    backend = backend_of(graph)
    try:
        with pytest.raises(ModelLoadError, match="is no usable voice of Piper"):
            await backend.load()
    finally:
        await backend.aclose()
