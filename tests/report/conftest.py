import sys
from pathlib import Path

# So that `tests.report.records`, the factory of made-up runs, is found however pytest is started.
sys.path.insert(0, str(Path(__file__).parents[2]))
