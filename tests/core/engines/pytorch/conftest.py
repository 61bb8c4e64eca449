"""The model on PyTorch, alone and with room for a batch."""

from __future__ import annotations

from pathlib import Path

import pytest
from checkpoint.code_prompts import PLAIN
from checkpoint.torch_code_model import CPU
from checkpoint.transformers_model import write_transformers

from vieneu_core.engines.pytorch.model import TorchModel


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("transformers")
    write_transformers(folder, n_codes=1024, codes_per_token=3)
    return folder


@pytest.fixture(scope="module")
def model(path: Path) -> TorchModel:
    return TorchModel(path, PLAIN, CPU)


@pytest.fixture(scope="module")
def batching(path: Path) -> TorchModel:
    return TorchModel(path, PLAIN, CPU, batch=4)
