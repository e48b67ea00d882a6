"""`make coverage`: build the instrumented contracts, run the tests on them, say what was not reached.

`python -m tests.coverage [ARGUMENTS OF PYTEST]`; with `--report` alone, only the report of the last run.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time

from rich.console import Console

from tests.coverage.build import ROOT, build
from tests.coverage.plugin import HITS
from tests.coverage.report import report

TESTS = ("math", "oracle", "vault", "lending", "periphery", "governance", "conformance", "security")
# they measure gas, of which markers cost much
MEASURING = (
    "math/test_coordinates.py::test_certificate__eight_assets__costs_at_most_10k_gas",
    "math/test_coordinates.py::test_solve__eight_assets__fits_a_block_many_times",
    "oracle/test_volatility_oracle_correlations.py::test_gas__eight_assets_three_of_five__within_the_targets",
)


def main(arguments: list[str]) -> int:
    console, start, failed = Console(), time.monotonic(), 0
    if arguments != ["--report"]:
        build()
        console.print(f"built in {time.monotonic() - start:.0f} s")
        shutil.rmtree(HITS, ignore_errors=True)
        command = [sys.executable, "-m", "pytest", "-p", "no:ape_test", "-p", "tests.coverage.plugin"]
        command += [f"tests/{room}" for room in TESTS]
        command += [f"--deselect=tests/{test}" for test in MEASURING]
        failed = subprocess.run([*command, *arguments], cwd=ROOT, check=False).returncode
    wrong = report(console)
    console.print(f"{time.monotonic() - start:.0f} s")
    return 1 if failed or wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
