"""Any settings make a notebook that is valid, and in which every value is still only a value."""

from __future__ import annotations

import ast
import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from notebook_cells import SMALL, code_of, wheel
from pydantic import SecretStr, ValidationError

from vieneu_core.credentials import new_auth_token
from vieneu_core.errors import ConfigurationError
from vieneu_core.notebook import (
    Carried,
    FromGit,
    FromPyPI,
    NotebookSettings,
    TunnelKind,
    Wheel,
    render_notebook,
    write_notebook,
)
from vieneu_core.notebook.rendering import literal

CELLS = ["access", "drive", "server", "voices", "start", "watch"]
LETTERS = st.characters(exclude_categories=("C", "Z"), include_characters=" ")
"""All that `str.isprintable` allows; the test never has to draw again."""
PRINTABLE = st.text(LETTERS, min_size=1, max_size=60)


def carried_in(cell: str) -> dict[str, tuple[str, str, str]]:
    """Return what a cell carries: extras, checksum and base64 by file name."""
    (value,) = [
        node.value
        for node in ast.parse(cell).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "WHEELS"
    ]
    found: dict[str, tuple[str, str, str]] = ast.literal_eval(value)
    return found


def assigned(source: str) -> dict[str, Any]:
    """Return what a cell's forms say."""
    return {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id.isupper()
        and node.targets[0].id not in {"WHEELS", "ACCOUNTS", "CAUSES", "CARRIED_VOICES"}
    }


def shape(source: str) -> list[str]:
    """Return what a cell does, without any value."""
    nodes = list(ast.walk(ast.parse(source)))
    return [type(n).__name__ for n in nodes if not isinstance(n, ast.expr_context)]


def passed(source: str, call: str) -> dict[str, Any]:
    """Return the literal arguments of a call."""
    (found,) = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == call
    ]
    return {
        k.arg: ast.literal_eval(k.value)
        for k in found.keywords
        if k.arg is not None and isinstance(k.value, ast.Constant)
    }


def constants(source: str) -> list[Any]:
    """Return all literals of a cell."""
    return [node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)]


REFERENCE = code_of(
    render_notebook(NotebookSettings(model="m", codec="c", engine="sdk", source=SMALL))
)


def test_it_has_six_cells_in_order_and_is_valid_to_its_schema() -> None:
    for language in ("vi", "en"):
        notebook = render_notebook(NotebookSettings(language=language))
        nbformat.validate(notebook)
        assert list(code_of(notebook)) == CELLS
        headings = [c["source"].splitlines()[0] for c in notebook["cells"][1:-1:2]]
        assert [heading[:5] for heading in headings] == [f"## {n} " for n in range(1, 7)]
        assert all(source.startswith("#@title ") for source in code_of(notebook).values())
        assert notebook["metadata"]["colab"]["private_outputs"] is True


@settings(max_examples=30)
@given(
    model=PRINTABLE,
    codec=PRINTABLE,
    voices=st.lists(
        PRINTABLE.map(lambda t: t.replace(",", "").strip()[:40].strip()), max_size=3
    ).map(lambda names: tuple(name for name in names if name)),
    hours=st.floats(min_value=0.01, max_value=24, allow_nan=False),
    drive=st.booleans(),
    hook=st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), max_size=40),
    token=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=16, max_size=80),
)
def test_no_setting_breaks_out_of_its_string(
    model: str,
    codec: str,
    voices: tuple[str, ...],
    hours: float,
    drive: bool,
    hook: str,
    token: str,
) -> None:
    chosen = NotebookSettings(
        engine="sdk",
        model=model,
        codec=codec,
        voices=voices,
        session_hours=hours,
        drive_cache=drive,
        callback_url=SecretStr(f"https://house.example/{hook}"),
        token=SecretStr(token),
        source=SMALL,
    )
    notebook = render_notebook(chosen)
    cells = code_of(notebook)

    assert [c["id"] for c in notebook["cells"]] == [
        c["id"] for c in render_notebook(NotebookSettings(source=SMALL))["cells"]
    ]
    assert {name: shape(source) for name, source in cells.items()} == {
        name: shape(source) for name, source in REFERENCE.items()
    }
    said = {**assigned(cells["start"]), **assigned(cells["drive"])}
    assert (said["MODEL"], said["CODEC"], said["DRIVE_CACHE"]) == (model, codec, drive)
    assert (said["VOICES"], said["SESSION_HOURS"]) == (", ".join(voices), hours)
    assert token in constants(cells["access"])
    given_to_start = passed(cells["start"], "colab.start")
    assert given_to_start["callback_url"] == f"https://house.example/{hook}"
    prose = "".join(c["source"] for c in notebook["cells"] if c["cell_type"] == "markdown")
    assert token not in prose


@given(st.text())
def test_a_literal_is_one_line_and_means_the_same(text: str) -> None:
    written = literal(text)

    assert ast.literal_eval(written) == text
    assert len(written.splitlines()) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"model": "a\nb"},
        {"model": ""},
        {"engine": "pytorch", "model": "../secret"},
        {"engine": "gguf", "codec": "no-such-codec"},
        {"engine": "nonsense"},
        {"voices": ("a,b",)},
        {"voices": (" a",)},
        {"domain": "my house"},
        {"domain": "https://a.ngrok.app"},
        {"domain": "a.ngrok.app", "tunnel": "cloudflared"},
        {"callback_url": "https://house/hook", "tunnel": "none"},
        {"callback_url": "house/hook"},
        {"callback_url": "https://house/ho\nok"},
        {"session_hours": 0},
        {"session_hours": float("nan")},
        {"session_hours": 25},
        {"token": "short"},
        {"token": "with a space " * 4},
        {"token": "é" * 50},
        {"source": {"kind": "pypi", "version": "1; import os"}},
        {"source": {"kind": "git", "url": "https://a b/c"}},
        {"source": {"kind": "git", "url": "https://user:pass@host/c"}},
        {"source": {"kind": "git", "url": "https://h/c", "revision": "-x"}},
        {"source": {"kind": "git", "url": "https://h/c", "revision": "a;b"}},
        {"unknown": 1},
    ],
)
def test_what_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        NotebookSettings.model_validate(wrong)
    assert "pass@host" not in str(caught.value)
    assert "short" not in str(caught.value).replace("too_short", "")


def test_secrets_are_in_the_file_only_where_asked_for_and_never_in_a_repr(tmp_path: Path) -> None:
    token = new_auth_token()
    with_token = NotebookSettings(token=token)
    path = tmp_path / "colab.ipynb"
    write_notebook(with_token, path)

    assert path.stat().st_mode & 0o777 == 0o600
    assert token.get_secret_value() in path.read_text()
    assert "⚠️" in json.loads(path.read_text())["cells"][0]["source"]
    assert token.get_secret_value() not in repr(with_token)
    write_notebook(NotebookSettings(), path)
    cells = code_of(json.loads(path.read_text()))
    assert passed(cells["start"], "colab.start") == {"callback_url": None}
    assert "token = None or asked(" in cells["access"]
    assert len(token.get_secret_value()) >= 43, "256 bits"


def test_what_pip_is_asked_for() -> None:
    def asked(source: FromPyPI | FromGit) -> list[str]:
        cell = code_of(render_notebook(NotebookSettings(source=source)))["server"]
        found: list[str] = assigned(cell)["REQUIREMENTS"]
        return found

    assert asked(FromPyPI(version="1.2.3")) == [
        "vieneu-core==1.2.3",
        "vieneu-colab-server[ngrok]==1.2.3",
    ]
    assert asked(FromGit(url="https://git.example/relay", revision="v1")) == [
        "vieneu-core @ git+https://git.example/relay@v1#subdirectory=packages/vieneu-core",
        (
            "vieneu-colab-server[ngrok] @ git+https://git.example/relay@v1"
            "#subdirectory=packages/vieneu-colab-server"
        ),
    ]


def test_wheels_are_carried_whole_with_their_checksums() -> None:
    core, server = wheel("vieneu_core", big="x" * 5_000), wheel("vieneu_colab_server")
    cell = code_of(render_notebook(NotebookSettings(source=Carried.of([server, core]))))["server"]
    carried = carried_in(cell)

    assert list(carried) == [core.name, server.name]
    for each, extras in ((core, ""), (server, "[ngrok]")):
        assert carried[each.name][0] == extras
        assert base64.b64decode(carried[each.name][2]) == each.content
        assert carried[each.name][1] == hashlib.sha256(each.content).hexdigest()
    assert max(map(len, cell.splitlines())) < 300


def test_where_nothing_is_chosen_the_packages_are_carried_and_no_index_is_asked_for_them() -> None:
    cell = code_of(render_notebook(NotebookSettings()))["server"]
    carried = {name: base64.b64decode(packed) for name, (_, _, packed) in carried_in(cell).items()}
    here = Carried.of_installed()

    assert carried == {w.name: w.content for w in (here.core, here.server)}
    assert "REQUIREMENTS" not in cell
    assert not re.search(r"vieneu-(core|colab-server)\S*[=@]", cell)


@pytest.mark.parametrize(
    "wheels",
    [
        list,
        lambda: [wheel("vieneu_core")],
        lambda: [wheel("vieneu_core"), wheel("vieneu_core"), wheel("vieneu_colab_server")],
        lambda: [wheel("vieneu_core"), wheel("vieneu_colab_server", "0.2.0")],
        lambda: [wheel("another_package"), wheel("vieneu_colab_server")],
        lambda: [Wheel("vieneu_core-0.1.0-py3-none-any.whl", b"no zip")],
        lambda: [Wheel("vieneu_core-0.1.0'-py3-none-any.whl", b"no zip")],
    ],
)
def test_what_cannot_be_carried_is_refused(wheels: Any) -> None:
    with pytest.raises(ConfigurationError):
        Carried.of(wheels())


def test_every_tunnel_can_be_chosen() -> None:
    for tunnel in TunnelKind:
        cell = code_of(render_notebook(NotebookSettings(tunnel=tunnel, source=SMALL)))["access"]
        assert assigned(cell)["TUNNEL"] == tunnel.value
