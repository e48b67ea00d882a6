"""Slither's findings that nobody has judged, ERC conformance, and judgements that fit nothing any more."""

from __future__ import annotations

import inspect
import logging
import sys
from collections import defaultdict
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from slither import Slither
from slither.detectors import all_detectors
from slither.detectors.abstract_detector import AbstractDetector
from slither.tools.erc_conformance.erc.erc20 import check_erc20
from slither.tools.erc_conformance.erc.ercs import generic_erc_checks
from slither.utils.erc import ERCS

from tests.static.project import ROOT, analysed

TRIAGE = Path(__file__).with_name("triage.yaml")
FEWEST_CONTRACTS = 50  # a partial build would hide the rest
CONFORMANCE = {"RiskParityVault": ("ERC20", "ERC4626"), "VaultVotes": ("ERC20",)}


@dataclass(frozen=True)
class Finding:
    """`where` is Contract.function, or the contract alone; `text` is slither's first line."""

    impact: str
    check: str
    where: str
    text: str


def findings(project: Slither) -> list[Finding]:
    """What all of slither's detectors say about our own sources."""
    for _, detector in sorted(vars(all_detectors).items()):  # their order changes what some of them find
        if inspect.isclass(detector) and issubclass(detector, AbstractDetector):
            project.register_detector(detector)
    return [
        Finding(r["impact"], r["check"], _where(r["elements"][0]), r["description"].strip().splitlines()[0])
        for results in project.run_detectors()
        for r in results
        if r["elements"] and not _of_a_library(r["elements"][0])
    ]


def _of_a_library(element: dict[str, Any]) -> bool:
    return "node_modules" in element["source_mapping"]["filename_relative"]


def _where(element: dict[str, Any]) -> str:
    parent = element.get("type_specific_fields", {}).get("parent")
    if element["type"] in ("function", "contract") or parent is None:
        holder = parent["name"] + "." if parent and parent["type"] == "contract" else ""
        return f"{holder}{element['name']}"
    return _where(parent)


def nonconforming(project: Slither) -> list[Finding]:
    """Functions, returns and events of the standards that a contract lacks."""
    found = []
    for name, standards in CONFORMANCE.items():
        for contract in project.get_contract_from_name(name):
            for standard in standards:
                problems: dict[str, list[Any]] = defaultdict(list)
                generic_erc_checks(contract, *ERCS[standard], problems)
                if standard == "ERC20":
                    check_erc20(contract, problems)
                found += [
                    Finding("High", f"{standard} {kind}", name, problem["description"])
                    for kind, listed in problems.items()
                    for problem in listed
                    if problem.get("additional_fields", {}).get("required", True)
                ]
    return found


def main() -> int:
    logging.disable(logging.WARNING)  # the conformance tool prints as it goes
    console, project = Console(), analysed()
    if len(project.contracts) < FEWEST_CONTRACTS:
        console.print(f"only {len(project.contracts)} contracts were read: the build is partial")
        return 1
    judged = yaml.safe_load(TRIAGE.read_text())
    used, open_ones = set(), []
    for finding in [*findings(project), *nonconforming(project)]:
        fits = [
            i
            for i, entry in enumerate(judged)
            if entry["check"] == finding.check and fnmatchcase(finding.where, entry.get("where", "*"))
        ]
        used.update(fits)
        if not fits:
            open_ones.append(finding)
    stale = [entry for i, entry in enumerate(judged) if i not in used]
    for finding in sorted(open_ones, key=lambda f: (f.impact, f.check, f.where)):
        console.print(f"{finding.impact} {finding.check} {finding.where}: {finding.text}", soft_wrap=True)
    for entry in stale:
        console.print(f"{TRIAGE.relative_to(ROOT)}: nothing fits {entry['check']} {entry.get('where', '*')}")
    console.print(
        f"slither: {len(project.contracts)} contracts, {len(open_ones)} findings without a judgement, "
        f"{len(judged)} judgements"
    )
    return 1 if open_ones or stale else 0


if __name__ == "__main__":
    sys.exit(main())
