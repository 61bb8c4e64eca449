"""A small NeuCodec checkpoint, and its encoder."""

from __future__ import annotations

from pathlib import Path

import pytest
from checkpoint.ways import IK_LLAMA_CPP, LLAMA_CPP, PYTORCH, XLLAMACPP, Way
from llama_library import NEEDS_IK_LLAMA_CPP, NEEDS_LLAMA_CPP

from vieneu_core.engines.speech_lm.neucodec import NeuCodecEncoder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # The tests beside these need no PyTorch.
    from checkpoint.neucodec_weights import write_features, write_neucodec

    folder = tmp_path_factory.mktemp("neucodec")
    write_neucodec(folder / "codec")
    write_features(folder / "features")
    return folder


@pytest.fixture(scope="module")
def encoder(folder: Path) -> NeuCodecEncoder:
    return NeuCodecEncoder(folder / "codec", folder / "features")


@pytest.fixture(
    params=[
        pytest.param(IK_LLAMA_CPP, marks=NEEDS_IK_LLAMA_CPP),
        pytest.param(LLAMA_CPP, marks=NEEDS_LLAMA_CPP),
        XLLAMACPP,
        PYTORCH,
    ],
    ids=["ik_llama_cpp", "llama_cpp", "xllamacpp", "pytorch"],
)
def way(request: pytest.FixtureRequest) -> Way:
    found: Way = request.param
    return found
