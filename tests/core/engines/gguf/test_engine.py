"""The engine gguf from text to sound, in this process."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from checkpoint.codec_graph import write_codec
from checkpoint.folder import ModelFolder, expected_codes, heard_codes
from checkpoint.gguf_engine import AN, CHI, SENTENCES, TEXT, speak_gguf
from checkpoint.presets import VOICES
from engine_calls import never, quiet
from llama_library import LIBRARIES

from vieneu_core.engines.base import EngineInfo, Utterance
from vieneu_core.engines.gguf import create
from vieneu_core.engines.speech_lm.engine import CodeEngine
from vieneu_core.engines.speech_lm.onnx_decoder import OnnxDecoder
from vieneu_core.errors import CloningUnsupportedError, EmptyTextError, VoiceNotFoundError
from vieneu_core.synthesis import ReferenceAudio
from vieneu_core.voices import Voice


@pytest.fixture(
    scope="module",
    params=LIBRARIES,
)
def loaded(request: pytest.FixtureRequest, folder: ModelFolder) -> tuple[CodeEngine, EngineInfo]:
    engine = create(folder.options(library=request.param))
    return engine, engine.load(quiet)


@pytest.fixture(scope="module")
def engine(loaded: tuple[CodeEngine, EngineInfo]) -> CodeEngine:
    return loaded[0]


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
    pitches, voices = heard_codes(speak_gguf(engine, voice=voice))

    assert len(pitches) > 100
    assert (pitches, voices) == expected_codes(voice.id, len(pitches))


def test_the_stream_is_what_one_decoding_gives(engine: CodeEngine, folder: ModelFolder) -> None:
    pcm = speak_gguf(engine)

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
    whole = speak_gguf(engine, SENTENCES[1])
    heard_so_far: list[bytes] = []
    for pcm in engine.synthesize(Utterance(text=TEXT, voice=AN), lambda: bool(heard_so_far)):
        heard_so_far.append(pcm)  # noqa: PERF402 - looked at meanwhile

    assert len(heard_so_far) == 1
    assert speak_gguf(engine, SENTENCES[1]) == whole


def test_a_listener_that_leaves_in_the_middle_harms_nobody(engine: CodeEngine) -> None:
    whole = speak_gguf(engine, SENTENCES[1])
    stream = engine.synthesize(Utterance(text=TEXT, voice=CHI), never)
    next(stream)
    stream.close()  # type: ignore[attr-defined]

    assert speak_gguf(engine, SENTENCES[1]) == whole


def test_knowing_what_comes_next_changes_no_sound(engine: CodeEngine) -> None:
    alone = [speak_gguf(engine, sentence) for sentence in SENTENCES]

    prefetched = [
        b"".join(
            engine.synthesize(
                Utterance(text=text, voice=AN, upcoming=(*SENTENCES[i + 1 :], "...")), never
            )
        )
        for i, text in enumerate(SENTENCES)
    ]

    assert prefetched == alone


@pytest.mark.parametrize("text", ["...", "😀", "\u200b!"])
def test_what_cannot_be_pronounced_is_an_error_and_no_noise(engine: CodeEngine, text: str) -> None:
    with pytest.raises(EmptyTextError):
        speak_gguf(engine, text)


def test_an_unknown_voice_is_an_error_that_lists_the_others(engine: CodeEngine) -> None:
    with pytest.raises(VoiceNotFoundError, match="An, Chi"):
        speak_gguf(engine, voice=Voice(id="nobody", name="", language="vi"))


def test_a_clip_without_an_encoder_is_an_error_that_says_where_to_install_it(
    engine: CodeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("neucodec", "torch"):
        monkeypatch.setitem(sys.modules, module, None)
    clip = ReferenceAudio(pcm=bytes(96_000), sample_rate_hz=16_000, transcript="Xin chào.")

    with pytest.raises(CloningUnsupportedError, match=r"the extra torch of .* vieneu doctor"):
        list(engine.synthesize(Utterance(text=TEXT, voice=None, reference=clip), never))


def test_a_deeper_codec_is_streamed_as_well(folder: ModelFolder, copy: ModelFolder) -> None:
    """Where the codec looks further than the first context, the pitches still are all there."""
    write_codec(copy.codec, context=6)
    engine = create(copy.options())
    engine.load(quiet)

    pitches, _ = heard_codes(speak_gguf(engine))

    assert pitches == expected_codes("An", len(pitches))[0]
    assert folder.codec.read_bytes() != copy.codec.read_bytes()
