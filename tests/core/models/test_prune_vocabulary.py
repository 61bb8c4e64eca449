from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import gguf
import pytest
from checkpoint import network
from checkpoint.gguf_model import write_gguf
from guard import GUARD_S
from llama_library import NEEDS_C_INTERFACE, NEEDS_LLAMA_CPP, open_llama_cpp

from vieneu_core.engines.gguf.llama_cpp_python import LlamaCppPython
from vieneu_core.engines.gguf.reachable_tokens import reachable_tokens
from vieneu_core.engines.speech_lm.model import (
    CodeModelSettings,
    CodePrompt,
    ReferencePrompt,
    Sampling,
)
from vieneu_core.errors import MissingExtraError, ModelLoadError
from vieneu_core.models.catalogue import PromptFormat
from vieneu_core.models.prune_vocabulary import ROW_MULTIPLE, TRIMMED_KEY, TrimReport, trim

N_WORDS = 3000
SENTENCES = (
    "hˈom nˈaj tʃˈəː2j ɗˈɛ6p kwˈaːɜ.",
    "mˈo6t hˈaːj bˈaː, bˈoɜn nˈam sˈaɜw!",
    "ŋwˈiɛ5n hwˈe6 ŋˈiɛŋ ŋˈiɛŋ xwˈiə xwˈaɜt̪.",
    "həlˈoʊ ˈɛvɹɪwˌʌn, ðˈɪs ɪz ɐ stɹˈɛŋθs tˈɛst?",
)
AN = ReferencePrompt(phonemes="sˈin tʃˈaːw kˌaːɜc bˈaː6n.", codes=tuple(range(40)))


def quiet(*_: int) -> None:
    """Nobody watches."""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gguf") / "whole.gguf"
    write_gguf(path, n_codes=1024, n_words=N_WORDS)
    return path


@pytest.fixture(scope="module")
def reachable(source: Path) -> frozenset[int]:
    return reachable_tokens(source, (*SENTENCES, AN.phonemes), quiet)


@pytest.fixture(scope="module")
def trimmed(source: Path, reachable: frozenset[int]) -> tuple[Path, TrimReport]:
    target = source.with_name("trimmed.gguf")
    return target, trim(source, target, reachable=reachable, progress=quiet)


def codes(path: Path, format: PromptFormat) -> Iterator[list[int]]:  # noqa: A002 - the word of this field
    model = open_llama_cpp(
        path, CodeModelSettings(format=format, sampling=Sampling(temperature=0), threads=1)
    )
    for sentence in SENTENCES:
        prompt = CodePrompt(phonemes=sentence, reference=AN)
        yield list(model.codes(prompt, lambda: False))
    model.close()


@NEEDS_C_INTERFACE
@pytest.mark.parametrize("format", list(PromptFormat))
def test_the_same_codes_are_spoken(
    source: Path,
    trimmed: tuple[Path, TrimReport],
    format: PromptFormat,  # noqa: A002 - the word of this field
) -> None:
    before = list(codes(source, format))

    assert list(codes(trimmed[0], format)) == before
    assert all(len(sentence) > 10 for sentence in before)


@NEEDS_C_INTERFACE
def test_what_is_never_used_is_gone(source: Path, trimmed: tuple[Path, TrimReport]) -> None:
    path, report = trimmed

    assert report.tokens_before == len(network.vocabulary(1024, n_words=N_WORDS).tokens)
    assert report.tokens_after < report.tokens_before - 0.8 * N_WORDS
    assert report.tokens_after % ROW_MULTIPLE == 0
    assert (report.bytes_before, report.bytes_after) == (
        source.stat().st_size,
        path.stat().st_size,
    )
    assert report.bytes_after < report.bytes_before


@NEEDS_LLAMA_CPP
def test_each_text_is_cut_into_the_same_tokens(
    source: Path, trimmed: tuple[Path, TrimReport]
) -> None:
    cuts = []
    for path in (source, trimmed[0]):
        library = LlamaCppPython()
        model = library.open_model(path, vocabulary_only=True)
        vocabulary = library.c.llama_model_get_vocab(model)
        cuts.append(
            [
                [
                    library.c.llama_vocab_get_text(vocabulary, token)
                    for token in library.tokens_of(model, text)
                ]
                for text in (*SENTENCES, " ".join(SENTENCES), "user: Convert the text to speech:")
            ]
        )
        library.free_model(model)

    assert cuts[0] == cuts[1]


@NEEDS_C_INTERFACE
def test_all_but_the_vocabulary_is_copied_bit_for_bit(
    source: Path, trimmed: tuple[Path, TrimReport]
) -> None:
    whole, small = gguf.GGUFReader(source), gguf.GGUFReader(trimmed[0])
    for before, after in zip(whole.tensors, small.tensors, strict=True):
        assert (before.name, before.tensor_type) == (after.name, after.tensor_type)
        if before.name not in {"token_embd.weight", "output.weight"}:
            assert before.data.tobytes() == after.data.tobytes()
    changed = {
        key
        for key, field in whole.fields.items()
        if not key.startswith("GGUF.") and small.fields[key].contents() != field.contents()
    }
    assert changed == {
        "tokenizer.ggml.tokens",
        "tokenizer.ggml.token_type",
        "tokenizer.ggml.merges",
        "tokenizer.ggml.eos_token_id",
        "tokenizer.ggml.padding_token_id",
    }
    assert small.fields[TRIMMED_KEY].contents() == trimmed[1].tokens_before


@NEEDS_C_INTERFACE
def test_each_row_belongs_to_the_same_token(source: Path, trimmed: tuple[Path, TrimReport]) -> None:
    def rows(path: Path) -> dict[str, bytes]:
        reader = gguf.GGUFReader(path)
        names = reader.fields["tokenizer.ggml.tokens"].contents()
        tensor = next(t for t in reader.tensors if t.name == "token_embd.weight")
        return {name: row.tobytes() for name, row in zip(names, tensor.data, strict=True)}

    assert rows(trimmed[0]).items() <= rows(source).items()


@NEEDS_C_INTERFACE
def test_a_text_beyond_the_trimmed_words_is_still_spoken(trimmed: tuple[Path, TrimReport]) -> None:
    settings = CodeModelSettings(
        format=PromptFormat.PLAIN, sampling=Sampling(temperature=0), threads=1
    )
    model = open_llama_cpp(trimmed[0], settings)
    prompt = CodePrompt(phonemes="qqq zzz xyz abcabc đườ 漢字", reference=AN)

    assert list(model.codes(prompt, lambda: False))[:3] == [40, 41, 42]
    model.close()


@NEEDS_C_INTERFACE
def test_trimming_twice_is_refused(trimmed: tuple[Path, TrimReport], tmp_path: Path) -> None:
    with pytest.raises(ModelLoadError, match="trimmed already"):
        trim(trimmed[0], tmp_path / "again.gguf", reachable=(), progress=quiet)


@NEEDS_C_INTERFACE
def test_the_source_is_never_overwritten(source: Path, reachable: frozenset[int]) -> None:
    before = source.read_bytes()

    with pytest.raises(ModelLoadError, match="overwritten"):
        trim(source, source.parent / "." / source.name, reachable=reachable, progress=quiet)
    assert source.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"GGUF", b"<html>" * 100, b"GGUF" + b"\xff" * 200])
def test_what_is_no_gguf_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "odd.gguf"
    path.write_bytes(content)

    with pytest.raises(ModelLoadError, match=r"odd\.gguf"):
        trim(path, tmp_path / "out.gguf", reachable=(), progress=quiet)
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_leaves_nothing_behind(source: Path, tmp_path: Path) -> None:
    """The limit of a process on the size of its files stands for the end of the disk."""
    program = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from vieneu_core.models.prune_vocabulary import trim\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))\n"
        "trim(Path(sys.argv[1]), Path(sys.argv[2]), reachable=(), progress=lambda *_: None)\n"
    )
    target = tmp_path / "out.gguf"

    done = subprocess.run(
        [sys.executable, "-c", program, str(source), str(target)],
        check=False,
        capture_output=True,
        text=True,
        timeout=GUARD_S,
    )

    assert "ModelLoadError" in done.stderr
    assert "cannot be written" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_package_that_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, source: Path, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "gguf", None)

    with pytest.raises(MissingExtraError, match=r"vieneu-core\[optimize\]"):
        trim(source, tmp_path / "out.gguf", reachable=(), progress=quiet)
