"""User of the app: what was root's belongs to a user without rights, who runs the relay."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from guard import GUARD_S

from vieneu_colab_server.relay.home_assistant.app_user import become, own_folder
from vieneu_core.errors import ConfigurationError

GIVES_UP_ROOT = """
import os, sys
from pathlib import Path
from vieneu_colab_server.relay.home_assistant.app_user import become, own_folder

folder = Path(sys.argv[1]) / "vieneu"
own_folder(folder, "nobody")
become("nobody")
(folder / "config.yaml").write_text("mode: local")
assert (folder / "kept" / "token").read_text() == "secret"
assert not os.getgroups(), os.getgroups()
try:
    os.setuid(0)
except PermissionError:
    print(os.geteuid())
"""


@pytest.fixture
def data() -> Iterator[Path]:
    """A folder that other users reach, as Supervisor makes /data."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_root_is_given_up_for_good(data: Path) -> None:
    (data / "vieneu/kept").mkdir(parents=True, mode=0o700)
    (data / "vieneu/kept/token").write_text("secret")
    (data / "other").write_text("of root")
    (data / "vieneu/kept/link").symlink_to(data / "other")

    ended = subprocess.run(
        [sys.executable, "-c", GIVES_UP_ROOT, str(data)],
        capture_output=True,
        text=True,
        check=False,
        timeout=GUARD_S,
    )

    assert ended.returncode == 0, ended.stderr
    uid = int(ended.stdout)
    assert uid == (data / "vieneu/kept/token").stat().st_uid != 0
    assert (data / "other").stat().st_uid == 0, "links are not followed"


def test_a_folder_is_private(tmp_path: Path) -> None:
    own_folder(tmp_path / "vieneu", "")
    assert (tmp_path / "vieneu").stat().st_mode & 0o077 == 0


def test_a_user_who_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"no-such-user.*there is no such user"):
        own_folder(tmp_path / "vieneu", "no-such-user")
    with pytest.raises(ConfigurationError, match="no-such-user"):
        become("no-such-user")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=str(tmp_path)) as caught:
        own_folder(tmp_path / "none" / "vieneu", "")
    assert "Free space or repair the disk" in str(caught.value)
    assert "Reinstall" not in str(caught.value), "that removes the data"
