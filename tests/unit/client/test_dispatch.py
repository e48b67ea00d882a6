"""One key's transactions on a real node: what is stuck, lost, displaced or taken back by a reorganisation."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from equipoise.client.chain import NotMined, RpcError
from equipoise.client.contract import Contract, create, load_artifact
from equipoise.client.dispatch import CANCEL, CLEARING, DispatchConfig, Dispatcher
from equipoise.client.outbox import Outbox
from equipoise.client.rpc import RpcChain
from equipoise.client.signing import Fees, SigningChain
from equipoise.errors import BudgetError, ContractRevert, InputError, OracleError
from equipoise.oracle.keys import LocalKey

KEY = b"\x55" * 32
GWEI = 10**9
AT_ONCE = DispatchConfig(wait=0.3, stuck_after=0.0)


class Post:
    """A key, a token that it may mint, and dispatchers on demand."""

    def __init__(self, node: RpcChain, folder: Path) -> None:
        self.node, self.folder = node, folder
        key = LocalKey(KEY)
        node.request("anvil_setBalance", key.address, hex(10**20))
        self.chain = SigningChain(node.endpoint, key)
        args = "Token", "TOK", 18, key.address
        token = create(node, load_artifact("TestToken"), *args, sender=node.request("eth_accounts")[0])
        self.token = Contract(self.chain, token.address, token.abi, "TestToken")

    def dispatcher(self, config: DispatchConfig = AT_ONCE, **options: Any) -> Dispatcher:
        """As after a restart: the same key and outbox."""
        return Dispatcher(self.chain, Outbox(self.folder / "outbox.sqlite", "test"), config, **options)

    def mint(self, dispatcher: Dispatcher, key: str, amount: int = 1) -> Any:
        data = self.token.encode("mint", self.chain.sender, amount)
        return dispatcher.send("mint", key, self.token.address, data, "TestToken")

    def held(self) -> int:
        return int(self.token.call("balanceOf", self.chain.sender))

    def automine(self, on: bool) -> None:
        self.node.request("evm_setAutomine", on)

    def mine(self) -> None:
        self.node.request("evm_mine")


@pytest.fixture
def post(node: RpcChain, tmp_path: Path) -> Iterator[Post]:
    snapshot = node.request("evm_snapshot")
    made = Post(node, tmp_path)
    yield made
    made.automine(True)
    node.request("anvil_dropAllTransactions")
    node.request("evm_revert", snapshot)


def test_send__mined__is_landed_with_what_it_cost(post: Post) -> None:
    before = post.chain.balance(post.chain.sender)
    dispatcher = post.dispatcher()
    receipt = post.mint(dispatcher, "a")
    spent = before - post.chain.balance(post.chain.sender)
    assert spent == receipt.fee == dispatcher.outbox.spent_since(0) > 0
    assert dispatcher.outbox.transactions() == post.chain.nonce() == 1
    assert dispatcher.settle() == []


def test_send__the_same_again__is_refused(post: Post) -> None:
    dispatcher = post.dispatcher()
    post.mint(dispatcher, "a")
    with pytest.raises(OracleError, match="already on their way"):
        post.mint(dispatcher, "a")
    assert post.chain.nonce() == 1


def test_send__that_would_revert__costs_nothing(post: Post) -> None:
    dispatcher = post.dispatcher()
    data = post.token.encode("transfer", post.node.request("eth_accounts")[0], 5)
    with pytest.raises(ContractRevert):
        dispatcher.send("transfer", "a", post.token.address, data, "TestToken")
    assert post.chain.nonce() == 0
    assert not dispatcher.outbox.in_flight()


def test_send__overtaken_in_its_block__fails_and_its_fee_is_kept(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EQ-184: two sends of the same coins: the second is mined and fails, bounded by what a failure costs."""
    dispatcher = post.dispatcher()
    post.mint(dispatcher, "coins", 5)
    other = post.node.request("eth_accounts")[0]
    data = post.token.encode("transfer", other, 5)
    post.automine(False)
    # anvil estimates on what is pending, most nodes on what is mined
    monkeypatch.setattr(post.chain, "estimate", lambda *args: 100_000)
    monkeypatch.setattr(post.chain, "_simulate", lambda *args: {})
    for key in ("first", "second"):
        with pytest.raises(NotMined):
            dispatcher.send("transfer", key, post.token.address, data)
    post.mine()
    # the first took the coins
    assert [p.key for p in dispatcher.settle()] == ["first"]
    assert not dispatcher.outbox.known("transfer", "second")
    assert not dispatcher.outbox.in_flight()
    assert dispatcher.outbox.transactions() == post.chain.nonce() == 3


def test_settle__stuck__is_replaced_at_a_higher_fee_and_lands_once(post: Post) -> None:
    """EQ-181"""
    dispatcher = post.dispatcher()
    post.automine(False)
    with pytest.raises(NotMined):
        post.mint(dispatcher, "a")
    (slow,) = dispatcher.outbox.in_flight()
    dispatcher.settle()
    (fast,) = dispatcher.outbox.in_flight()
    assert fast.nonce == slow.nonce
    assert fast.hash != slow.hash
    assert fast.ceiling > slow.ceiling
    post.mine()
    assert [p.key for p in post.dispatcher().settle()] == ["a"]
    assert post.held() == 1
    assert post.chain.nonce() == dispatcher.outbox.transactions() == 1


def test_settle__the_replaced_one_is_mined_after_all__counts_once(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EQ-181: either version may win."""
    dispatcher = post.dispatcher()
    post.automine(False)
    with pytest.raises(NotMined):
        post.mint(dispatcher, "a")
    (slow,) = dispatcher.outbox.in_flight()
    with monkeypatch.context() as patched:
        patched.setattr(post.chain, "broadcast", lambda raw: None)  # the replacement is lost on its way
        dispatcher.settle()
    post.mine()
    assert [p.key for p in dispatcher.settle()] == ["a"]
    assert dispatcher.outbox.known("mint", "a")
    (kept,) = dispatcher.outbox.unsettled()
    assert kept.hash == slow.hash
    assert post.held() == post.chain.nonce() == dispatcher.outbox.transactions() == 1


def test_settle__stuck_and_of_no_use_any_more__is_cancelled(post: Post) -> None:
    """EQ-181: a transfer of nothing costs less than a failure."""
    dispatcher = post.dispatcher()
    other = post.node.request("eth_accounts")[0]
    post.mint(dispatcher, "coins", 5)
    post.automine(False)
    data = post.token.encode("transfer", other, 5)
    with pytest.raises(NotMined):
        dispatcher.send("transfer", "a", post.token.address, data)
    # what it was for is gone, and the node has forgotten it
    post.node.request("anvil_dropAllTransactions")
    post.node.request("anvil_setCode", post.token.address, "0xfe")
    dispatcher.settle()
    post.mine()
    assert dispatcher.settle() == []
    assert not dispatcher.outbox.known("transfer", "a")
    assert not dispatcher.outbox.in_flight()
    assert dispatcher.outbox.transactions() == post.chain.nonce() == 2


def test_settle__a_nonce_is_missing_before_it__is_filled(post: Post) -> None:
    """EQ-181: the same key sent something elsewhere that is never mined."""
    dispatcher = post.dispatcher()
    post.automine(False)
    stranger, _ = post.chain.prepare(post.chain.sender, b"", 0, gas=21_000, fees=Fees(0, 1))
    post.chain.broadcast(stranger)
    with pytest.raises(NotMined):
        post.mint(dispatcher, "a")
    (ours,) = dispatcher.outbox.in_flight()
    assert ours.nonce == 1
    post.node.request("anvil_dropAllTransactions")
    dispatcher.settle()
    assert {(p.kind, p.nonce) for p in dispatcher.outbox.in_flight()} == {(CANCEL, 0), ("mint", 1)}
    post.mine()
    assert {p.kind for p in post.dispatcher().settle()} == {CANCEL, "mint"}
    assert post.held() == 1
    assert dispatcher.outbox.transactions() == post.chain.nonce() == 2


def test_settle__taken_back_by_a_reorganisation__is_sent_again_as_it_was(post: Post) -> None:
    """EQ-181: the same bytes; and its fee is counted once."""
    dispatcher = post.dispatcher(DispatchConfig(wait=5.0))
    before = post.node.request("evm_snapshot")
    receipt = post.mint(dispatcher, "a")
    assert post.node.request("evm_revert", before)
    assert post.chain.nonce() == 0
    again = post.dispatcher(DispatchConfig(wait=5.0))
    again.settle()
    assert [p.key for p in again.settle()] == ["a"]
    assert post.chain.receipt(receipt.hash) is not None
    assert post.held() == again.outbox.transactions() == post.chain.nonce() == 1


def test_settle__its_nonce_went_to_another__is_forgotten_and_may_be_sent_anew(post: Post) -> None:
    """EQ-181"""
    dispatcher = post.dispatcher()
    post.automine(False)
    with pytest.raises(NotMined):
        post.mint(dispatcher, "a")
    post.node.request("anvil_dropAllTransactions")
    post.automine(True)
    other, transaction_hash = post.chain.prepare(post.chain.sender, b"", 0, gas=21_000)
    post.chain.broadcast(other)
    post.chain.wait(transaction_hash)
    assert dispatcher.settle() == []
    assert not dispatcher.outbox.known("mint", "a")
    post.mint(dispatcher, "a")
    assert post.held() == 1


def test_settle__nonce_used_and_no_receipt__counts_with_the_most_that_it_may_cost(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EQ-183: one node counts, another is asked for receipts: it was mined, and is never looked at again."""
    dispatcher = post.dispatcher()
    started = int(time.time())
    with monkeypatch.context() as patched:
        patched.setattr(post.chain, "receipt", lambda _: None)
        patched.setattr(post.chain, "timestamp", lambda: 1)
        with pytest.raises(NotMined):
            post.mint(dispatcher, "a")
        (posting,) = dispatcher.outbox.in_flight()
        dispatcher.settle()
    assert not dispatcher.outbox.in_flight()
    assert dispatcher.settle() == []
    assert (
        dispatcher.outbox.spent_since(started - 1)
        == posting.ceiling
        > post.chain.receipt(posting.hash)[1].fee
    )


def test_settle__one_of_ours_has_the_nonce__counts_with_what_that_one_cost(post: Post) -> None:
    """EQ-183: replaced twice; nothing is booked for those that can never be mined."""
    dispatcher, before = post.dispatcher(), post.chain.balance(post.chain.sender)
    post.automine(False)
    with pytest.raises(NotMined):
        post.mint(dispatcher, "a")
    for _ in range(2):
        dispatcher.settle()
    post.mine()
    assert [p.key for p in dispatcher.settle()] == ["a"]
    assert dispatcher.settle() == []
    assert dispatcher.outbox.spent_since(0) == before - post.chain.balance(post.chain.sender) > 0


def test_settle__cancelled__may_still_cost_what_the_first_may(post: Post) -> None:
    """EQ-183: it may be mined after all."""
    dispatcher = post.dispatcher()
    post.automine(False)
    with pytest.raises(NotMined):
        post.mint(dispatcher, "a")
    (first,) = dispatcher.outbox.in_flight()
    post.node.request("anvil_dropAllTransactions")
    post.node.request("anvil_setCode", post.token.address, "0xfe")
    dispatcher.settle()
    (cancelled,) = dispatcher.outbox.in_flight()
    assert cancelled.hash != first.hash
    assert cancelled.ceiling >= first.ceiling


class Purses:
    """Nothing is paid for any more but what protects."""

    empty = False

    def allow(self, kind: str, gas: int, fees: Fees) -> None:
        if self.empty and kind not in ("rescue", CLEARING):
            raise BudgetError(f"{kind}: too dear")


def rescue(post: Post, dispatcher: Dispatcher) -> None:
    data = post.token.encode("mint", post.chain.sender, 10)
    with pytest.raises(NotMined):
        dispatcher.send("rescue", "r", post.token.address, data, "TestToken")


@pytest.mark.parametrize("winner", ["the clearing", "what it replaces"])
def test_settle__stuck_before_what_protects__makes_way_at_the_cost_of_that(
    post: Post, monkeypatch: pytest.MonkeyPatch, winner: str
) -> None:
    """EQ-182 EQ-181: its own purse pays no replacement; either version may win, and is counted once."""
    purses = Purses()
    dispatcher = post.dispatcher(allow=purses.allow, protecting=("rescue", CLEARING))
    post.mint(dispatcher, "before")
    before = dispatcher.outbox.spent_since(0)
    post.automine(False)
    with pytest.raises(NotMined):
        post.mint(dispatcher, "a")
    purses.empty = True
    dispatcher.settle()
    assert dispatcher.problems == {"mint a": "mint: too dear"}
    rescue(post, dispatcher)
    with monkeypatch.context() as patched:
        if winner != "the clearing":
            patched.setattr(post.chain, "broadcast", lambda raw: None)
        dispatcher.settle()
    assert dispatcher.problems == {}
    assert [(p.kind, p.key, p.nonce) for p in dispatcher.outbox.in_flight()] == [
        (CLEARING, 1, 1),
        ("rescue", "r", 2),
    ]
    post.mine()
    again = post.dispatcher(allow=purses.allow, protecting=("rescue", CLEARING))
    assert [p.kind for p in again.settle()] == [CLEARING, "rescue"]
    assert again.settle() == []
    assert post.held() == (11 if winner == "the clearing" else 12)
    assert again.outbox.transactions() == post.chain.nonce() == 3
    assert again.outbox.spent_since(0, ["mint"]) == before
    assert again.outbox.spent_since(0, [CLEARING]) > 0
    purses.empty = False
    post.automine(True)
    post.mint(again, "a")


def test_settle__a_nonce_is_missing_before_what_protects__is_filled_at_the_cost_of_that(post: Post) -> None:
    """EQ-182"""
    purses = Purses()
    dispatcher = post.dispatcher(allow=purses.allow, protecting=("rescue", CLEARING))
    post.automine(False)
    stranger, _ = post.chain.prepare(post.chain.sender, b"", 0, gas=21_000, fees=Fees(0, 1))
    post.chain.broadcast(stranger)
    purses.empty = True
    rescue(post, dispatcher)
    post.node.request("anvil_dropAllTransactions")
    dispatcher.settle()
    assert {(p.kind, p.nonce) for p in dispatcher.outbox.in_flight()} == {(CLEARING, 0), ("rescue", 1)}
    post.mine()
    assert {p.kind for p in dispatcher.settle()} == {CLEARING, "rescue"}


def test_settle__stuck_beyond_its_limits__stays_and_says_why(post: Post) -> None:
    """EQ-183: no replacement passes a limit."""

    def allow(kind: str, gas: int, fees: Fees) -> None:
        if fees.tip > GWEI:
            raise BudgetError("too dear")

    dispatcher = post.dispatcher(allow=allow)
    post.automine(False)
    with pytest.raises(NotMined):
        post.mint(dispatcher, "a")
    (before,) = dispatcher.outbox.in_flight()
    dispatcher.settle()
    assert dispatcher.problems == {"mint a": "too dear"}
    assert dispatcher.outbox.in_flight() == [before]
    post.mine()
    assert [p.key for p in dispatcher.settle()] == ["a"]


def test_settle__the_node_refuses__goes_on_with_the_others(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EQ-185"""
    dispatcher = post.dispatcher()

    def refuses(raw: bytes) -> None:
        raise RpcError("insufficient funds")

    monkeypatch.setattr(post.chain, "broadcast", refuses)
    with pytest.raises(RpcError, match="insufficient"):
        post.mint(dispatcher, "a")
    dispatcher.settle()
    assert "insufficient" in dispatcher.problems["mint a"]


@pytest.mark.parametrize("wrong", [{"wait": -1.0}, {"stuck_after": 1e7}, {"jitter": -0.1}])
def test_dispatch_config__out_of_range__is_named(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        DispatchConfig(**wrong)
