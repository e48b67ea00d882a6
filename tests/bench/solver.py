"""Risk-parity solvers beside each other, from the figures that `libraries` measures in their environment."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from rich.table import Table

from tests.bench.goals import goals
from tests.bench.measure import show_seconds, table

__all__ = ["figures", "tables"]

ROOT = Path(__file__).parents[2]
ENVIRONMENT = ROOT / ".build" / "bench"
OUTPUT = ROOT / "build" / "bench"


def figures() -> dict[str, Any]:
    """Run the measurement; takes minutes."""
    OUTPUT.mkdir(parents=True, exist_ok=True)
    path = OUTPUT / "solvers.json"
    one = {name: "1" for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    environment = {**os.environ, **one, "PYTHONPATH": f"{ROOT / 'offchain'}{os.pathsep}{ROOT}"}
    command = [str(ENVIRONMENT / "bin" / "python"), "-m", "tests.bench.libraries", str(path)]
    with (OUTPUT / "solvers.log").open("w") as log:
        subprocess.run(command, cwd=ROOT, env=environment, stderr=log, check=True)
    return dict(json.loads(path.read_text()))


def tables() -> tuple[list[Table | str], Any]:
    """For people, and the figures for `bench.json`."""
    if not (ENVIRONMENT / "bin" / "python").exists():
        return [f"{ENVIRONMENT} is missing: `make bench` makes it"], None
    found = figures()
    judged = goals(found)
    rows = [
        (g.name, f"{g.found:.3g}", f"{'≥' if g.at_least else '≤'} {g.bound:g}", "met" if g.met else "NOT met")
        for g in judged
    ]
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    head = f"{found['machine']['cpu']}; {versions}"
    made = {**found, "goals": [vars(goal) | {"met": goal.met} for goal in judged]}
    shown = [head, *(_sizes(found, family) for family in ("well", "ill", "hedged", "thin")), _batches(found)]
    return [*shown, table("Goals", ("Goal", "Found", "Bound", ""), rows)], made


def _sizes(found: dict[str, Any], family: str) -> Table:
    rows = []
    mine = {
        r["n"]: r["seconds"] for r in found["rows"] if (r["solver"], r["family"]) == ("equipoise", family)
    }
    for row in found["rows"]:
        if row["family"] != family:
            continue
        name = row["solver"].replace("assume_definite", "trusting")
        if row["tried"] and row["failed"] is None:
            rows.append((str(row["n"]), name, "hangs", "", "", f"{row['tried']} of {row['tried']}"))
            continue
        none = row["seconds"] is None
        time = "" if none else show_seconds(row["seconds"])
        ratio = "" if none or not mine.get(row["n"]) else f"{row['seconds'] / mine[row['n']]:.3g}"
        worst = "" if row["worst"] is None else f"{row['worst']:.0e}"
        rows.append((str(row["n"]), name, time, ratio, worst, f"{row['failed']} of {row['tried']}"))
    caption = (
        "Ratio of times to ours in NumPy. Error: largest |share of variance - budget|; failed above 1e-6."
    )
    headers = ("n   ", "Solver", "  A matrix", "  Ratio", "  Worst error", "  Failed")
    return table(f"Risk parity, {family}: CPU time of one thread", headers, rows, caption, words=2)


def _batches(found: dict[str, Any]) -> Table:
    rows = []
    for family in ("well", "hedged"):
        batch = found[f"batch_{family}"]
        for name, key in (("equipoise", "ours"), ("riskparityportfolio, loop", "cpp")):
            wrong = f"{batch[key + '_wrong']} of {batch['tried']}"
            rows.append((family, name, show_seconds(batch[key]), f"{batch[key] / batch['ours']:.3g}", wrong))
    memory = ", ".join(f"{int(m):,}: {size / 1024:.2f} KiB" for m, size in found["memory"].items())
    caption = f"Memory of ours at its peak, a matrix, by size of the batch: {memory}"
    headers = ("Family  ", "Solver", "  10,000", "  Ratio", "  Failed")
    return table("10,000 matrices of 8 x 8", headers, rows, caption, words=2)
