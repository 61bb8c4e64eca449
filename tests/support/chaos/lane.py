"""A lane: one system, and the episodes that happen to it one after the other."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from chaos.announcement import Announcement, AnnouncementListener, Outcome
from chaos.fault_kind import NEW_TOKEN
from chaos.schedule import Episode
from chaos.system import System, open_system
from chaos.verdict import Verdict
from fault_line import Moment

from vieneu_core.router import Mode

HEARTBEAT_S = 0.01
DISTURBED_S = 0.25
"""A process that wakes up so late had no processor: then silences are the machine's."""
QUIET_S, QUIET_FOR_S = 0.1, 1.0
"""A machine is quiet that wakes this process up so soon for so long."""
MAX_WAIT_S, MAX_TRIES = 30.0, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What was heard of one announcement under one fault."""

    seed: int
    episode: int
    kind: str
    moment: str
    nth: int
    """Position within the episode, from 0."""
    verdict: Verdict
    error: str
    late_s: float
    """Longest delay of this process meanwhile: the machine's, which is in the silences too."""

    @property
    def disturbed(self) -> bool:
        """Whether the machine was late."""
        return self.late_s > DISTURBED_S

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    @classmethod
    def of_json(cls, fields: dict[str, Any], *, seed: int = 1) -> Result:
        """Return what `as_json` gave.

        Args:
            fields: These values.
            seed: The seed, where they were kept before they stated it.
        """
        verdict = fields["verdict"] | {"voices": tuple(fields["verdict"]["voices"])}
        return cls(**({"seed": seed} | fields | {"verdict": Verdict(**verdict)}))


async def run_episodes(
    folder: Path, episodes: Iterable[Episode], *, waits: bool = False
) -> AsyncGenerator[Result, None]:
    """Let the episodes happen to one system, and yield what was heard.

    Args:
        folder: Keeps what the system writes.
        episodes: What happens.
        waits: Whether to begin each episode when the machine is quiet, and to try it again if it
            was not to the end. What breaks a promise is never left out.
    """
    async with open_system(folder) as system:
        for episode in episodes:
            for n_left in reversed(range(MAX_TRIES if waits else 1)):
                if waits:
                    await _quiet()
                results = [result async for result in _run_episode(system, episode)]
                again = n_left and any(result.disturbed for result in results)
                for result in results:
                    if not again or result.verdict.broken or result.error:
                        yield result
                if not again:
                    break


async def _quiet() -> None:
    """Wait until this process is woken up in time for a while, which may never be."""
    give_up_at_s = time.monotonic() + MAX_WAIT_S
    async with _heartbeat() as late:
        while time.monotonic() < give_up_at_s:
            late.clear()
            await asyncio.sleep(QUIET_FOR_S)
            if max(late, default=1.0) < QUIET_S:
                return


async def _run_episode(system: System, episode: Episode) -> AsyncGenerator[Result, None]:
    await system.heal(
        Mode(episode.kind.backend),
        by_name=episode.kind.by_name,
        new_server=episode.kind.plain_client,
    )
    if episode.kind.needs_server:
        await system.prepare_server(new_token=episode.kind.needs_server == NEW_TOKEN)
    if episode.kind.plain_client:
        await system.acquaint()
    for nth, announcement in enumerate(episode.announcements):
        async with _heartbeat() as late:
            heard = await _announce(system, episode, announcement, strikes=nth == 0)
        yield Result(
            seed=episode.seed,
            episode=episode.number,
            kind=episode.kind.key,
            moment=episode.moment.value,
            nth=nth,
            verdict=heard.verdict,
            error=heard.error,
            late_s=round(max(late), 3),
        )


async def _announce(
    system: System, episode: Episode, announcement: Announcement, *, strikes: bool
) -> Outcome:
    """Speak an announcement; the fault happens at its moment, unless it has happened before."""
    listener = AnnouncementListener(announcement)
    speak = system.plain_speech if episode.kind.plain_client else system.router.stream
    chance = random.Random(f"{episode.seed}-{episode.number}-strike")
    strike = episode.kind.strike(system, episode.moment, chance)
    if not strikes:
        strike.close()  # type: ignore[attr-defined]
        return await listener.listen(speak)
    if episode.kind.armed or episode.moment is Moment.BEFORE:
        await strike
        return await listener.listen(speak)
    listening = asyncio.create_task(listener.listen(speak))
    moment = asyncio.create_task(listener.moments[episode.moment].wait())
    await asyncio.wait({listening, moment}, return_when=asyncio.FIRST_COMPLETED)
    moment.cancel()
    await asyncio.sleep(episode.strike_after_s)
    await strike
    return await listening


@asynccontextmanager
async def _heartbeat() -> AsyncGenerator[list[float], None]:
    """Note how late this process wakes up."""
    late = [0.0]

    async def beat() -> None:
        while True:
            began_s = time.monotonic()
            await asyncio.sleep(HEARTBEAT_S)
            late.append(time.monotonic() - began_s - HEARTBEAT_S)

    task = asyncio.create_task(beat())
    try:
        yield late
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
