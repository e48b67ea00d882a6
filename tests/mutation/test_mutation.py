"""The mutation run itself: that it changes what it says, judges by the code, and counts honestly."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from equipoise.client.artifacts import ROOT, load_artifact
from equipoise.client.contract import Contract, create
from equipoise.errors import ContractRevert
from tests.mutation import ledger as ledgers
from tests.mutation import report as reports
from tests.mutation.chain import Chains
from tests.mutation.compiler import CompileError, Compiler
from tests.mutation.generate import Mutant, _same_unsigned
from tests.mutation.ledger import Ledger, Record
from tests.mutation.report import argued, interval, report
from tests.mutation.runner import _forked
from tests.mutation.targets import ROOMS, targets

FLOAT = "contracts/math/Float16.sol"
HARNESS = {"OracleMathHarness": "contracts/mocks/OracleMathHarness.sol"}


@pytest.fixture(scope="module")
def compiler() -> Iterator[Compiler]:
    with Compiler() as made:
        yield made


@pytest.fixture(scope="module")
def chain() -> Any:
    return Chains().anvil(1_700_000_000).chain


def edited(old: str, new: str) -> dict[str, str]:
    text = (ROOT / FLOAT).read_text()
    assert old in text
    return {FLOAT: text.replace(old, new, 1)}


# ------------------------------------------------------------------ judgements


def test_survivors__each_judgement__is_of_a_line_that_stands_there_and_says_why() -> None:
    judgements = argued()
    assert len({(j.file, j.before, j.after) for j in judgements}) == len(judgements)
    for judgement in judgements:
        lines = [line.strip() for line in (ROOT / judgement.file).read_text().splitlines()]
        assert judgement.before in lines, f"{judgement.file}: nothing reads {judgement.before!r} any more"
        assert judgement.before != judgement.after
        assert len(judgement.reason) > 20, judgement


def test_interval__known_counts__are_wilsons() -> None:
    # z = 1.959964; by hand: (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n)
    assert interval(9, 10) == pytest.approx((0.5958, 0.9821), abs=1e-4)
    assert interval(20, 20) == pytest.approx((0.8389, 1.0), abs=1e-4)


def test_report__argued_survivors__are_in_neither_side_of_the_score(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = Ledger(FLOAT, tmp_path)
    book.population = 100
    for line, outcome in enumerate(["killed", "timeout", "killed", "survived", "survived", "invalid"]):
        book.note(Mutant(FLOAT, line, "x", f"y{line}\n"), outcome)
    why = reports.Argued(FLOAT, 3, "x", "y3", "the same for every number there is")
    monkeypatch.setattr(reports, "argued", lambda: [why])
    console = Console(width=200, record=True, file=open(os.devnull, "w"))  # noqa: SIM115
    open_ones = report([book], console)
    assert [(path, record.after) for path, record in open_ones] == [(FLOAT, "y4")]
    row = next(line for line in console.export_text().splitlines() if "Float16" in line).split()
    assert row[:10] == ["Float16", "100", "6", "5", "0", "3", "1", "1", "1", "75.0%"]


def test_ledger__of_another_state_of_the_source__is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = Ledger(FLOAT, tmp_path)
    book.note(Mutant(FLOAT, 3, "a", "b\n"), "killed", "a test", seconds=1.0)
    book.save()
    assert [*Ledger(FLOAT, tmp_path).records.values()] == [Record(3, "a", "b", "killed", "a test", 1.0)]
    book.renew([Mutant(FLOAT, 4, "a", "c\n")])
    assert (book.population, book.records) == (1, {})
    (tmp_path / FLOAT).parent.mkdir(parents=True)
    (tmp_path / FLOAT).write_text("another")
    monkeypatch.setattr(ledgers, "ROOT", tmp_path)
    assert not Ledger(FLOAT, tmp_path).records


# ------------------------------------------------------------------- mutants


def test_mutant__its_text__differs_in_its_line_alone() -> None:
    original = (ROOT / FLOAT).read_text().splitlines()
    text = Mutant(FLOAT, 10, original[9], "changed;\n").text().splitlines()
    assert text[9] == "changed;"
    assert text[:9] + text[10:] == original[:9] + original[10:]


def test_targets__every_source__is_in_a_contract_and_its_rooms_exist() -> None:
    found = targets()
    assert len(found) > 20
    for target in found:
        assert target.stages(), target.path
        assert {room for _, rooms in target.stages() for room in rooms} <= set(ROOMS)
    assert all((ROOT / room).exists() for room in ROOMS)


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ("if (x == 0) return;", "if (x <= 0) return;", True),
        ("if (x != 0) return;", "if (x > 0) return;", True),
        ("if (x != 0) return;", "if (x >= 0) return;", False),
        ("if (tick == 0) return;", "if (tick <= 0) return;", False),
        ("if (x == 01) return;", "if (x <= 01) return;", False),
    ],
)
def test_same_unsigned__comparisons_with_zero__are_the_same_but_for_signed_ones(
    before: str, after: str, same: bool
) -> None:
    assert _same_unsigned(before, after, ["tick"]) == same


def test_words__of_a_source__are_its_functions_and_its_tests_file() -> None:
    (target,) = targets(["LeverageMath"])
    assert target.words() == ["leverage_math", "healthCap", "ageCap", "ripcordDiscount", "ripcordFraction"]


def test_targets__an_unknown_name__is_refused() -> None:
    with pytest.raises(ValueError, match="Nothing"):
        targets(["Nothing"])


def test_codes__of_a_mutant__differ_and_of_a_comment_do_not(compiler: Compiler) -> None:
    sound = compiler.codes(HARNESS)
    assert len(sound["OracleMathHarness"]) > 1_000
    assert compiler.codes(HARNESS, edited("HALF + (code % HALF)", "HALF - (code % HALF)")) != sound
    assert compiler.codes(HARNESS, edited("library Float16", "/* another word */ library Float16")) == sound


def test_codes__of_a_source_that_is_wrong__raise_the_compilers_words(compiler: Compiler) -> None:
    with pytest.raises(CompileError, match="ParserError"):
        compiler.codes(HARNESS, edited("library Float16 {", "library Float16"))


# ------------------------------------------------------------------- children


def test_forked__a_child_that_answers_hangs_or_ends__is_told_apart() -> None:
    assert _forked(lambda: ["an answer"], timeout=10) == ["an answer"]
    assert _forked(lambda: os._exit(3), timeout=10) == "crash"
    start = time.monotonic()
    assert _forked(lambda: time.sleep(60), timeout=0.2) == "timeout"
    assert time.monotonic() - start < 10


# -------------------------------------------------------- the chain in process


def test_set_code__undone_by_a_revert__is_as_before(chain: Any) -> None:
    feed = create(chain, load_artifact("OddFeed"), 8, 5, sender=chain.request("eth_accounts")[0])
    snapshot = chain.request("evm_snapshot")
    chain.request("anvil_setCode", feed.address, "0x")
    assert chain.code(feed.address) == b""
    assert chain.request("evm_revert", snapshot)
    assert feed.call("answer") == 5


def test_send__in_a_contracts_name__is_done_and_leaves_its_code(chain: Any) -> None:
    owner = chain.request("eth_accounts")[0]
    token = create(chain, load_artifact("TestToken"), "T", "T", 6, owner, sender=owner)
    feed: Contract = create(chain, load_artifact("OddFeed"), 8, 5, sender=owner)
    token.send("mint", feed.address, 7, sender=owner)
    token.send("transfer", owner, 7, sender=feed.address)
    assert token.call("balanceOf", owner) == 7
    assert feed.call("answer") == 5
    with pytest.raises(ContractRevert):
        token.send("transfer", owner, 1, sender=feed.address)
