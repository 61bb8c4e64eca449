"""A rotated token is not lost, whatever happens to the file in which the client keeps it."""

from __future__ import annotations

import asyncio
import errno
import os
import stat
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from guard import GUARD_S
from pydantic import SecretStr
from relay_site import relaying
from server_site import TOKEN, Site, serving

from vieneu_colab_server.tokens.file import read_token_file, write_token_file
from vieneu_core.config import load_settings, save_settings
from vieneu_core.errors import AuthenticationError, SettingsFileError
from vieneu_core.pairing import rotate_saved_token, token_rotation
from vieneu_core.testing.scripted import ScriptedBackend

ROTATE = """
import asyncio, os, sys
from pathlib import Path
from vieneu_core.config import load_settings
from vieneu_core.pairing import rotate_saved_token
path = Path(sys.argv[1])
colab = load_settings(path).colab
asyncio.run(rotate_saved_token(path, colab.endpoint_url, colab.auth_token))
"""
NAME = "config.yaml"


@cache
def _can_mount() -> bool:
    done = subprocess.run(["unshare", "--map-root-user", "--mount", "true"], check=False)
    return done.returncode == 0


async def in_mounts(script: str, folder: Path) -> tuple[int, str]:
    """Run a script of sh with mounts of its own; return its exit code and its errors."""
    if not _can_mount():
        pytest.skip("this system lets a user mount nothing")
    process = await asyncio.create_subprocess_exec(
        *("unshare", "--map-root-user", "--mount", "sh", "-euc", script),
        cwd=folder,
        env={
            **os.environ,
            "PY": sys.executable,
            "ROTATE": ROTATE,
            "XDG_STATE_HOME": str(folder / "state"),
        },
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(GUARD_S):
        _, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, errors.decode()


def settings_file(folder: Path, site: Site) -> Path:
    path = folder / NAME
    changes: dict[str, str | bool] = {
        "colab.enabled": True,
        "colab.endpoint_url": site.url,
        "colab.auth_token": TOKEN,
    }
    save_settings(changes, path)
    return path


def names(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir()} - {"state"}


def saved_token(path: Path, folder: Path) -> str:
    environ = {"XDG_STATE_HOME": str(folder / "state")}
    return load_settings(path, environ).colab.auth_token.get_secret_value()


async def rotate(path: Path, site: Site, folder: Path) -> None:
    environ = {"XDG_STATE_HOME": str(folder / "state")}
    token = SecretStr(saved_token(path, folder))
    await rotate_saved_token(path, site.url, token, environ=environ)


async def test_a_file_that_is_mounted_by_itself_gets_the_new_token(tmp_path: Path) -> None:
    async with serving(ScriptedBackend()) as site:
        path = settings_file(tmp_path, site)
        (tmp_path / "config").mkdir()
        (tmp_path / "config" / NAME).write_text("", "utf-8")
        code, errors = await in_mounts(
            f'mount --bind {NAME} config/{NAME}\n"$PY" -c "$ROTATE" config/{NAME}\n', tmp_path
        )
        current = site.service.tokens.current.get_secret_value()

    assert code == 0, errors
    assert saved_token(path, tmp_path) == current != TOKEN


async def test_on_a_full_disk_the_server_is_not_asked(tmp_path: Path) -> None:
    async with serving(ScriptedBackend()) as site:
        settings_file(tmp_path, site)
        (tmp_path / "small").mkdir()
        code, errors = await in_mounts(
            "mount -t tmpfs -o size=16k tmpfs small\n"
            f"cp {NAME} small/{NAME}\n"
            "dd if=/dev/zero of=small/rest bs=4k 2>/dev/null || true\n"
            f'"$PY" -c "$ROTATE" small/{NAME}\n',
            tmp_path,
        )
        assert site.service.tokens.current == SecretStr(TOKEN)

    assert code == 1
    assert "it cannot be written (No space left on device)" in errors


async def test_a_file_and_a_folder_that_are_read_only_are_named_before_the_server_is_asked(
    tmp_path: Path,
) -> None:
    async with serving(ScriptedBackend()) as site:
        path = settings_file(tmp_path, site)
        code, errors = await in_mounts(
            "mkdir config && mount --bind . config && mount -o remount,bind,ro config\n"
            f'"$PY" -c "$ROTATE" config/{NAME}\n',
            tmp_path,
        )
        assert site.service.tokens.current == SecretStr(TOKEN)

    assert code == 1
    assert "it cannot be written (Read-only file system)" in errors
    assert saved_token(path, tmp_path) == TOKEN


@pytest.fixture
def refuses(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A disk on which the settings can no longer be written once the server has rotated."""
    save = save_settings

    def full(changes: dict[str, SecretStr], *rest: object) -> object:
        if changes:
            raise SettingsFileError("It cannot be written (No space left on device).")
        return save(changes, *rest)  # type: ignore[arg-type]  # as it is called

    monkeypatch.setattr(token_rotation, "save_settings", full)
    return monkeypatch


@pytest.mark.parametrize("beside", [True, False])
async def test_a_token_that_cannot_be_saved_is_rescued_and_moved_into_the_settings_later(
    tmp_path: Path, refuses: pytest.MonkeyPatch, *, beside: bool
) -> None:
    folder = tmp_path if beside else tmp_path / "state" / "vieneu"
    if not beside:
        (tmp_path / f".{NAME}.new-token").mkdir()
    async with serving(ScriptedBackend()) as site:
        path = settings_file(tmp_path, site)
        with pytest.raises(SettingsFileError) as caught:
            await rotate(path, site, tmp_path)
        new = site.service.tokens.current.get_secret_value()
        (rescued,) = (each for each in folder.glob("*new-token*") if each.is_file())
        assert stat.S_IMODE(rescued.stat().st_mode) == 0o600
        assert str(rescued) in str(caught.value)
        assert new not in str(caught.value)
        assert TOKEN in path.read_text("utf-8")
        assert saved_token(path, tmp_path) == new, "every command uses it"
        refuses.undo()
        environ = {"XDG_STATE_HOME": str(tmp_path / "state")}
        save_settings({"local.voice": "a"}, path, environ)
        assert new in path.read_text("utf-8")
        assert not rescued.exists()
        await rotate(path, site, tmp_path)
        assert saved_token(path, tmp_path) == site.service.tokens.current.get_secret_value() != new
    assert [each for each in folder.glob("*new-token*") if each.is_file()] == []


async def test_where_nothing_can_be_rescued_the_old_token_may_rotate_again(
    tmp_path: Path, refuses: pytest.MonkeyPatch
) -> None:
    (tmp_path / f".{NAME}.new-token").mkdir()
    (tmp_path / "state").write_text("", "utf-8")
    async with serving(ScriptedBackend()) as site:
        path = settings_file(tmp_path, site)
        with pytest.raises(SettingsFileError, match="rotate again within ten minutes"):
            await rotate(path, site, tmp_path)
        refuses.undo()
        await rotate(path, site, tmp_path)
        assert saved_token(path, tmp_path) == site.service.tokens.current.get_secret_value()


@pytest.mark.usefixtures("refuses")
async def test_a_rescued_token_of_another_one_is_not_used(tmp_path: Path) -> None:
    async with serving(ScriptedBackend()) as site:
        path = settings_file(tmp_path, site)
        with pytest.raises(SettingsFileError):
            await rotate(path, site, tmp_path)
        path.write_text(path.read_text("utf-8").replace(TOKEN, "another-token-0123456789"), "utf-8")
        assert saved_token(path, tmp_path) == "another-token-0123456789"


async def test_a_server_that_refuses_leaves_nothing_behind(tmp_path: Path) -> None:
    async with serving(ScriptedBackend()) as site:
        path = settings_file(tmp_path, site)
        before = names(tmp_path)
        new = site.service.tokens.rotate().get_secret_value()
        assert site.service.tokens.accepts(new.encode()), "it is used"
        with pytest.raises(AuthenticationError, match="needs the current token"):
            await rotate(path, site, tmp_path)
    assert names(tmp_path) == before


@pytest.mark.usefixtures("refuses")
async def test_the_relay_uses_a_rescued_token_at_once(tmp_path: Path) -> None:
    async with serving(ScriptedBackend()) as server:
        settings_file(tmp_path, server)
        async with relaying(tmp_path) as site:
            problem = await site.call("POST", "/rotate-token", status=500)
            assert "new-token" in problem["detail"]
            held = site.administration.settings.colab.auth_token
            assert held == server.service.tokens.current != SecretStr(TOKEN)


def test_the_servers_token_file_is_written_over_where_it_cannot_be_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "token"
    path.write_text("the-token-before-0123456789\n", "utf-8")
    path.chmod(0o600)
    inode = path.stat().st_ino

    def refused(*_: Path) -> Path:
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))

    monkeypatch.setattr(Path, "replace", refused)
    for token in ("a-much-longer-token-than-before-0123456789", "short-0123456789"):
        write_token_file(path, SecretStr(token))
        assert path.read_text("utf-8") == f"{token}\n"
        assert read_token_file(path) == token
    assert path.stat().st_ino == inode
