"""The packages that contain llama.cpp, each tested where it can be had.

llama-cpp-python is built from source, and ik-llama-cpp-python has wheels for some processors and
Pythons.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from vieneu_core.engines.gguf import LlamaLibrary, open_binding
from vieneu_core.engines.gguf.llama_ctypes import LlamaCppModel
from vieneu_core.engines.ik_llama_wheels import Machine
from vieneu_core.engines.speech_lm.model import CodeModelSettings

_COMPILED = find_spec("llama_cpp") is not None
_IK = Machine().runs and find_spec("ik_llama_cpp") is not None
NEEDS_LLAMA_CPP = pytest.mark.skipif(
    not _COMPILED,
    reason="llama-cpp-python is not installed: it has no wheels, and no C compiler was found",
)
NEEDS_IK_LLAMA_CPP = pytest.mark.skipif(
    not _IK, reason="ik-llama-cpp-python has no wheel for this Python, or for this processor"
)
NEEDS_C_INTERFACE = pytest.mark.skipif(
    not (_COMPILED or _IK), reason="neither llama-cpp-python nor ik-llama-cpp-python is here"
)
"""Of llama.cpp, which xllamacpp does not have."""
LIBRARIES = (
    pytest.param("ik-llama-cpp-python", marks=NEEDS_IK_LLAMA_CPP),
    pytest.param("llama-cpp-python", marks=NEEDS_LLAMA_CPP),
    pytest.param("xllamacpp"),
)
"""Values of the option ``library``."""


def open_llama_cpp(
    path: Path, settings: CodeModelSettings, library: LlamaLibrary = LlamaLibrary.AUTO
) -> LlamaCppModel:
    """Open a model with a binding of the C interface: by default with the one that users get."""
    return LlamaCppModel(path, settings, open_binding(library))
