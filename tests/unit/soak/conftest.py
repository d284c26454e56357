"""The parts of the soak can be imported, as its own folder is on the path when it runs."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "soak"))
