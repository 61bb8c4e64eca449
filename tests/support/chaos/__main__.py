"""Faults of a real system, and what a listener hears: `python -m chaos --seeds 1-10`.

Exit codes: 0 every promise was kept; 1 one was broken (a sentence lost, out of order, said twice,
or a silence beyond its goal), or the run did not come to its end; 2 wrong arguments. The short
profile does not judge silences, because it also runs beside other work: see ``--strict``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import aclosing, suppress
from pathlib import Path

from chaos import endurance, lane, report, schedule
from chaos.lane import Result
from chaos.schedule import Episode

SUPPORT = Path(__file__).parents[1]


def main() -> int:
    """Run what the arguments ask for; return the exit code."""
    asked = parsed()
    # The workers of the engines find their modules where this one is.
    path = os.pathsep.join(filter(None, [str(SUPPORT), os.environ.get("PYTHONPATH")]))
    os.environ["PYTHONPATH"] = path
    if asked.requests:
        return asyncio.run(endurance.run_requests(asked.requests, asked.seeds[0]))
    if asked.lane is not None:
        done = {(result.seed, result.episode) for result in earlier(asked.results, asked.seeds[0])}
        mine = _chosen(asked)[asked.lane :: asked.lanes]
        left = [episode for episode in mine if (episode.seed, episode.number) not in done]
        asyncio.run(_run_lane(left, waits=asked.wait))
        return 0
    results, complete = earlier(asked.results, asked.seeds[0]), False
    with suppress(KeyboardInterrupt):  # the table of what was heard until then
        complete = asyncio.run(_run_lanes(asked, results))
    results.sort(key=lambda r: (r.seed, r.episode, r.nth))
    _report(results)
    return report.exit_code(results, complete=complete, strict=asked.strict)


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the arguments; None means this program's."""
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__)
    parser.add_argument(
        "--seed",
        "--seeds",
        dest="seeds",
        type=seeds,
        default=(1,),
        metavar="N|N-M",
        help="gives the whole run; several are one run after the other, with one table [1]",
    )
    parser.add_argument(
        "--announcements", type=int, default=1000, metavar="N", help="of each seed [1000]"
    )
    parser.add_argument("--profile", choices=["short", "full"], default="full")
    parser.add_argument(
        "--only", default="", metavar="WORDS", help="faults with this in their name"
    )
    parser.add_argument("--episode", type=int, metavar="N", help="replay this one only")
    parser.add_argument("--lanes", type=int, default=2, metavar="N", help="systems at once [2]")
    parser.add_argument("--wait", action="store_true", help="measure while the machine is quiet")
    parser.add_argument(
        "--strict",
        action=argparse.BooleanOptionalAction,
        help="fail on a silence beyond its goal [in the full profile]",
    )
    parser.add_argument(
        "--results", type=Path, metavar="FILE", help="keep them, and go on with a run that was cut"
    )
    parser.add_argument(
        "--requests", type=int, default=0, metavar="N", help="count memory, files and tasks instead"
    )
    parser.add_argument("--lane", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    if asked.strict is None:
        asked.strict = asked.profile == "full"
    return asked


def seeds(text: str) -> tuple[int, ...]:
    """Return the seeds of "3" or "1-10".

    Raises:
        ValueError: it is neither.
    """
    first, dash, last = text.partition("-")
    found = tuple(range(int(first), int(last if dash else first) + 1))
    if not found:
        raise ValueError(text)
    return found


def _chosen(asked: argparse.Namespace) -> list[Episode]:
    found = [episode for seed in asked.seeds for episode in _of_seed(seed, asked)]
    if asked.episode is not None:
        found = [episode for episode in found if episode.number == asked.episode]
    return schedule.matching(found, asked.only)


def _of_seed(seed: int, asked: argparse.Namespace) -> list[Episode]:
    if asked.profile == "short":
        return schedule.short_episodes(seed)
    return schedule.episodes(seed, asked.announcements)


def earlier(path: Path | None, seed: int) -> list[Result]:
    """Return the results of a run that was cut off; of this seed, where they do not state it."""
    if path is None or not path.exists():
        return []
    lines = path.read_text("utf-8").splitlines()
    return [Result.of_json(json.loads(line), seed=seed) for line in lines]


async def _run_lane(episodes: Sequence[Episode], *, waits: bool) -> None:
    """Write a line for each result, until the process that started this one has ended."""
    parent = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(parent), sys.stdin
    )
    running = asyncio.create_task(_write_results(episodes, waits=waits))
    alone = asyncio.create_task(parent.read())
    await asyncio.wait({running, alone}, return_when=asyncio.FIRST_COMPLETED)
    running.cancel()
    alone.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def _write_results(episodes: Sequence[Episode], *, waits: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with aclosing(lane.run_episodes(Path(folder), episodes, waits=waits)) as results:
            async for result in results:
                sys.stdout.write(json.dumps(result.as_json()) + "\n")
                sys.stdout.flush()


async def _run_lanes(asked: argparse.Namespace, results: list[Result]) -> bool:
    """Run each lane in a process of its own, so that none waits for another.

    Returns whether all of them came to their end.
    """
    lanes = (_take_lane(number, asked, results) for number in range(asked.lanes))
    return all(await asyncio.gather(*lanes))


async def _take_lane(number: int, asked: argparse.Namespace, results: list[Result]) -> bool:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "chaos", *sys.argv[1:], f"--lane={number}"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    async for line in process.stdout:
        results.append(Result.of_json(json.loads(line)))
        if asked.results is not None:
            with asked.results.open("a", encoding="utf-8") as file:
                file.write(line.decode())
    if code := await process.wait():
        sys.stderr.write(f"Lane {number} ended with status {code}; its output is above.\n")
    return code == 0


def _report(results: Sequence[Result]) -> None:
    broken = report.broken(results)
    lines = [report.table(results), "", report.summary(results), ""]
    lines += [f"BROKEN  {line}" for line in broken]
    lines += [f"beyond  {line}" for line in report.beyond_goals(results)]
    if broken:
        again = " ".join(replayed(sys.argv[1:]))
        lines.append(f"Replay one: nox -s chaos -- {again} --seed SEED --episode NUMBER")
    sys.stdout.write("\n".join(lines) + "\n")


def replayed(arguments: Sequence[str]) -> list[str]:
    """Return the arguments of a run without its file of results, in which each episode is done."""
    left = argparse.ArgumentParser(add_help=False)
    left.add_argument("--results")
    return left.parse_known_args(arguments)[1]


if __name__ == "__main__":
    sys.exit(main())
