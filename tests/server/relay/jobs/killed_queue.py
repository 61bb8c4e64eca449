"""A process with a queue of jobs that is killed by its test: ``killed_queue.py FOLDER TEXT``.

It prints the id of the job; then, for each sentence that is finished, a line.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from vieneu_colab_server.relay.jobs.job import JobSpec
from vieneu_colab_server.relay.jobs.queue import JobQueue
from vieneu_colab_server.relay.jobs.script import ScriptKind
from vieneu_colab_server.relay.jobs.store import JobStore
from vieneu_core.audio.encode import AudioFormat
from vieneu_core.clock import SystemClock
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep


async def main() -> None:
    backend = ScriptedBackend()
    backend.always = ScriptStep(chunk_delay_s=0.01)
    await backend.load()
    store = JobStore(Path(sys.argv[1]), max_total_bytes=10**9)
    async with JobQueue(backend, store, SystemClock(), lambda: False) as queue:
        if not queue.jobs:
            await queue.submit(JobSpec(kind=ScriptKind.TEXT, format=AudioFormat.WAV), sys.argv[2])
        job = queue.jobs[0]
        async for state in queue.watch(job.id, every_s=60):
            sys.stdout.write(f"{job.id} {state.n_done} {state.state}\n")
            sys.stdout.flush()


asyncio.run(main())
