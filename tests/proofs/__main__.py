"""`make prove`: every proof must pass, and with planted faults every proof must find a counterexample.

`python -m tests.proofs FOLDER` works in FOLDER, where the environment `venv` holds halmos and z3.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from tests.proofs.compiled import PROOFS, ROOT, compile_proofs
from tests.proofs.plants import PLANTS, Plant

PASSED, COUNTEREXAMPLE = 0, 1
OPTIONS = ["--loop", "32", "--solver-timeout-assertion", "60000", "--no-status"]


def halmos(folder: Path, contract: str, *options: str) -> dict[str, int]:
    """Exit code of each check: 0 proven, 1 with a counterexample, more for neither."""
    answer = folder / f"{contract}.json"
    answer.unlink(missing_ok=True)
    shims = folder / "bin"
    shims.mkdir(exist_ok=True)
    forge = shims / "forge"  # halmos has forge compile; here that is done already
    forge.write_text("#!/bin/sh\n")
    forge.chmod(0o755)
    tools = folder.parent / "venv" / "bin"
    command = [tools / "halmos", "--root", folder, "--contract", contract, "--json-output", answer]
    command += [*OPTIONS, *options]
    path = os.pathsep.join([str(shims), str(tools), os.environ["PATH"]])
    run = subprocess.run(
        command, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
    )
    if not answer.exists() or "loop unrolling bound" in run.stdout:
        raise RuntimeError(f"halmos on {contract}:\n{run.stdout}\n{run.stderr}")
    results = json.loads(answer.read_text())["test_results"]
    return {test["name"].split("(")[0]: test["exitcode"] for tests in results.values() for test in tests}


def edited(plant: Plant) -> dict[str, str]:
    """The sources with the faults in them. Raises ValueError where a place is not found exactly once."""
    texts = {}
    for name, edits in plant.edits.items():
        text = (ROOT / name).read_text()
        for old, new in edits:
            if text.count(old) != 1:
                raise ValueError(f"{name} has {old!r} {text.count(old)} times, a plant needs it once")
            text = text.replace(old, new)
        texts[name] = text
    return texts


def prove(folder: Path, names: list[str]) -> list[str]:
    """Print a line a check; return what is neither proven nor, with its fault planted, refuted."""
    failures = []
    for name in names:
        for kind, plant in [("proof", None), *(("plant", p) for p in PLANTS if p.proofs == name)]:
            work, start = folder / f"{name}-{kind}", time.monotonic()
            compile_proofs(work / "out", [f"{name}.sol"], edited(plant) if plant else None)
            results = halmos(work, name, *(["--early-exit"] if plant else []))
            expected = (
                dict.fromkeys(plant.checks, COUNTEREXAMPLE) if plant else dict.fromkeys(results, PASSED)
            )
            for check, code in expected.items():
                word = {PASSED: "proven", COUNTEREXAMPLE: "refuted"}.get(results[check], "undecided")
                print(f"{kind:6} {name}.{check}: {word}", flush=True)
                if results[check] != code:
                    failures.append(f"{kind} {name}.{check}: {word}")
            print(f"       {time.monotonic() - start:.0f} s", flush=True)
    return failures


def main(folder: Path, *names: str) -> int:
    failures = prove(
        folder.resolve(), list(names) or sorted(path.stem for path in PROOFS.glob("*Proofs.sol"))
    )
    python = folder.resolve() / "venv" / "bin" / "python"
    inequalities = subprocess.run([python, PROOFS / "inequalities.py"], check=False)
    print("\n".join(failures) or "all proven, every planted fault refuted")
    return bool(failures) or inequalities.returncode


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:]))
