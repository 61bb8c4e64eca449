"""What a reader sees of a notebook: its forms, its help, and the voices in it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from notebook_cells import SMALL, carried_voices, code_of
from pydantic import ValidationError

from vieneu_core.i18n import Messages
from vieneu_core.i18n.catalog import catalogue
from vieneu_core.notebook import NotebookSettings, VoiceSample, render_notebook
from vieneu_core.notebook.failures import CODES


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_field_of_a_form_is_explained_in_the_readers_language(language: str) -> None:
    for source in code_of(
        render_notebook(NotebookSettings(language=language, source=SMALL))
    ).values():
        lines = source.splitlines()
        for before, line in pairwise(lines):
            if "#@param" in line:
                name = line.partition(" ")[0]
                assert before.startswith(f"#@markdown **{name}**: "), line
                others = [
                    Messages(other, "notebook") for other in ("vi", "en") if other != language
                ]
                assert all(before not in f"#@markdown {text}" for text in forms(others[0]))


def forms(messages: Messages) -> list[str]:
    keys = [key for key in catalogue("en") if key.startswith("notebook.form_")]
    return [messages(key.removeprefix("notebook.")) for key in keys]


def test_the_last_cell_explains_each_failure_and_needs_no_other_page() -> None:
    for language in ("vi", "en"):
        notebook = render_notebook(NotebookSettings(language=language, source=SMALL))
        text = "\n".join(cell["source"] for cell in notebook["cells"])
        shown = notebook["cells"][-1]["source"]

        assert notebook["cells"][-1]["id"] == "help"
        assert all(f"### {code}\n" in shown for code in (*CODES, "token_not_shown", "tunnel_open"))
        assert "docs/" not in text


def test_a_voice_is_carried_with_its_name_its_transcript_and_its_clip() -> None:
    samples = [
        VoiceSample(name="Bà Ngoại", transcript='Cô ấy nói: "Chào con".', clip=b"RIFF" * 100),
        VoiceSample(name="Ông {x} 'Nội'", transcript="Xin chào.", clip=b"fLaC\x00"),
    ]
    notebook = render_notebook(NotebookSettings(samples=tuple(samples), source=SMALL))

    assert carried_voices(notebook) == [
        (sample.name, sample.transcript, sample.clip) for sample in samples
    ]
    assert "Bà Ngoại, Ông {x} 'Nội'" in next(
        cell["source"] for cell in notebook["cells"] if cell["id"] == "voices-heading"
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "a\nb"},
        {"name": " a"},
        {"name": ""},
        {"transcript": ""},
        {"clip": b""},
        {"clip": bytes(1 + (1 << 20))},
        {"path": "a"},
    ],
)
def test_a_voice_that_cannot_be_carried_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        VoiceSample.model_validate({"name": "a", "transcript": "b", "clip": b"c", **wrong})
    sample = VoiceSample(name="a", transcript="b", clip=b"c")
    with pytest.raises(ValidationError):
        NotebookSettings(samples=(sample,) * 9)
