"""Functions that the notebook's cells call, in order."""

from vieneu_colab_server.colab.custom_voices import add_voices
from vieneu_colab_server.colab.model_choice import choose_model
from vieneu_colab_server.colab.prepare import prepare
from vieneu_colab_server.colab.relay import Relay
from vieneu_colab_server.colab.start import start
from vieneu_colab_server.colab.status_cell import launch

__all__ = ["Relay", "add_voices", "choose_model", "launch", "prepare", "start"]
