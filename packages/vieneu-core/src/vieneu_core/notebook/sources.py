"""Sources of the packages for a notebook's runtime: embedded, from git, or from PyPI."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from vieneu_core import __version__
from vieneu_core.errors import ConfigurationError
from vieneu_core.installation import CORE
from vieneu_core.notebook.wheels import SERVER, Wheel, wheels_of_here
from vieneu_core.translatable import Translatable
from vieneu_core.validation import invalid

SERVER_EXTRAS = "[ngrok]"
_GIT_URL = re.compile(r"(https|ssh|file)://[A-Za-z0-9._~:/@%+-]{1,300}")
_GIT_REVISION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/-]{0,199}")


def _git_url(url: str) -> str:
    if not _GIT_URL.fullmatch(url):
        raise invalid("git", "write a URL that begins with https:// or ssh://")
    if "@" in url.partition("://")[2].partition("/")[0].removeprefix("git@"):
        raise invalid("git", "a user name or password in the URL would be read in the notebook")
    return url


def _git_revision(revision: str) -> str:
    if not _GIT_REVISION.fullmatch(revision):
        raise invalid("git", "after the @ write a branch, tag or commit")
    return revision


class FromPyPI(BaseModel):
    """The packages of one published version.

    While the names are not registered there, anyone could publish code under them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["pypi"] = "pypi"
    version: Annotated[str, Field(pattern=r"^[0-9][0-9A-Za-z.+]{0,60}$")] = __version__

    @property
    def requirements(self) -> tuple[str, ...]:
        """Requirements for pip."""
        return f"{CORE}=={self.version}", f"{SERVER}{SERVER_EXTRAS}=={self.version}"


class FromGit(BaseModel):
    """The packages of a git repository."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    kind: Literal["git"] = "git"
    url: Annotated[str, AfterValidator(_git_url)]
    revision: Annotated[str, AfterValidator(_git_revision)] = "main"
    """A branch, a tag or a commit."""

    @property
    def requirements(self) -> tuple[str, ...]:
        """Requirements for pip (PEP 508, with the fragment ``subdirectory``)."""
        at = f"git+{self.url}@{self.revision}#subdirectory=packages"
        return f"{CORE} @ {at}/{CORE}", f"{SERVER}{SERVER_EXTRAS} @ {at}/{SERVER}"


class Carried(BaseModel):
    """The packages themselves, so that server and client have the same version.

    Their checksums are in the same file: they detect damage, not manipulation.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    kind: Literal["carried"] = "carried"
    core: Wheel
    server: Wheel

    @classmethod
    def of(cls, wheels: list[Wheel]) -> Carried:
        """Use one wheel of each package.

        Raises:
            ConfigurationError: one is missing or superfluous, or the versions differ.
        """
        named = {wheel.distribution: wheel for wheel in wheels}
        if set(named) != {CORE, SERVER} or len(wheels) != len(named):
            raise ConfigurationError(
                Translatable(
                    "A notebook carries two wheels, one of {core} and one of {server}.",
                    core=CORE,
                    server=SERVER,
                ),
                remedy="Name both: --wheel vieneu_core-….whl --wheel vieneu_colab_server-….whl",
            )
        if named[CORE].version != named[SERVER].version:
            raise ConfigurationError(
                Translatable(
                    "The wheels are of different versions: {core} and {server}.",
                    core=named[CORE].version,
                    server=named[SERVER].version,
                ),
                remedy="Build or install both from one version.",
            )
        return cls(core=named[CORE], server=named[SERVER])

    @classmethod
    def of_installed(cls) -> Carried:
        """Embed the packages of this version.

        In a clone they are packed from the source trees; elsewhere the core is packed as
        installed, and the server is the wheel in the core's distribution. Reads and
        compresses about a megabyte: blocking for some tenths of a second.

        Raises:
            ConfigurationError: a file is missing, or cannot be read.
        """
        return cls.of(wheels_of_here())

    @property
    def wheels(self) -> tuple[tuple[Wheel, str], ...]:
        """Each wheel with the extras to install."""
        return (self.core, ""), (self.server, SERVER_EXTRAS)


Source = Annotated[FromPyPI | FromGit | Carried, Field(discriminator="kind")]
