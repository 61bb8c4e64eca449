"""Notebooks that were saved before the package `colab` had this name."""

from __future__ import annotations

from vieneu_colab_server import colab, notebook


def test_a_saved_notebook_finds_its_calls_under_the_former_name() -> None:
    for name in ("prepare", "start", "launch", "Relay"):
        assert getattr(notebook, name) is getattr(colab, name)
    assert notebook.fetch_model is colab.choose_model
