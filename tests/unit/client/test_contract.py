"""The client on a real node: results, receipts, events, and reverts with names."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from equipoise.client import Contract, RpcChain, RpcError, create, load_artifact, load_npm_artifact
from equipoise.client.chain import RevertedCall
from equipoise.errors import ContractRevert, InputError, ToolchainError
from equipoise.world.anvil import Anvil

WETH = "canonical-weth/build/contracts/WETH9"
FACTORY = "@uniswap/v3-core/artifacts/contracts/UniswapV3Factory.sol/UniswapV3Factory"
ETHER = 10**18


def returns(data: str) -> str:
    """Code that answers every call with up to 32 bytes."""
    return f"0x7f{data.ljust(64, '0')}5f5260{len(data) // 2:02x}5ff3"


def reverts(data: str) -> str:
    return returns(data)[:-2] + "fd"


@pytest.fixture(scope="module")
def weth(node: RpcChain) -> Contract:
    return create(node, load_npm_artifact(WETH), sender=node.request("eth_accounts")[0])


@pytest.fixture
def user(node: RpcChain) -> Iterator[str]:
    snapshot = node.request("evm_snapshot")
    yield node.request("eth_accounts")[1]
    node.request("evm_revert", snapshot)


@pytest.fixture
def faulty(node: RpcChain, user: str) -> Any:
    """Factory of contracts that always revert with the given hex data, called as if they were WETH9."""

    def make(data: str) -> Contract:
        address = "0x" + "fa" * 20
        node.request("anvil_setCode", address, reverts(data))
        return Contract(node, address, load_npm_artifact(WETH).abi, "Faulty")

    return make


def test_send__of_a_deposit__gives_a_receipt_with_its_events(weth: Contract, user: str) -> None:
    receipt = weth.send("deposit", sender=user, value=ETHER)
    assert weth.call("balanceOf", user) == ETHER
    (event,) = weth.events(receipt, "Deposit")
    assert (event.dst.lower(), event.wad) == (user.lower(), ETHER)
    assert weth.events(receipt, "Withdrawal") == []
    assert receipt.timestamp == weth.chain.timestamp()
    assert receipt.contract_address is None
    assert 21_000 < receipt.gas_used < 60_000


def test_create__gives_a_contract_with_code(weth: Contract, node: RpcChain) -> None:
    assert len(node.code(weth.address)) > 1000
    assert node.code("0x" + "77" * 20) == b""
    assert node.chain_id == 31337


def test_call_many__answers_in_order(weth: Contract, node: RpcChain, user: str) -> None:
    weth.send("deposit", sender=user, value=7)
    asked = [node.request("eth_accounts")[2], user] * 20
    answers = node.call_many([(weth.address, weth.encode("balanceOf", who)) for who in asked])
    assert [weth.decode("balanceOf", answer) for answer in answers] == [0, 7] * 20
    assert node.call_many([]) == []


def test_argument__may_be_a_contract__for_its_address(weth: Contract) -> None:
    assert weth.encode("balanceOf", weth) == weth.encode("balanceOf", weth.address)
    assert weth.encode("balanceOf", SimpleNamespace(address=weth.address))[-20:].hex() in weth.address.lower()


@pytest.mark.parametrize("via", ["call", "send"])
@pytest.mark.parametrize(
    ("data", "name", "arguments"),
    [
        ("", "NoReason", None),
        ("deadbeef", "UnknownError", ("0xdeadbeef",)),
        ("4e487b71" + f"{0x11:056x}", "UnknownError", None),  # a Panic cut short
        ("bac65e5b", "MulWadFailed", ()),
    ],
)
def test_revert__with_short_data__is_named(
    faulty: Any, user: str, via: str, data: str, name: str, arguments: Any
) -> None:
    contract = faulty(data)
    with pytest.raises(ContractRevert) as caught:
        getattr(contract, via)("withdraw", 1, sender=user)
    assert caught.value.name == name
    assert caught.value.contract == "Faulty"
    if arguments is not None:
        assert caught.value.arguments == arguments


def test_revert__of_a_custom_error__has_its_arguments(node: RpcChain, user: str) -> None:
    token = create(node, load_artifact("TestToken"), "T", "T", 6, user, sender=user)
    with pytest.raises(ContractRevert) as caught:
        token.send("transfer", node.request("eth_accounts")[2], 5, sender=user)
    assert caught.value.name == "ERC20InsufficientBalance"
    assert caught.value.arguments[1:] == (0, 5)
    assert str(caught.value.arguments[0]).lower() == user.lower()
    assert str(caught.value).startswith("TestToken: ERC20InsufficientBalance(")


def test_revert__of_another_contract_inside__is_named_too(node: RpcChain, user: str) -> None:
    """The called contract's ABI has no such error: the project's ABIs together know it."""
    batch = create(node, load_artifact("FeedBatch"), user, sender=user)
    feed = create(node, load_artifact("TestAggregator"), "F", 8, user, sender=user)
    with pytest.raises(ContractRevert, match="TestAggregator__NotWriter"):
        batch.send("pushAt", feed, 1, 1, sender=user)


def test_revert__of_a_constructor__is_named(node: RpcChain, user: str) -> None:
    with pytest.raises(ContractRevert, match="OwnableInvalidOwner"):
        create(node, load_artifact("TestToken"), "T", "T", 6, "0x" + "00" * 20, sender=user)


def test_revert__of_old_solidity__carries_its_message(node: RpcChain, user: str) -> None:
    path = "@uniswap/v3-periphery/artifacts/contracts/SwapRouter.sol/SwapRouter"
    router = create(node, load_npm_artifact(path), user, user, sender=user)
    with pytest.raises(ContractRevert) as caught:
        router.send("exactInput", (b"", user, 0, 1, 1), sender=user)
    assert (caught.value.name, caught.value.arguments) == ("Error", ("Transaction too old",))


def test_revert__changes_nothing(weth: Contract, user: str) -> None:
    with pytest.raises(ContractRevert, match="NoReason"):
        weth.send("withdraw", 1, sender=user)
    assert weth.call("totalSupply") == 0


def test_send__with_too_little_gas__says_so(weth: Contract, user: str) -> None:
    with pytest.raises(ContractRevert, match="OutOfGas; 30000 of 30000 gas used"):
        weth.send("deposit", sender=user, value=1, gas=30_000)


def test_chain__raw__raises_the_data(faulty: Any, node: RpcChain, user: str) -> None:
    contract = faulty("deadbeef")
    for attempt in (node.call, lambda to, data: node.send(user, to, data)):
        with pytest.raises(RevertedCall) as caught:
            attempt(contract.address, b"")
        assert caught.value.data == bytes.fromhex("deadbeef")


@pytest.mark.parametrize(
    ("function", "arguments", "words"),
    [
        ("nothing", (), "no single 'nothing'"),
        ("balanceOf", (), "takes 1 arguments, got 0"),
        ("balanceOf", ("zz",), "does not take"),
        ("withdraw", (-1,), "does not take"),
        ("withdraw", (2**256,), "does not take"),
        ("withdraw", ("1",), "does not take"),
        ("withdraw", (1.5,), "does not take"),
    ],
)
def test_arguments__that_do_not_fit__are_refused_before_the_chain(
    weth: Contract, user: str, function: str, arguments: tuple[Any, ...], words: str
) -> None:
    block = weth.chain.request("eth_blockNumber")  # type: ignore[attr-defined]
    with pytest.raises(InputError, match=words):
        weth.send(function, *arguments, sender=user)
    with pytest.raises(InputError, match=words):
        weth.call(function, *arguments)
    assert weth.chain.request("eth_blockNumber") == block  # type: ignore[attr-defined]


def test_send__of_a_negative_value__is_refused(weth: Contract, user: str) -> None:
    with pytest.raises(InputError, match="at least 0"):
        weth.send("deposit", sender=user, value=-1)


def test_request__that_the_node_refuses__is_an_rpc_error(node: RpcChain) -> None:
    with pytest.raises(RpcError, match="eth_nothing"):
        node.request("eth_nothing")
    with pytest.raises(RpcError, match="funds"):
        node.send("0x" + "ab" * 20, "0x" + "cd" * 20, b"", value=1)


@pytest.mark.parametrize("endpoint", ["/nonexistent.ipc", "http://127.0.0.1:1"])
def test_chain__where_nothing_listens__is_an_rpc_error(endpoint: str) -> None:
    with pytest.raises(RpcError, match="no node at"):
        RpcChain(endpoint)


def test_chain__whose_node_has_died__is_an_rpc_error() -> None:
    anvil = Anvil(1_600_000_000)
    chain = RpcChain(anvil.ipc_path)
    anvil.close()
    with pytest.raises(RpcError, match="did not answer"):
        chain.timestamp()
    chain.close()


def test_chain__over_http__is_the_same_chain() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    anvil = Anvil(1_600_000_000, port=port)
    try:
        chain = RpcChain(f"http://127.0.0.1:{port}")
        sender = chain.request("eth_accounts")[0]
        weth = create(chain, load_npm_artifact(WETH), sender=sender)
        assert Contract(anvil.chain, weth.address, weth.abi).call("decimals") == 18
        with pytest.raises(ContractRevert, match="NoReason"):
            weth.send("withdraw", 1, sender=sender)
        chain.close()
    finally:
        anvil.close()


def test_chain__without_synchronous_sends__waits_for_the_receipt(
    node: RpcChain, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another node, or an older anvil."""
    request = node.request

    def older(method: str, *params: Any) -> Any:
        if method == "eth_sendTransactionSync":
            raise RpcError("method not found", -32601)
        return request(method, *params)

    monkeypatch.setattr(node, "request", older)
    monkeypatch.setattr(node, "_sends_at_once", True)
    weth = create(node, load_npm_artifact(WETH), sender=user)
    assert weth.send("deposit", sender=user, value=5).gas_used > 21_000
    assert weth.call("balanceOf", user) == 5


def test_artifact__missing_or_without_code__says_what_to_do() -> None:
    with pytest.raises(ToolchainError, match="make build"):
        load_artifact("NoSuchContract")
    with pytest.raises(ToolchainError, match="make setup"):
        load_npm_artifact("no/such/Package")
    with pytest.raises(ToolchainError, match="has no code"):
        load_artifact("IAggregatorV3").encode_deploy()


def test_revert__with_a_name_in_bytes32__reads_as_text() -> None:
    padded = b"parityBandWad".ljust(32, b"\0")
    assert str(ContractRevert("ParameterOutOfRange", (padded, 5))) == "ParameterOutOfRange(parityBandWad, 5)"
    assert str(ContractRevert("E", (b"\xff\0",))) == "E(0xff00)"


@pytest.mark.parametrize("mined", [True, False])
def test_send__unconfirmed__is_found_or_sent_again_but_never_twice(
    node: RpcChain, monkeypatch: pytest.MonkeyPatch, mined: bool
) -> None:
    """What anvil does rarely, on demand: it answers that nothing was confirmed."""
    user = node.request("eth_accounts")[0]
    weth = create(node, load_npm_artifact(WETH), sender=user)
    request = node.request

    def unconfirmed(method: str, *params: Any) -> Any:
        if method != "eth_sendTransactionSync":
            return request(method, *params)
        if mined:
            request(method, *params)
        raise RpcError("eth_sendTransactionSync: Transaction confirmation timeout")

    monkeypatch.setattr(node, "request", unconfirmed)
    receipt = weth.send("deposit", sender=user, value=7)
    assert receipt.gas_used > 21_000
    assert weth.call("balanceOf", user) == 7
