"""Every page installs our packages as they can be installed today."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from distributions import NOT_THE_PROJECT
from guard import GUARD_S
from install_pages import PAGES, ROOT, SCRIPT, all_mentions, shown_lines

from vieneu_core import __version__
from vieneu_core.installation import PUBLISHED

NOT_YET = (
    "not on pypi yet",
    "chưa có trên pypi",
    "in the folder of the clone",
    "`pip install packages/`",
    "from wheels",
)
"""What pages say before the first release only, in lower case."""
STEPS = ROOT / "docs/release.md"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_shows_the_lines_that_work_today(page: Path) -> None:
    text = page.read_text("utf-8")

    assert SCRIPT.rewritten(text) == text, "run docs/install_lines.py"


def test_nothing_on_any_page_installs_us_in_another_way() -> None:
    ours = {shown.line for shown in shown_lines()}
    mentioned = {line for page in PAGES for line in all_mentions(page.read_text("utf-8"))}

    assert len(ours) >= 8
    assert mentioned <= ours, "docs/install_lines.py does not know this form"


def test_no_line_leaves_the_core_to_be_found_by_name() -> None:
    """The server and the integration ask for it: without it, pip would take a stranger's.

    So would pip 23 where it comes second.
    """
    for shown in shown_lines():
        first = next(word for word in shown.line.split() if "vieneu" in word)
        assert PUBLISHED or re.search("vieneu[-_]core", first), shown.where


def test_the_pages_say_what_is_not_published_as_long_as_it_is_not() -> None:
    saying = {
        str(page.relative_to(ROOT)): [words for words in NOT_YET if words in text]
        for page in PAGES
        if page != STEPS
        for text in [page.read_text("utf-8").lower()]
        if any(words in text for words in NOT_YET)
    }

    assert bool(saying) is not PUBLISHED, f"correct by hand: {saying}"


@pytest.mark.slow
def test_on_the_day_of_the_release_one_value_is_changed_and_the_tests_pass(tmp_path: Path) -> None:
    """But for the sentences that are corrected by hand, which the test above names."""
    copy = tmp_path / "clone"
    shutil.copytree(ROOT, copy, ignore=NOT_THE_PROJECT)
    module = copy / "packages/vieneu-core/src/vieneu_core/installation.py"
    module.write_text(
        module.read_text("utf-8").replace("PUBLISHED = False", "PUBLISHED = True"), "utf-8"
    )
    packages = os.pathsep.join(str(each) for each in sorted(copy.glob("packages/*/src")))
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "COVERAGE_"))}

    def run(*command: str) -> str:
        done = subprocess.run(
            [sys.executable, *command],
            cwd=copy,
            env={**environ, "PYTHONPATH": packages},
            capture_output=True,
            text=True,
            check=False,
            timeout=GUARD_S,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert "docs/quickstart.md" in run("docs/install_lines.py")
    run(
        *("-m", "pytest", "-q", "-p", "no:cacheprovider"),
        *("tests/core/test_installation.py", "tests/docs/test_install_lines.py"),
        *("tests/core/backends/local/test_loading.py", "tests/core/cli/test_misuse.py"),
        *("-k", "not (day_of_the_release or what_is_not_published) and (install or load or extra)"),
    )


@pytest.mark.parametrize(
    ("line", "today", "later"),
    [
        (
            "pip install 'vieneu-core[cli,espeak]'   # a voice",
            "pip install 'packages/vieneu-core[cli,espeak]'   # a voice",
            "pip install 'vieneu-core[cli,espeak]'   # a voice",
        ),
        (
            "/opt/x/bin/pip install --upgrade packages/vieneu-colab-server vieneu-core",
            "/opt/x/bin/pip install --upgrade packages/vieneu-core packages/vieneu-colab-server",
            "/opt/x/bin/pip install --upgrade vieneu-core vieneu-colab-server",
        ),
        (
            "see `pip install 'dist/vieneu_core-0.0.9-py3-none-any.whl[cli]'`.",
            f"see `pip install 'dist/vieneu_core-{__version__}-py3-none-any.whl[cli]'`.",
            "see `pip install 'vieneu-core[cli]'`.",
        ),
        ("pip install lmdeploy", "pip install lmdeploy", "pip install lmdeploy"),
    ],
)
def test_one_value_decides_the_form(line: str, today: str, later: str) -> None:
    assert SCRIPT.rewritten(line, published=False) == today
    assert SCRIPT.rewritten(today, published=True) == later
    assert SCRIPT.rewritten(later, published=True) == later
