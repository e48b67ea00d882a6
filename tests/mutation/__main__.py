"""`make mutate`: `python -m tests.mutation FOLDER`; universalmutator's environment is FOLDER/venv."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from equipoise.client.artifacts import ROOT
from tests.mutation.compiler import Compiler
from tests.mutation.hunt import Hunt
from tests.mutation.ledger import KILLED, Ledger
from tests.mutation.report import report
from tests.mutation.runner import Runner, run
from tests.mutation.targets import ROOMS, Target, deployable, targets

RESULTS = ROOT / "build" / "mutate"
TARGET_SCORE = 0.9
_WIDTH = 130  # of what goes to a file


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("folder", type=Path, help="holds venv, with universalmutator in it")
    parser.add_argument("--sample", type=int, metavar="N", help="judge N random mutants a source, not all")
    parser.add_argument("--seed", type=int, default=0, help="of the random order (0)")
    parser.add_argument("--only", nargs="+", metavar="FILE", help="these sources, such as RiskMath")
    parser.add_argument("--again", action="store_true", help="judge earlier survivors anew")
    parser.add_argument("--report", action="store_true", help="only print what is known")
    parser.add_argument("--results", type=Path, default=RESULTS, help=f"where results are kept ({RESULTS})")
    return parser.parse_args()


def _hunt(chosen: list[Target], options: argparse.Namespace, console: Console) -> None:
    python = options.folder.resolve() / "venv" / "bin" / "python"
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    progress = Progress(*columns, console=console)

    def work(runner: Runner) -> None:
        with Compiler() as compiler, progress:
            task = progress.add_task("the sound contracts", total=None)
            sound = {n: c for n, p in deployable().items() for n, c in compiler.codes({n: p}).items()}
            runner.calibrate(sound, options.results / "memory" / "sound.json")
            console.print(f"{len(runner.refused)} tests need a real node and are left out: {runner.refused}")
            for target in chosen:
                hunt = Hunt(target, compiler, runner, sound, options.results)
                killers = [record.killer for record in hunt.ledger.records.values() if record.killer]
                runner.prepare(target.words(), killers)
                name = Path(target.path).stem

                def done(judged: int, total: int, name: str = name, hunt: Hunt = hunt) -> None:
                    survived = hunt.ledger.count("survived")
                    words = f"{name}: {hunt.ledger.count(*KILLED)} killed, {survived} survived"
                    progress.update(task, description=words, completed=judged, total=total)

                hunt.run(python, options.seed, options.sample, options.again, done)

    run(ROOMS, work)


def main() -> int:
    """Zero where the score reaches its target."""
    options = _arguments()
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH)
    chosen = targets(options.only)
    if not options.report:
        _hunt(chosen, options, console)
    ledgers = [Ledger(target.path, options.results) for target in chosen]
    survivors = report([ledger for ledger in ledgers if ledger.records], console)
    killed = sum(ledger.count(*KILLED) for ledger in ledgers)
    judged = killed + len(survivors)
    return int(not judged or killed / judged < TARGET_SCORE)


if __name__ == "__main__":
    sys.exit(main())
