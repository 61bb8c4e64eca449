"""What the first request of a process finds already done."""

from __future__ import annotations

import asyncio
import json
import os
import sys

import pytest
from remote_site import RemoteSite
from server_site import TOKEN

CLIENT = """
import asyncio, json, sys, threading
from vieneu_core import RemoteBackend, SynthesisRequest, synthesize

url, token, codec = sys.argv[1:]
held_up = []

def watch(event, args):
    if event == "import" and threading.current_thread() is threading.main_thread():
        held_up.append(args[0])

async def main():
    sys.addaudithook(watch)
    remote = RemoteBackend(url, token, codec=codec)
    await remote.load()
    loaded = set(sys.modules)
    speech = await synthesize(remote, SynthesisRequest(text="Xin chào câu 3."))
    by_request = sorted({name.split(".")[0] for name in set(sys.modules) - loaded})
    await remote.aclose()
    print(json.dumps([len(speech.pcm), sorted({x.split(".")[0] for x in held_up}), by_request]))

asyncio.run(main())
"""


@pytest.mark.parametrize("codec", ["opus", "pcm"])
async def test_big_libraries_are_loaded_before_it_and_never_on_the_event_loop(
    site: RemoteSite, codec: str
) -> None:
    client = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", CLIENT, site.proxy.url, TOKEN, codec),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    out, _ = await client.communicate()

    n_bytes, held_up, by_request = json.loads(out)
    assert n_bytes > 0
    assert not {"av", "numpy", "vieneu_core"} & {*held_up, *by_request}
