"""Cell 4: voices from clips that the notebook carries, or from files."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path

import pytest
from colab_cells import TOKEN
from pydantic import SecretStr
from voice_clips import wav_file

from vieneu_colab_server import colab
from vieneu_core.audio.decode import MAX_CLIP_BYTES
from vieneu_core.backends.base import synthesize
from vieneu_core.backends.remote import RemoteBackend
from vieneu_core.errors import InvalidRequestError, ReferenceAudioError
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.voices import VoiceCatalogue
from vieneu_core.worker.spec import EngineSpec

TEXT = "Chào con, hôm nay con có khoẻ không?"
CLIP = base64.b64encode(wav_file()).decode()
CLONING = EngineSpec("tone_engine:create", {"clones": True})


def names(folder: Path) -> list[str]:
    return [voice.name for voice in VoiceCatalogue(folder).voices()]


def test_carried_voices_and_that_of_the_form_are_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = tmp_path / "ông.wav"
    clip.write_bytes(wav_file())
    folder = colab.add_voices(
        [("Bà Ngoại", TEXT, CLIP)],
        name=" Ông Nội ",
        clip=f" {clip} ",
        transcript=TEXT,
        folder=str(tmp_path / "voices"),
    )

    assert names(folder) == ["Bà Ngoại", "Ông Nội"]
    shown = capsys.readouterr().out
    for voice in VoiceCatalogue(folder).voices():
        assert f"Đã thêm giọng {voice.name}. Mã giọng: {voice.id}." in shown


def test_running_the_cell_again_replaces_a_voice_and_adds_others(tmp_path: Path) -> None:
    clip, folder = tmp_path / "a.wav", str(tmp_path / "voices")
    clip.write_bytes(wav_file(4))
    carried = [("Bà Ngoại", TEXT, CLIP)]
    for name in ("Bà Ngoại", "Lan", "Lan"):
        form = {"name": name, "clip": str(clip), "transcript": TEXT}
        kept = colab.add_voices(carried, **form, folder=folder)

    assert names(kept) == ["Bà Ngoại", "Lan"]


def test_an_empty_form_adds_nothing_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    colab.add_voices(folder=str(tmp_path / "voices"), language="en")

    assert "No voice of your own was added" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("form", "error", "reported"),
    [
        ({"name": "A", "clip": "/no/such.wav", "transcript": TEXT}, ReferenceAudioError, "ô 4"),
        ({"name": "A", "clip": "/dev", "transcript": TEXT}, ReferenceAudioError, "ô 4"),
        ({"name": "A", "clip": "a\0b", "transcript": TEXT}, ReferenceAudioError, "ô 4"),
        ({"name": "A", "clip": "{clip}", "transcript": ""}, ReferenceAudioError, "ghi lại lời"),
        ({"name": "A", "clip": "{text}", "transcript": TEXT}, ReferenceAudioError, ""),
        ({"name": "", "clip": "{clip}", "transcript": TEXT}, InvalidRequestError, ""),
    ],
)
def test_a_clip_that_cannot_be_used_is_told_in_vietnamese(
    form: dict[str, str], error: type[Exception], reported: str, tmp_path: Path
) -> None:
    clip, text = tmp_path / "a.wav", tmp_path / "a.txt"
    clip.write_bytes(wav_file())
    text.write_text("no audio")
    form["clip"] = form["clip"].format(clip=clip, text=text)

    with pytest.raises(error) as caught:
        colab.add_voices(**form, folder=str(tmp_path / "voices"))  # type: ignore[arg-type]
    shown = caught.value._render_traceback_()  # type: ignore[attr-defined]
    assert caught.value.detail not in shown[0]  # type: ignore[attr-defined]
    assert reported in shown[1]
    assert names(tmp_path / "voices") == []


def test_a_clip_that_is_too_large_is_refused_as_such(tmp_path: Path) -> None:
    clip = tmp_path / "a.wav"
    with clip.open("wb") as file:
        file.truncate(MAX_CLIP_BYTES + 1)
    with pytest.raises(ReferenceAudioError, match="more than 64 MiB"):
        colab.add_voices(name="A", clip=str(clip), transcript=TEXT, folder=str(tmp_path / "v"))


def test_a_damaged_clip_in_the_notebook_is_told_by_its_name(tmp_path: Path) -> None:
    for damaged in ("not base64!", base64.b64encode(b"no audio").decode()):
        with pytest.raises(ReferenceAudioError):
            colab.add_voices([("Bà", TEXT, damaged)], folder=str(tmp_path / "voices"))


def test_a_voice_of_the_notebook_is_spoken_by_the_server(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = colab.add_voices([("Bà Ngoại", TEXT, CLIP)], folder=str(tmp_path / "voices"))
    (voice,) = VoiceCatalogue(folder).voices()
    relay = colab.start(
        CLONING, tunnel="none", token=TOKEN, voices=voice.id, voices_folder=folder, language="en"
    )
    try:
        spoken, listed = asyncio.run(listen(str(relay.url), voice.id))
    finally:
        relay.close()

    assert f"Voice prepared: {voice.id}" in capsys.readouterr().out
    assert voice.id in listed
    assert spoken == voice.id


async def listen(url: str, voice: str) -> tuple[str | None, list[str]]:
    async with RemoteBackend(url, SecretStr(TOKEN)) as backend:
        speech = await synthesize(backend, SynthesisRequest(text="Xin chào.", voice=voice))
        return speech.chunks[0].speaker.voice, [each.id for each in await backend.voices()]
