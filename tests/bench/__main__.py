"""`python -m tests.bench [solver] [chain] [replay] [gas]`: tables, all of them by default."""

from __future__ import annotations

import argparse
import time
from importlib import import_module

from rich.console import Console

SECTIONS = ("solver", "chain", "replay", "gas")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="section", help=f"of {', '.join(SECTIONS)}")
    names = parser.parse_args().sections or SECTIONS
    if unknown := [name for name in names if name not in SECTIONS]:
        parser.error(f"no section {unknown[0]!r}; choose from {', '.join(SECTIONS)}")
    console = Console()
    for name in names:
        started = time.monotonic()
        with console.status(f"{name} is measured"):
            tables = import_module(f"tests.bench.{name}").tables()
        console.print(*tables, sep="\n")
        console.print(f"{name}: {time.monotonic() - started:.0f} s\n", style="dim")


if __name__ == "__main__":
    main()
