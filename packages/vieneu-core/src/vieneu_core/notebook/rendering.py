"""Rendering of the notebook from a template, in which every value is a quoted literal."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

from vieneu_core import __version__
from vieneu_core.config import TunnelKind
from vieneu_core.credentials import MAX_TOKEN_CHARS, MIN_SERVER_TOKEN_CHARS
from vieneu_core.engines.registry import ENGINE_CHOICES
from vieneu_core.errors import InvalidRequestError, MissingExtraError
from vieneu_core.files import PRIVATE, write_atomic
from vieneu_core.i18n import Messages, languages
from vieneu_core.i18n.catalog import catalogue
from vieneu_core.notebook.failures import DRIVE_CAUSES, PIP_CAUSES
from vieneu_core.notebook.settings import NotebookSettings
from vieneu_core.notebook.sources import Carried
from vieneu_core.translatable import Translatable

TEMPLATE = "notebook.ipynb.j2"


def render_notebook(settings: NotebookSettings) -> dict[str, Any]:
    """Return the notebook as the JSON of its file (nbformat 4.5), validated against its schema.

    Blocking: without a chosen source, files are read and compressed for some tenths of a second.

    Raises:
        ConfigurationError: the packages to embed cannot be read here.
        MissingExtraError: jinja2 or nbformat is not installed.
    """
    try:
        import jinja2
        import nbformat
    except ImportError as error:
        raise MissingExtraError("Making notebooks", "notebook") from error
    environment = jinja2.Environment(  # nosec B701
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701 - no HTML: each literal quotes itself
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
    environment.filters["literal"] = literal
    source = settings.source or Carried.of_installed()
    text = environment.get_template(TEMPLATE).render(
        settings=settings,
        engines=json.dumps(ENGINE_CHOICES),
        languages=json.dumps(languages()),
        tunnels=json.dumps(list(TunnelKind)),
        accounts=[kind for kind in TunnelKind if kind.account_secret],
        shortest=MIN_SERVER_TOKEN_CHARS,
        longest=MAX_TOKEN_CHARS,
        drive_causes=DRIVE_CAUSES,
        carried_voices=", ".join(sample.name for sample in settings.samples),
        help_codes=_help_codes(),
        say=Messages(settings.language, "notebook"),
        pip_causes=PIP_CAUSES,
        version=__version__,
        callback_url=_shown(settings.callback_url),
        token=_shown(settings.token),
        carried=source.wheels if isinstance(source, Carried) else (),
        requirements=() if isinstance(source, Carried) else source.requirements,
    )
    notebook: dict[str, Any] = json.loads(text)
    nbformat.validate(notebook, version=4, version_minor=5)
    return notebook


def notebook_file(settings: NotebookSettings) -> bytes:
    """Return the content of a notebook's file; with voices it has some megabytes. Blocking.

    Raises:
        ConfigurationError, MissingExtraError: as `render_notebook`.
    """
    text = json.dumps(render_notebook(settings), ensure_ascii=False, indent=1)
    return f"{text}\n".encode()


def write_notebook(settings: NotebookSettings, path: Path) -> None:
    """Write a notebook atomically to a file that only this user can read. Blocking.

    The target of a link is replaced, not the link.

    Raises:
        InvalidRequestError: the file cannot be written.
        ConfigurationError: the packages cannot be read.
        MissingExtraError: jinja2 or nbformat is not installed.
    """
    content = notebook_file(settings)
    try:
        write_atomic(Path(os.path.realpath(path)), content, mode=PRIVATE)
    except OSError as error:
        raise InvalidRequestError(
            Translatable(
                "The notebook cannot be written to {path}: {error}.",
                path=path,
                error=error.strerror or error,
            ),
            remedy=(
                "Give the name of a file, such as colab.ipynb; - is standard output."
                if error.errno in {errno.EINVAL, errno.EISDIR}
                else "Choose a folder that exists, may be written to and has room."
            ),
        ) from error


def literal(value: str | float | bool | None) -> str:
    """Return a value as a Python literal of one line.

    ``repr`` escapes quotes, line ends and invisible characters, so that nothing ends the string.
    """
    if isinstance(value, str):
        return repr(str(value))
    return repr(value)


def _help_codes() -> list[str]:
    """Return the codes that the notebook's last cell explains."""
    prefix = "notebook.help."
    return [key.removeprefix(prefix) for key in catalogue("en") if key.startswith(prefix)]


def _shown(secret: Any) -> str | None:
    return None if secret is None else secret.get_secret_value()
