"""Figures a module: mutants, what became of them, the score and how far a sample may be off."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import yaml
from scipy.stats import binomtest

from tests.mutation_python.core import MODULES
from tests.mutation_python.workshop import Mutant

EQUIVALENT = Path(__file__).with_name("equivalent.yaml")


def equivalents() -> dict[tuple[str, str, str, str], str]:
    """Reasons why a mutant changes nothing that can be seen, by file, function and the two lines."""
    entries = yaml.safe_load(EQUIVALENT.read_text()) or []
    return {tuple(e[part] for part in ("file", "function", "was", "becomes")): e["reason"] for e in entries}


def place(mutant: Mutant) -> tuple[str, str, str, str]:
    return mutant.file, mutant.function, mutant.was, mutant.becomes


def table(found: list[Mutant]) -> str:
    """A row a module, and the whole, in which a module counts by its mutants and not by its sample."""
    known = equivalents()
    rows = ["| module | mutants | tried | killed | timeout | survived | equivalent | score | 95 % |"]
    rows.append("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    sums: Counter[str] = Counter()
    weighted = weight = variance = 0.0
    for module in MODULES:
        mine = [m for m in found if m.file == module]
        tried = [m for m in mine if m.state != "undecided"]
        if not tried:
            continue
        states = Counter(
            "equivalent" if m.state == "survived" and place(m) in known else m.state for m in tried
        )
        dead, judged = states["killed"] + states["timeout"], len(tried) - states["equivalent"]
        sums += Counter(states, mutants=len(mine), tried=len(tried), dead=dead, judged=judged)
        if judged:
            share = dead / judged
            weighted, weight = weighted + len(mine) * share, weight + len(mine)
            if len(tried) < len(mine):
                p = (dead + 1) / (judged + 2)  # a sample without survivors is no proof that there are none
                variance += len(mine) ** 2 * (1 - len(tried) / len(mine)) * p * (1 - p) / judged
        rows.append(row(module, len(mine), len(tried), states, dead, judged))
    if weight:
        whole = weighted / weight
        off = 1.96 * variance**0.5 / weight
        interval = f"{whole - off:.1%} to {min(1.0, whole + off):.1%}" if off else ""
        counts = (str(sums[k]) for k in ("killed", "timeout", "survived", "equivalent"))
        rows.append(
            f"| all | {sums['mutants']} | {sums['tried']} | {' | '.join(counts)} | {whole:.1%} | {interval} |"
        )
    return "\n".join(rows)


def row(module: str, made: int, tried: int, states: Counter[str], dead: int, judged: int) -> str:
    counts = " | ".join(str(states[k]) for k in ("killed", "timeout", "survived", "equivalent"))
    interval = ""
    if tried < made and judged:
        low, high = binomtest(dead, judged).proportion_ci(method="wilson")
        interval = f"{low:.0%} to {high:.0%}"
    score = f"{dead / judged:.1%}" if judged else ""
    return f"| `{module}` | {made} | {tried} | {counts} | {score} | {interval} |"


def survivors(found: list[Mutant]) -> list[Mutant]:
    """What no test sees and nobody has argued away."""
    known = equivalents()
    return [m for m in found if m.state == "survived" and place(m) not in known]
