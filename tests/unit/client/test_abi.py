"""Encoding and decoding with names, against eth_abi with plain tuples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from eth_abi import decode, encode
from eth_utils import keccak, to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from equipoise.client.abi import Codec, Interface, signature_of
from equipoise.errors import InputError

POINT = [{"name": "x", "type": "uint256"}, {"name": "owner", "type": "address"}]
STRUCT = {"name": "p", "type": "tuple", "components": POINT, "internalType": "struct IThing.Point"}
LIST = {**STRUCT, "type": "tuple[2][]", "internalType": "struct IThing.Point[2][]"}
OWNER = "0x" + "ab" * 20
ABI: list[dict[str, Any]] = [
    {"type": "constructor", "inputs": [{"name": "a", "type": "uint8"}]},
    {"type": "function", "name": "one", "inputs": [STRUCT, LIST], "outputs": [STRUCT]},
    {"type": "function", "name": "two", "inputs": [], "outputs": [*POINT, {"name": "", "type": "bool"}]},
    {"type": "function", "name": "over", "inputs": [{"name": "", "type": "uint256"}], "outputs": []},
    {"type": "function", "name": "over", "inputs": [{"name": "", "type": "int8"}], "outputs": []},
    {"type": "function", "name": "over", "inputs": [], "outputs": []},
    {
        "type": "event",
        "name": "Moved",
        "inputs": [
            {"name": "amount", "type": "uint256", "indexed": False},
            {"name": "who", "type": "address", "indexed": True},
            {"name": "text", "type": "string", "indexed": True},
            {"name": "point", "indexed": False, **{k: v for k, v in STRUCT.items() if k != "name"}},
        ],
    },
]
THING = Interface(ABI, "Thing")


@dataclass(frozen=True)
class Point:
    x: int
    owner: str


@pytest.mark.parametrize("point", [(5, OWNER), [5, OWNER], {"x": 5, "owner": OWNER}, Point(5, OWNER)])
def test_encode__of_a_struct__takes_any_shape(point: Any) -> None:
    expected = encode(["(uint256,address)", "(uint256,address)[2][]"], [(5, OWNER), [[(5, OWNER)] * 2]])
    function = THING.function("one", 2)
    assert function.selector == keccak(text="one((uint256,address),(uint256,address)[2][])")[:4]
    assert function.encode(point, [[point, point]]) == function.selector + expected


def test_decode__of_a_struct__has_names_and_a_checksummed_address() -> None:
    point = THING.function("one", 2).decode(encode(["(uint256,address)"], [(5, OWNER)]))
    assert (type(point).__name__, point.x, point.owner) == ("Point", 5, to_checksum_address(OWNER))


def test_decode__of_several_values__has_names() -> None:
    result = THING.function("two", 0).decode(encode(["uint256", "address", "bool"], [5, OWNER, True]))
    assert (result.x, result.owner.lower(), result[2]) == (5, OWNER, True)
    assert THING.function("over", 0).decode(b"") is None


def test_decode__of_nested_lists__keeps_their_shape() -> None:
    value = [[(1, OWNER), (2, OWNER)], [(3, OWNER), (4, OWNER)]]
    (decoded,) = Codec([LIST]).decode(encode(["(uint256,address)[2][]"], [value]))
    assert [[p.x for p in row] for row in decoded] == [[1, 2], [3, 4]]


def test_function__overloaded__needs_its_signature() -> None:
    with pytest.raises(InputError, match=r"over\(uint256\)"):
        THING.function("over", 1)
    assert THING.function("over(int8)", 1).selector == keccak(text="over(int8)")[:4]
    assert THING.function("over", 0).selector == keccak(text="over()")[:4]


def test_event__decodes_topics_and_data_in_the_declared_order() -> None:
    event = THING.event("Moved")
    log = {
        "topics": [event.topic, "0x" + OWNER[2:].rjust(64, "0"), "0x" + keccak(text="hello").hex()],
        "data": "0x" + encode(["uint256", "(uint256,address)"], [9, (5, OWNER)]).hex(),
    }
    moved = event.decode(log)
    assert moved._fields == ("amount", "who", "text", "point")
    assert (moved.amount, moved.text, moved.point.x) == (9, keccak(text="hello"), 5)
    assert event.topic == "0x" + keccak(text="Moved(uint256,address,string,(uint256,address))").hex()
    with pytest.raises(InputError, match="no event 'Stayed'"):
        THING.event("Stayed")


@pytest.mark.parametrize("data", [b"", b"\x01", b"\xff" * 32, b"\xff" * 64, encode(["bytes"], [b"\xff"])])
def test_decode__of_data_that_do_not_fit__is_refused(data: bytes) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        Codec([{"name": "s", "type": "string"}], "f").decode(data)


@pytest.mark.parametrize("point", [(5,), (5, OWNER, 1), {"x": 5}, 5, None])
def test_encode__of_a_struct_that_does_not_fit__is_refused(point: Any) -> None:
    with pytest.raises(InputError, match="does not take"):
        Codec([STRUCT], "f").encode(point)


def test_constructor__takes_its_arguments() -> None:
    assert THING.constructor.encode(3) == encode(["uint8"], [3])
    with pytest.raises(InputError, match="constructor"):
        THING.constructor.encode()
    assert Interface([]).constructor.encode() == b""


VALUES = {
    "uint256": st.integers(0, 2**256 - 1),
    "int16": st.integers(-(2**15), 2**15 - 1),
    "bool": st.booleans(),
    "bytes32": st.binary(min_size=32, max_size=32),
    "bytes": st.binary(max_size=70),
    "string": st.text(max_size=40),
    "uint32[]": st.lists(st.integers(0, 2**32 - 1), max_size=4),
}


@given(
    st.lists(st.sampled_from(sorted(VALUES)), max_size=6).flatmap(
        lambda kinds: st.tuples(st.just(kinds), st.tuples(*[VALUES[kind] for kind in kinds]))
    )
)
def test_codec__of_any_values__agrees_with_eth_abi(case: tuple[list[str], tuple[Any, ...]]) -> None:
    kinds, values = case
    codec = Codec([{"name": f"a{i}", "type": kind} for i, kind in enumerate(kinds)], "f")
    data = codec.encode(*values)
    assert data == encode(kinds, values)
    assert [tuple(v) if isinstance(v, list) else v for v in codec.decode(data)] == list(decode(kinds, data))


def test_signature_of__writes_structs_out() -> None:
    assert signature_of(ABI[1]) == "one((uint256,address),(uint256,address)[2][])"
