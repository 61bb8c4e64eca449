"""Cell 3: the engine that fits the runtime, and its packages."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib import import_module, invalidate_caches
from pathlib import Path

import pytest

from vieneu_colab_server.colab.prepare import (
    EngineConflictError,
    EngineInstallError,
    PipRun,
    prepare,
    runtime_age_s,
)
from vieneu_core.engines.registry import needs_of
from vieneu_core.errors import ConfigurationError


class Pip:
    """Takes the place of pip."""

    def __init__(self, code: int = 0, printed: str = "") -> None:
        self.code, self.printed, self.asked = code, printed, list[str]()
        self.kept = list[str]()

    def __call__(self, arguments: Sequence[str]) -> PipRun:
        self.asked += arguments
        for each in arguments:
            if each.startswith("--constraint="):
                self.kept = Path(each.partition("=")[2]).read_text().splitlines()
        return PipRun(arguments, self.code, stdout=self.printed)


@pytest.mark.parametrize(
    ("asked", "gpu", "fitting", "reported"),
    [
        ("auto", True, "pytorch", "There is a GPU"),
        ("auto", False, "gguf", "no GPU"),
        ("pytorch", False, "gguf", "no GPU"),
        ("gguf", True, "gguf", "There is a GPU"),
        ("espeak", False, "espeak", "Engine: espeak"),
    ],
)
def test_the_engine_that_fits_is_taken_and_a_cpu_is_warned_of(
    asked: str, gpu: bool, fitting: str, reported: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert prepare(asked, language="en", gpu=gpu, pip=Pip()) == fitting
    assert reported in capsys.readouterr().out


def test_what_an_engine_needs_is_installed_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    here = {"onnxruntime": False}
    monkeypatch.setattr(
        "vieneu_core.engines.registry.has_module", lambda name: here.get(name, True)
    )

    class Installing(Pip):
        def __call__(self, arguments: Sequence[str]) -> PipRun:
            here["onnxruntime"] = True
            return super().__call__(arguments)

    pip = Installing()
    assert prepare("gguf", language="en", gpu=False, pip=pip) == "gguf"
    extra = needs_of("gguf").quick_extra  # that of this Python and this processor
    assert pip.asked[-1].startswith(f"vieneu-core[{extra}]==")
    assert "Installing the engine gguf" in capsys.readouterr().out
    again = Pip()
    prepare("gguf", gpu=False, pip=again)
    assert again.asked == []

    here["onnxruntime"] = False
    for failing in (Pip(code=1), Pip(code=0)):
        with pytest.raises(EngineInstallError):
            prepare("gguf", gpu=False, pip=failing)


@pytest.mark.parametrize(
    ("language", "reported"),
    [
        (
            "vi",
            (
                (
                    "❌ Không cài được công cụ đọc: espeak: ổ đĩa của runtime đã đầy hoặc không"
                    " ghi được."
                ),
                "   → Chọn Runtime → Disconnect and delete runtime, rồi Runtime → Run all.",
            ),
        ),
        (
            "en",
            (
                (
                    "❌ The engine cannot be installed: espeak: the disk of this runtime is full or"
                    " cannot be written."
                ),
                "   → Choose Runtime → Disconnect and delete runtime, then Runtime → Run all.",
            ),
        ),
    ],
)
def test_why_an_engine_cannot_be_installed_is_told_in_the_readers_language(
    language: str,
    reported: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("vieneu_core.engines.registry.has_module", lambda _: False)
    printed = "many\nlines\n" * 20 + (
        "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n"
    )
    with pytest.raises(EngineInstallError) as caught:
        prepare("espeak", language=language, pip=Pip(1, printed))

    shown = caught.value._render_traceback_()  # type: ignore[attr-defined]
    assert tuple(shown[:2]) == reported
    assert "“engine_install”" in shown[2]
    lines = capsys.readouterr().out.splitlines()
    assert "No space left on device" in lines[-1]
    assert len(lines) < 20, "the end of what pip printed"


def test_pip_is_the_one_of_this_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vieneu_core.engines.registry.has_module", lambda _: False)
    module = import_module("vieneu_colab_server.colab.prepare")
    monkeypatch.setattr(module, "__version__", "0.0.0.dev0")  # nobody has it
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setattr(sys, "executable", "/bin/false")

    with pytest.raises(EngineInstallError, match="mã lỗi 1"):
        prepare("espeak")


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str, str], None]:
    """Install a version of a package, as far as its metadata says."""
    monkeypatch.syspath_prepend(tmp_path)

    def install(name: str, version: str) -> None:
        info = tmp_path / f"{name}-{version}.dist-info"
        info.mkdir()
        text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        (info / "METADATA").write_text(text)
        invalidate_caches()

    return install


def test_pytorch_after_another_engine_replaces_an_old_torchao_and_keeps_torch(
    runtime: Callable[[str, str], None],
) -> None:
    """Every module is there; torchao is the one that Colab brings."""
    runtime("torchao", "0.10.0")
    runtime("torch", "2.11.0+cu128")
    runtime("numpy", "2.1.3")
    pip = Pip()

    with pytest.raises(EngineInstallError, match=r"torchao\S+ \(0\.10\.0\)"):
        prepare("pytorch", language="en", gpu=True, pip=pip)
    assert pip.asked[-1].startswith("vieneu-core[torch]==")
    assert {"torch==2.11.0+cu128", "numpy==2.1.3"} < set(pip.kept)


@pytest.mark.parametrize("found", ["2.15.0+cu130", "2.5.1+cu124"])
def test_a_torch_that_does_not_fit_is_never_replaced(
    found: str, runtime: Callable[[str, str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """A version that is too new, or too old: refused by name, or another engine is chosen."""
    runtime("torch", found)
    pip = Pip()

    with pytest.raises(EngineConflictError, match="is not replaced") as caught:
        prepare("pytorch", gpu=True, pip=pip)
    shown = "\n".join(caught.value._render_traceback_())  # type: ignore[attr-defined]
    assert f"pytorch cần torch<2.14,>=2.7, nhưng runtime này có torch {found}" in shown
    assert prepare("auto", gpu=True, pip=pip) == "gguf"
    assert pip.asked == []
    assert f"torch {found}" in capsys.readouterr().out


def test_an_engine_that_does_not_exist_is_told() -> None:
    with pytest.raises(ConfigurationError, match="no engine 'nonsense'"):
        prepare("nonsense")


def test_a_runtime_knows_its_age(tmp_path: Path) -> None:
    stat, uptime = tmp_path / "stat", tmp_path / "uptime"
    stat.write_text("1 (a (strange) name) S " + " ".join(["0"] * 18) + " 50000 0 0\n")
    uptime.write_text("4100.50 100.00\n")

    assert runtime_age_s(stat=stat, uptime=uptime) == pytest.approx(3600.5)
    assert runtime_age_s(stat=tmp_path / "none", uptime=uptime) == 0
    stat.write_text("nonsense")
    assert runtime_age_s(stat=stat, uptime=uptime) == 0
    assert runtime_age_s() > 0
