"""One mutant after another: compiled, compared with the sound code, judged by the tests."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.mutation.compiler import CompileError, Compiler
from tests.mutation.generate import Mutant, generate
from tests.mutation.ledger import JUDGED, KILLED, Ledger, Record
from tests.mutation.report import argued
from tests.mutation.runner import Runner, Verdict
from tests.mutation.targets import Target

__all__ = ["Hunt"]


class Hunt:
    """The mutants of one source.

    Parameters
    ----------
    sound
        Code of every contract as it should be, from the same compiler.
    folder
        Where results are kept.
    """

    def __init__(
        self, target: Target, compiler: Compiler, runner: Runner, sound: Mapping[str, bytes], folder: Path
    ) -> None:
        self._target, self._compiler, self._runner, self._sound = target, compiler, runner, sound
        self.ledger = Ledger(target.path, folder)
        self._argued = argued()
        self._best: dict[str, bytes] | None = None

    def run(
        self, python: Path, seed: int, sample: int | None, again: bool, done: Callable[[int, int], None]
    ) -> None:
        """Judge mutants in random order.

        Parameters
        ----------
        sample
            As many as must be judged (not those that do not compile or change nothing); None for all.
        again
            Whether survivors of earlier runs, but those that are argued, are judged anew.
        done
            Told after each mutant how many are judged, of how many.
        """
        mutants = generate(self._target.path, python, seed)
        self.ledger.renew(mutants)
        known = self.ledger.records
        for mutant in mutants:
            if again and mutant.key in known and self._is_open(known[mutant.key]):
                self._try(mutant)
                self.ledger.save()
        judged = 0
        for number, mutant in enumerate(mutants):
            if mutant.key not in known:
                self._try(mutant)
                self.ledger.save()
            judged += known[mutant.key].outcome in JUDGED
            done(judged if sample else number + 1, sample or len(mutants))
            if sample and judged >= sample:
                return

    def _is_open(self, record: Record) -> bool:
        """Whether it is a survivor that nobody has judged."""
        judged = any(judgement.fits(self._target.path, record) for judgement in self._argued)
        return record.outcome == "survived" and not judged

    def _try(self, mutant: Mutant) -> None:
        text = {mutant.path: mutant.text()}
        seconds, fingerprint = 0.0, ""
        verdict: Verdict | None = None
        for number, (contracts, rooms) in enumerate(self._target.stages()):
            try:
                codes = self._compiler.codes(contracts, text)
            except CompileError:
                self.ledger.note(mutant, "invalid")
                return
            if number == 0:
                fingerprint = hashlib.sha256(b"".join(codes.values())).hexdigest()[:12]
                if all(code == self._sound[name] for name, code in codes.items()):
                    self.ledger.note(mutant, "equivalent")
                    return
                if self._is_another(mutant, fingerprint):
                    self.ledger.note(mutant, "duplicate")
                    return
            verdict = self._runner.judge(codes, rooms)
            seconds += verdict.seconds
            if verdict.outcome in KILLED:
                break
        assert verdict
        survived = verdict.outcome == "survived"
        outcome = "equivalent" if survived and self._same_when_optimised(text) else verdict.outcome
        self.ledger.note(mutant, outcome, verdict.killer, seconds=round(seconds, 2), code=fingerprint)

    def _is_another(self, mutant: Mutant, fingerprint: str) -> bool:
        """Whether a mutant that was judged before has the same code."""
        records = self.ledger.records.items()
        return any(record.code == fingerprint for key, record in records if key != mutant.key)

    def _same_when_optimised(self, text: Mapping[str, str]) -> bool:
        """What the optimizer cannot tell from the sound contract is no fault."""
        contracts = self._target.contracts
        try:
            if self._best is None:
                self._best = self._compiler.codes(contracts, optimise=True)
            return self._compiler.codes(contracts, text, optimise=True) == self._best
        except CompileError:
            return False
