"""Models by their names, by their place on a hub, and by their path."""

from __future__ import annotations

from pathlib import Path

import pytest

from vieneu_core.errors import ModelLoadError
from vieneu_core.models.catalogue import MODELS, known_model, model_of, model_source
from vieneu_core.models.hub import Hub, find_cached, hub_cache_dir
from vieneu_core.models.source import parse_source


def quiet(*_: object) -> None:
    """Nobody watches."""


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_each_known_model_is_found_by_its_name(model: object) -> None:
    known = next(m for m in MODELS if m is model)

    assert known_model(known.name.upper()) is known
    assert model_of(model_source(known.name)) is known
    assert model_source(str(known.source)).repo == known.source.repo


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        ("vieneu-0.3b-q5", "Did you mean vieneu-0.3b-q8"),
        ("nonsense", "Known: "),
        ("a/b:../x", "no file within"),
        ("a/b:x@../y", "no branch"),
        ("a/b:x#sha256=12", "checksum"),
        ("a//b", "no OWNER/REPOSITORY"),
        ("", "Known: "),
    ],
)
def test_nonsense_is_told_with_what_is_known(text: str, reported: str) -> None:
    with pytest.raises(ModelLoadError, match=reported):
        model_source(text)


@pytest.mark.parametrize(
    ("content", "reported"),
    [
        (b"", "is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1", "Git LFS"),
        (b"<!DOCTYPE html><html>", "web page"),
    ],
)
def test_a_local_file_that_is_no_model_is_told(
    tmp_path: Path, content: bytes, reported: str
) -> None:
    path = tmp_path / "x.gguf"
    path.write_bytes(content)

    with pytest.raises(ModelLoadError, match=reported):
        Hub(cache_dir=tmp_path).fetch(parse_source(str(path)), quiet)


def test_a_local_path_needs_no_hub(tmp_path: Path) -> None:
    path = tmp_path / "x.gguf"
    path.write_bytes(b"GGUF and more")

    assert Hub(cache_dir=tmp_path / "hub").fetch(parse_source(str(path)), quiet) == path
    assert find_cached(parse_source(str(tmp_path)), cache_dir=tmp_path) == tmp_path
    with pytest.raises(ModelLoadError, match="There is no file"):
        Hub(cache_dir=tmp_path).fetch(parse_source(f"{tmp_path}/absent/x.gguf"), quiet)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelLoadError, match=r"folder .* is empty"):
        Hub(cache_dir=tmp_path).fetch(parse_source(f"{tmp_path}/empty"), quiet)


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({"HF_HUB_CACHE": "/a"}, "/a"),
        ({"HF_HOME": "/b"}, "/b/hub"),
        ({"XDG_CACHE_HOME": "/c"}, "/c/huggingface/hub"),
    ],
)
def test_the_cache_is_where_other_programs_of_the_hub_have_it(
    environ: dict[str, str], folder: str
) -> None:
    assert hub_cache_dir(environ) == Path(folder)
