"""The embedded voice: several small engines in one, of which each speaks for the others."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from hub_site import HubSite, hub_site
from sano_voice import RATE_HZ, files_of, write_sano_voice

from vieneu_core.backends.local import LocalBackend
from vieneu_core.engines.base import EngineInfo, LoadProgress, SpokenBy, Utterance
from vieneu_core.engines.embedded import EmbeddedEngine, create
from vieneu_core.engines.espeak import VOICES as ESPEAK_VOICES
from vieneu_core.engines.sano import fetching
from vieneu_core.engines.sano.fetching import FailureRecord
from vieneu_core.errors import (
    CloningUnsupportedError,
    EmptyTextError,
    MissingExtraError,
    ModelLoadError,
    VoiceNotFoundError,
)
from vieneu_core.models.catalogue import known_model
from vieneu_core.synthesis import SynthesisRequest, synthesize
from vieneu_core.voices import Voice
from vieneu_core.worker.spec import EngineSpec

TEXT = "cửa trước đang mở, xin hãy kiểm tra lại."
ESPEAK = [voice.id for voice in ESPEAK_VOICES]
PACKAGE = "vi-vais1000-1p46m"


def never() -> bool:
    return False


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_sano_voice(tmp_path / "vi-test")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder without voices, and a network."""
    for name in ("HF_HUB_OFFLINE", "HF_HOME", "HF_HUB_CACHE", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def site(home: Path, monkeypatch: pytest.MonkeyPatch) -> HubSite:
    voice = write_sano_voice(home / "published")
    with hub_site() as site:
        site.files["ampixa/sanoTTS"] = files_of(voice, PACKAGE)
        monkeypatch.setenv("HF_ENDPOINT", site.url)
        yield site


def of_folder(folder: Path) -> dict[str, object]:
    return {"fetch": False, "sano": {"voice": str(folder), "english": None}}


def loaded(options: dict[str, object]) -> tuple[EmbeddedEngine, EngineInfo, list[LoadProgress]]:
    steps: list[LoadProgress] = []
    engine = create(options)
    return engine, engine.load(steps.append), steps


def speak(
    engine: EmbeddedEngine, text: str, voice: Voice, speed: float = 1.0
) -> tuple[SpokenBy, bytes]:
    utterance = Utterance(text=text, voice=voice, speed=speed)
    by, *pieces = engine.synthesize(utterance, never)
    assert isinstance(by, SpokenBy)
    return by, b"".join(piece for piece in pieces if isinstance(piece, bytes))


def test_the_best_voice_is_the_default_and_all_are_offered(folder: Path) -> None:
    _, info, _ = loaded(of_folder(folder))

    assert info.engine == "sano"
    assert info.model.startswith("vi-test (")
    assert [voice.id for voice in info.voices] == ["sano-vi", *ESPEAK]
    assert info.sample_rate_hz == RATE_HZ


def test_each_voice_is_spoken_by_its_engine(folder: Path) -> None:
    engine, info, _ = loaded(of_folder(folder))

    spoken = [speak(engine, TEXT, voice) for voice in info.voices]

    assert [by.engine for by, _ in spoken] == ["sano", *["espeak"] * len(ESPEAK)]
    assert [by.voice for by, _ in spoken] == [voice.id for voice in info.voices]
    assert spoken[0][0].model == info.model != spoken[1][0].model
    assert len({pcm for _, pcm in spoken}) == len(spoken)


def test_a_voice_of_another_rate_sounds_equally_long(tmp_path: Path) -> None:
    usual, info, _ = loaded(of_folder(write_sano_voice(tmp_path / "a", rate_hz=16_000)))
    alone, espeak, _ = loaded(of_folder(tmp_path / "none"))

    assert (info.sample_rate_hz, espeak.sample_rate_hz) == (16_000, RATE_HZ)
    pcm, same = (speak(each, TEXT, ESPEAK_VOICES[0])[1] for each in (usual, alone))
    assert len(pcm) / 16_000 == pytest.approx(len(same) / RATE_HZ, abs=0.1)


@pytest.mark.parametrize("voice", [0, 1], ids=["sano", "espeak"])
def test_each_engine_speaks_at_the_requested_speed(folder: Path, voice: int) -> None:
    engine, info, _ = loaded(of_folder(folder))
    usual, fast = (len(speak(engine, TEXT, info.voices[voice], speed)[1]) for speed in (1.0, 1.6))

    assert fast < usual * 0.85


@pytest.mark.parametrize("text", ["привет", "xin chào 你好"])
def test_what_the_neural_voice_cannot_read_is_spoken_by_espeak(folder: Path, text: str) -> None:
    engine, info, _ = loaded(of_folder(folder))

    by, pcm = speak(engine, text, info.voices[0])

    assert (by.engine, by.voice) == ("espeak", "vi-north")
    assert len(pcm) > RATE_HZ / 4


def test_a_failure_in_the_networks_is_spoken_by_espeak(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, info, _ = loaded(of_folder(folder))
    monkeypatch.setattr("sanotts.models.decoder_forward", lambda *_: 1 / 0)

    by, pcm = speak(engine, TEXT, info.voices[0])

    assert by.engine == "espeak"
    assert len(pcm) > RATE_HZ


def test_what_nobody_can_pronounce_is_an_error(folder: Path) -> None:
    engine, info, _ = loaded(of_folder(folder))

    with pytest.raises(EmptyTextError):
        list(engine.synthesize(Utterance(text="\u20a0", voice=info.voices[0]), never))
    with pytest.raises(CloningUnsupportedError):
        list(engine.synthesize(Utterance(text=TEXT, voice=None), never))
    with pytest.raises(VoiceNotFoundError, match="sano-vi, vi-north"):
        other = Voice(id="ba", name="Ba", language="vi")
        list(engine.synthesize(Utterance(text=TEXT, voice=other), never))


def test_a_damaged_voice_is_reported_and_the_next_one_speaks(folder: Path) -> None:
    (folder / "weights.fp16.bin").write_bytes(b"")

    engine, info, steps = loaded(of_folder(folder))

    assert info.engine == "espeak"
    assert any("is damaged" in now.step and str(folder) in now.step for now in steps)
    assert speak(engine, TEXT, info.voices[0])[0].engine == "espeak"


def test_without_espeak_the_neural_voice_speaks(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)

    _, info, _ = loaded(of_folder(folder))

    assert [voice.id for voice in info.voices] == ["sano-vi"]


def test_without_any_voice_the_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("espeakng_loader", "sanotts"):
        monkeypatch.setitem(sys.modules, name, None)

    with pytest.raises(MissingExtraError, match="espeak"):
        loaded({"fetch": False})


def test_wrong_options_are_named() -> None:
    with pytest.raises(ModelLoadError, match="pitch"):
        create({"pitch": 1})


# --- the download --------------------------------------------------------------------------


def test_a_missing_voice_is_downloaded_once_with_progress(site: HubSite) -> None:
    _, info, steps = loaded({})
    n_asked = len(site.asked)
    again = loaded({})[1]

    assert info.engine == again.engine == "sano"
    assert info.model.startswith(PACKAGE)
    assert any("GPL-3.0" in now.step or now.done_bytes for now in steps)
    assert len(site.asked) == n_asked > 3
    assert not site.tokens


def test_the_last_resort_downloads_nothing(site: HubSite) -> None:
    assert loaded({"fetch": False})[1].engine == "espeak"
    assert site.asked == []


@pytest.mark.parametrize("value", ["1", "true", "ON"])
def test_nothing_is_downloaded_while_the_hub_is_offline(
    site: HubSite, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", value)

    assert loaded({})[1].engine == "espeak"
    assert loaded({"sano": {"offline": True}})[1].engine == "espeak"
    assert site.asked == []


def test_a_failed_download_is_not_repeated_at_each_start(site: HubSite, home: Path) -> None:
    site.files.clear()

    assert loaded({})[1].engine == "espeak"
    n_asked = len(site.asked)
    assert loaded({})[1].engine == "espeak"

    record = home / ".local/state/vieneu/voice-download.json"
    assert len(site.asked) == n_asked > 0
    assert FailureRecord(record).reason("sano-vi")


def test_after_an_hour_it_is_tried_again(site: HubSite, home: Path) -> None:
    record = home / ".local/state/vieneu/voice-download.json"
    record.parent.mkdir(parents=True)
    record.write_text(json.dumps({"sano-vi": {"at": 1_000_000, "why": "x"}}), "utf-8")

    assert FailureRecord(record).is_recent("sano-vi", 1_003_000)
    assert not FailureRecord(record).is_recent("sano-vi", 999_000)
    assert loaded({})[1].engine == "sano"
    assert FailureRecord(record).reason("sano-vi") == ""
    assert site.asked


@pytest.mark.parametrize(
    "content", ["", "[]", '{"sano-vi": 3}', '{"sano-vi": {"at": "x"}}', "[" * 9999]
)
def test_a_damaged_record_forbids_nothing(home: Path, content: str) -> None:
    path = home / "voice-download.json"
    path.write_text(content, "utf-8")

    assert not FailureRecord(path).is_recent("sano-vi")
    assert FailureRecord(path).reason("sano-vi") == ""


def test_a_hub_that_sends_nothing_is_waited_for_once(
    site: HubSite, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "_SILENT_S", 0.3)
    monkeypatch.setattr(fetching.VoiceDownload.__init__, "__kwdefaults__",
                        {"silent_s": 0.3, "longest_s": 30.0})  # fmt: skip
    site.n_silent = 1_000

    assert loaded({})[1].engine == "espeak"
    n_asked = len(site.asked)
    assert loaded({})[1].engine == "espeak"

    assert len(site.asked) == n_asked == 1
    assert FailureRecord(home / ".local/state/vieneu/voice-download.json").is_recent("sano-vi")


def test_a_download_that_was_cut_is_resumed(site: HubSite, home: Path) -> None:
    weights = site.files["ampixa/sanoTTS"][f"{PACKAGE}/weights.fp16.bin"]
    site.cut_after = [len(site.files["ampixa/sanoTTS"][f"{PACKAGE}/{n}"]) for n in ()]
    site.reset_after = []
    site.cut_after = [100]

    assert loaded({})[1].engine == "sano"
    assert "bytes=100-" in site.ranges
    found = list((home / "cache").rglob("weights.fp16.bin"))
    assert [path.read_bytes() for path in found] == [weights]


def test_changed_weights_are_refused_and_espeak_speaks(site: HubSite) -> None:
    site.corrupt = True

    _, info, steps = loaded({})

    assert info.engine == "espeak"
    assert any("is damaged" in now.step for now in steps)


def test_a_voice_that_comes_late_is_offered_after_the_next_sentence(
    site: HubSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching.VoiceDownload.__init__, "__kwdefaults__",
                        {"silent_s": 0.0, "longest_s": 0.0})  # fmt: skip
    engine, info, _ = loaded({})
    assert info.engine == "espeak"
    assert engine._download._ended.wait(20)

    renewed = engine.renewed()

    assert renewed is not None
    assert renewed.engine == "sano"
    assert speak(engine, TEXT, renewed.voices[0])[0].engine == "sano"
    assert engine.renewed() is None


# --- in a process of its own ---------------------------------------------------------------


async def test_the_chunks_name_the_engine_that_spoke(folder: Path) -> None:
    backend = LocalBackend(EngineSpec("vieneu_core.engines.embedded:create", of_folder(folder)))
    try:
        await backend.load()
        usual = await synthesize(backend, SynthesisRequest(text="Xin chào các bạn."))
        other = await synthesize(backend, SynthesisRequest(text="Один, xin chào."))
        named = await synthesize(backend, SynthesisRequest(text="Chào.", voice="vi-south"))
        health = await backend.health()
    finally:
        await backend.aclose()

    speakers = [speech.speakers[0] for speech in (usual, other, named)]
    assert [(s.engine, s.voice, s.fallback) for s in speakers] == [
        ("sano", "sano-vi", False),
        ("espeak", "vi-north", True),
        ("espeak", "vi-south", False),
    ]
    assert health.engine == "sano"
    assert health.model == speakers[0].model


def test_the_catalogue_names_source_licence_and_size() -> None:
    model = known_model("sano-vi")

    assert model.licence == "GPL-3.0"
    assert model.is_public
    assert str(model.source).startswith("ampixa/sanoTTS:vi-vais1000-1p46m/manifest.json")
