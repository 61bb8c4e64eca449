"""llama.cpp's log outlives whoever listened to it."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest
from llama_library import NEEDS_LLAMA_CPP

from vieneu_core.engines.gguf.llama_binding import LlamaBinding
from vieneu_core.errors import ModelLoadError


@NEEDS_LLAMA_CPP
def test_the_log_is_heard_after_another_binding_is_gone(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + b"\0" * 60)
    binding = LlamaBinding()
    LlamaBinding()
    gc.collect()

    with pytest.raises(ModelLoadError, match=r"llama\.cpp says"):
        binding.open_model(broken)
