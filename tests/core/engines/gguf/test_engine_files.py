"""What can be wrong with what the engine gguf loads: files, options, packages, memory."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from checkpoint.folder import ModelFolder
from checkpoint.gguf_engine import CHI, speak_gguf
from engine_calls import quiet
from guard import GUARD_S
from llama_library import NEEDS_C_INTERFACE, NEEDS_LLAMA_CPP

from vieneu_core.engines.base import EngineInfo
from vieneu_core.engines.gguf import create
from vieneu_core.errors import MissingExtraError, ModelLoadError, SynthesisFailedError


def load(folder: ModelFolder, **more: object) -> EngineInfo:
    return create(folder.options(**more)).load(quiet)


@pytest.mark.parametrize("name", ["tiny.gguf", "codec.onnx", "voices.json"])
@pytest.mark.parametrize("damage", ["missing", "empty", "truncated", "page"])
def test_a_damaged_file_is_an_error_that_names_it(
    copy: ModelFolder, name: str, damage: str
) -> None:
    path = copy.path / name
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        page = b"<!DOCTYPE html><html><body>Not found</body></html>"
        path.write_bytes(
            {"empty": b"", "truncated": content[: len(content) // 2]}.get(damage, page)
        )

    with pytest.raises(ModelLoadError) as caught:
        load(copy)
    assert name in caught.value.detail
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("content", "reported"),
    [
        ({"presets": {}}, "presets"),
        ({"presets": {"An": {"codes": [], "text": "a"}}}, "codes"),
        ({"presets": {"An": {"codes": [70_000], "text": "a"}}}, "codes"),
        ({"presets": {"An": {"codes": [0.5, 0.7], "text": "a"}}}, "codes"),
        ({"presets": {"An": {"codes": [1], "text": "..."}}}, "nothing to speak"),
        ({"presets": {"An": {"codes": [1]}}}, "text"),
        ([], "object"),
    ],
)
def test_voices_of_another_kind_are_an_error(
    copy: ModelFolder, content: object, reported: str
) -> None:
    (copy.path / "voices.json").write_text(json.dumps(content), "utf-8")

    with pytest.raises(ModelLoadError, match=reported):
        load(copy)


@pytest.mark.parametrize("library", ["auto", "xllamacpp"])
def test_a_codec_of_another_kind_is_an_error(copy: ModelFolder, library: str) -> None:
    import onnx
    from onnx import TensorProto, helper

    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])],
        "other",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])],
    )
    opsets = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), copy.codec)

    with pytest.raises(ModelLoadError, match="no usable NeuCodec decoder"):
        load(copy, library=library)


@NEEDS_C_INTERFACE
def test_a_voice_that_the_model_does_not_know_is_told_while_loading(copy: ModelFolder) -> None:
    from checkpoint.gguf_model import write_gguf

    write_gguf(copy.model, n_codes=256)  # the voices of this folder have codes beyond

    engine = create(copy.options())
    engine.load(quiet)
    with pytest.raises(SynthesisFailedError, match="the code 356"):
        speak_gguf(engine, voice=CHI)


def test_a_model_that_never_ends_is_told_while_loading(copy: ModelFolder) -> None:
    from checkpoint.gguf_model import write_gguf

    write_gguf(copy.model, codes_per_token=10_000)

    with pytest.raises(ModelLoadError, match="first word"):
        load(copy)


@pytest.mark.parametrize(
    ("options", "reported"),
    [
        ({"temprature": 1}, "temprature"),
        ({"temperature": -1}, "temperature"),
        ({"top_k": "many"}, "top_k"),
        ({"library": "ollama"}, "library"),
        ({"format": "poem"}, "format"),
        ({"model": "vieneu-9b"}, "vieneu-9b"),
        ({"model": "", "codec": ""}, "model"),
    ],
)
def test_a_wrong_option_is_an_error_that_names_it(
    folder: ModelFolder, options: dict[str, object], reported: str
) -> None:
    with pytest.raises(ModelLoadError, match=reported):
        load(folder, **options)


@NEEDS_LLAMA_CPP
@pytest.mark.parametrize(
    ("module", "extra"),
    [("onnxruntime", "gguf"), ("sea_g2p", "gguf"), ("huggingface_hub", "gguf")],
)
def test_what_is_not_installed_is_named_with_its_pip_line(
    folder: ModelFolder, monkeypatch: pytest.MonkeyPatch, module: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)

    with pytest.raises(MissingExtraError, match=rf"vieneu-core\[{extra}\]"):
        load(folder, library="llama-cpp-python")


@NEEDS_LLAMA_CPP
def test_too_little_memory_is_an_error_and_no_crash(folder: ModelFolder) -> None:
    """The limit on the process's address space stands for a full memory."""
    program = (
        "import resource, sys, json\n"
        "from vieneu_core.engines.gguf import create\n"
        "import onnxruntime, llama_cpp, sea_g2p, numpy.random\n"
        "engine = create(json.loads(sys.argv[1]))\n"
        "used = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (used + 150_000_000, used + 150_000_000))\n"
        "engine.load(lambda _: None)\n"
    )
    options = json.dumps(folder.options(context=32_768, library="llama-cpp-python"))

    done = subprocess.run(
        [sys.executable, "-c", program, options],
        check=False,
        capture_output=True,
        text=True,
        timeout=GUARD_S,
    )

    assert done.returncode == 1, done.stderr[-500:]
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith(("vieneu_core.errors.DeviceMemoryError", "MemoryError"))
