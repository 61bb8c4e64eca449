"""What can go wrong when the component is put into a configuration."""

from __future__ import annotations

from vieneu_core.errors import ConfigurationError


class InstallError(ConfigurationError):
    """Something cannot be put where it shall be."""

    code = "component_install"
    title = "The integration cannot be installed"
    default_remedy = "Correct what is named, and try again."
