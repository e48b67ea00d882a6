"""`ApeChain` over a provider that answers as a node does: what is asked of it, and how refusals come back.

Against the real ape it is tested in tests/e2e/test_ape.py.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ape.exceptions import AccountsError, ContractLogicError, ProviderError, SignatureError, TransactionError
from ape_accounts.accounts import InvalidPasswordError

from equipoise.client.ape import ApeChain, _named_errors, endpoint_of, unlock
from equipoise.client.chain import RevertedCall, RpcError
from equipoise.errors import InputError

ALICE = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
VAULT = "0xCf7Ed3AccA5a467e9e704C703E8D87F634fB0Fc9"


class Node:
    """Stands for ape's provider, its web3 and its network; remembers what was asked."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.asked: list[tuple[str, list[Any]]] = []
        self.web3 = SimpleNamespace(provider=self)
        self.network = SimpleNamespace(ecosystem=SimpleNamespace(create_transaction=lambda **f: f))

    def make_request(self, method: str, params: list[Any]) -> Any:
        self.asked.append((method, params))
        return self.answers[method]


class Account:
    address = ALICE

    def __init__(self) -> None:
        self.signed: list[Any] = []

    def call(self, transaction: Any) -> Any:
        self.signed.append(transaction)
        return SimpleNamespace(
            txn_hash="0xaa",
            block_number=5,
            gas_used=21_000,
            contract_address=VAULT,
            logs=[{"address": VAULT, "topics": [b"\x01" * 32], "data": b"\x02"}],
            timestamp=1_700_000_000_000,
        )


def test_chain_id__any_provider__is_the_nodes_own() -> None:
    node = Node(eth_chainId={"result": "0x7a69"})
    node.chain_id = 1337  # type: ignore[attr-defined]  # what ape takes a local chain for
    assert ApeChain(node).chain_id == 31337  # type: ignore[arg-type]


def test_call__at_a_block__data_and_block_in_hex() -> None:
    node = Node(eth_call={"result": "0x0102"})
    assert ApeChain(node).call(VAULT, b"\xab", ALICE, block=16) == b"\x01\x02"  # type: ignore[arg-type]
    assert node.asked == [("eth_call", [{"to": VAULT, "data": "0xab", "from": ALICE}, "0x10"])]


def test_call__revert__carries_its_data() -> None:
    node = Node(eth_call={"error": {"code": 3, "message": "execution reverted", "data": "0x08c379a0"}})
    with pytest.raises(RevertedCall) as caught:
        ApeChain(node).call(VAULT, b"")  # type: ignore[arg-type]
    assert caught.value.data == bytes.fromhex("08c379a0")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"message": "execution reverted"}, RevertedCall),
        ({"message": "rate limited"}, RpcError),
        ("gone", RpcError),
    ],
)
def test_call__error_without_data__is_named(error: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        ApeChain(Node(eth_call={"error": error})).call(VAULT, b"")  # type: ignore[arg-type]


def test_send__account_of_ape__simulates_then_signs() -> None:
    node, account = Node(eth_call={"result": "0x"}), Account()
    receipt = ApeChain(node, [account]).send(ALICE.lower(), VAULT, b"\x01", gas=100)  # type: ignore[arg-type,list-item]
    assert [method for method, _ in node.asked] == ["eth_call"]
    assert account.signed == [
        {"sender": ALICE.lower(), "data": b"\x01", "value": 0, "receiver": VAULT, "gas_limit": 100}
    ]
    assert (receipt.timestamp, receipt.gas_used, receipt.contract_address) == (1_700_000_000, 21_000, None)
    assert receipt.logs == [{"address": VAULT, "topics": ["0x" + "01" * 32], "data": "0x02"}]


def test_send__creation__tells_the_new_address() -> None:
    node, account = Node(eth_call={"result": "0x"}), Account()
    receipt = ApeChain(node, [account]).send(ALICE, None, b"\x60")  # type: ignore[arg-type,list-item]
    assert receipt.contract_address == VAULT
    assert "receiver" not in account.signed[0]


def test_send__would_revert__is_never_signed() -> None:
    node, account = Node(eth_call={"error": {"message": "reverted", "data": "0x12345678"}}), Account()
    with pytest.raises(RevertedCall):
        ApeChain(node, [account]).send(ALICE, VAULT, b"")  # type: ignore[arg-type,list-item]
    assert account.signed == []


def test_send__foreign_sender__is_refused_by_name() -> None:
    with pytest.raises(InputError, match="is not one of the ape accounts"):
        ApeChain(Node(), [Account()]).send(VAULT, ALICE, b"")  # type: ignore[arg-type,list-item]


@pytest.mark.parametrize("timestamp", ["0x10", 16])
def test_timestamp__hex_or_number__is_seconds(timestamp: Any) -> None:
    node = Node(eth_getBlockByNumber={"result": {"timestamp": timestamp}})
    assert ApeChain(node).timestamp() == 16  # type: ignore[arg-type]


def test_code__empty_account__is_empty() -> None:
    assert ApeChain(Node(eth_getCode={"result": "0x"})).code(VAULT) == b""  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("raised", "kind", "said"),
    [
        (
            InvalidPasswordError(),
            InputError,
            "wrong passphrase for 0xab; nothing was signed, and nothing is lost",
        ),
        (
            AccountsError("Transfer value meets or exceeds account balance"),
            InputError,
            "0xab did not send: .*send it some, then go on",
        ),
        (SignatureError("refused"), InputError, "0xab did not send: refused .nothing is lost: run the same"),
        (TransactionError("insufficient funds for gas"), InputError, "0xab is out of funds: .*send it some"),
        (ProviderError("gone"), RpcError, "did not take a transaction of 0xab: gone; nothing is lost"),
        (ContractLogicError("no"), RevertedCall, "no"),
    ],
)
def test_named_errors__what_ape_raises__says_how_to_go_on(
    raised: Exception, kind: type[Exception], said: str
) -> None:
    """EQ-174"""
    with pytest.raises(kind, match=said), _named_errors("0xab"):
        raise raised


def test_unlock__key_file_and_wrong_passphrase__is_named() -> None:
    """EQ-174"""

    class KeyFile:
        address = "0xab"
        signs = False

        def set_autosign(self, enabled: bool) -> None:
            if not self.signs:
                raise InvalidPasswordError
            self.enabled = enabled

    key: Any = KeyFile()
    with pytest.raises(InputError, match="wrong passphrase for 0xab"):
        unlock(key)
    key.signs = True
    unlock(key)
    assert key.enabled


def test_endpoint_of__provider_without_one__is_refused() -> None:
    assert endpoint_of(SimpleNamespace(name="x", http_uri="http://a", uri="y")) == "http://a"  # type: ignore[arg-type]
    with pytest.raises(InputError, match="x has no HTTP endpoint to fork"):
        endpoint_of(SimpleNamespace(name="x", http_uri=None, uri=None))  # type: ignore[arg-type]
