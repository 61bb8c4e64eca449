"""Reading and changing of the settings file."""

from __future__ import annotations

import numbers
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr, ValidationError

from vieneu_core.arguments import expect, path_of, refuse
from vieneu_core.config.overwriting import read_whole
from vieneu_core.config.paths import expanded, settings_path
from vieneu_core.config.rescued_token import find_rescued, forget_rescued
from vieneu_core.config.settings import (
    AUTH_TOKEN_VARIABLE,
    ENDPOINT_URL_VARIABLE,
    WITH_DETAILS,
    ColabSettings,
    Settings,
    environment_overrides,
)
from vieneu_core.config.writing import MAX_BYTES, locked, write
from vieneu_core.config.yaml_document import Document, settings_file_error
from vieneu_core.config.yaml_editing import UneditableError, Value, edited
from vieneu_core.errors import ConfigurationError, SettingsFileError
from vieneu_core.files import PRIVATE, NotOrdinaryFileError, check_ordinary
from vieneu_core.translatable import Translatable
from vieneu_core.validation import reason_of


def load_settings(
    path: str | os.PathLike[str] | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    must_exist: bool = False,
) -> Settings:
    """Read the settings; URL and token of the environment override the file's. Blocking.

    A missing file means the defaults, unless ``must_exist``. If the file does not
    set ``colab.enabled``, a URL in the environment means true.

    Args:
        path: The file; None means that of the command ``vieneu``: ``$VIENEU_CONFIG``, else
            ``~/.config/vieneu/config.yaml``.
        environ: Environment variables; None means those of this process.
        must_exist: Whether a missing file is an error.

    Raises:
        SettingsFileError: the file cannot be read, or a value in it is wrong.
        ConfigurationError: an environment variable has a wrong value.
    """
    expect("must_exist", must_exist, bool, "True or False")
    environ = _environment(environ)
    path = _settings_file(path, environ)
    text = _read(path, must_exist=must_exist)
    document = Document.parse(text or "", path)
    settings = _with_rescued(document.settings(), path, environ)
    settings = _overridden(settings, environ, implied=not document.states("colab", "enabled"))
    _check_complete(settings, document)
    return settings


def save_settings(
    changes: Mapping[str, Value | SecretStr],
    path: str | os.PathLike[str] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """Change some values of the file, by dotted name (``colab.enabled``). Blocking, durable.

    Everything else in the file stays the same, to the byte. A missing file is created. The file is
    private to its owner afterwards (mode 0600); a link is followed. Writers wait for each
    other. Without changes, only checks that the file can be written. A file that cannot be
    replaced, such as one that is mounted by itself, is written over; a crash loses nothing.

    Returns the new settings of the file, without those of the environment.

    Args:
        changes: New values by dotted name, such as ``{"local.engine": "gguf"}``.
        path: As in `load_settings`.
        environ: Environment variables for the default path; None means those of this process.

    Raises:
        SettingsFileError: the file is invalid (and was left unchanged), or cannot be written.
        ConfigurationError: ``changes`` contains a value that YAML cannot hold.
    """
    plain = _plain(changes)
    environ = _environment(environ)
    path = _settings_file(path, environ)
    target = _writable(path)
    with locked(target, path):
        text = _read(target, must_exist=False)
        if text is None and not plain:
            return Settings()
        document = Document.parse(text or "", path)
        rescued = find_rescued(target, environ, document.settings().colab.auth_token)
        if rescued is not None:
            plain.setdefault("colab.auth_token", rescued.get_secret_value())
        plain = {document.written_name(name): value for name, value in plain.items()}
        new = _edited(text or "", plain, path)
        settings = Document.parse(new, path).settings()
        if new != text or stat.S_IMODE(target.stat().st_mode) != PRIVATE:
            write(target, new, path)
        if rescued is not None:
            forget_rescued(target, environ)
    return settings


def check_savable(
    changes: Mapping[str, Value | SecretStr],
    path: str | os.PathLike[str] | None = None,
    environ: Mapping[str, str] | None = None,
) -> None:
    """Really write the file, with the content that it has and room for what changes. Blocking.

    Raises:
        SettingsFileError: the file is invalid, or cannot be written.
    """
    path = _settings_file(path, _environment(environ))
    target = _writable(path)
    with locked(target, path):
        text = _read(target, must_exist=False) or ""
        document = Document.parse(text, path)
        document.settings()
        plain = {document.written_name(name): value for name, value in _plain(changes).items()}
        write(target, text, path, room=len(_edited(text, plain, path).encode()))


def _with_rescued(settings: Settings, path: Path, environ: Mapping[str, str]) -> Settings:
    """Take over a token that could not be saved in the file."""
    rescued = find_rescued(_target(path), environ, settings.colab.auth_token)
    if rescued is None:
        return settings
    colab = settings.colab.model_copy(update={"auth_token": rescued})
    return settings.model_copy(update={"colab": colab})


def _environment(environ: Mapping[str, str] | None) -> Mapping[str, str]:
    if environ is None:
        return os.environ
    expect("environ", environ, Mapping, "a mapping of strings, such as os.environ")
    for name, value in environ.items():
        if not isinstance(value, str):
            raise refuse(f"environ[{name!r}]", value, "a string", secret=True)
    return environ


def _settings_file(path: str | os.PathLike[str] | None, environ: Mapping[str, str]) -> Path:
    if path is None:
        return settings_path(environ)
    return expanded(path_of("path", path, error=ConfigurationError))


def _plain(changes: Mapping[str, Value | SecretStr]) -> dict[str, Value]:
    """Return the changes as plain YAML values."""
    expect("changes", changes, Mapping, "a dict, such as {'local.engine': 'gguf'}")
    plain: dict[str, Value] = {}
    for name, value in changes.items():
        expect("A key of changes", name, str, "a dotted name, such as 'local.engine'")
        plain[name] = _plain_value(f"changes[{name!r}]", value)
    return plain


def _plain_value(name: str, value: Value | SecretStr) -> Value:
    match value:
        case SecretStr():
            return value.get_secret_value()
        case bool() | str():
            return value
        case numbers.Integral():
            return int(value)
        case numbers.Real():
            return float(value)
        case list() | tuple() if all(isinstance(part, str) for part in value):
            return value
    expected = "a string, a number, True or False, or a list of strings"
    raise refuse(name, value, expected, secret=True)


def _edited(text: str, changes: Mapping[str, Value], shown: Path) -> str:
    try:
        return edited(text, changes)
    except UneditableError as err:
        raise SettingsFileError(
            Translatable(
                "{shown}: {err} cannot be changed here without touching other values.",
                shown=shown,
                err=err,
            ),
            remedy="Change it by hand; the file was left as it is.",
        ) from err


def _overridden(settings: Settings, environ: Mapping[str, str], *, implied: bool) -> Settings:
    overrides = environment_overrides(environ)
    if not overrides:
        return settings
    bad = reason = ""
    try:
        checked = ColabSettings.model_validate(overrides, context=WITH_DETAILS)
    except ValidationError as err:
        first = err.errors(include_url=False, include_input=False)[0]
        bad, reason = str(first["loc"][0]), reason_of(first)
    if bad:
        variable = ENDPOINT_URL_VARIABLE if bad == "endpoint_url" else AUTH_TOKEN_VARIABLE
        expected = ColabSettings.model_fields[bad].description
        raise ConfigurationError(
            Translatable(
                "The environment variable {variable} cannot be used: {reason}.",
                variable=variable,
                reason=reason,
            ),
            remedy=Translatable("Set it to {expected}.", expected=expected),
        )
    update = {field: getattr(checked, field) for field in overrides}
    if implied and "endpoint_url" in overrides:
        update["enabled"] = True
    return settings.model_copy(update={"colab": settings.colab.model_copy(update=update)})


def _check_complete(settings: Settings, document: Document) -> None:
    colab = settings.colab
    if not colab.enabled:
        return
    needed = {"endpoint_url": colab.endpoint_url, "auth_token": colab.auth_token.get_secret_value()}
    for field, value in needed.items():
        if not value:
            at = document.position(("colab", field)) or document.position(("colab",))
            remedy = "Connect with: vieneu connect URL; or set colab.enabled to false."
            raise settings_file_error(
                document.path,
                "is needed where colab.enabled is true, and is missing",
                remedy,
                at=at,
                field=f"colab.{field}",
            )


def _read(path: Path, *, must_exist: bool) -> str | None:
    failure = ""
    try:
        found = path.stat()
        if stat.S_ISFIFO(found.st_mode):  # which can be read once only, and settings are read often
            raise NotOrdinaryFileError(path)
        if found.st_size > MAX_BYTES:
            failure = "it is larger than 1 MiB"
        else:
            return read_whole(path).decode("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        if not must_exist:
            return None
        failure = "there is no such file"
    except UnicodeDecodeError as err:
        failure = Translatable("byte {start} is not UTF-8", start=err.start + 1)
    except OSError as err:
        failure = Translatable("it cannot be read ({strerror})", strerror=err.strerror)
    raise _unusable(path, failure)


def _writable(path: Path) -> Path:
    """Return the file that is written: not a pipe, nor a device."""
    target = _target(path)
    try:
        check_ordinary(target)
    except NotOrdinaryFileError as err:
        raise _unusable(path, err.reason) from err
    except OSError:
        pass  # `locked` says what is wrong
    return target


def _unusable(path: Path, failure: str) -> SettingsFileError:
    return SettingsFileError(
        Translatable("{path}: {failure}.", path=path, failure=failure),
        remedy="Give the path of a readable YAML file.",
    )


def _target(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError) as err:
        raise SettingsFileError(
            Translatable("{path}: it is a link to a file that does not exist.", path=path)
        ) from err
