"""``vieneu-relay`` itself, killed in the middle of a job that has reference audio."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import aiohttp
from exposition import Exposed
from guard import GUARD_S
from job_rig import heard_in, names_in, numbered
from relay_process import RelayProcess, relay_process
from relay_site import CLONED_HZ, CLONING
from server_site import TOKEN
from tone_engine import expected, same
from voice_clips import wav_file
from waiting import until

SENTENCES = numbered(12)
TRANSCRIPT = "Xin chào các bạn, tôi là Lan."
ALONE = "fallback:\n  enabled: false\n"
SLOW = f"{CLONING}    chunk_delay_s: 0.1\n{ALONE}"
"""All sentences last about ten seconds: time enough for the kill to come in their middle."""


async def submitted(session: aiohttp.ClientSession, relay: RelayProcess) -> str:
    body = {
        "text": " ".join(SENTENCES),
        "format": "wav",
        "voice_sample_path": base64.b64encode(wav_file()).decode(),
        "voice_transcript": TRANSCRIPT,
    }
    async with session.post(f"{relay.url}/jobs", json=body) as response:
        assert response.status == 202, await response.text()
        return str((await response.json())["id"])


async def progress(
    session: aiohttp.ClientSession, relay: RelayProcess, job_id: str
) -> AsyncGenerator[dict[str, Any], None]:
    async with session.get(f"{relay.url}/jobs/{job_id}/events") as response:
        assert response.status == 200, await response.text()
        async for line in response.content:
            if line.startswith(b"data: "):
                yield json.loads(line[6:])


async def done_sentences(session: aiohttp.ClientSession, relay: RelayProcess) -> float:
    """How many sentences this process has spoken."""
    async with session.get(f"{relay.url}/metrics") as response:
        return sum(Exposed(await response.text()).counted("vieneu_sentences_total").values())


async def test_the_next_process_goes_on_in_the_voice_of_the_recording(tmp_path: Path) -> None:
    token = {"Authorization": f"Bearer {TOKEN}"}
    async with (
        asyncio.timeout(GUARD_S),
        aiohttp.ClientSession(headers=token) as session,
        relay_process(tmp_path, SLOW) as relay,
    ):
        job_id = await submitted(session, relay)
        folder = tmp_path / "state/jobs" / job_id
        async with aclosing(progress(session, relay, job_id)) as states:
            async for job in states:
                if job["n_done"] >= 2:
                    await relay.kill()
                    break
        assert "reference" in names_in(folder)
        n_left = len(SENTENCES) - len([*(folder / "sentences").glob("[0-9]*")])
        assert 0 < n_left <= len(SENTENCES) - 2

        await asyncio.to_thread((tmp_path / "config.yaml").write_text, CLONING + ALONE, "utf-8")
        await relay.start()
        async with aclosing(progress(session, relay, job_id)) as states:
            async for job in states:
                last = job
        assert (last["state"], last["notes"]) == ("done", []), last["problem"]
        assert heard_as_recorded(folder / "speech.wav")
        await until(lambda: names_in(folder) == ["job.json", "speech.srt", "speech.wav"])
        assert await done_sentences(session, relay) == n_left
        kept = await asyncio.to_thread((folder / "job.json").read_text, "utf-8")
        assert TRANSCRIPT not in kept + relay.log


def heard_as_recorded(path: Path) -> bool:
    return same(heard_in(path), [expected(text, above_hz=CLONED_HZ) for text in SENTENCES])
