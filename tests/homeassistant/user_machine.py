"""A user's machine: an environment with Home Assistant and nothing of this project.

What a manifest or a flow asks for, Home Assistant installs itself. The folder of wheels takes the
place of their release on PyPI; everything else comes from where it comes from at a user's.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from guard import GUARD_S

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
RELEASES: dict[str, str] = json.loads((HERE / "releases.json").read_text("utf-8"))
"""Of Home Assistant, each with the version that is tested."""
NOT_OF_A_USER = (
    *("PYTHONPATH", "PYTEST_VERSION", "VIRTUAL_ENV", "COVERAGE_PROCESS_START"),
    "LD_LIBRARY_PATH",  # libraries that scripts/test lends to the other tests
    *("UV_PYTHON", "UV_SYSTEM_PYTHON", "UV_PROJECT_ENVIRONMENT", "UV_CONSTRAINT", "UV_OVERRIDE"),
)
"""Variables of this session which would lead Home Assistant's Python or uv elsewhere."""
OURS = ("vieneu_core", "vieneu_ha", "nbformat", "espeakng_loader", "onnxruntime", "xllamacpp")
LARGEST = ("homeassistant", "hass_frontend")
"""Packages of Home Assistant's own, which nothing installs again: they are linked as a whole."""


@dataclass
class Machine:
    """What a user has before this project comes: an environment, and an empty configuration."""

    home: Path
    """The virtual environment; it is this one's own."""
    config: Path
    environ: Mapping[str, str]

    @property
    def python(self) -> Path:
        return self.home / "bin/python"

    @property
    def release(self) -> str:
        """Of Home Assistant, as in 2026.10."""
        (about,) = self.home.glob("lib/python*/site-packages/homeassistant-*.dist-info")
        return ".".join(about.name.split("-")[1].split(".")[:2])

    def install_from_clone(self) -> None:
        """Run the two lines of docs/home-assistant.md, "By pip"; no index has our packages."""
        packages = ("packages/vieneu-core", "packages/vieneu-ha-integration")
        install = ("uv", "pip", "install", "--quiet", f"--python={self.python}", *packages)
        component = (self.home / "bin/vieneu-ha", "install", f"--config={self.config}")
        self.environ = {k: v for k, v in self.environ.items() if k != "UV_FIND_LINKS"}
        for line in (install, component):
            subprocess.run(line, cwd=ROOT, env=self.environ, check=True, timeout=600)

    def renew(self) -> None:
        """Make the environment anew: what was installed into it is gone."""
        shutil.rmtree(self.home)
        _copy(self.home)

    def modules(self, *names: str) -> set[str]:
        """Return those of these modules that its Python can import."""
        find = "import importlib.util as u, sys; print(*filter(u.find_spec, sys.argv[1:]))"
        return set(self._output("-c", find, *names).split())

    def loads(self, library: str) -> bool:
        """Return whether its Python can load a shared library."""
        load = "import ctypes, sys; ctypes.CDLL(sys.argv[1])"
        try:
            self._output("-c", load, library)
        except subprocess.CalledProcessError:
            return False
        return True

    def _output(self, *arguments: str) -> str:
        """Run its Python as its user does."""
        return subprocess.run(
            (str(self.python), "-P", *arguments),
            env=self.environ,
            check=True,
            capture_output=True,
            text=True,
            timeout=GUARD_S,
        ).stdout

    def megabytes(self) -> float:
        """Return the size of the environment and of the configuration."""
        command = ("du", "--bytes", "--summarize", "--total", str(self.home), str(self.config))
        found = subprocess.run(command, check=True, capture_output=True, text=True, timeout=GUARD_S)
        return int(found.stdout.splitlines()[-1].split()[0]) / 1e6


@contextmanager
def machine(config: Path, **environ: str) -> Iterator[Machine]:
    """Lend a machine, as a copy of the one that nox has made."""
    wheels = _made_by_nox("VIENEU_WHEELS", ".nox/homeassistant/tmp/wheels")
    kept = {name: value for name, value in os.environ.items() if name not in NOT_OF_A_USER}
    home = Path(tempfile.mkdtemp(prefix="run-", dir=_user_home().parent))
    try:
        _copy(home)
        yield Machine(home, config, {**kept, "UV_FIND_LINKS": str(wheels), **environ})
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _user_home() -> Path:
    version = RELEASES[min(RELEASES)]
    return _made_by_nox("VIENEU_HOME_ASSISTANT", f".tools/homeassistant-{version}")


def _copy(home: Path) -> None:
    """Copy the environment by links: what installs there replaces files, and changes none."""
    made = _user_home()
    shutil.copytree(
        made,
        home,
        symlinks=True,
        dirs_exist_ok=True,
        copy_function=os.link,
        ignore=lambda folder, _: LARGEST if Path(folder).name == "site-packages" else (),
    )
    for package in made.glob("lib/python*/site-packages/*"):
        if package.name in LARGEST:
            (home / package.relative_to(made)).symlink_to(package)


def _made_by_nox(variable: str, default: str) -> Path:
    path = Path(os.environ.get(variable, ROOT / default))
    assert path.exists(), f"{path} is not there; run nox -s homeassistant, which makes it."
    return path
