"""How the packages get into the notebook's runtime: from PyPI, from git, or carried along."""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import io
import json
import re
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from vieneu_core import __version__
from vieneu_core.errors import ConfigurationError

CORE, SERVER = "vieneu-core", "vieneu-colab-server"
SERVER_EXTRAS = "[ngrok,notebook]"
_WHEEL_NAME = re.compile(r"(vieneu_core|vieneu_colab_server)-[0-9A-Za-z.+]+-py3-none-any\.whl")
_GIT_URL = re.compile(r"(https|ssh|file)://[A-Za-z0-9._~:/@%+-]{1,300}")
_GIT_REVISION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/-]{0,199}")
_MAX_WHEEL_BYTES = 20 << 20
_LINE_CHARS = 120
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can hold; a fixed one makes the same wheel each time."""
_NOT_PACKED = frozenset({"INSTALLER", "RECORD", "REQUESTED", "direct_url.json", "uv_cache.json"})


def _git_url(url: str) -> str:
    if not _GIT_URL.fullmatch(url):
        raise ValueError("write a URL that begins with https:// or ssh://")
    if "@" in url.partition("://")[2].partition("/")[0].removeprefix("git@"):
        raise ValueError("a user name or password in the URL would be read in the notebook")
    return url


def _git_revision(revision: str) -> str:
    if not _GIT_REVISION.fullmatch(revision):
        raise ValueError("after the @ write a branch, tag or commit")
    return revision


@dataclass(frozen=True, slots=True)
class Wheel:
    """A package, whole.

    Raises:
        ConfigurationError: it is no wheel of this product.
    """

    name: str
    """Of its file."""
    content: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not _WHEEL_NAME.fullmatch(self.name) or not zipfile.is_zipfile(io.BytesIO(self.content)):
            raise ConfigurationError(
                f"{self.name!r} is no wheel of vieneu-core or vieneu-colab-server.",
                remedy="Build them: uv build --wheel --all-packages",
            )

    @property
    def distribution(self) -> str:
        """``vieneu-core`` or ``vieneu-colab-server``."""
        return self.name.partition("-")[0].replace("_", "-")

    @property
    def version(self) -> str:
        """Of the package."""
        return self.name.split("-")[1]

    @property
    def sha256(self) -> str:
        """Of its content, 64 hexadecimal digits."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def lines(self) -> list[str]:
        """Its content as base64, in lines."""
        text = base64.b64encode(self.content).decode()
        return [text[at : at + _LINE_CHARS] for at in range(0, len(text), _LINE_CHARS)]

    @classmethod
    def of_file(cls, path: Path) -> Wheel:
        """Read a wheel.

        Raises:
            ConfigurationError: it cannot be read, or is none of this product.
        """
        try:
            with path.open("rb") as file:
                content = file.read(_MAX_WHEEL_BYTES)
        except OSError as error:
            raise ConfigurationError(
                f"The wheel {path} cannot be read: {error.strerror or error}.",
                remedy="Correct the path.",
            ) from error
        return cls(path.name, content)

    @classmethod
    def of_installed(cls, distribution: str) -> Wheel:
        """Pack an installed package into a wheel again.

        https://packaging.python.org/en/latest/specifications/binary-distribution-format/

        Raises:
            ConfigurationError: it is not installed, or its files are not where it is installed.
        """
        build = "Build wheels (uv build --wheel --all-packages) and name them with --wheel."
        try:
            found = importlib.metadata.distribution(distribution)
        except importlib.metadata.PackageNotFoundError:
            raise ConfigurationError(
                f"{distribution} is not installed here, so it cannot be carried.",
                remedy=f"Install it: pip install {distribution}=={__version__}. {build}",
            ) from None
        if _is_editable(found):
            raise ConfigurationError(
                f"{distribution} is installed for editing, so it cannot be carried as it is.",
                remedy=build,
            )
        return cls(
            f"{distribution.replace('-', '_')}-{found.version}-py3-none-any.whl", _zip(found)
        )


class FromPyPI(BaseModel):
    """The packages of one version."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["pypi"] = "pypi"
    version: Annotated[str, Field(pattern=r"^[0-9][0-9A-Za-z.+]{0,60}$")] = __version__

    @property
    def requirements(self) -> tuple[str, ...]:
        """What pip is asked for."""
        return f"{CORE}=={self.version}", f"{SERVER}{SERVER_EXTRAS}=={self.version}"


class FromGit(BaseModel):
    """The packages as a repository has them."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    kind: Literal["git"] = "git"
    url: Annotated[str, AfterValidator(_git_url)]
    revision: Annotated[str, AfterValidator(_git_revision)] = "main"
    """A branch, a tag or a commit."""

    @property
    def requirements(self) -> tuple[str, ...]:
        """What pip is asked for (PEP 508, with the fragment ``subdirectory``)."""
        at = f"git+{self.url}@{self.revision}#subdirectory=packages"
        return f"{CORE} @ {at}/{CORE}", f"{SERVER}{SERVER_EXTRAS} @ {at}/{SERVER}"


class Carried(BaseModel):
    """The packages themselves, so that both sides are of one version.

    Their checksums stand in the same file: they show damage, not malice.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    kind: Literal["carried"] = "carried"
    core: Wheel
    server: Wheel

    @classmethod
    def of(cls, wheels: list[Wheel]) -> Carried:
        """Take one wheel of each package.

        Raises:
            ConfigurationError: one is missing, there is one too many, or versions differ.
        """
        named = {wheel.distribution: wheel for wheel in wheels}
        if set(named) != {CORE, SERVER} or len(wheels) != len(named):
            raise ConfigurationError(
                f"A notebook carries two wheels, one of {CORE} and one of {SERVER}.",
                remedy="Name both: --wheel vieneu_core-….whl --wheel vieneu_colab_server-….whl",
            )
        if named[CORE].version != named[SERVER].version:
            raise ConfigurationError(
                f"The wheels are of different versions: {named[CORE].version} and"
                f" {named[SERVER].version}.",
                remedy="Build or install both from one version.",
            )
        return cls(core=named[CORE], server=named[SERVER])

    @classmethod
    def of_installed(cls) -> Carried:
        """Carry what is installed here.

        Raises:
            ConfigurationError: that cannot be.
        """
        return cls.of([Wheel.of_installed(CORE), Wheel.of_installed(SERVER)])

    @property
    def wheels(self) -> tuple[tuple[Wheel, str], ...]:
        """Each wheel with the extras that pip is asked for."""
        return (self.core, ""), (self.server, SERVER_EXTRAS)


Source = Annotated[FromPyPI | FromGit | Carried, Field(discriminator="kind")]


def _is_editable(found: importlib.metadata.Distribution) -> bool:
    stated = json.loads(found.read_text("direct_url.json") or "{}")
    return bool(stated.get("dir_info", {}).get("editable"))


def _zip(found: importlib.metadata.Distribution) -> bytes:
    record: list[str] = []
    packed = io.BytesIO()
    info = ""
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:

        def add(name: str, content: bytes) -> None:
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)

        for file in sorted(found.files or (), key=str):
            name = file.as_posix()
            if ".." in file.parts or "__pycache__" in file.parts or file.name in _NOT_PACKED:
                continue
            if file.parent.name.endswith(".dist-info"):
                info = file.parent.as_posix()
            content = Path(str(file.locate())).read_bytes()
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=")
            record.append(f"{name},sha256={digest.decode()},{len(content)}")
            add(name, content)
        record.append(f"{info}/RECORD,,")
        add(f"{info}/RECORD", ("\n".join(record) + "\n").encode())
    return packed.getvalue()
