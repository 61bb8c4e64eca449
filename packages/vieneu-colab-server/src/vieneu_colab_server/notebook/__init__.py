"""The calls that the notebook's cells make, in their order. Everything else is in the packages."""

from vieneu_colab_server.notebook.model import fetch_model
from vieneu_colab_server.notebook.relay import Relay
from vieneu_colab_server.notebook.runtime import prepare
from vieneu_colab_server.notebook.starting import start
from vieneu_colab_server.notebook.watching import launch

__all__ = ["Relay", "fetch_model", "launch", "prepare", "start"]
