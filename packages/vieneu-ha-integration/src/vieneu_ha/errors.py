"""Errors of installing the component into a configuration."""

from __future__ import annotations

from vieneu_core.errors import ConfigurationError


class InstallError(ConfigurationError):
    """The component or a blueprint cannot be installed."""

    code = "component_install"
    title = "The integration cannot be installed"
    default_remedy = "Correct the cause, and try again."
