"""The notebook's first cells where something is wrong: what runs, and what the reader is told."""

from __future__ import annotations

import ast
import base64
import io
import json
import re
import shutil
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from distributions import call
from nbclient.exceptions import CellExecutionError
from notebook_kernel import STAND_INS, Running, opened

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
from vieneu_core.notebook.packing import pack

ROOT = Path(__file__).parents[2]
STRANGER = "raise SystemExit('a stranger runs code')\n"
NAMES = ("vieneu_core", "vieneu_colab_server")
MakeNotebook = Callable[..., dict[str, Any]]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


class Index:
    """A package index on this machine that has what lies in its folder.

    Args:
        folder: A folder for each package.
        broken: A pattern; paths that match it are answered with 503.
    """

    def __init__(self, folder: Path, *, broken: str = "$^") -> None:
        asked = self.asked = list[str]()

        class Handler(SimpleHTTPRequestHandler):
            def log_request(self, code: object = "-", size: object = "-") -> None:
                del code, size
                asked.append(self.path)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
                del format, args

            def do_GET(self) -> None:
                if re.search(broken, self.path):
                    self.send_error(503)
                else:
                    super().do_GET()

        folder.mkdir(exist_ok=True)
        self.folder = folder
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=folder))
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def made_wheel(
    name: str, version: str = __version__, *, needs: str = "", python: str = "3", code: str = ""
) -> Wheel:
    """Return a wheel with one module."""
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    metadata += f"Requires-Python: >={python}\n" + (f"Requires-Dist: {needs}\n" if needs else "")
    content = {
        f"{name}/__init__.py": code.encode(),
        f"{info}/METADATA": metadata.encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    return Wheel(f"{name}-{version}-py3-none-any.whl", pack(content))


def carried_in(notebook: dict[str, Any]) -> dict[str, bytes]:
    """Return the wheels in a notebook, by file name."""
    (source,) = [cell["source"] for cell in notebook["cells"] if cell["id"] == "server"]
    (found,) = re.findall(r"^WHEELS = (\{.*?^\})$", source, re.DOTALL | re.MULTILINE)
    return {
        name: base64.b64decode(packed) for name, (_, _, packed) in ast.literal_eval(found).items()
    }


def package_files(wheel: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        names = [name for name in archive.namelist() if ".dist-info/" not in name]
        return {name: archive.read(name) for name in names}


def assert_installed(notebook: dict[str, Any], home: Path) -> None:
    """Assert that an environment has the bytes that a notebook carries."""
    (site,) = home.glob("lib/*/site-packages")
    for wheel in carried_in(notebook).values():
        for name, content in package_files(wheel).items():
            assert (site / name).read_bytes() == content


# --- what is installed ---------------------------------------------------------------------------


@pytest.fixture
def hostile(tmp_path: Path) -> Iterator[Index]:
    """Serve a stranger's packages under our names: of this version, and of a later one."""
    index = Index(tmp_path / "index")
    for name in NAMES:
        folder = index.folder / name.replace("_", "-")
        folder.mkdir()
        for version in (__version__, "99.0"):
            wheel = made_wheel(name, version, code=STRANGER)
            (folder / wheel.name).write_bytes(wheel.content)
    yield index
    index.close()


async def test_a_strangers_packages_are_neither_asked_for_nor_left(
    make_runtime: Callable[[], Path],
    make_notebook: MakeNotebook,
    hostile: Index,
    tmp_path: Path,
) -> None:
    home = make_runtime()
    (site,) = home.glob("lib/*/site-packages")
    pip = (home / "bin/python", "-m", "pip", "install", "--quiet", f"--index-url={hostile.url}")
    call(*pip, *(f"{name}=={__version__}" for name in NAMES))
    assert (site / "vieneu_core/__init__.py").read_text() == STRANGER, "the index has our names"
    hostile.asked.clear()

    notebook = make_notebook("--lang=en", "--engine=espeak")
    async with opened(notebook, home, tmp_path, PIP_EXTRA_INDEX_URL=hostile.url) as running:
        assert "Engine: espeak" in await running.run("server")

    assert_installed(notebook, home)
    assert not list(home.glob("lib/*/site-packages/vieneu_*-99.0.dist-info"))
    assert hostile.asked, "pip has this index"
    assert [path for path in hostile.asked if path.endswith(".whl")] == []


async def test_a_sample_installs_as_it_is(runtime: Path, tmp_path: Path) -> None:
    notebook = json.loads((ROOT / "notebooks/vieneu_relay.vi.ipynb").read_text("utf-8"))
    async with opened(notebook, runtime, tmp_path) as running:
        form = running.notebook.cells[running.index("server")]
        form.source = form.source.replace("ENGINE = 'auto'", "ENGINE = 'espeak'")
        assert "Công cụ đọc: espeak" in await running.run("server")
        assert "Mô hình đã sẵn sàng" in await running.run("model")
    assert_installed(notebook, runtime)


def test_a_clone_carries_its_source_as_it_is_now(uv: str, tmp_path: Path) -> None:
    """Set up as scripts/speak does it, with the extra that notebooks need; no server."""
    clone = tmp_path / "clone"
    left_out = shutil.ignore_patterns(".git", ".venv", ".tools", ".nox", ".*_cache", "__pycache__")
    shutil.copytree(ROOT, clone, ignore=left_out)
    sync = (uv, "sync", "--quiet", "--frozen", "--no-default-groups", "--package=vieneu-core")
    extras = ("--extra=cli", "--extra=espeak", "--extra=notebook")
    call(*sync, *extras, f"--python={sys.executable}", f"--project={clone}", cwd=clone)
    environment = clone / ".venv"
    make = (environment / "bin/vieneu", "notebook", "-o", tmp_path / "colab.ipynb")

    def made() -> dict[str, bytes]:
        call(*make, cwd=tmp_path)
        return carried_in(json.loads((tmp_path / "colab.ipynb").read_text("utf-8")))

    assert not list(environment.glob("lib/*/site-packages/vieneu_colab_server*"))
    first = made()
    for name in NAMES:
        module = next(clone.glob(f"packages/*/src/{name}/__init__.py"))
        module.write_text(module.read_text("utf-8") + "\nCHANGED = True\n", "utf-8")
    second = made()
    for name in NAMES:
        wheel = f"{name}-{__version__}-py3-none-any.whl"
        assert b"CHANGED" not in package_files(first[wheel])[f"{name}/__init__.py"]
        assert b"CHANGED" in package_files(second[wheel])[f"{name}/__init__.py"]

    home = tmp_path / "runtime"
    call(uv, "venv", "--quiet", "--python", sys.executable, home)
    files = []
    for name, content in second.items():
        files.append(tmp_path / name)
        files[-1].write_bytes(content)
    call(uv, "pip", "install", "--quiet", "--python", home, *files)
    call(home / "bin/vieneu-server", "--version")


# --- what the reader is told ---------------------------------------------------------------------


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


MISSING = "a-package-that-nobody-has"
LISTED = "a-package-of-the-index"


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
        "   docs/colab.md#packages_install",
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

    assert failure[0].startswith(
        "❌ Không cài được máy chủ: ổ đĩa của runtime đã đầy hoặc không ghi được. ("
    )
    assert failure[1:] == [
        "   → Chọn Runtime → Disconnect and delete runtime, rồi Runtime → Run all.",
        "   docs/colab.md#packages_install",
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
        "   docs/colab.md#packages_damaged",
    ]


@pytest.mark.parametrize("language", ["vi", "en"])
async def test_why_apt_get_failed_is_told(
    language: str, spare: Path, make_notebook: MakeNotebook, tmp_path: Path
) -> None:
    program = tmp_path / "apt-get"  # first on the runtime's PATH
    program.write_text("#!/bin/sh\necho 'E: Unable to locate package' \"$@\" >&2\nexit 100\n")
    program.chmod(0o755)
    async with opened(make_notebook(f"--lang={language}"), spare, tmp_path) as running:
        form = running.notebook.cells[running.index("packages")]
        form.source = form.source.replace('"gomp"', '"a-library-that-nobody-has"')
        failure = await failure_of(running, "packages")
        shown = running.shown("packages")

    messages = Messages(language, "notebook")
    assert failure == [
        messages("system_packages", code=100),
        f"   → {messages('system_packages_next')}",
        "   docs/colab.md#system_packages",
    ]
    assert "E: Unable to locate package" in shown


@pytest.mark.parametrize(
    ("language", "refuses", "detail"),
    [("vi", True, "mount failed"), ("en", False, "No module named 'google'")],
)
async def test_a_drive_that_is_not_mounted_is_named(
    language: str,
    refuses: bool,
    detail: str,
    spare: Path,
    make_notebook: MakeNotebook,
    tmp_path: Path,
) -> None:
    colab = tmp_path / "colab"
    if refuses:
        shutil.copytree(STAND_INS / "google", colab / "google")
        (colab / "google/colab/drive.py").write_text(
            "def mount(mountpoint):\n    raise ValueError('mount failed')\n"
        )
    notebook = make_notebook(f"--lang={language}", "--drive-cache")
    async with opened(notebook, spare, tmp_path, PYTHONPATH=str(colab)) as running:
        failure = await failure_of(running, "drive")

    messages = Messages(language, "notebook")
    assert failure == [
        messages("drive_mount", detail=detail),
        f"   → {messages('drive_mount_next')}",
        "   docs/colab.md#drive_mount",
    ]
