"""Errors in a cell: a few lines, in one language from end to end."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import vieneu_colab_server
from vieneu_colab_server.colab.ipython_errors import error_lines, short_traceback
from vieneu_core.errors import VieneuError, all_error_classes
from vieneu_core.i18n import Messages

SERVER = Path(str(vieneu_colab_server.__file__)).parent
IN_A_CELL = [
    cls
    for cls in all_error_classes()
    if cls.__module__.startswith("vieneu_colab_server.")
    and ".relay." not in cls.__module__
    and "code" in vars(cls)
]
"""Errors of the server's parts that a notebook runs."""
VIETNAMESE = re.compile(r"[àáảãạăằắẳẵặâầấẩẫậđèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵ]")


def test_only_named_failures_are_shown_so() -> None:
    @short_traceback
    def broken() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught:
        broken()
    assert not hasattr(caught.value, "_render_traceback_")


def test_all_of_them_are_checked() -> None:
    assert len(IN_A_CELL) > 10
    assert {"tunnel_open", "server_start", "relay_closed", "engine_conflict"} <= {
        cls.code for cls in IN_A_CELL
    }


@pytest.mark.parametrize("cls", IN_A_CELL, ids=lambda cls: cls.code)
def test_title_and_remedy_are_vietnamese_in_the_vietnamese_notebook(cls: type[VieneuError]) -> None:
    shown = error_lines(cls("x."), "vi")
    english = error_lines(cls("x."), "en")

    assert cls.title in english[0]
    assert cls.default_remedy in english[1]
    assert VIETNAMESE.search(shown[0]), shown
    assert VIETNAMESE.search(shown[1]), shown
    assert cls.default_remedy not in shown[1]


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("cls", IN_A_CELL, ids=lambda cls: cls.code)
def test_the_help_that_an_error_names_is_in_the_notebook(
    cls: type[VieneuError], language: str
) -> None:
    last = error_lines(cls("x."), language)[-1]

    assert cls.code in Messages(language, "notebook.help")
    assert f"“{cls.code}”" in last
    assert "docs/" not in last


def test_no_cell_names_a_file_of_the_repository() -> None:
    texts = [
        node.value
        for path in (SERVER / "colab").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    assert [text for text in texts if "docs/colab.md" in text] == []
