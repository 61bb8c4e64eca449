"""Source of a model: a local path, or files of a repository on a model hub."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vieneu_core.errors import ModelLoadError
from vieneu_core.translatable import Translatable

MAIN = "main"
"""Default revision."""
TRANSFORMERS_FILES = ("*.json", "*.jinja", "*.model", "*.safetensors", "*.txt")
"""Files of a repository that transformers reads, and voices.json."""
HOW_TO_NAME = (
    "Write a path that begins with / or ~, OWNER/REPOSITORY:FILE, or the name of a known model."
)

# The rules of https://huggingface.co/docs/hub/repositories, as strict as the hub itself.
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
    """Source of a model: one file, or a folder of files.

    Raises:
        ModelLoadError: a name is invalid.
    """

    path: Path | None = None
    """A local file or folder; all other fields are then empty."""
    repo: str = ""
    """``owner/name`` on the hub."""
    files: tuple[str, ...] = ()
    """Names of files in the repository, or patterns of them (``*.json``). One name means a file,
    several mean a folder."""
    revision: str = MAIN
    """Branch, tag or commit."""
    sha256: str | None = None
    """Required SHA-256 of the only file, as 64 lower-case hexadecimal digits."""
    checksums: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Required SHA-256 of files of a folder, by their names."""
    name: str | None = None
    """Name of the known model, for messages only."""

    def __post_init__(self) -> None:
        if self.path is None:
            self._check_repository()
        if self.sha256 is not None and not (_SHA256.fullmatch(self.sha256) and not self.is_folder):
            raise ModelLoadError(
                Translatable(
                    "{source} cannot be compared with the checksum {sha256!r}.",
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

    def sha256_of(self, file: str) -> str | None:
        """Return the required SHA-256 of a file; None if any is accepted."""
        return self.sha256 or self.checksums.get(file)

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder of several files."""
        if self.path is not None:
            return self.path.is_dir()
        return len(self.files) != 1 or is_pattern(self.files[0])

    @property
    def is_commit(self) -> bool:
        """Whether the revision is a commit, whose files never change."""
        return _COMMIT.fullmatch(self.revision) is not None

    @property
    def wanted(self) -> str:
        """Argument of ``vieneu models get`` that downloads it."""
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
    """Parse a path, or ``OWNER/REPOSITORY[:FILE[,FILE]][@REVISION][#sha256=HEX]``.

    Without files, those that transformers reads are meant.

    Raises:
        ModelLoadError: the text is neither.
    """
    stated = text.strip()
    if stated.startswith(("/", "~")):
        return ModelSource(path=_expanded(stated))
    shape = _SHAPE.fullmatch(stated)
    if shape is None:
        raise _invalid(Translatable("{text!r} is neither a path nor a file on the hub.", text=text))
    return _of_hub(shape, stated)


def is_pattern(file: str) -> bool:
    """Return whether a name is a shell pattern."""
    return any(mark in file for mark in "*?[")


def is_match(name: str, pattern: str) -> bool:
    """Return whether a file matches a pattern; as in a shell, a pattern does not cross folders."""
    return name.count("/") == pattern.count("/") and fnmatch.fnmatchcase(name, pattern)


def _of_hub(shape: re.Match[str], stated: str) -> ModelSource:
    files = tuple(file.strip() for file in (shape["files"] or "").split(",") if file.strip())
    # models/x.gguf has the form of a repository, but hardly any has such a name.
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
    """Return whether it is a valid file name that stays within its folder."""
    parts = name.split("/")
    return name.isprintable() and "\\" not in name and not {"", ".", ".."} & set(parts)


def _invalid(detail: str) -> ModelLoadError:
    return ModelLoadError(detail, remedy=HOW_TO_NAME)
