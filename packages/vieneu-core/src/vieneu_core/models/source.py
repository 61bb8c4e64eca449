"""Where a model comes from: a path of this machine, or files of a repository on a model hub."""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass
from pathlib import Path

from vieneu_core.errors import ModelLoadError
from vieneu_core.translatable import Translatable

MAIN = "main"
"""The revision that is meant where none is named."""
TRANSFORMERS_FILES = ("*.json", "*.jinja", "*.model", "*.safetensors", "*.txt")
"""What transformers reads of a repository: weights, configuration, vocabulary; and voices.json."""
HOW_TO_NAME = (
    "Write a path that begins with / or ~, OWNER/REPOSITORY:FILE, or the name of a known model."
)

# The rules of https://huggingface.co/docs/hub/repositories, as strict as the hub itself is.
_REPO = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9_][\w.-]{0,95}", re.ASCII)
_REVISION = re.compile(r"[A-Za-z0-9_][\w./-]{0,199}", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SHAPE = re.compile(
    r"(?P<repo>[^:@#\s]+/[^:@#\s]+?)(?::(?P<files>[^@#]+))?(?:@(?P<revision>[^@#\s]+))?"
    r"(?:#sha256=(?P<sha256>[0-9A-Fa-f]+))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSource:
    """One file or a folder of files of a model.

    Raises:
        ModelLoadError: it names nothing that could exist.
    """

    path: Path | None = None
    """A file or folder of this machine; then nothing else is given."""
    repo: str = ""
    """``owner/name`` on the hub."""
    files: tuple[str, ...] = ()
    """File names within the repository, or patterns of them (``*.json``). One name is a file, more
    are a folder."""
    revision: str = MAIN
    """Branch, tag or commit."""
    sha256: str | None = None
    """What the one file must hold, as 64 lower-case hexadecimal digits."""
    name: str | None = None
    """Name of the known model that it stands for; only for messages."""

    def __post_init__(self) -> None:
        if self.path is None:
            self._check_repository()
        if self.sha256 is not None and not (_SHA256.fullmatch(self.sha256) and not self.is_folder):
            raise ModelLoadError(
                Translatable(
                    "{source} cannot be held against the checksum {sha256!r}.",
                    source=self,
                    sha256=self.sha256,
                ),
                remedy="A SHA-256 has 64 hexadecimal digits, and belongs to one file.",
            )

    def __str__(self) -> str:
        if self.path is not None:
            return str(self.path)
        revision = "" if self.revision == MAIN else f"@{self.revision}"
        return f"{self.repo}:{','.join(self.files)}{revision}"

    @property
    def is_folder(self) -> bool:
        """Whether it stands for several files."""
        if self.path is not None:
            return self.path.is_dir()
        return len(self.files) != 1 or is_pattern(self.files[0])

    @property
    def is_commit(self) -> bool:
        """Whether the revision is a commit, so that it always means the same files."""
        return _COMMIT.fullmatch(self.revision) is not None

    @property
    def wanted(self) -> str:
        """What ``vieneu models get`` takes to fetch it."""
        return self.name or str(self)

    def _check_repository(self) -> None:
        if not _REPO.fullmatch(self.repo) or ".." in self.repo or "--" in self.repo:
            raise _invalid(Translatable("{repo!r} is no OWNER/REPOSITORY.", repo=self.repo))
        if not self.files:
            raise _invalid(Translatable("No file of {repo} is named.", repo=self.repo))
        for file in self.files:
            if not is_plain(file):
                raise _invalid(Translatable("{file!r} is no file within a repository.", file=file))
        if not _REVISION.fullmatch(self.revision) or not is_plain(self.revision):
            raise _invalid(
                Translatable("{revision!r} is no branch, tag or commit.", revision=self.revision)
            )


def parse_source(text: str) -> ModelSource:
    """Read a path, or ``OWNER/REPOSITORY[:FILE[,FILE]][@REVISION][#sha256=HEX]``.

    Without files, those that transformers needs are meant.

    Raises:
        ModelLoadError: it is neither.
    """
    stated = text.strip()
    if stated.startswith(("/", "~")):
        return ModelSource(path=_expanded(stated))
    shape = _SHAPE.fullmatch(stated)
    if shape is None:
        raise _invalid(Translatable("{text!r} is neither a path nor a file on the hub.", text=text))
    return _of_hub(shape, stated)


def is_pattern(file: str) -> bool:
    """Whether it stands for several names, in the manner of a shell."""
    return any(mark in file for mark in "*?[")


def is_match(name: str, pattern: str) -> bool:
    """Whether a file is one of a pattern's; a pattern speaks of one folder, as in a shell."""
    return name.count("/") == pattern.count("/") and fnmatch.fnmatchcase(name, pattern)


def _of_hub(shape: re.Match[str], stated: str) -> ModelSource:
    files = tuple(file.strip() for file in (shape["files"] or "").split(",") if file.strip())
    # models/x.gguf has the shape of a repository, but hardly any is named like that.
    if not files and Path(stated).suffix in {".gguf", ".onnx", ".safetensors"}:
        raise _invalid(
            Translatable(
                "{stated!r} looks like a path, but depends on where it is read.", stated=stated
            )
        )
    sha256 = shape["sha256"]
    return ModelSource(
        repo=shape["repo"],
        files=files or TRANSFORMERS_FILES,
        revision=shape["revision"] or MAIN,
        sha256=sha256.lower() if sha256 else None,
    )


def _expanded(stated: str) -> Path:
    try:
        return Path(stated).expanduser()
    except RuntimeError as error:
        raise _invalid(
            Translatable("{stated!r} is in the home of a user who does not exist.", stated=stated)
        ) from error


def is_plain(name: str) -> bool:
    """Whether it stays within the folder that it is put into, and is a name at all."""
    parts = name.split("/")
    return name.isprintable() and "\\" not in name and not {"", ".", ".."} & set(parts)


def _invalid(detail: str) -> ModelLoadError:
    return ModelLoadError(detail, remedy=HOW_TO_NAME)
