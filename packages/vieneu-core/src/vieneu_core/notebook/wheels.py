"""Wheels of this product's packages: from a file, an installation, or a source tree."""

from __future__ import annotations

import csv
import hashlib
import importlib.metadata
import io
import re
import zipfile
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from vieneu_core.errors import ConfigurationError
from vieneu_core.installation import CORE
from vieneu_core.notebook.packing import base64_lines, pack, pack_project
from vieneu_core.translatable import Translatable

SERVER = "vieneu-colab-server"
PACKAGE = Path(__file__).parents[1]
"""Folder of the imported core."""
_WHEEL_NAME = re.compile(r"(vieneu_core|vieneu_colab_server)-[0-9A-Za-z.+]+-py3-none-any\.whl")
_MAX_WHEEL_BYTES = 20 << 20
_NOT_PACKED = frozenset({"INSTALLER", "RECORD", "REQUESTED", "direct_url.json", "uv_cache.json"})
_BY_HAND = (
    "Build wheels (uv build --wheel --all-packages) and name them: vieneu notebook --wheel FILE"
)


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel of one of our packages.

    Raises:
        ConfigurationError: it is not a wheel of this product.
    """

    name: str
    """File name."""
    content: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not _WHEEL_NAME.fullmatch(self.name) or not zipfile.is_zipfile(io.BytesIO(self.content)):
            raise ConfigurationError(
                Translatable(
                    "{name!r} is no wheel of {core} or {server}.",
                    name=self.name,
                    core=CORE,
                    server=SERVER,
                ),
                remedy="Build them: uv build --wheel --all-packages",
            )

    @property
    def distribution(self) -> str:
        """``vieneu-core`` or ``vieneu-colab-server``."""
        return self.name.partition("-")[0].replace("_", "-")

    @property
    def version(self) -> str:
        """Version of the package."""
        return self.name.split("-")[1]

    @property
    def sha256(self) -> str:
        """SHA-256 of the content, as 64 hexadecimal digits."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def lines(self) -> list[str]:
        """The content as base64, in lines."""
        return base64_lines(self.content)

    @classmethod
    def of_file(cls, path: Path) -> Wheel:
        """Read a wheel.

        Raises:
            ConfigurationError: it cannot be read, or is not a wheel of this product.
        """
        try:
            with path.open("rb") as file:
                content = file.read(_MAX_WHEEL_BYTES)
        except OSError as error:
            raise ConfigurationError(
                Translatable(
                    "The wheel {path} cannot be read: {error}.",
                    path=path,
                    error=error.strerror or error,
                ),
                remedy="Correct the path.",
            ) from error
        return cls(path.name, content)

    @classmethod
    def of_project(cls, folder: Path) -> Wheel:
        """Pack a package from its current source in a clone.

        Raises:
            ConfigurationError: a file cannot be read.
        """
        try:
            return cls(*pack_project(folder))
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                Translatable(
                    "The package in {folder} cannot be packed: {error}.", folder=folder, error=error
                ),
                remedy=Translatable("Restore its files: git -C {folder} status", folder=folder),
            ) from error

    @classmethod
    def of_installed(cls, distribution: str) -> Wheel:
        """Pack an installed package into a wheel.

        Raises:
            ConfigurationError: it is not installed, or files of it are missing.
        """
        try:
            found = importlib.metadata.distribution(distribution)
            return cls(
                f"{distribution.replace('-', '_')}-{found.version}-py3-none-any.whl",
                pack(_installed_files(found)),
            )
        except importlib.metadata.PackageNotFoundError:
            reason = "it is not installed here"
        except (OSError, ValueError) as error:
            reason = str(error)
        raise ConfigurationError(
            Translatable(
                "{distribution} cannot be packed for the notebook: {reason}.",
                distribution=distribution,
                reason=reason,
            ),
            remedy=_BY_HAND,
        )


def wheels_of_here() -> list[Wheel]:
    """Return the wheels of core and server, without using a package index.

    A notebook contains the server's wheel once: the core's wheel is packed without it.

    Raises:
        ConfigurationError: a file is missing, or cannot be read.
    """
    project = _project_of(PACKAGE)
    core = Wheel.of_project(project) if project else Wheel.of_installed(CORE)
    return [core, _server_beside(project) or _server_inside() or Wheel.of_installed(SERVER)]


def _server_beside(project: Path | None) -> Wheel | None:
    beside = project.with_name(SERVER) if project else None
    return Wheel.of_project(beside) if beside and beside.is_dir() else None


def _server_inside() -> Wheel | None:
    """Read the server's wheel that ``hatch_build.py`` puts into the core.

    A core from a notebook lacks it, but there the server is installed.
    """
    found = sorted((PACKAGE / "notebook").glob("vieneu_colab_server-*.whl"))
    return Wheel.of_file(found[0]) if found else None


def _project_of(package: Path) -> Path | None:
    """Return the project whose source tree contains a package, as in an editable installation."""
    project = package.parents[1]
    in_source = package.parent.name == "src" and (project / "pyproject.toml").is_file()
    return project if in_source else None


def _installed_files(found: importlib.metadata.Distribution) -> dict[str, bytes]:
    # Not `found.files`: from Python 3.12 on, it omits recorded files that are missing.
    recorded = csv.reader((found.read_text("RECORD") or "").splitlines())
    paths = (PurePosixPath(row[0]) for row in recorded if row)
    return {
        str(path): Path(str(found.locate_file(str(path)))).read_bytes()
        for path in paths
        if not {"..", "__pycache__"} & set(path.parts)
        and path.name not in _NOT_PACKED
        and path.suffix != ".whl"
    }
