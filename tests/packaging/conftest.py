"""The distributions of all packages, built once."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from distributions import Built

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def uv() -> str:
    program = shutil.which("uv") or next(map(str, ROOT.glob(".tools/uv-*/bin/uv")), None)
    if program is None:
        pytest.fail("uv is not here; run scripts/test, which gets it.")
    return program


@pytest.fixture(scope="session")
def built(uv: str, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Build every package: the sdist from its source, the wheel from that sdist."""
    out = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [uv, "build", "--quiet", "--all-packages", "--python", sys.executable, "--out-dir", out],
        cwd=ROOT,
        check=True,
        timeout=300,
    )
    return Built(tuple(sorted(out.glob("*.whl"))), tuple(sorted(out.glob("*.tar.gz"))))
