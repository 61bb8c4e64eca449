"""An event loop on its own thread."""

from __future__ import annotations

import asyncio

from vieneu_colab_server.colab.loop_thread import LoopThread


def test_a_loop_of_its_own_returns_what_the_work_returns_and_ends_with_it() -> None:
    loop, ended = LoopThread(), list[str]()

    async def work() -> str:
        await asyncio.sleep(0)
        return "done"

    async def endless() -> None:
        try:
            await asyncio.sleep(600)
        finally:
            ended.append("ended")

    assert loop.call(work()) == "done"
    loop.begin(endless())
    loop.call(work())
    loop.close()
    loop.close()
    assert ended == ["ended"]
