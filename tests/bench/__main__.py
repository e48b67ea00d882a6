"""`python -m tests.bench [solver] [chain] [replay] [gas]`: tables, all of them by default, and bench.json."""

from __future__ import annotations

import argparse
import json
import time
from importlib import import_module
from pathlib import Path

from rich.console import Console

SECTIONS = ("solver", "chain", "replay", "gas")
OUTPUT = Path(__file__).parents[2] / "build" / "bench" / "bench.json"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="section", help=f"of {', '.join(SECTIONS)}")
    names = parser.parse_args().sections or SECTIONS
    if unknown := [name for name in names if name not in SECTIONS]:
        parser.error(f"no section {unknown[0]!r}; choose from {', '.join(SECTIONS)}")
    console = Console()
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    found = json.loads(OUTPUT.read_text()) if OUTPUT.exists() else {}
    for name in names:
        started = time.monotonic()
        with console.status(f"{name} is measured"):
            made = import_module(f"tests.bench.{name}").tables()
        tables, figures = made if isinstance(made, tuple) else (made, None)
        console.print(*tables, sep="\n")
        console.print(f"{name}: {time.monotonic() - started:.0f} s\n", style="dim")
        if figures is not None:
            found[name] = figures
    OUTPUT.write_text(json.dumps(found, indent=1) + "\n")
    console.print(f"Figures: {OUTPUT}")


if __name__ == "__main__":
    main()
