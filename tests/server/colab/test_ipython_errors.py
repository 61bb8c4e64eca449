"""Errors in a cell: a few lines, in one language from end to end."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import vieneu_colab_server
from vieneu_colab_server import colab
from vieneu_colab_server.colab.ipython_errors import error_lines, short_traceback
from vieneu_core.errors import VieneuError, all_error_classes
from vieneu_core.i18n import Messages

SERVER = Path(str(vieneu_colab_server.__file__)).parent
IN_A_CELL = [
    cls
    for cls in all_error_classes()
    if cls.__module__.startswith("vieneu_colab_server.")
    and ".relay." not in cls.__module__
    and not cls.__module__.endswith(".shared_counts")  # of several servers, which share a Redis
    and "code" in vars(cls)
]
"""Errors of the server's parts that a notebook runs."""


class OddError(Exception):
    """One that has no text."""


VIETNAMESE = re.compile(r"[àáảãạăằắẳẵặâầấẩẫậđèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵ]")


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize(
    "error", [ZeroDivisionError("by zero"), OSError(28, "No space"), OddError()]
)
def test_an_unexpected_error_is_explained_before_its_traceback(
    error: Exception, language: str
) -> None:
    @short_traceback
    def broken(*, language: str) -> None:
        del language
        raise error

    with pytest.raises(type(error)) as caught:
        broken(language=language)
    what, what_next, gap, *traceback = caught.value._render_traceback_()  # type: ignore[attr-defined]  # IPython looks for it
    assert type(error).__name__ in what
    assert bool(VIETNAMESE.search(what)) == bool(VIETNAMESE.search(what_next)) == (language == "vi")
    assert gap == ""
    assert traceback[0].startswith("Traceback")
    assert type(error).__name__ in traceback[-1]
    assert any("in broken" in line for line in traceback)


@pytest.mark.parametrize("signal", [KeyboardInterrupt, SystemExit])
def test_what_ends_a_cell_is_no_error(signal: type[BaseException]) -> None:
    @short_traceback
    def ended() -> None:
        raise signal

    with pytest.raises(signal) as caught:
        ended()
    assert not hasattr(caught.value, "_render_traceback_")


def test_every_function_that_a_cell_calls_shows_its_errors_so() -> None:
    called = [getattr(colab, name) for name in colab.__all__ if name.islower()]

    assert len(called) == 5
    assert all(hasattr(function, "__wrapped__") for function in called)


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
