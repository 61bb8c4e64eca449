"""The options of the engine ``sdk``: what is wrong is named, what is right reaches the SDK."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_sdk import FakeVieneu, load

from vieneu_core.engines.sdk import create
from vieneu_core.errors import ModelLoadError


@pytest.mark.parametrize(
    ("wrong", "reported"),
    [
        ({"mode": "v9"}, "v3turbo"),
        ({"modell": "x"}, "It has: mode, model"),
        ({"offline": 3}, "true or false"),
        ({"temperature": -1}, "from 0 to 5"),
        ({"mode": "v3nano", "temperature": 1.0}, "This mode takes: .*steps"),
        ({"mode": "standard", "precision": "int8"}, "This mode takes: .*temperature"),
    ],
)
def test_a_wrong_option_is_told_with_what_is_right(wrong: dict[str, object], reported: str) -> None:
    with pytest.raises(ModelLoadError, match=reported):
        create(wrong)


@pytest.mark.usefixtures("sdk")
def test_a_precision_that_the_device_lacks_is_an_error() -> None:
    with pytest.raises(ModelLoadError, match="fp32 or int8"):
        load(mode="v3turbo", precision="bf16")


@pytest.mark.parametrize(
    ("options", "given"),
    [
        ({}, {"mode": "standard", "backbone_device": "cpu"}),
        ({"model": "a/b:c.gguf"}, {"backbone_repo": "a/b", "gguf_filename": "c.gguf"}),
        ({"model": "a/b"}, {"backbone_repo": "a/b", "gguf_filename": None}),
        ({"codec": "a/neucodec"}, {"codec_repo": "a/neucodec", "codec_device": "cpu"}),
        ({"mode": "turbo", "codec": "a/b"}, {"decoder_repo": "a/b", "encoder_repo": "a/b"}),
        ({"mode": "turbo", "threads": 2, "seed": 5}, {"n_threads": 2, "seed": 5, "device": "cpu"}),
    ],
)
def test_options_become_the_sdks_arguments(
    sdk: FakeVieneu, options: dict[str, object], given: dict[str, object]
) -> None:
    load(**options)

    assert sdk.arguments.items() >= given.items()


@pytest.mark.usefixtures("sdk")
def test_a_gguf_file_is_for_the_engine_gguf(tmp_path: Path) -> None:
    (tmp_path / "a.gguf").write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(ModelLoadError, match="engine gguf"):
        load(model=str(tmp_path / "a.gguf"))


@pytest.mark.usefixtures("sdk")
def test_fast_needs_a_gpu() -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is one")
    with pytest.raises(ModelLoadError, match="cuda"):
        create({"mode": "fast"}).load(lambda _: None)
