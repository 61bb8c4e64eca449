"""The command ``vieneu-ha``, as ``python -m vieneu_ha``."""

import sys

from vieneu_ha.cli import main

sys.exit(main())
