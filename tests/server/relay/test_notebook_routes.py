"""Custom voices that the relay's notebook carries."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from notebook_cells import carried_voices
from relay_site import RelaySite, relaying
from voice_clips import clip

from vieneu_core.audio.decode import decode_clip
from vieneu_core.notebook import NotebookSettings, notebook_file, write_notebook


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[RelaySite]:
    async with relaying(tmp_path) as site:
        for name in ("Bà Ngoại", "Ông Nội"):
            site.administration.voices.add(name, clip())
        yield site


async def offered(site: RelaySite) -> dict[str, Any]:
    form = await site.call("GET", "/notebook")
    (field,) = [field for field in form["fields"] if field["name"] == "samples"]
    return field  # type: ignore[no-any-return]


async def test_the_form_offers_the_custom_voices_and_chooses_none(site: RelaySite) -> None:
    field = await offered(site)

    assert field["labels"] == {"ba-ngoai": "Bà Ngoại", "ong-noi": "Ông Nội"}
    assert field["choices"] == ["ba-ngoai", "ong-noi"]
    assert (field["default"], field["maximum"]) == ([], 8)
    await site.call("DELETE", "/voices/ong-noi", status=204)
    assert (await offered(site))["choices"] == ["ba-ngoai"]


async def test_the_file_is_the_one_that_the_command_writes(site: RelaySite, tmp_path: Path) -> None:
    settings = NotebookSettings(language="en", model="a/model")
    write_notebook(settings, tmp_path / "colab.ipynb")

    async with site.api("POST", "/notebook", json={"language": "en", "model": "a/model"}) as made:
        assert await made.read() == (tmp_path / "colab.ipynb").read_bytes()
    assert notebook_file(settings) == (tmp_path / "colab.ipynb").read_bytes()


async def test_the_form_states_the_licences_of_models_and_voices(site: RelaySite) -> None:
    fields = {field["name"]: field for field in (await site.call("GET", "/notebook"))["fields"]}

    assert fields["model"]["licences"]["vieneu-0.5b-q4"] == "Apache-2.0 / CC-BY-NC-4.0"
    assert fields["engine"]["licences"] == {}


@pytest.mark.parametrize("choices", [{}, {"samples": []}])
async def test_no_voice_is_carried_that_was_not_chosen(
    site: RelaySite, choices: dict[str, Any]
) -> None:
    assert carried_voices(await site.call("POST", "/notebook", json=choices)) == []


async def test_the_chosen_voice_is_carried_with_its_clip(site: RelaySite) -> None:
    made = await site.call("POST", "/notebook", json={"samples": ["ong-noi", "ong-noi"]})

    ((name, transcript, audio),) = carried_voices(made)
    assert (name, transcript) == ("Ông Nội", clip().transcript)
    assert decode_clip(audio, max_seconds=20).pcm == clip().pcm


@pytest.mark.parametrize(
    ("samples", "status", "reported"),
    [
        (["nobody"], 404, "nobody"),
        ([str(n) for n in range(9)], 422, "at most 8"),
        ("ong-noi", 422, "samples"),
        ([{"name": "a", "transcript": "b", "clip": "c"}], 422, "samples"),
        (["x" * 101], 422, "samples"),
        (["\ud800"], 422, "samples"),
        ({"ong-noi": 1}, 422, "samples"),
    ],
)
async def test_what_cannot_be_carried_is_named(
    site: RelaySite, samples: object, status: int, reported: str
) -> None:
    problem = await site.call("POST", "/notebook", status=status, json={"samples": samples})

    assert reported in problem["detail"]


async def test_a_voice_whose_files_somebody_changed_is_named(site: RelaySite) -> None:
    about = site.administration.voices.folder / "ong-noi/voice.json"
    reported = json.loads(about.read_text("utf-8"))
    about.write_text(json.dumps({**reported, "name": "a\u0007b"}), "utf-8")

    problem = await site.call("POST", "/notebook", status=422, json={"samples": ["ong-noi"]})

    assert "'ong-noi'" in problem["detail"]
