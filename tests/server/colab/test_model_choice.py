"""Cell 5: the model that the form names, and how far its load is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from colab_cells import SLOW, TOKEN
from health_answers import health

from vieneu_colab_server import colab
from vieneu_colab_server.colab.model_choice import loading_text
from vieneu_colab_server.i18n import cell_messages
from vieneu_core.errors import ModelLoadError
from vieneu_core.worker.spec import EngineSpec


def test_a_form_that_is_empty_leaves_the_default() -> None:
    assert colab.choose_model("espeak") == EngineSpec("espeak", {})
    assert colab.choose_model("gguf", model=" a ", codec="b") == EngineSpec(
        "gguf", {"model": "a", "codec": "b"}
    )
    assert colab.choose_model("piper", model="a").options == {"voice": "a"}


COUNTED = """
import os
from pathlib import Path
from tone_engine import ToneEngine

class Counted(ToneEngine):
    def load(self, progress):
        with Path(os.environ["LOADS"]).open("a") as file:
            file.write("load\\n")
        return super().load(progress)

def create(options):
    return Counted(options)
"""


def test_from_the_choice_to_the_address_the_model_is_loaded_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "counted.py").write_text(COUNTED)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("LOADS", str(tmp_path / "loads"))

    spec = colab.choose_model("counted:create")
    assert not (tmp_path / "loads").exists()
    colab.start(spec, tunnel="none", token=TOKEN).close()

    assert (tmp_path / "loads").read_text().splitlines() == ["load"]


def test_how_far_a_load_is_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "slow.py").write_text(SLOW)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")

    spec = colab.choose_model("slow:create", model=" a ")
    colab.start(spec, tunnel="none", token=TOKEN, language="vi").close()
    shown = capsys.readouterr().out

    assert re.search(r"^Đang tải mô hình: \d+ MB$", shown, re.MULTILINE)
    assert re.search(r"^Đang tải mô hình: \d+ / 120 MB$", shown, re.MULTILINE)
    assert "Đang nạp mô hình…" in shown
    assert "Mô hình đã sẵn sàng: " in shown


def test_a_load_is_told_in_numbers_of_the_language() -> None:
    seen = health(model_loaded=False, downloaded_bytes=1_234_000_000, download_bytes=None)
    ready = health(model="VieNeu")

    assert loading_text(seen, cell_messages("vi")) == "Đang tải mô hình: 1.234 MB"
    assert loading_text(seen, cell_messages("en")) == "Downloading the model: 1,234 MB"
    assert loading_text(ready, cell_messages("en")) == "The model is ready: VieNeu."


def test_a_model_that_cannot_be_had_is_told_in_vietnamese_from_end_to_end() -> None:
    """The server's process names the reason, in the language of the cell."""
    with pytest.raises(Exception, match="no-such-model") as caught:
        colab.start(colab.choose_model("gguf", model="no-such-model"), tunnel="none", token=TOKEN)

    assert not isinstance(caught.value, ModelLoadError)
    shown = caught.value._render_traceback_()  # type: ignore[attr-defined]
    assert "Máy chủ không khởi động được: Máy chủ đã dừng khi đang khởi động:" in shown[0]
    assert "Không có mô hình 'no-such-model'" in shown[0]
    assert "There is no" not in "\n".join(shown)
    assert shown[2].strip() == "Xem mục “server_start” trong ô cuối cùng, Trợ giúp."
