"""Deprecated name of `vieneu_colab_server.colab`, imported by notebooks saved before 0.2."""

from vieneu_colab_server.colab import Relay, launch, prepare, start
from vieneu_colab_server.colab import choose_model as fetch_model

__all__ = ["Relay", "fetch_model", "launch", "prepare", "start"]
