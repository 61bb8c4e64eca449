"""Deprecated name of `vieneu_colab_server.colab`, imported by notebooks saved before 0.2."""

from vieneu_colab_server.colab import Relay, fetch_model, launch, prepare, start

__all__ = ["Relay", "fetch_model", "launch", "prepare", "start"]
