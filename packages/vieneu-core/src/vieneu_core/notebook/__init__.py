"""Creation of the notebook that runs ``vieneu-server`` on Colab. Needs the extra ``notebook``."""

from vieneu_core.config import TunnelKind
from vieneu_core.notebook.failures import pip_cause
from vieneu_core.notebook.rendering import notebook_file, render_notebook, write_notebook
from vieneu_core.notebook.samples import MAX_SAMPLES, VoiceSample, samples_of
from vieneu_core.notebook.settings import NotebookSettings
from vieneu_core.notebook.sources import Carried, FromGit, FromPyPI
from vieneu_core.notebook.wheels import Wheel

__all__ = [
    "MAX_SAMPLES",
    "Carried",
    "FromGit",
    "FromPyPI",
    "NotebookSettings",
    "TunnelKind",
    "VoiceSample",
    "Wheel",
    "notebook_file",
    "pip_cause",
    "render_notebook",
    "samples_of",
    "write_notebook",
]
