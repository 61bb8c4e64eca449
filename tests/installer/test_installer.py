"""The component, into a configuration and out of it again: copied, linked, upgraded, refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vieneu_ha.cli import EXIT_FAILED, main
from vieneu_ha.errors import InstallError
from vieneu_ha.installer import COMPONENT, find, install, uninstall, version_here


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "configuration.yaml").write_text("default_config:\n")
    return tmp_path


def files(folder: Path) -> set[str]:
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_it_is_copied_whole_and_taken_out_again(config: Path) -> None:
    assert find(config) is None
    made = install(config)

    assert made.path == config / "custom_components/vieneu"
    assert files(made.path) == files(COMPONENT)
    assert {"manifest.json", "translations/vi.json", "services.yaml"} <= files(made.path)
    assert find(config) == made
    assert uninstall(config) == made
    assert find(config) is None
    assert uninstall(config) is None
    assert [path.name for path in config.iterdir()] == ["configuration.yaml"]


def test_an_upgrade_leaves_nothing_of_the_old_one_and_others_alone(config: Path) -> None:
    other = config / "custom_components/other"
    other.mkdir(parents=True)
    install(config)
    target = config / "custom_components/vieneu"
    (target / "gone_since.py").write_text("")
    manifest = json.loads((target / "manifest.json").read_text())
    (target / "manifest.json").write_text(json.dumps({**manifest, "version": "0.0.1"}))
    install(config)

    assert files(target) == files(COMPONENT)
    assert sorted(path.name for path in target.parent.iterdir()) == ["other", "vieneu"]
    uninstall(config)
    assert other.is_dir()


def test_a_newer_one_stays_unless_it_is_forced(config: Path) -> None:
    install(config)
    path = config / "custom_components/vieneu/manifest.json"
    path.write_text(json.dumps({"domain": "vieneu", "version": "99.0.0"}))

    with pytest.raises(InstallError, match=r"newer version 99\.0\.0"):
        install(config)
    assert json.loads(path.read_text())["version"] == "99.0.0"
    assert install(config, force=True).version == version_here()


def test_a_link_is_made_found_and_removed_and_what_it_leads_to_stays(config: Path) -> None:
    made = install(config, link=True)

    assert made.is_link
    assert made.path.resolve() == COMPONENT
    assert find(config) == made
    uninstall(config)
    assert (COMPONENT / "manifest.json").is_file()
    made.path.parent.mkdir(exist_ok=True)
    made.path.symlink_to(config / "gone")
    assert install(config).is_link is False


def test_what_is_not_ours_is_not_touched(config: Path) -> None:
    target = config / "custom_components/vieneu"
    target.mkdir(parents=True)
    (target / "mine.py").write_text("")
    for act in (install, uninstall, find):
        with pytest.raises(InstallError, match="something else"):
            act(config)
    assert files(target) == {"mine.py"}


def test_a_folder_that_cannot_be_written_is_an_error_and_nothing_changes(config: Path) -> None:
    (config / "custom_components").write_text("a file")

    with pytest.raises(InstallError, match="cannot be written"):
        install(config)


def test_the_command_tells_what_it_did(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*arguments: str) -> str:
        code = main(arguments)
        out, err = capsys.readouterr()
        assert (code == 0) == (not err)
        return out + err

    option = f"--config={config}"
    assert "Not installed" in run("status", option)
    assert "Restart Home Assistant" in run("install", option)
    assert "→" in run("install", option)
    assert f"{version_here()} (copy)" in run("status", option)
    assert "removed" in run("uninstall", option)
    assert "Nothing to remove" in run("uninstall", option)
    assert "not a configuration of Home Assistant" in run("install", f"--config={tmp_path / 'x'}")
    with pytest.raises(SystemExit):
        main(["install"])


def blueprints_in(config: Path) -> list[str]:
    return sorted(path.name for path in (config / "blueprints").rglob("*.yaml"))


def test_the_blueprints_come_along_and_go_again(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["install", "--config", str(config)]) == 0
    assert "Blueprints: door_opened, evening_colab, session_reminder." in capsys.readouterr().out
    assert blueprints_in(config) == [
        "door_opened.yaml", "evening_colab.yaml", "session_reminder.yaml",
    ]  # fmt: skip
    assert main(["install", "--config", str(config)]) == 0
    assert "Blueprints" not in capsys.readouterr().out
    assert main(["uninstall", "--config", str(config)]) == 0
    assert [path.name for path in config.iterdir()] == ["configuration.yaml"]


def test_a_blueprint_that_was_changed_or_is_of_others_is_left_alone(config: Path) -> None:
    main(["install", "--config", str(config)])
    mine = config / "blueprints/automation/vieneu/door_opened.yaml"
    mine.write_text("my own")
    other = config / "blueprints/automation/other.yaml"
    other.write_text("another's")
    main(["install", "--config", str(config)])
    assert mine.read_text() == "my own"
    main(["uninstall", "--config", str(config)])
    assert blueprints_in(config) == ["door_opened.yaml", "other.yaml"]


def test_a_place_for_blueprints_that_cannot_be_written_is_named(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (config / "blueprints").write_text("a file")
    assert main(["install", "--config", str(config)]) == EXIT_FAILED
    assert "door_opened.yaml cannot be written" in capsys.readouterr().err
    assert find(config) is not None
