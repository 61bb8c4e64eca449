"""Licences of models and voices, and what is used where nothing is chosen."""

from __future__ import annotations

from pathlib import Path

import pytest
from hub_site import hub_site

from vieneu_core.engines.base import LoadProgress
from vieneu_core.engines.gguf import GgufOptions
from vieneu_core.engines.pytorch import PytorchOptions
from vieneu_core.engines.registry import ENGINES, best_engine, candidates, model_licences
from vieneu_core.engines.speech_lm.model_files import ModelFiles
from vieneu_core.models.catalogue import MODELS, known_model


@pytest.mark.parametrize("options", [GgufOptions(), PytorchOptions()])
def test_the_default_model_may_be_used_commercially(
    options: GgufOptions | PytorchOptions,
) -> None:
    assert known_model(options.model).licence == "Apache-2.0"


def test_the_default_for_llama_cpp_is_upstreams() -> None:
    """Source: vieneu 3.8.3, standard.py: the defaults of VieNeuTTS.__init__."""
    assert known_model(GgufOptions().model).at == (
        "pnnbao-ump/VieNeu-TTS-v2:VieNeu-TTS-v2-Q4-K-M.gguf"
    )


def test_each_model_with_voices_states_their_licence() -> None:
    stated = {model.name for model in MODELS if model.voices_licence}

    assert stated == {model.name for model in MODELS if model.prompt is not None}
    assert model_licences()["vieneu-0.5b-q4"] == "Apache-2.0 / CC-BY-NC-4.0"
    assert model_licences()["vi_VN-vais1000-medium"] == "CC-BY-4.0"


def test_v3_is_tried_before_the_older_models_and_is_not_what_is_installed() -> None:
    assert candidates(gpu=False, engines=ENGINES) == ["sdk", "gguf", "pytorch", "piper", "embedded"]
    assert candidates(gpu=True, engines=ENGINES) == ["pytorch", "sdk", "gguf", "piper", "embedded"]
    assert [best_engine(gpu=gpu) for gpu in (True, False)] == ["pytorch", "gguf"]


def test_a_download_shows_the_licences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[LoadProgress] = []
    with hub_site() as site:
        monkeypatch.setenv("HF_ENDPOINT", site.url)
        site.files["pnnbao-ump/VieNeu-TTS-v2"] = {"VieNeu-TTS-v2-Q4-K-M.gguf": b"GGUF" * 5000}
        ModelFiles(GgufOptions(cache=tmp_path), steps.append).model()

    assert steps
    assert all(step.step.endswith(" (Apache-2.0 / unknown)") for step in steps)
