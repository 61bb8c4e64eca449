"""The notebook's first cells where something is wrong: what the reader is told."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError
from notebook_kernel import MakeNotebook, Running, opened
from package_index import NAMES, Index, made_wheel

from vieneu_core import __version__
from vieneu_core.i18n import Messages
from vieneu_core.notebook import (
    Carried,
    FromGit,
    FromPyPI,
    NotebookSettings,
    Wheel,
    render_notebook,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

MISSING = "a-package-that-nobody-has"
LISTED = "a-package-of-the-index"


def two(**core: str) -> Carried:
    """Carry small wheels; the arguments are those of the core."""
    return Carried(core=made_wheel(NAMES[0], **core), server=made_wheel(NAMES[1]))


def without_metadata() -> Carried:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("vieneu_core/__init__.py", "")
    name = f"vieneu_core-{__version__}-py3-none-any.whl"
    return Carried(core=Wheel(name, packed.getvalue()), server=made_wheel(NAMES[1]))


@pytest.fixture(scope="module")
def spare(make_runtime: Callable[[], Path]) -> Path:
    """Lend a runtime to notebooks that fail."""
    return make_runtime()


async def failure_of(running: Running, cell: str) -> list[str]:
    """Run a cell that fails, and return the lines that take the place of a traceback."""
    with pytest.raises(CellExecutionError) as caught:
        await running.run(cell)
    return re.sub(r"\x1b\[[0-9;]*m", "", caught.value.traceback).strip().splitlines()[-3:]


@pytest.mark.parametrize(
    ("source", "index", "language", "cause", "printed"),
    [
        (two(needs=MISSING), "unreachable", "vi", "pip_network", "Connection refused"),
        (two(needs=LISTED), "no files", "vi", "pip_index", "503"),
        (two(needs=MISSING), "down", "vi", "pip_missing", MISSING),
        (two(needs=MISSING), "up", "en", "pip_missing", MISSING),
        (FromPyPI(), "up", "vi", "pip_missing", "vieneu-core"),
        (two(needs=f"{NAMES[1]}==98"), "up", "en", "pip_conflict", "ResolutionImpossible"),
        (two(python="4"), "up", "vi", "pip_python", ">=4"),
        (without_metadata(), "up", "en", "pip_wheel", "invalid"),
        (FromGit(url="file:///no/such/folder"), "up", "vi", "pip_git", "/no/such/folder"),
    ],
    ids=[
        "offline",
        "broken-file",
        "broken-index",
        "missing",
        "pypi",
        "conflict",
        "old-python",
        "no-wheel",
        "git",
    ],
)
async def test_why_pip_failed_is_told_in_the_readers_language(
    source: Carried | FromPyPI | FromGit,
    index: str,
    language: str,
    cause: str,
    printed: str,
    spare: Path,
    tmp_path: Path,
) -> None:
    served = Index(tmp_path / "index", broken={"down": "", "no files": r"\.whl$"}.get(index, "$^"))
    (served.folder / LISTED).mkdir()
    (served.folder / LISTED / f"{LISTED.replace('-', '_')}-1-py3-none-any.whl").touch()
    url = "http://127.0.0.1:9/" if index == "unreachable" else served.url
    settings = NotebookSettings.model_validate({"language": language, "source": source})
    made = render_notebook(settings)
    try:
        async with opened(made, spare, tmp_path, PIP_INDEX_URL=url) as running:
            failure = await failure_of(running, "server")
            shown = running.shown("server")
    finally:
        served.close()

    assert printed in shown, "pip's own last lines"
    messages = Messages(language, "notebook")
    assert failure == [
        f"{messages('packages_install')}: {messages(cause)}",
        f"   → {messages(f'{cause}_next', cell=3)}",
        f"   {messages('see_help', code='packages_install')}",
    ]
    assert len(shown.splitlines()) <= 16
    assert "Traceback" not in shown


async def test_a_disk_that_takes_no_more_is_named(
    spare: Path, make_notebook: MakeNotebook, tmp_path: Path
) -> None:
    notebook = make_notebook("--lang=vi")
    for cell in notebook["cells"]:
        if cell["id"] == "drive":  # no file may grow beyond a kilobyte from now on
            cell["source"] = (
                "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))"
            )
    # Else what it compiles is cut off too, and stays so for whoever comes next.
    async with opened(notebook, spare, tmp_path, PYTHONDONTWRITEBYTECODE="1") as running:
        await running.run("drive")
        failure = await failure_of(running, "server")

    assert failure == [
        "❌ Không cài được máy chủ: ổ đĩa của runtime đã đầy hoặc không ghi được.",
        "   → Chọn Runtime → Disconnect and delete runtime, rồi Runtime → Run all.",
        "   Xem mục “packages_install” trong ô cuối cùng, Trợ giúp.",
    ]


@pytest.mark.parametrize(
    ("language", "damage"), [("vi", ("UEsD", "UEsE")), ("en", ("UEsD", "UEs"))]
)
async def test_a_damaged_package_is_not_installed(
    language: str,
    damage: tuple[str, str],
    spare: Path,
    make_notebook: MakeNotebook,
    tmp_path: Path,
) -> None:
    """One character is another, or is missing."""
    async with opened(make_notebook(f"--lang={language}"), spare, tmp_path) as running:
        form = running.notebook.cells[running.index("server")]
        form.source = form.source.replace(*damage, 1)
        failure = await failure_of(running, "server")

    messages = Messages(language, "notebook")
    name = f"vieneu_core-{__version__}-py3-none-any.whl"
    assert failure == [
        messages("packages_damaged", name=name),
        f"   → {messages('packages_damaged_next')}",
        f"   {messages('see_help', code='packages_damaged')}",
    ]


@pytest.mark.parametrize("language", ["vi", "en"])
async def test_why_apt_get_failed_is_told(
    language: str, spare: Path, make_notebook: MakeNotebook, tmp_path: Path
) -> None:
    program = tmp_path / "apt-get"  # first on the runtime's PATH
    program.write_text("#!/bin/sh\necho 'E: Unable to locate package' \"$@\" >&2\nexit 100\n")
    program.chmod(0o755)
    async with opened(make_notebook(f"--lang={language}"), spare, tmp_path) as running:
        form = running.notebook.cells[running.index("server")]
        form.source = form.source.replace('"gomp"', '"a-library-that-nobody-has"')
        failure = await failure_of(running, "server")
        shown = running.shown("server")

    messages = Messages(language, "notebook")
    assert failure == [
        messages("system_packages", code=100),
        f"   → {messages('system_packages_next')}",
        f"   {messages('see_help', code='system_packages')}",
    ]
    assert "E: Unable to locate package" in shown


@pytest.mark.parametrize(
    ("variable", "said", "cause"),
    [
        (
            "COLAB_DRIVE_REFUSED",
            "Error: credential propagation was unsuccessful",
            "drive_refused",
        ),
        ("COLAB_DRIVE_FAILED", "mount failed", "drive_unknown"),
        (
            "COLAB_DRIVE_FAILED",
            "mount failed: timeout during initial read of root folder; for more info: …",
            "drive_slow",
        ),
        (
            "COLAB_DRIVE_FAILED",
            "The domain policy has disabled Drive File Stream: …",
            "drive_policy",
        ),
        ("PYTHONPATH", "", "drive_not_colab"),
    ],
)
@pytest.mark.parametrize("language", ["vi", "en"])
async def test_without_the_drive_it_goes_on_and_says_so(
    language: str,
    variable: str,
    said: str,
    cause: str,
    spare: Path,
    make_notebook: MakeNotebook,
    tmp_path: Path,
) -> None:
    """The errors are those of colabtools: MessageError, ValueError, and none of its modules."""
    notebook = make_notebook(f"--lang={language}", "--drive-cache")
    async with opened(notebook, spare, tmp_path, **{variable: said}) as running:
        shown = await running.run("drive")
        kept = nbformat.v4.new_code_cell("import os; print(os.environ.get('HF_HUB_CACHE'))")  # type: ignore[no-untyped-call]
        await running.client.async_execute_cell(kept, 0)

    messages = Messages(language, "notebook")
    detail = messages(cause, kind="ValueError")
    assert messages("drive_mount", detail=detail) in shown
    assert messages("drive_mount_next") in shown
    assert kept.outputs[0]["text"] == "None\n"
    if said:
        assert said not in shown
