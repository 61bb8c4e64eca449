"""Files of Piper voices: those on this machine, and those that the options name.

Imports neither Piper nor ONNX Runtime.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from vieneu_core.config.paths import piper_dir
from vieneu_core.engines.base import LoadProgress, OnLoad
from vieneu_core.engines.piper.options import PiperOptions
from vieneu_core.engines.piper.voice_config import VoiceConfig, config_path, read_config
from vieneu_core.errors import ModelLoadError
from vieneu_core.models.catalogue import MODELS, ModelKind, model_of, model_source
from vieneu_core.models.hub import Hub, find_cached, hub_cache_dir
from vieneu_core.models.local_files import checked_path
from vieneu_core.models.source import ModelSource
from vieneu_core.translatable import Translatable

GRAPH = ".onnx"
MAX_GRAPH_BYTES = 1_000_000_000
"""The largest voice of the repository has 137 MB; a larger file would exhaust the memory."""
MOST_USER_VOICES = 100
"""Limit on the voices that are read from the user's folder."""


@dataclass(frozen=True, slots=True)
class VoiceFiles:
    """A voice that was found."""

    graph: Path
    config: VoiceConfig

    @property
    def name(self) -> str:
        """Name of the voice, such as ``vi_VN-vais1000-medium``."""
        return self.graph.name.removesuffix(GRAPH)


@dataclass(frozen=True, slots=True)
class PresentVoice:
    """A voice on this machine, for the option ``voice``."""

    name: str
    graph: Path
    language: str
    """Primary language tag; empty if its configuration cannot be read."""
    has_all_tones: bool
    """Whether people can be expected to understand it."""


def present_voices(environ: Mapping[str, str] | None = None) -> tuple[PresentVoice, ...]:
    """Return the voices on this machine: Vietnamese ones with all tones first, damaged ones last.

    These are the known voices in the cache of models, verified by their checksums, and all in the
    user's folder `piper_dir`. A damaged one is among them, so that loading it names its fault.
    Blocking: reads a few small files.

    Args:
        environ: Environment variables that name the folders; None means those of this process.
    """
    found = [_described(graph) for graph in dict.fromkeys(_graphs(environ or os.environ))]
    return tuple(sorted(found, key=_rank))


def files_of(options: PiperOptions, progress: OnLoad) -> VoiceFiles:
    """Return the voice that the options name; download what is missing.

    Raises:
        ModelLoadError: it is not available, or no voice; the message names the file.
        MissingExtraError: huggingface_hub is needed and not installed.
    """
    source = voice_source(options.voice)
    if source.path is not None:
        graph = source.path
    else:
        hub = Hub.of_environment(os.environ, cache_dir=options.cache, offline=options.offline)
        folder = hub.fetch(source, lambda *step: progress(LoadProgress(*step)))
        graph = folder / source.files[0]
    _check_graph(graph)
    return VoiceFiles(graph, read_config(graph))


def voice_source(text: str) -> ModelSource:
    """Parse the option ``voice``.

    Raises:
        ModelLoadError: it names no voice.
    """
    source = model_source(text)
    if source.path is not None:
        return source
    known = model_of(source)
    if known is not None and known.kind is ModelKind.PIPER:
        return known.source
    if len(source.files) != 1 or not source.files[0].endswith(GRAPH):
        voices = ", ".join(model.name for model in MODELS if model.kind is ModelKind.PIPER)
        raise ModelLoadError(
            Translatable("{text} is no voice of Piper.", text=text),
            remedy=Translatable(
                "Write {voices}, the path of a .onnx file, or REPO:FILE.onnx.", voices=voices
            ),
        )
    graph, pinned = source.files[0], source.sha256
    return replace(
        source,
        files=(graph, f"{graph}.json"),
        sha256=None,
        checksums={graph: pinned} if pinned else {},
    )


def _graphs(environ: Mapping[str, str]) -> Iterator[Path]:
    cache = hub_cache_dir(environ)
    for model in MODELS:
        if model.kind is not ModelKind.PIPER:
            continue
        folder = find_cached(model.source, cache_dir=cache)
        if folder is not None:
            yield model.path_in(folder)
    try:
        users = sorted(piper_dir(environ).glob(f"*{GRAPH}"))
    except OSError:  # not readable, as good as none
        return
    yield from users[:MOST_USER_VOICES]


def _described(graph: Path) -> PresentVoice:
    name = graph.name.removesuffix(GRAPH)
    try:
        config = read_config(graph)
    except ModelLoadError:
        return PresentVoice(name, graph, language="", has_all_tones=False)
    return PresentVoice(name, graph, config.language, config.has_all_tones)


def _rank(voice: PresentVoice) -> tuple[bool, bool, bool]:
    return not voice.language, not voice.has_all_tones, voice.language != "vi"


def _check_graph(graph: Path) -> None:
    checked_path(graph)
    if not graph.is_file():
        raise ModelLoadError(
            Translatable("{graph} is a folder, not a voice of Piper.", graph=graph),
            remedy="Name its .onnx file in the option voice.",
        )
    if not config_path(graph).is_file():
        raise ModelLoadError(
            Translatable(
                "The voice {graph} has no {config} beside it.",
                graph=graph,
                config=config_path(graph).name,
            ),
            remedy="Download both files of the voice into the same folder.",
        )
    if graph.stat().st_size > MAX_GRAPH_BYTES:
        raise ModelLoadError(
            Translatable(
                "The file {graph} is larger than {most:.0f} MB: no voice of Piper is.",
                graph=graph,
                most=MAX_GRAPH_BYTES / 1e6,
            ),
            remedy="Name another file in the option voice.",
        )
