"""What the SDK only logs or raises while it loads has a name: on a fake SDK."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest
from fake_sdk import BASE, FakeVieneu, load, pretend, speak_sdk
from huggingface_hub import constants
from huggingface_hub.errors import LocalEntryNotFoundError

from vieneu_core.engines.sdk import create
from vieneu_core.errors import (
    DeviceMemoryError,
    MissingExtraError,
    ModelDownloadError,
    ModelLoadError,
    VieneuError,
)


@pytest.mark.parametrize(
    "reported",
    ["   ⚠️ Warmup failed: bad", "Invalid JSON in voice file x", "falling back to CPU"],
)
def test_what_it_only_logs_while_it_loads_is_an_error(
    monkeypatch: pytest.MonkeyPatch, reported: str
) -> None:
    def make(**_: object) -> FakeVieneu:
        logging.getLogger("Vieneu.Standard").warning(reported)
        return FakeVieneu()

    pretend(monkeypatch, make)
    with pytest.raises(ModelLoadError, match=reported.rsplit(maxsplit=1)[-1]):
        load()


def test_what_does_no_harm_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    def make(**_: object) -> FakeVieneu:
        logging.getLogger("Vieneu").warning("Network check failed for voices.json.")
        return FakeVieneu()

    pretend(monkeypatch, make)
    assert load()


def test_while_it_loads_it_is_kept_off_the_network_and_off_the_watermarker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []

    def load_and_record(**_: object) -> FakeVieneu:
        names = ("HF_HUB_OFFLINE", "HF_HUB_CACHE")
        seen.append([os.environ.get(name) for name in names])
        seen.append([getattr(constants, name) for name in names])
        seen.append(sys.modules["perth"])
        return FakeVieneu()

    before = (os.environ.get("HF_HUB_OFFLINE"), constants.HF_HUB_OFFLINE, constants.HF_HUB_CACHE)
    mark = ModuleType("perth")
    monkeypatch.setitem(sys.modules, "perth", mark)
    pretend(monkeypatch, load_and_record)
    load(offline=True, cache=str(tmp_path))

    assert seen == [["1", str(tmp_path)], [True, str(tmp_path)], None]
    after = (os.environ.get("HF_HUB_OFFLINE"), constants.HF_HUB_OFFLINE, constants.HF_HUB_CACHE)
    assert after == before, "other engines of this process may still fetch theirs"
    assert sys.modules["perth"] is mark


@pytest.mark.parametrize(
    ("cause", "kind", "reported"),
    [
        (ImportError("no", name="llama_cpp"), MissingExtraError, "gguf-compiled"),
        (ImportError("no", name="torch.nn"), MissingExtraError, "torch"),
        (ImportError("no", name="lmdeploy"), ModelLoadError, "lmdeploy"),
        (ImportError("no", name="strange"), MissingExtraError, "strange"),
        (FileNotFoundError("a.gguf"), ModelLoadError, r"a\.gguf"),
        (LocalEntryNotFoundError("no"), ModelDownloadError, "does not respond"),
        (RuntimeError("CUDA out of memory. Tried"), DeviceMemoryError, "memory"),
        (RuntimeError("std::bad_alloc"), DeviceMemoryError, "memory"),
    ],
)
def test_what_it_raises_while_it_loads_has_a_name(
    monkeypatch: pytest.MonkeyPatch, cause: Exception, kind: type[VieneuError], reported: str
) -> None:
    def make(**_: object) -> object:
        # As the SDK does: an error of its own words on top.
        raise RuntimeError(f"Failed: {cause}") from cause

    pretend(monkeypatch, make)
    with pytest.raises(kind, match=reported):
        load()


def test_the_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vieneu", None)
    with pytest.raises(MissingExtraError, match=r"vieneu-core\[sdk\]"):
        load()


def test_used_before_it_is_loaded_it_says_so() -> None:
    with pytest.raises(ModelLoadError, match="before it was loaded"):
        speak_sdk(create(BASE))
