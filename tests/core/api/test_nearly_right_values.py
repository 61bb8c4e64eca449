"""Values that are nearly right just work."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vieneu_core import Router, ScriptedBackend, SynthesisRequest, synthesize
from vieneu_core.config.paths import voices_dir
from vieneu_core.router import Mode

pytestmark = pytest.mark.usefixtures("home")


async def test_what_is_nearly_right_just_works() -> None:
    chunks = SynthesisRequest(text=["Một.", "Hai."], speed=np.float32(1.5))  # type: ignore[arg-type]
    assert chunks.text == ("Một.", "Hai.")
    assert type(chunks.speed) is float
    assert SynthesisRequest(text="a", speed=1).speed == 1
    router = Router(local=ScriptedBackend(), remote=ScriptedBackend(), mode="remote")
    async with router:
        router.set_mode("local")
        assert router.mode is Mode.LOCAL
        assert len((await synthesize(router, "Câu một. Câu hai.")).speakers) == 2
    assert voices_dir({"HOME": "/a"}) == Path("/a/.local/share/vieneu/voices")
