"""The engine gguf from text to sound, in this process and in a worker."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from checkpoint.codec_graph import write_codec
from checkpoint.folder import ModelFolder, expected, heard, make_folder
from checkpoint.presets import VOICES
from guard import GUARD_S
from llama_library import NEEDS_LLAMA_CPP

from vieneu_core.backends.base import synthesize
from vieneu_core.backends.local import LocalBackend
from vieneu_core.engines.base import EngineInfo, LoadProgress, Utterance
from vieneu_core.engines.gguf import create
from vieneu_core.engines.speech_lm.engine import CodeEngine
from vieneu_core.engines.speech_lm.onnx_decoder import OnnxDecoder
from vieneu_core.errors import (
    CloningUnsupportedError,
    EmptyTextError,
    MissingExtraError,
    ModelLoadError,
    SynthesisFailedError,
    UnpronounceableError,
    VoiceNotFoundError,
)
from vieneu_core.synthesis import ReferenceAudio, SynthesisRequest
from vieneu_core.voices import Voice
from vieneu_core.worker.spec import EngineSpec

TEXT = "Xin chào các bạn, hôm nay trời đẹp quá, chúng ta cùng nhau đi chơi công viên nhé."
SENTENCES = ("Xin chào các bạn.", "Hôm nay trời đẹp quá, phải không?", "Chúng ta đi chơi nhé.")
AN, CHI = (Voice(id=name, name=v["description"], language="vi") for name, v in VOICES.items())


def quiet(now: LoadProgress) -> None:
    del now


def never() -> bool:
    return False


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    return make_folder(tmp_path_factory.mktemp("model"))


@pytest.fixture(
    scope="module",
    params=[pytest.param("llama-cpp-python", marks=NEEDS_LLAMA_CPP), "xllamacpp"],
)
def loaded(request: pytest.FixtureRequest, folder: ModelFolder) -> tuple[CodeEngine, EngineInfo]:
    engine = create(folder.options(library=request.param))
    return engine, engine.load(quiet)


@pytest.fixture(scope="module")
def engine(loaded: tuple[CodeEngine, EngineInfo]) -> CodeEngine:
    return loaded[0]


def speak(engine: CodeEngine, text: str = TEXT, voice: Voice = AN) -> bytes:
    return b"".join(engine.synthesize(Utterance(text=text, voice=voice), never))


def test_it_says_what_it_is(loaded: tuple[CodeEngine, EngineInfo]) -> None:
    info = loaded[1]

    assert (info.engine, info.model, info.sample_rate_hz) == ("gguf", "tiny + codec", 24_000)
    assert info.voices == (AN, CHI)
    assert info.clones
    assert info.accelerator is None


@pytest.mark.parametrize("voice", [AN, CHI], ids=lambda voice: voice.id)
def test_a_sentence_is_heard_in_the_voice_that_was_asked_for(
    engine: CodeEngine, voice: Voice
) -> None:
    pitches, voices = heard(speak(engine, voice=voice))

    assert len(pitches) > 100
    assert (pitches, voices) == expected(voice.id, len(pitches))


def test_the_stream_is_what_one_decoding_gives(engine: CodeEngine, folder: ModelFolder) -> None:
    pcm = speak(engine)

    last = VOICES["An"]["codes"][-1]
    n_codes = len(pcm) // 960
    whole = OnnxDecoder(folder.codec).decode([(last + 1 + i) & 0xFF for i in range(n_codes)])
    streamed = np.frombuffer(pcm, "<i2").astype(np.float32) / 32_767
    off = np.abs(streamed - whole).reshape(-1, 480).max(axis=1) > 2e-5
    assert off.sum() <= 4, "one frame at each of the joins after 8, 24, 56 and 120 frames"


def test_sound_comes_before_the_sentence_is_done(engine: CodeEngine) -> None:
    sizes = [len(pcm) // 960 for pcm in engine.synthesize(Utterance(text=TEXT, voice=AN), never)]

    assert sizes[:3] == [8, 16, 32]


def test_a_cancelled_sentence_ends_and_the_next_one_is_whole(engine: CodeEngine) -> None:
    whole = speak(engine, SENTENCES[1])
    heard_so_far: list[bytes] = []
    for pcm in engine.synthesize(Utterance(text=TEXT, voice=AN), lambda: bool(heard_so_far)):
        heard_so_far.append(pcm)  # noqa: PERF402 - looked at meanwhile

    assert len(heard_so_far) == 1
    assert speak(engine, SENTENCES[1]) == whole


def test_a_listener_that_leaves_in_the_middle_harms_nobody(engine: CodeEngine) -> None:
    whole = speak(engine, SENTENCES[1])
    stream = engine.synthesize(Utterance(text=TEXT, voice=CHI), never)
    next(stream)
    stream.close()  # type: ignore[attr-defined]

    assert speak(engine, SENTENCES[1]) == whole


def test_knowing_what_comes_next_changes_no_sound(engine: CodeEngine) -> None:
    alone = [speak(engine, sentence) for sentence in SENTENCES]

    foreseen = [
        b"".join(
            engine.synthesize(
                Utterance(text=text, voice=AN, upcoming=(*SENTENCES[i + 1 :], "...")), never
            )
        )
        for i, text in enumerate(SENTENCES)
    ]

    assert foreseen == alone


@pytest.mark.parametrize("text", ["...", "😀", "\u200b!"])
def test_what_cannot_be_pronounced_is_an_error_and_no_noise(engine: CodeEngine, text: str) -> None:
    with pytest.raises(EmptyTextError):
        speak(engine, text)


def test_an_unknown_voice_is_an_error_that_lists_the_others(engine: CodeEngine) -> None:
    with pytest.raises(VoiceNotFoundError, match="An, Chi"):
        speak(engine, voice=Voice(id="nobody", name="", language="vi"))


def test_a_clip_without_an_encoder_is_an_error_that_says_where_to_install_it(
    engine: CodeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("neucodec", "torch"):
        monkeypatch.setitem(sys.modules, module, None)
    clip = ReferenceAudio(pcm=bytes(96_000), sample_rate_hz=16_000, transcript="Xin chào.")

    with pytest.raises(CloningUnsupportedError, match=r"the extra torch of .* vieneu doctor"):
        list(engine.synthesize(Utterance(text=TEXT, voice=None, reference=clip), never))


# --- what can be wrong with the files ------------------------------------------------------


def load(folder: ModelFolder, **more: object) -> EngineInfo:
    return create(folder.options(**more)).load(quiet)


@pytest.fixture
def copy(folder: ModelFolder, tmp_path: Path) -> ModelFolder:
    shutil.copytree(folder.path, tmp_path / "copy")
    return ModelFolder(tmp_path / "copy")


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
    ("content", "told"),
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
def test_voices_of_another_kind_are_an_error(copy: ModelFolder, content: object, told: str) -> None:
    (copy.path / "voices.json").write_text(json.dumps(content), "utf-8")

    with pytest.raises(ModelLoadError, match=told):
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


@NEEDS_LLAMA_CPP
def test_a_voice_that_the_model_does_not_know_is_told_while_loading(copy: ModelFolder) -> None:
    from checkpoint.gguf_model import write_gguf

    write_gguf(copy.model, n_codes=256)  # the voices of this folder have codes beyond

    engine = create(copy.options())
    engine.load(quiet)
    with pytest.raises(SynthesisFailedError, match="the code 356"):
        speak(engine, voice=CHI)


def test_a_model_that_never_ends_is_told_while_loading(copy: ModelFolder) -> None:
    from checkpoint.gguf_model import write_gguf

    write_gguf(copy.model, codes_per_token=10_000)

    with pytest.raises(ModelLoadError, match="first word"):
        load(copy)


@pytest.mark.parametrize(
    ("options", "told"),
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
    folder: ModelFolder, options: dict[str, object], told: str
) -> None:
    with pytest.raises(ModelLoadError, match=told):
        load(folder, **options)


@NEEDS_LLAMA_CPP
@pytest.mark.parametrize(
    ("module", "extra"), [("onnxruntime", "gguf"), ("sea_g2p", "gguf"), ("huggingface_hub", "gguf")]
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
        "import onnxruntime, llama_cpp, sea_g2p, numpy\n"
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


# --- in a worker ---------------------------------------------------------------------------


@pytest.fixture
async def backend(folder: ModelFolder, no_leaks: None) -> AsyncIterator[LocalBackend]:
    del no_leaks
    backend = LocalBackend(EngineSpec("gguf", folder.options()))
    await backend.load()
    yield backend
    await backend.aclose()


async def test_the_worker_speaks_each_sentence(backend: LocalBackend) -> None:
    speech = await synthesize(backend, SynthesisRequest(text=SENTENCES, voice="Chi"))

    pitches, voices = heard(speech.pcm)
    assert set(voices) == {1}
    starts = [i for i, hz in enumerate(pitches) if hz == expected("Chi", 1)[0][0]]
    assert starts[0] == 0
    assert len(speech.speakers) == 3


async def test_speed_changes_the_length_and_not_the_pitch(backend: LocalBackend) -> None:
    plain = await synthesize(backend, SynthesisRequest(text=TEXT))
    slow = await synthesize(backend, SynthesisRequest(text=TEXT, speed=0.5))

    assert slow.seconds == pytest.approx(2 * plain.seconds, rel=0.01)
    assert set(heard(slow.pcm)[0][20:60]) <= {
        hz + d for hz in heard(plain.pcm)[0] for d in (-50, 0, 50)
    }


async def test_a_request_that_is_left_frees_the_engine(backend: LocalBackend) -> None:
    stream = backend.stream(SynthesisRequest(text=TEXT))
    await anext(stream)
    await stream.aclose()

    async with asyncio.timeout(GUARD_S):
        speech = await synthesize(backend, SynthesisRequest(text=SENTENCES[0]))
    assert heard(speech.pcm)[0] == expected("An", len(heard(speech.pcm)[0]))[0]


async def test_a_sentence_without_sounds_is_left_to_another_voice(backend: LocalBackend) -> None:
    with pytest.raises(UnpronounceableError):
        await synthesize(backend, SynthesisRequest(text="你好! Tạm biệt."))


async def test_unloading_gives_all_memory_back(folder: ModelFolder) -> None:
    me = psutil.Process()
    backend = LocalBackend(EngineSpec("gguf", folder.options()))
    await backend.load()
    await synthesize(backend, SynthesisRequest(text=TEXT))
    before = me.memory_info().rss
    pid = backend.worker_pid

    await backend.unload()

    assert pid is not None
    assert not psutil.pid_exists(pid)
    assert me.memory_info().rss - before < 50_000_000


async def test_the_house_hears_how_the_loading_goes(folder: ModelFolder) -> None:
    backend = LocalBackend(EngineSpec("gguf", folder.options()))
    loading = asyncio.create_task(backend.load())
    seen = set()
    while not loading.done():
        now = (await backend.health()).loading
        if now is not None:
            seen.add(now.step)
        await asyncio.sleep(0.001)
    await loading
    health = await backend.health()
    await backend.aclose()

    assert "Loading tiny.gguf" in seen
    assert health.loading is None


def test_a_deeper_codec_is_streamed_as_well(folder: ModelFolder, copy: ModelFolder) -> None:
    """Where the codec looks further than the first context, the pitches still are all there."""
    write_codec(copy.codec, context=6)
    engine = create(copy.options())
    engine.load(quiet)

    pitches, _ = heard(speak(engine))

    assert pitches == expected("An", len(pitches))[0]
    assert folder.codec.read_bytes() != copy.codec.read_bytes()
