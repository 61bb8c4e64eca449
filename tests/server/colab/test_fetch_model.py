"""Cell 4: the model is downloaded by loading it once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from colab_cells import SLOW

from vieneu_colab_server import colab
from vieneu_core.errors import ModelLoadError
from vieneu_core.worker.spec import EngineSpec


def test_a_model_is_fetched_by_loading_it_once(capsys: pytest.CaptureFixture[str]) -> None:
    spec = colab.fetch_model("espeak", language="en")

    assert spec == EngineSpec("espeak", {})
    assert "The model is ready: eSpeak NG" in capsys.readouterr().out


def test_how_far_a_model_is_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "slow.py").write_text(SLOW)
    monkeypatch.syspath_prepend(tmp_path)
    spec = colab.fetch_model("slow:create", model=" a ", codec="", language="en")
    shown = capsys.readouterr().out

    assert spec.options == {"model": "a"}
    assert re.search(r"^weights: \d+ MB$", shown, re.MULTILINE)
    assert re.search(r"^weights: \d+ of 120 MB$", shown, re.MULTILINE)
    assert "warming up" in shown


def test_a_model_that_cannot_be_had_is_told_in_two_lines() -> None:
    with pytest.raises(ModelLoadError) as caught:
        colab.fetch_model("gguf", model="no-such-model")

    shown = caught.value._render_traceback_()  # type: ignore[attr-defined]
    assert len(shown) == 2
    assert "Không có mô hình 'no-such-model'" in shown[0]
    assert shown[1].strip().startswith("→")
