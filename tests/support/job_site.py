"""A server with long jobs on a real socket, and a client of it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from server_site import Site

from vieneu_colab_server.relay.jobs.queue import JobQueue


class JobSite:
    """A server with long jobs, and a client of it."""

    def __init__(self, site: Site, queue: JobQueue, app: FastAPI) -> None:
        self.site = site
        self.queue = queue
        self.app = app
        self.stopping = False

    async def post(self, **body: Any) -> dict[str, Any]:
        async with self.site.post("/jobs", json=body) as response:
            assert response.status == 202, await response.text()
            job: dict[str, Any] = await response.json()
            assert response.headers["Location"] == f"/jobs/{job['id']}"
            return job

    async def announce(self, body: dict[str, Any]) -> None:
        async with self.site.post("/tts/stream", json=body) as response:
            assert response.status == 200
            await response.read()

    async def refused(self, **request: Any) -> tuple[int, str, str]:
        async with self.site.post("/jobs", **request) as response:
            problem = await self.site.problem(response)
            return response.status, problem.code, problem.detail

    async def events(self, job_id: str) -> list[tuple[str, dict[str, Any]]]:
        async with self.site.get(f"/jobs/{job_id}/events") as response:
            assert response.content_type == "text/event-stream"
            assert response.headers["X-Accel-Buffering"] == "no"
            assert response.headers["Cache-Control"] == "no-store, no-transform"
            blocks = (await response.text()).strip().split("\n\n")
        parts = [block.split("\n") for block in blocks]
        return [(name[7:], json.loads(data[6:])) for name, data in parts]

    async def done(self, **body: Any) -> dict[str, Any]:
        job = await self.post(**body)
        name, last = (await self.events(job["id"]))[-1]
        assert (name, last["state"]) == ("end", "done"), last["problem"]
        return last

    async def download(self, path: str, to: Path) -> Path:
        async with self.site.get(path) as response:
            assert response.status == 200
            content = await response.read()
        await asyncio.to_thread(to.write_bytes, content)
        return to
