"""llama.cpp's log outlives whoever listened to it."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest
from llama_library import LIBRARIES

from vieneu_core.engines.gguf import LlamaLibrary, open_binding
from vieneu_core.errors import ModelLoadError


@pytest.mark.parametrize("library", LIBRARIES[:2])
def test_the_log_is_heard_after_another_binding_is_gone(tmp_path: Path, library: str) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + b"\0" * 60)
    binding = open_binding(LlamaLibrary(library))
    open_binding(LlamaLibrary(library))
    gc.collect()

    with pytest.raises(ModelLoadError, match=r"llama\.cpp says"):
        binding.open_model(broken)
