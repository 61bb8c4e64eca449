"""Notebooks that were saved before the package `colab` had this name."""

from __future__ import annotations

from vieneu_colab_server import colab, notebook


def test_a_saved_notebook_finds_its_calls_under_the_former_name() -> None:
    for name in ("prepare", "fetch_model", "start", "launch", "Relay"):
        assert getattr(notebook, name) is getattr(colab, name)
