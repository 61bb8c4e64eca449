"""The options of ``vieneu notebook``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vieneu_core.cli.options import ConfigOption, LangOption, terminal_of


def notebook_command(  # noqa: PLR0913, PLR0917 - one argument for each option
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="The notebook, .ipynb.")
    ],
    engine: Annotated[str, typer.Option(help="auto, pytorch, gguf, sdk or espeak")] = "auto",
    model: Annotated[str | None, typer.Option(help="The engine's model. Default: its own")] = None,
    codec: Annotated[str | None, typer.Option(help="The engine's codec. Default: its own")] = None,
    voice: Annotated[
        list[str] | None, typer.Option(help="Id of a voice to prepare; may be given again.")
    ] = None,
    tunnel: Annotated[str, typer.Option(help="ngrok, cloudflared or none")] = "ngrok",
    domain: Annotated[str | None, typer.Option(help="A reserved domain of ngrok.")] = None,
    session_hours: Annotated[
        float, typer.Option(metavar="HOURS", help="When the runtime is taken away.")
    ] = 12.0,
    drive_cache: Annotated[
        bool, typer.Option("--drive-cache", help="Keep the model on Google Drive.")
    ] = False,
    git: Annotated[
        str | None,
        typer.Option(metavar="URL[@REVISION]", help="Install the packages from a repository."),
    ] = None,
    carry: Annotated[
        bool, typer.Option("--carry", help="Carry the packages of this version: the default.")
    ] = False,
    wheel: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Carry this wheel; give core and server."),
    ] = None,
    pypi: Annotated[
        bool, typer.Option("--pypi", help="Install this version, once published, from PyPI.")
    ] = False,
    embed_token: Annotated[
        bool, typer.Option("--embed-token", help="Write the token into the file.")
    ] = False,
    config: ConfigOption = None,
    lang: LangOption = None,
) -> None:
    """Make the notebook that runs the server on Google Colab.

    Its server tells the house its address where VIENEU_SERVER_CALLBACK_URL says where that listens.
    """
    from vieneu_core.cli.commands.notebook import NotebookOptions, make_notebook

    options = NotebookOptions(
        output=output,
        choices={
            "engine": engine,
            "model": model,
            "codec": codec,
            "voices": tuple(voice or ()),
            "tunnel": tunnel,
            "domain": domain,
            "session_hours": session_hours,
            "drive_cache": drive_cache,
        },
        git=git,
        carry=carry,
        wheels=tuple(wheel or ()),
        pypi=pypi,
        embed_token=embed_token,
    )
    make_notebook(terminal_of(config, lang), options)
