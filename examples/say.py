"""Speak one sentence into a file, with the embedded engine: no settings, no model, no network.

python examples/say.py "Xin chào." xin-chao.wav
"""

import asyncio
import sys

from vieneu_core import LocalBackend, synthesize


async def main(text: str = "Xin chào.", path: str = "xin-chao.wav") -> None:
    async with LocalBackend("espeak") as backend:
        speech = await synthesize(backend, text)
        await speech.save(path)
        print(f"{path}: {speech.seconds:.1f} s, voice {speech.speakers[0].voice}")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
