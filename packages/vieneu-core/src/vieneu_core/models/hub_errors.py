"""Errors for files of a model hub that are missing or damaged."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path

from vieneu_core.errors import ModelLoadError
from vieneu_core.models.hub_client import RemoteFile
from vieneu_core.models.source import ModelSource
from vieneu_core.translatable import Translatable


def not_here_error(source: ModelSource, folder: Path) -> ModelLoadError:
    """Return the error for files that would have to be downloaded while the network is off."""
    return ModelLoadError(
        Translatable(
            "{label} is not on this machine, and network access is off: {wanted}"
            " of {repo} is not in {folder}.",
            label=source.name or source.repo,
            wanted=", ".join(source.files),
            repo=source.repo,
            folder=folder,
        ),
        remedy=Translatable(
            "Download it when there is a network: vieneu models get {wanted}",
            wanted=source.wanted,
        ),
    )


def damaged_error(source: ModelSource, name: str, sha256: str) -> ModelLoadError:
    """Return the error for a file with another checksum than its own, which was deleted."""
    against = "the hub names another"
    if stated := source.sha256_of(name):
        against = Translatable("{stated} is required", stated=stated)
    return ModelLoadError(
        Translatable(
            "{name} of {repo} is damaged: its SHA-256 is {sha256}, {against}. It was deleted.",
            name=name,
            repo=source.repo,
            sha256=sha256,
            against=against,
        ),
        remedy=Translatable("Download it again: vieneu models get {wanted}", wanted=source.wanted),
    )


def not_there_error(source: ModelSource, wanted: str, offered: tuple[str, ...]) -> ModelLoadError:
    """Return the error for a file that a repository does not have, with those of similar names."""
    kind = Path(wanted).suffix
    alike = [name for name in offered if name.endswith(kind)] or list(offered)
    shown = difflib.get_close_matches(wanted, alike, n=5, cutoff=0) or ["nothing"]
    return ModelLoadError(
        Translatable(
            "{repo} has no file {wanted} (revision {revision}). It has: {shown}.",
            repo=source.repo,
            wanted=wanted,
            revision=source.revision,
            shown=", ".join(shown),
        ),
        remedy=Translatable("Name one of them: {repo}:{shown}", repo=source.repo, shown=shown[0]),
    )


def check_sizes(files: Sequence[RemoteFile], max_bytes: int | None) -> None:
    """Check the stated sizes of files before they are downloaded.

    Raises:
        ModelLoadError: a file is larger than `max_bytes`, or does not state its size.
    """
    for file in files:
        if max_bytes is not None and (file.size is None or file.size > max_bytes):
            raise ModelLoadError(
                Translatable(
                    "{file} has {size} bytes on the hub; at most {most} are expected.",
                    file=file.name,
                    size="?" if file.size is None else file.size,
                    most=max_bytes,
                ),
                remedy="Check the address of the hub, and whether a proxy answers instead of it.",
            )
