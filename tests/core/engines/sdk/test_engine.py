"""The official SDK itself, on a v3 Turbo of its own format: what is heard, what is refused."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from checkpoint.moss_codec import CLONED, moss_pitch_hz, moss_pitches_of
from checkpoint.v3_engine import (
    AN,
    CHI,
    LAST,
    LONG,
    SHORT,
    floats,
    loaded_sdk,
    make_turbo,
    noise_clip,
    pitches_spoken,
    spoken,
    turbo,
)
from checkpoint.v3_turbo import write_v3_turbo
from guard import GUARD_S

from vieneu_core.backends.base import synthesize
from vieneu_core.backends.local import LocalBackend
from vieneu_core.engines.base import EngineMemory, Utterance
from vieneu_core.engines.sdk import SdkEngine
from vieneu_core.errors import (
    EmptyTextError,
    ModelLoadError,
    ReferenceAudioError,
    SynthesisFailedError,
    VoiceNotFoundError,
    WatermarkUnavailableError,
)
from vieneu_core.synthesis import ReferenceAudio, SynthesisRequest
from vieneu_core.voices import Voice
from vieneu_core.worker.spec import EngineSpec, WorkerTimes

ONE_WORD = "Vâng."


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_turbo(tmp_path_factory.mktemp("sdk"))


@pytest.fixture(scope="module")
def engine(made: Path) -> SdkEngine:
    return loaded_sdk(turbo(made))[0]


def test_it_tells_what_it_is_and_which_voices_it_has(made: Path) -> None:
    _, info = loaded_sdk(turbo(made))

    assert (info.engine, info.model, info.sample_rate_hz) == ("sdk", "model", 48_000)
    assert (info.clones, info.watermarks, info.accelerator) == (True, False, None)
    ids = [voice.id for voice in info.voices]
    assert ids[0] == AN, "the default of the model goes first"
    assert CHI in ids
    assert len(ids) == len(set(ids)) > 2, "the SDK's own voices are there too"
    assert all(voice.id.isprintable() and voice.name.isprintable() for voice in info.voices)
    assert not any("⭐" in voice.name for voice in info.voices)
    assert {voice.language for voice in info.voices} == {"vi"}


@pytest.mark.parametrize("voice", [AN, CHI])
def test_each_voice_has_a_sound_of_its_own_and_more_words_sound_longer(
    engine: SdkEngine, voice: str
) -> None:
    short, long = pitches_spoken(engine, SHORT, voice), pitches_spoken(engine, LONG, voice)

    first = LAST[voice] + 1
    assert short == [moss_pitch_hz(first + i) for i in range(len(short))]
    assert long == [moss_pitch_hz(first + i) for i in range(len(long))]
    assert len(long) > 2 * len(short)


def test_it_is_as_loud_as_the_model_made_it(engine: SdkEngine) -> None:
    samples = floats(b"".join(spoken(engine, SHORT)))

    assert np.abs(samples).max() == pytest.approx(0.25, abs=0.001)


def test_two_sentences_give_two_sounds(engine: SdkEngine) -> None:
    one, other = spoken(engine, "Một hai ba bốn."), spoken(engine, "Năm sáu bảy tám chín mười.")

    assert 0 < len(b"".join(one)) < len(b"".join(other))
    assert b"".join(spoken(engine, "Một hai ba bốn.")) == b"".join(one)


def test_sound_comes_before_the_sentence_is_done(engine: SdkEngine) -> None:
    sounds = spoken(engine, LONG)

    assert len(sounds) >= 3
    assert len(sounds[0]) < len(b"".join(sounds)) / 4


def test_a_single_word_is_spoken(engine: SdkEngine) -> None:
    assert pitches_spoken(engine, ONE_WORD)[0] == moss_pitch_hz(LAST[AN] + 1)


def test_numbers_are_read_as_words(engine: SdkEngine) -> None:
    assert pitches_spoken(engine, "Có 25 người.") == pitches_spoken(
        engine, "Có hai mươi lăm người."
    )


def test_a_cancelled_sentence_ends_at_once_and_the_next_is_whole(engine: SdkEngine) -> None:
    whole = len(spoken(engine, LONG))
    got: list[bytes] = []
    utterance = Utterance(text=LONG, voice=Voice(AN, AN, "vi"))
    for pcm in engine.synthesize(utterance, lambda: len(got) == 2):
        got.append(pcm)  # noqa: PERF402 - looked at meanwhile

    assert len(got) == 2
    assert len(spoken(engine, LONG)) == whole


def test_a_clip_is_cloned_and_its_file_is_gone_afterwards(
    engine: SdkEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("HOME", "TMPDIR"):
        monkeypatch.setenv(variable, str(tmp_path))

    for _ in range(2):
        assert pitches_spoken(engine, SHORT, noise_clip())[0] == moss_pitch_hz(CLONED[0] + 1)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("unusable", "reported"),
    [
        (noise_clip(0.3), r"only 0\.30 s"),
        (noise_clip(loudness=0), "silent"),
    ],
)
def test_a_clip_that_is_no_speech_is_an_error(
    engine: SdkEngine, unusable: ReferenceAudio, reported: str
) -> None:
    with pytest.raises(ReferenceAudioError, match=reported):
        spoken(engine, SHORT, unusable)


def test_an_unknown_voice_is_told_with_those_that_there_are(engine: SdkEngine) -> None:
    with pytest.raises(VoiceNotFoundError, match=AN):
        spoken(engine, SHORT, "nobody")


def test_an_alias_is_the_voice_that_it_stands_for(made: Path, engine: SdkEngine) -> None:
    assert pitches_spoken(engine, SHORT, f"{CHI} cũ") == pitches_spoken(engine, SHORT, CHI)
    _, info = loaded_sdk(turbo(made, voice=f"{CHI} cũ"))
    assert info.voices[0].id == CHI


def test_a_watermark_is_not_left_out_in_silence(engine: SdkEngine) -> None:
    marked = Utterance(text=SHORT, voice=Voice(AN, AN, "vi"), watermark=True)

    with pytest.raises(WatermarkUnavailableError):
        list(engine.synthesize(marked, lambda: False))


def test_a_default_voice_that_is_not_there_is_an_error(made: Path) -> None:
    with pytest.raises(ModelLoadError, match="nobody") as caught:
        loaded_sdk(turbo(made, voice="nobody"))
    assert AN in caught.value.remedy


def test_a_sentence_that_does_not_end_is_an_error(made: Path, tmp_path: Path) -> None:
    write_v3_turbo(tmp_path / "model", frames_per_token=1e6)
    shutil.copytree(made / "codec", tmp_path / "codec")
    endless, _ = loaded_sdk(turbo(tmp_path))

    for text in (LONG, ONE_WORD):
        with pytest.raises(SynthesisFailedError, match="did not end"):
            spoken(endless, text)


def test_with_a_seed_a_sentence_sounds_the_same_each_time(made: Path) -> None:
    seeded, _ = loaded_sdk(turbo(made, temperature=5.0, top_k=1000, top_p=1.0, seed=7))

    assert spoken(seeded, SHORT) == spoken(seeded, SHORT)


def test_it_uses_no_gpu_memory(engine: SdkEngine) -> None:
    assert engine.memory() == EngineMemory()


def test_neither_pytorch_nor_the_watermarker_is_loaded_for_it(made: Path) -> None:
    # In a process of its own: others here may have loaded them.
    code = (
        "import sys, json; from vieneu_core.engines.sdk import create;"
        "create(json.loads(sys.argv[1])).load(lambda _: None);"
        "print(*({'torch', 'perth', 'librosa', 'gradio', 'transformers'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(turbo(made))],
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.splitlines()[-1:] in ([], [""])


# --- in a worker ---------------------------------------------------------------------------


async def test_in_a_worker_it_speaks_clones_is_cancelled_and_refuses(made: Path) -> None:
    patient = WorkerTimes(stall_s=GUARD_S)  # to clone, the SDK imports what takes long to load
    backend = LocalBackend(EngineSpec("vieneu_core.engines.sdk:create", turbo(made)), times=patient)
    await backend.load()
    try:
        speech = await synthesize(backend, SynthesisRequest(text=SHORT, voice=CHI))
        assert moss_pitches_of(floats(speech.pcm))[0] == moss_pitch_hz(LAST[CHI] + 1)
        async for _ in backend.stream(SynthesisRequest(text=LONG)):
            break
        cloned = await synthesize(backend, SynthesisRequest(text=SHORT, reference=noise_clip()))
        assert moss_pitches_of(floats(cloned.pcm))[0] == moss_pitch_hz(CLONED[0] + 1)
        with pytest.raises(VoiceNotFoundError):
            await synthesize(backend, SynthesisRequest(text=SHORT, voice="nobody"))
        with pytest.raises(EmptyTextError):
            await synthesize(backend, SynthesisRequest(text=("...!",)))
        assert (await backend.health()).engine == "sdk"
    finally:
        await backend.aclose()
