"""Cell 3: chooses the engine for this runtime, and installs its packages."""

from __future__ import annotations

import importlib
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from vieneu_colab_server.colab.ipython_errors import short_traceback
from vieneu_colab_server.i18n import cell_messages
from vieneu_core import __version__
from vieneu_core.engines.registry import (
    AUTO_ENGINE,
    ENGINES,
    MODEL_ENGINES,
    EngineNeeds,
    has_nvidia_gpu,
)
from vieneu_core.errors import ConfigurationError
from vieneu_core.i18n import Messages
from vieneu_core.installation import WrongVersion, installed_version, wrong_versions
from vieneu_core.notebook.failures import pip_cause
from vieneu_core.translatable import Translatable

PROC_INIT = Path("/proc/1/stat")
"""Status of the first process, which starts with the runtime."""

KEPT = ("numpy", "torch", "torchaudio", "torchvision")
"""Packages of a runtime that are never replaced: gigabytes, and all its other packages need them.

Published lists of Colab's packages: https://github.com/googlecolab/backend-info
"""
PipRun = subprocess.CompletedProcess[str]
"""Exit code of pip and, in ``stdout``, its whole output."""


class EngineInstallError(ConfigurationError):
    """The packages of an engine cannot be installed."""

    code = "engine_install"
    title = "The engine cannot be installed"
    default_remedy = "Read pip's message above, and run the cell again; or choose another engine."


class EngineConflictError(ConfigurationError):
    """This runtime has a version of PyTorch or NumPy that the engine cannot use."""

    code = "engine_conflict"
    title = "The engine does not fit this runtime"
    default_remedy = (
        "Choose another engine in cell 3; or an earlier version in Runtime → Change runtime type."
    )


@short_traceback
def prepare(
    engine: str,
    *,
    language: str = "vi",
    gpu: bool | None = None,
    pip: Callable[[Sequence[str]], PipRun] | None = None,
) -> str:
    """Return the engine that fits this runtime, once its packages are installed.

    PyTorch and NumPy stay as they are, because everything else of the runtime is built for them.

    Args:
        engine: ``auto``, or a name in `vieneu_core.engines.registry`.
        language: ``vi`` or ``en``, for the output.
        gpu: Whether there is a GPU; None detects it.
        pip: Runs pip with some arguments; None means this Python's pip.

    Raises:
        ConfigurationError: there is no engine of that name.
        EngineConflictError: it cannot use the PyTorch or NumPy of this runtime.
        EngineInstallError: pip failed.
    """
    messages = cell_messages(language)
    known = {each.engine: each for each in ENGINES}
    if engine not in {AUTO_ENGINE, *known}:
        raise ConfigurationError(
            Translatable("There is no engine {engine!r}.", engine=engine),
            remedy=Translatable("Choose auto, {known}.", known=", ".join(known)),
        )
    has_gpu = has_nvidia_gpu() if gpu is None else gpu
    needs = _fitting(known.get(engine), messages, has_gpu=has_gpu)
    key = "engine_alone" if needs.engine not in MODEL_ENGINES else "gpu" if has_gpu else "no_gpu"
    print(messages(key, engine=needs.engine))
    if not needs.installed:
        print(messages("installing", engine=needs.engine))
        done = _install(_extra(needs), pip or _pip)
        importlib.invalidate_caches()
        if done.returncode or not needs.installed:
            raise _install_error(needs, done, messages)
    return needs.engine


def _fitting(chosen: EngineNeeds | None, messages: Messages, *, has_gpu: bool) -> EngineNeeds:
    """Return the chosen engine, or else the best one that can use what is kept.

    Raises:
        EngineConflictError: the chosen one cannot.
    """
    if chosen is not None and (has_gpu or not chosen.wants_gpu):
        if conflicts := _conflicts(chosen):
            raise EngineConflictError(
                Translatable(
                    "{engine} needs {wanted}, but this runtime has {name} {installed}, which is"
                    " not replaced.",
                    engine=chosen.engine,
                    wanted=f"{conflicts[0].name}{conflicts[0].wanted}",
                    name=conflicts[0].name,
                    installed=conflicts[0].installed,
                )
            )
        return chosen
    # As `best_engine` has it: what speaks with less to install comes before the SDK.
    for needs in sorted(ENGINES, key=lambda each: not each.speech_lm):
        if has_gpu or not needs.wants_gpu:
            conflicts = _conflicts(needs)
            if not conflicts:
                return needs
            wrong = conflicts[0]
            print(
                messages(
                    "engine_left_out",
                    engine=needs.engine,
                    wanted=f"{wrong.name}{wrong.wanted}",
                    installed=f"{wrong.name} {wrong.installed}",
                )
            )
    raise AssertionError  # pragma: no cover - the last engines need nothing that is kept


def _conflicts(needs: EngineNeeds) -> list[WrongVersion]:
    return [each for each in wrong_versions(_extra(needs)) if each.name in KEPT]


def _extra(needs: EngineNeeds) -> str:
    return needs.quick_extra


def _install(extra: str, pip: Callable[[Sequence[str]], PipRun]) -> PipRun:
    kept = [f"{name}=={found}" for name in KEPT if (found := installed_version(name)) is not None]
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder, "kept.txt")
        constraints.write_text("\n".join(kept), "utf-8")
        requirement = f"vieneu-core[{extra}]=={__version__}"
        return pip(["install", f"--constraint={constraints}", requirement])


def _install_error(needs: EngineNeeds, done: PipRun, messages: Messages) -> EngineInstallError:
    print("\n".join(line[:300] for line in done.stdout.splitlines()[-15:]))
    if done.returncode:
        why, what_next = pip_cause(done.stdout, done.returncode, messages.language)
    else:
        absent = (*needs.missing(), *map(str, needs.wrong_versions()))
        why, what_next = messages("still_missing", names=", ".join(absent)), messages("run_again")
    return EngineInstallError(
        Translatable("{engine}: {why}", engine=needs.engine, why=why), remedy=what_next
    )


def runtime_age_s(*, stat: Path = PROC_INIT, uptime: Path = Path("/proc/uptime")) -> float:
    """Return the age of this container in seconds; 0 if it is unknown.

    Field 22 of ``/proc/pid/stat`` is the start of a process in clock ticks since boot (proc(5)).
    """
    try:
        began_ticks = float(stat.read_text().rpartition(")")[2].split()[19])
        up_s = float(uptime.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return 0.0
    return max(0.0, up_s - began_ticks / _TICKS_PER_S)


_TICKS_PER_S = 100
"""USER_HZ, equal on every Linux that Python supports (time(7))."""


def _pip(arguments: Sequence[str]) -> PipRun:
    suppress_warnings = ("--quiet", "--no-input", "--no-color", "--disable-pip-version-check")
    command = [sys.executable, "-m", "pip", *arguments, *suppress_warnings]
    return subprocess.run(  # noqa: S603 - our own arguments
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
