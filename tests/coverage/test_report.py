"""The verdict over what was reached, and lcov's format."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.coverage.build import ROOT
from tests.coverage.instrument import Marker
from tests.coverage.report import Explanation, explanations, files, lcov, verdict

VAULT, LENS = "contracts/vault/Vault.sol", "contracts/periphery/Lens.sol"
MARKERS = [
    Marker(LENS, 3, None, "return x"),
    Marker(VAULT, 7, None, "if (a) b()"),
    *(Marker(VAULT, 7 + i, outcome, f"a{i}") for i in range(20) for outcome in ("false", "true")),
]
ALL = set(range(len(MARKERS)))
MISSED = 5
REASON = Explanation(VAULT, MARKERS[MISSED].text, "true", "never so")


def test_verdict__every_branch_reached__is_nothing() -> None:
    assert verdict(files(MARKERS, ALL), []) == []


def test_verdict__a_missed_branch__needs_its_explanation() -> None:
    sources = files(MARKERS, ALL - {MISSED})
    assert verdict(sources, [REASON]) == []
    assert verdict(sources, []) == [f"not explained: {VAULT}:8 true: a1"]


@pytest.mark.parametrize("changes", [{"outcome": "false"}, {"file": LENS}, {"text": "a2"}])
def test_verdict__an_explanation_of_another_branch__explains_nothing(changes: dict[str, str]) -> None:
    wrong = verdict(files(MARKERS, ALL - {MISSED}), [replace(REASON, **changes)])
    assert [problem.split(":")[0] for problem in wrong] == ["not explained", "tests/coverage/explained.yaml"]


def test_verdict__an_explanation_of_two_alike__is_refused() -> None:
    twice = [*MARKERS, replace(MARKERS[MISSED], line=99)]
    wrong = verdict(files(twice, ALL - {MISSED, len(MARKERS)}), [REASON])
    assert len(wrong) == 1
    assert "2 missed branches" in wrong[0]


@pytest.mark.parametrize(("missed", "enough"), [(2, True), (3, False)])
def test_verdict__below_95_percent_of_the_core__is_refused(missed: int, enough: bool) -> None:
    """Explained or not; of 40 branches, 2 may be missed."""
    lost = [MARKERS[i] for i in range(2, 2 + missed)]
    explained = [Explanation(m.file, m.text, m.outcome or "", "") for m in lost]
    wrong = verdict(files(MARKERS, ALL - set(range(2, 2 + missed))), explained)
    assert wrong == ([] if enough else ["92.5 % of the core's branches were reached, 95.0 % are needed"])


def test_lcov__of_two_files__counts_lines_and_branches() -> None:
    text = lcov(files(MARKERS[:4], {1, 2}))
    assert text == (
        f"TN:\nSF:{VAULT}\nDA:7,1\nLF:1\nLH:1\nBRDA:7,0,0,1\nBRDA:7,0,1,0\nBRF:2\nBRH:1\nend_of_record\n"
        f"TN:\nSF:{LENS}\nDA:3,0\nLF:1\nLH:0\nBRF:0\nBRH:0\nend_of_record\n"
    )


def test_explanations__in_the_file__name_sources_that_exist() -> None:
    """That each fits a missed branch is for `make coverage` to see."""
    for explanation in explanations():
        assert " ".join(explanation.text.split()) in " ".join((ROOT / explanation.file).read_text().split())
        assert explanation.reason
