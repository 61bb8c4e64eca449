"""Files that are joined end to end, as broadcasters and `cat` do."""

from __future__ import annotations

from pathlib import Path

from vieneu_core.audio.pcm import AudioChunk, Speaker
from vieneu_core.synthesis import Speech


async def test_ogg_files_may_be_joined(tmp_path: Path) -> None:
    speaker = Speaker(backend="local", engine="tone", voice="a")
    speech = Speech((AudioChunk(bytes(48_000), 24_000, 0, speaker, final=True),))
    paths = [tmp_path / "a.ogg", tmp_path / "b.ogg"]
    for path in paths:
        await speech.save(path)
    serials = {path.read_bytes()[14:18] for path in paths}  # RFC 3533, 6
    assert len(serials) == 2, "one number would make them one broken stream"
    assert bytes(4) not in serials
