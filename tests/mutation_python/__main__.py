"""`make mutate-python`: small faults in the Python core, one at a time, and which of them no test sees.

`python -m tests.mutation_python FOLDER` works in FOLDER, where the environment `venv` holds mutmut. Results
stay there: a second call goes on where the first was stopped, and tries anew what has changed.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from random import Random

from tests.mutation_python.core import MODULES
from tests.mutation_python.report import survivors, table
from tests.mutation_python.workshop import Mutant, mutants, mutmut, prepare


def chosen(found: list[Mutant], options: argparse.Namespace) -> list[Mutant]:
    """The mutants to try: of the files asked for, so many of each; or its survivors once more."""
    picked: list[Mutant] = []
    for module in MODULES:
        mine = sorted((m for m in found if m.file == module), key=lambda m: m.key)
        if options.only and not any(part in module for part in options.only):
            continue
        if options.sample:
            mine = Random(options.seed).sample(mine, min(options.sample, len(mine)))
        picked += [m for m in mine if m.state == ("survived" if options.again else "undecided")]
    return picked


def main() -> int:
    parser = argparse.ArgumentParser(prog="make mutate-python", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sample", type=int, help="mutants of each file; all by default")
    parser.add_argument("--seed", type=int, default=1, help="of the sample")
    parser.add_argument("--only", action="append", metavar="FILE", help="part of a path, e.g. solver/parity")
    parser.add_argument("--again", action="store_true", help="try the survivors, after new tests")
    parser.add_argument("--report", action="store_true", help="try nothing, show what is known")
    options = parser.parse_args()
    folder = options.folder.resolve()
    copy = prepare(folder)
    mutmut(folder, str(Path(__file__).with_name("make_mutants.py")))
    wanted = [] if options.report else chosen(mutants(copy), options)
    if wanted:
        mutmut(folder, "-m", "mutmut", "run", "--max-children", "1", *(m.key for m in wanted))
    found = mutants(copy)
    for m in survivors(found):
        if not options.only or any(part in m.file for part in options.only):
            print(f"{m.key}\n    {m.file} {m.function}\n    - {m.was}\n    + {m.becomes}")
    print(table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
