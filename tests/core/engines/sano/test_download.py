"""The download of the embedded voice: once, resumed, and never in the way of speech."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from embedded_voice import TEXT, loaded_embedded, speak_embedded
from guard import GUARD_S
from hub_site import HubSite, hub_site
from sano_voice import files_of, write_sano_voice

from vieneu_core.backends.base import synthesize
from vieneu_core.backends.local import LocalBackend
from vieneu_core.engines.base import EngineInfo
from vieneu_core.engines.sano.fetching import DownloadDeadlines, FailureRecord
from vieneu_core.errors import ModelLoadError
from vieneu_core.worker.spec import EngineSpec

PACKAGE = "vi-vais1000-1p46m"
WAIT: dict[str, object] = {"fetch": "wait"}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder without voices, and a network."""
    for name in ("HF_HUB_OFFLINE", "HF_HOME", "HF_HUB_CACHE", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def site(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubSite]:
    voice = write_sano_voice(home / "published")
    with hub_site() as site:
        site.files["ampixa/sanoTTS"] = files_of(voice, PACKAGE)
        monkeypatch.setenv("HF_ENDPOINT", site.url)
        yield site


def test_a_missing_voice_is_downloaded_once_with_progress(site: HubSite) -> None:
    _, info, steps = loaded_embedded(WAIT)
    n_asked = len(site.asked)
    again = loaded_embedded(WAIT)[1]

    assert info.engine == again.engine == "sano"
    assert info.model.startswith(PACKAGE)
    assert "GPL-3.0" in steps[0].step, "the licence is shown before the first byte comes"
    assert len(site.asked) == n_asked > 3
    assert not site.tokens


@pytest.fixture
def no_espeak(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine for which eSpeak is not published, as Home Assistant OS (musl)."""
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)


@pytest.mark.usefixtures("no_espeak")
def test_where_nothing_else_speaks_the_start_waits_for_the_voice(site: HubSite) -> None:
    engine, info, steps = loaded_embedded({})

    assert [voice.id for voice in info.voices] == ["sano-vi"]
    assert any("GPL-3.0" in now.step for now in steps)
    assert site.asked
    assert not engine.may_renew


@pytest.mark.usefixtures("no_espeak")
def test_where_nothing_else_speaks_a_download_that_has_just_failed_is_tried_again(
    site: HubSite,
) -> None:
    published = dict(site.files)
    site.files.clear()
    with pytest.raises(ModelLoadError, match=r"sano: .*espeak: "):
        loaded_embedded({})
    site.files |= published

    assert loaded_embedded({})[1].engine == "sano"


@pytest.mark.usefixtures("no_espeak")
def test_where_nothing_else_speaks_a_silent_hub_is_waited_for(site: HubSite) -> None:
    site.pause_s = 0.3
    deadlines = DownloadDeadlines(silent_s=0.0)

    assert loaded_embedded({}, deadlines)[1].engine == "sano"


def test_a_running_process_tries_a_failed_download_again_after_an_hour(
    site: HubSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = dict(site.files)
    site.files.clear()
    engine, info, _ = loaded_embedded(WAIT)
    assert info.engine == "espeak"
    n_asked = len(site.asked)
    assert engine.renewed() is None
    assert len(site.asked) == n_asked, "not at once"

    site.files |= published
    monkeypatch.setattr("vieneu_core.engines.sano.fetching.RETRY_AFTER_S", 0.0)
    renewed = within_a_while(engine.renewed)

    assert renewed is not None
    assert renewed.engine == "sano"
    assert not engine.may_renew


@pytest.mark.usefixtures("no_espeak")
@pytest.mark.parametrize("options", [{"fetch": "never"}, {"sano": {"offline": True}}])
def test_where_nothing_else_speaks_a_download_may_still_be_forbidden(
    site: HubSite, options: dict[str, object]
) -> None:
    with pytest.raises(ModelLoadError, match="No engine can be loaded"):
        loaded_embedded(options)
    assert site.asked == []


def test_nothing_is_downloaded_where_that_is_not_wanted(site: HubSite) -> None:
    assert loaded_embedded({"fetch": "never"})[1].engine == "espeak"
    assert site.asked == []


@pytest.mark.parametrize("value", ["1", "true", "ON"])
def test_nothing_is_downloaded_while_the_hub_is_offline(
    site: HubSite, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", value)

    assert loaded_embedded(WAIT)[1].engine == "espeak"
    assert loaded_embedded(WAIT | {"sano": {"offline": True}})[1].engine == "espeak"
    assert site.asked == []


def test_a_failed_download_is_not_repeated_at_each_start(site: HubSite, home: Path) -> None:
    site.files.clear()

    assert loaded_embedded(WAIT)[1].engine == "espeak"
    n_asked = len(site.asked)
    assert loaded_embedded(WAIT)[1].engine == "espeak"

    record = home / ".local/state/vieneu/voice-download.json"
    assert len(site.asked) == n_asked > 0
    assert FailureRecord(record).reason("sano-vi")


def test_after_an_hour_it_is_tried_again(site: HubSite, home: Path) -> None:
    record = home / ".local/state/vieneu/voice-download.json"
    record.parent.mkdir(parents=True)
    record.write_text(json.dumps({"sano-vi": {"at": 1_000_000, "why": "x"}}), "utf-8")

    assert FailureRecord(record).is_recent("sano-vi", 1_003_000)
    assert not FailureRecord(record).is_recent("sano-vi", 900_000)
    assert loaded_embedded(WAIT)[1].engine == "sano"
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


def test_a_hub_that_sends_nothing_is_waited_for_once(site: HubSite, home: Path) -> None:
    deadlines = DownloadDeadlines(silent_s=0.3, longest_s=30.0)
    site.n_silent = 1_000

    assert loaded_embedded(WAIT, deadlines)[1].engine == "espeak"
    n_asked = len(site.asked)
    _, info, _ = loaded_embedded(WAIT, deadlines)

    assert info.engine == "espeak"
    assert len(site.asked) == n_asked > 0, "it has started no other download"
    assert FailureRecord(home / ".local/state/vieneu/voice-download.json").is_recent("sano-vi")


def test_a_download_that_was_cut_is_resumed(site: HubSite, home: Path) -> None:
    weights = site.files["ampixa/sanoTTS"][f"{PACKAGE}/weights.fp16.bin"]

    site.cut_after = [100]

    assert loaded_embedded(WAIT)[1].engine == "sano"
    assert "bytes=100-" in site.ranges
    found = list((home / "cache").rglob("weights.fp16.bin"))
    assert [path.read_bytes() for path in found] == [weights]


def test_changed_weights_are_refused_and_espeak_speaks(site: HubSite) -> None:
    site.corrupt = True

    _, info, steps = loaded_embedded(WAIT)

    assert info.engine == "espeak"
    assert any("is damaged" in now.step for now in steps)


def within_a_while(call: Callable[[], EngineInfo | None]) -> EngineInfo | None:
    """Return the first result that is not None."""
    ends_at = time.monotonic() + GUARD_S
    while time.monotonic() < ends_at:
        if (found := call()) is not None:
            return found
        time.sleep(0.02)
    return None


def test_a_voice_that_comes_late_is_offered_after_the_next_sentence(site: HubSite) -> None:
    deadlines = DownloadDeadlines(silent_s=GUARD_S, longest_s=0.0)
    site.may_send.clear()
    engine, info, _ = loaded_embedded(WAIT, deadlines)
    assert info.engine == "espeak"
    assert engine.renewed() is None
    site.may_send.set()

    renewed = within_a_while(engine.renewed)

    assert renewed is not None
    assert renewed.engine == "sano"
    assert speak_embedded(engine, TEXT, renewed.voices[0])[0].engine == "sano"
    assert engine.renewed() is None


@pytest.mark.usefixtures("site")
async def test_a_running_process_offers_the_voice_once_it_is_there() -> None:
    spec = EngineSpec("vieneu_core.engines.embedded:create")
    backend = LocalBackend(spec)
    try:
        await backend.load()
        async with asyncio.timeout(GUARD_S):
            while (await backend.health()).engine != "sano":  # noqa: ASYNC110 - there is no event
                await asyncio.sleep(0.02)
        voices = await backend.voices()
        speech = await synthesize(backend, "Xin chào.")
    finally:
        await backend.aclose()

    assert voices[0].id == "sano-vi"
    assert speech.speakers[0].engine == "sano"
