"""Options of the app, as Supervisor writes them for a user of Home Assistant."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from vieneu_colab_server.cli import LogLevel
from vieneu_core.errors import ConfigurationError
from vieneu_core.translatable import Translatable
from vieneu_core.untrusted_json import read_json
from vieneu_core.validation import field_of, reason_of

OPTIONS_FILE = "options.json"
_MAX_BYTES = 64 * 1024


class AppOptions(BaseModel):
    """The options; `config.yaml` of the app has the same names, bounds and defaults.

    Options of another version of the app are left out.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    log_level: LogLevel = LogLevel.INFO


def read_options(path: Path) -> AppOptions:
    """Return the options in a file. Blocking.

    Raises:
        ConfigurationError: it cannot be read, or an option is wrong.
    """
    try:
        return AppOptions.model_validate(read_json(path, max_bytes=_MAX_BYTES))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        reason: object = Translatable(
            "{field}: {reason}", field=field_of(first), reason=reason_of(first)
        )
    except OSError as error:
        reason = error.strerror or error
    except ValueError:
        reason = "it is no JSON"
    raise ConfigurationError(
        Translatable(
            "The options of the app in {path} cannot be used: {reason}.", path=path, reason=reason
        ),
        remedy="Save the app's configuration in Home Assistant, and start it again.",
    )
