"""``python -m vieneu_ha``."""

import sys

from vieneu_ha.cli import main

sys.exit(main())
