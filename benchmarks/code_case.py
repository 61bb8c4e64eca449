"""Codes a second of one library in a process of its own, for `engines`.

python code_case.py ik-llama-cpp-python|llama-cpp-python|xllamacpp MODEL.gguf
"""

from __future__ import annotations

import os
import sys
import time
from itertools import islice
from pathlib import Path

from vieneu_core.engines.gguf import LlamaLibrary, open_binding
from vieneu_core.engines.gguf.llama_ctypes import LlamaCppModel
from vieneu_core.engines.gguf.xllama import XllamaModel
from vieneu_core.engines.speech_lm.model import (
    CodeModel,
    CodeModelSettings,
    CodePrompt,
    ReferencePrompt,
    Sampling,
)
from vieneu_core.models.catalogue import PromptFormat

N_CODES = 60
SETTINGS = CodeModelSettings(
    format=PromptFormat.PLAIN, sampling=Sampling(seed=1), threads=os.cpu_count() or 1
)
PROMPT = CodePrompt(
    phonemes="xin chao cac ban hom nay troi dep qua " * 8,
    reference=ReferencePrompt(phonemes="xin chao", codes=tuple(range(0, 60_000, 400))),
)


def main() -> None:
    library, path = sys.argv[1], Path(sys.argv[2])
    model: CodeModel
    if library == "xllamacpp":
        model = XllamaModel(path, SETTINGS)
    else:
        model = LlamaCppModel(path, SETTINGS, open_binding(LlamaLibrary(library)))
    codes = model.codes(PROMPT, lambda: False)
    next(codes)
    began_s = time.perf_counter()
    n_codes = len(list(islice(codes, N_CODES)))
    print(n_codes / (time.perf_counter() - began_s))
    codes.close()  # type: ignore[attr-defined]
    model.close()


if __name__ == "__main__":
    main()
