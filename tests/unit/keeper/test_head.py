"""A node that lies about the head is not acted upon."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from equipoise.errors import InputError
from equipoise.keeper.head import Head, HeadConfig, HeadError
from equipoise.keeper.ledger import Ledger


class Node:
    """Says whatever the test wants."""

    def __init__(self) -> None:
        self.number, self.timestamp, self.id = 1_000, 5_000, 31337

    @property
    def chain_id(self) -> int:
        return self.id

    def request(self, method: str, *_: Any) -> Any:
        if method == "eth_chainId":
            return hex(self.id)
        return {"number": hex(self.number), "timestamp": hex(self.timestamp), "hash": "0x1"}


def looking(node: Node, now: float = 5_010.0, seen: tuple[int, int] = (0, 0), **options: Any) -> Head:
    return Head(node, HeadConfig(**options), lambda: now, seen)


def test_look__a_head_that_moves_on__is_believed() -> None:
    node = Node()
    head = looking(node)
    assert head.look() == (1_000, 5_000)
    node.number, node.timestamp = 1_001, 5_012
    assert head.look() == (1_001, 5_012)


def test_look__a_short_reorganisation__is_believed_and_the_highest_remembered() -> None:
    node = Node()
    head = looking(node)
    head.look()
    node.number -= 64
    assert head.look()[0] == 936
    assert head.number == 1_000


LIES = {
    "far back": ({"number": 935}, "went back from block 1000 to 935"),
    "far ahead": ({"number": 10**12, "timestamp": 5_012}, "from block 1000 to 1000000000000 in 12 s"),
    "older than its parent": ({"number": 1_001, "timestamp": 4_999}, "before the 5000 of block 1000"),
    "behind the clock": ({"timestamp": 4_709}, "301 s old, more than max_lag = 300"),
    "ahead of the clock": ({"timestamp": 5_071}, "61 s in the future"),
    "another chain": ({"id": 1}, "is of chain 1 now, it was of 31337"),
}


@pytest.mark.parametrize("lie", LIES)
def test_look__a_head_that_cannot_be_true__is_refused_until_it_is(lie: str) -> None:
    """EQ-185"""
    node, (change, words) = Node(), LIES[lie]
    head = looking(node)
    head.look()
    before = dict(node.__dict__)
    node.__dict__.update(change)
    with pytest.raises(HeadError, match=words):
        head.look()
    node.__dict__.update(before)
    assert head.look() == (1_000, 5_000)


def test_look__after_a_restart__the_highest_block_is_remembered(tmp_path: Path) -> None:
    """EQ-185: a restart does not make a liar credible."""
    node = Node()
    ledger = Ledger(tmp_path / "l.sqlite", "a")
    assert ledger.head() == (0, 0)
    ledger.saw(*looking(node).look())
    node.number = 10
    again = Head(node, HeadConfig(), lambda: 5_010.0, Ledger(tmp_path / "l.sqlite", "a").head())
    with pytest.raises(HeadError, match="went back"):
        again.look()
    assert Ledger(tmp_path / "l.sqlite", "another").head() == (0, 0)


@pytest.mark.parametrize(
    ("number", "believed"), [(1_000 + 64 + 10 * 12, True), (1_000 + 65 + 10 * 12, False)]
)
def test_look__a_fast_chain__ten_blocks_a_second_and_a_reorganisations_more(
    number: int, believed: bool
) -> None:
    node = Node()
    head = looking(node)
    head.look()
    node.number, node.timestamp = number, 5_012
    if believed:
        assert head.look() == (number, 5_012)
    else:
        with pytest.raises(HeadError, match="more than 10 blocks a second"):
            head.look()
        assert head.number == 1_000


def test_look__the_first_block_seen_was_absurd__the_true_one_is_believed_after_ten_minutes(
    tmp_path: Path,
) -> None:
    """EQ-185: across restarts; until then it cannot be told which of the two is the lie."""
    node, path = Node(), tmp_path / "l.sqlite"
    node.number = 10**12
    Ledger(path, "a").saw(*looking(node).look())

    def later(number: int, timestamp: int) -> Head:
        node.number, node.timestamp = number, timestamp
        return looking(node, timestamp + 5.0, Ledger(path, "a").head())

    with pytest.raises(HeadError, match="went back from block 1000000000000 to 1050"):
        later(1_050, 5_600).look()
    head = later(1_051, 5_601)
    assert head.look() == (1_051, 5_601)
    assert (head.number, head.timestamp) == (1_051, 5_601)
    node.number = 900
    with pytest.raises(HeadError, match="went back from block 1051 to 900"):
        head.look()


def test_look__a_chain_with_a_time_of_its_own__leaves_the_clock_out() -> None:
    assert looking(Node(), now=1e9, max_lag=0).look() == (1_000, 5_000)


@pytest.mark.parametrize("wrong", [{"max_lag": -1}, {"max_reorg": 10**9}])
def test_head_config__out_of_range__is_named(wrong: dict[str, int]) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        HeadConfig(**wrong)
