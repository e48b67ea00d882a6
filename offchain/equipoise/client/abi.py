"""ABI encoding and decoding with named tuples, compiled once per contract."""

from __future__ import annotations

import re
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from eth_abi.decoding import ContextFramesBytesIO, TupleDecoder
from eth_abi.encoding import TupleEncoder
from eth_abi.exceptions import DecodingError, EncodingError
from eth_abi.registry import registry
from eth_utils import keccak
from eth_utils import to_checksum_address as _checksum

from equipoise.errors import InputError

__all__ = ["Codec", "Event", "Function", "Interface", "signature_of"]

Parameter = Mapping[str, Any]
Convert = Callable[[Any], Any]

to_checksum_address = lru_cache(maxsize=4096)(_checksum)


def _type(parameter: Parameter) -> str:
    """Canonical type, structs written out: ``(uint256,address)[]``."""
    if not parameter["type"].startswith("tuple"):
        return str(parameter["type"])
    inner = ",".join(map(_type, parameter["components"]))
    return f"({inner}){parameter['type'].removeprefix('tuple')}"


def signature_of(entry: Mapping[str, Any]) -> str:
    """``name(type,...)`` of a function, event or error."""
    return f"{entry['name']}({','.join(map(_type, entry.get('inputs', [])))})"


def _same(value: Any) -> Any:
    return value


def _record(parameters: Sequence[Parameter], name: str) -> Callable[..., Any]:
    """Named tuple of the parameters; unnamed ones become ``_0``, ``_1``, ..."""
    names = [parameter.get("name") or "" for parameter in parameters]
    record: Any = namedtuple(re.sub(r"\W", "_", name) or "Result", names, rename=True)  # type: ignore[misc]
    make: Callable[..., Any] = record._make
    return make


def _struct_name(parameter: Parameter) -> str:
    return str(parameter.get("internalType", "Struct")).split(".")[-1].rstrip("[]0123456789").split(" ")[-1]


def _output(parameter: Parameter) -> Convert:
    """Conversion of a decoded value: checksummed addresses, structs as named tuples."""
    kind = str(parameter["type"])
    if kind.endswith("]"):
        item = _output({**parameter, "type": kind[: kind.rindex("[")]})
        return lambda values: [item(value) for value in values]
    if kind == "tuple":
        fields = [_output(component) for component in parameter["components"]]
        record = _record(parameter["components"], _struct_name(parameter))
        return lambda values: record([convert(v) for convert, v in zip(fields, values, strict=True)])
    return to_checksum_address if kind == "address" else _same


def _input(parameter: Parameter) -> Convert:
    """Conversion of an argument: a contract stands for its address, a struct may be a mapping."""
    kind = str(parameter["type"])
    if kind.endswith("]"):
        item = _input({**parameter, "type": kind[: kind.rindex("[")]})
        return lambda values: [item(value) for value in values]
    if kind == "tuple":
        names = [component["name"] for component in parameter["components"]]
        fields = [_input(component) for component in parameter["components"]]

        def struct(value: Any) -> Any:
            if isinstance(value, Mapping):
                value = [value[name] for name in names]
            elif not isinstance(value, tuple | list):
                value = [getattr(value, name) for name in names]
            return tuple(convert(v) for convert, v in zip(fields, value, strict=True))

        return struct
    if kind == "address":
        return lambda value: getattr(value, "address", value)
    return _same


class Codec:
    """Encodes and decodes one list of parameters.

    Parameters
    ----------
    parameters
        ABI entries with ``name``, ``type`` and, for structs, ``components``.
    name
        For error messages and the named tuple that `decode` gives.
    """

    def __init__(self, parameters: Sequence[Parameter], name: str = "") -> None:
        self.parameters = list(parameters)
        self.name = name
        types = [_type(parameter) for parameter in parameters]
        self.signature = f"{name}({','.join(types)})"
        self._encode = TupleEncoder(encoders=[registry.get_encoder(t) for t in types])
        self._decode = TupleDecoder(decoders=[registry.get_decoder(t) for t in types])
        self._inputs = [_input(parameter) for parameter in parameters]
        self._outputs = [_output(parameter) for parameter in parameters]
        self._make = _record(parameters, name)

    def encode(self, *args: Any) -> bytes:
        """Raises InputError naming the signature when the arguments do not fit."""
        if len(args) != len(self._inputs):
            raise InputError(f"{self.signature} takes {len(self._inputs)} arguments, got {len(args)}")
        try:
            values = [convert(value) for convert, value in zip(self._inputs, args, strict=True)]
            return bytes(self._encode(values))
        except (EncodingError, KeyError, AttributeError, TypeError, ValueError) as error:
            raise InputError(f"{self.signature} does not take {args!r}: {error}") from error

    def decode(self, data: bytes) -> Any:
        """Named tuple of the values. Raises InputError when the data do not fit."""
        # checked here too: a program may have made eth_abi's own reader lenient, as ape does
        if len(data) < 32 * len(self.parameters):
            raise InputError(f"{self.signature} cannot be read from {len(data)} bytes: too few")
        try:
            values = self._decode(ContextFramesBytesIO(data))
        except (DecodingError, OverflowError, UnicodeDecodeError) as error:
            raise InputError(f"{self.signature} cannot be read from {len(data)} bytes: {error}") from error
        return self._make([convert(v) for convert, v in zip(self._outputs, values, strict=True)])


class Function:
    """Selector, arguments and results of one function."""

    def __init__(self, entry: Mapping[str, Any]) -> None:
        self.name = str(entry["name"])
        self.inputs = Codec(entry["inputs"], self.name)
        self.outputs = Codec(entry.get("outputs", []), self.name)
        self.selector = keccak(text=self.inputs.signature)[:4]

    def encode(self, *args: Any) -> bytes:
        return self.selector + self.inputs.encode(*args)

    def decode(self, data: bytes) -> Any:
        """The value, a named tuple of several, or None."""
        values = self.outputs.decode(data)
        return values if len(values) > 1 else values[0] if values else None


class Event:
    """Topics and data of one event."""

    def __init__(self, entry: Mapping[str, Any]) -> None:
        self.name = str(entry["name"])
        self.topic = "0x" + keccak(text=signature_of(entry)).hex()
        # what an indexed value of a dynamic type leaves is its hash
        hashed = [{**p, "type": "bytes32"} if _is_dynamic(p) and p["indexed"] else p for p in entry["inputs"]]
        self._indexed = Codec([p for p in hashed if p["indexed"]], self.name)
        self._data = Codec([p for p in hashed if not p["indexed"]], self.name)
        self._flags = [p["indexed"] for p in hashed]
        self._make = _record(hashed, self.name)

    def decode(self, log: Mapping[str, Any]) -> Any:
        topics = iter(self._indexed.decode(b"".join(bytes.fromhex(t[2:]) for t in log["topics"][1:])))
        data = iter(self._data.decode(bytes.fromhex(log["data"][2:])))
        return self._make([next(topics) if indexed else next(data) for indexed in self._flags])


def _is_dynamic(parameter: Parameter) -> bool:
    kind = parameter["type"]
    return kind in ("string", "bytes") or kind.endswith("]") or kind.startswith("tuple")


class Interface:
    """The functions, events, errors and constructor of a contract, each compiled at first use."""

    _cache: dict[int, tuple[list[dict[str, Any]], Interface]] = {}  # noqa: RUF012

    def __init__(self, abi: Sequence[Mapping[str, Any]], name: str = "") -> None:
        self.name = name
        self._functions: dict[str, list[Mapping[str, Any]]] = {}
        self._events: dict[str, Mapping[str, Any]] = {}
        self._compiled: dict[tuple[str, int], Function] = {}
        self._event_codecs: dict[str, Event] = {}
        self.errors: list[Mapping[str, Any]] = []
        constructor: list[Parameter] = []
        for entry in abi:
            if entry["type"] == "function":
                self._functions.setdefault(entry["name"], []).append(entry)
            elif entry["type"] == "event":
                self._events[entry["name"]] = entry
            elif entry["type"] == "error":
                self.errors.append(entry)
            elif entry["type"] == "constructor":
                constructor = entry["inputs"]
        self.constructor = Codec(constructor, "constructor")

    @classmethod
    def of(cls, abi: list[dict[str, Any]], name: str = "") -> Interface:
        """The interface of this very list, made once."""
        known = cls._cache.get(id(abi))
        if known is None:
            known = cls._cache[id(abi)] = (abi, cls(abi, name))
        return known[1]

    def function(self, name: str, count: int) -> Function:
        """By name, or by full signature where one name and count of arguments has several.

        Raises InputError: no such function, or more than one.
        """
        function = self._compiled.get((name, count))
        if function is None:
            entries = self._functions.get(name.partition("(")[0], [])
            if "(" in name:
                found = [entry for entry in entries if signature_of(entry) == name]
            else:
                found = [e for e in entries if len(e["inputs"]) == count] or entries[:1]
            if len(found) != 1:
                choice = [signature_of(entry) for entry in entries] or sorted(self._functions)
                raise InputError(f"{self.name or 'the contract'} has no single {name!r}; it has {choice}")
            function = self._compiled[name, count] = Function(found[0])
        return function

    def by_selector(self, selector: bytes) -> Function | None:
        """The function that four bytes of call data mean, None where there is none."""
        for entries in self._functions.values():
            for entry in entries:
                function = self.function(signature_of(entry), len(entry["inputs"]))
                if function.selector == selector:
                    return function
        return None

    def has(self, name: str) -> bool:
        """Whether there is a function of that name."""
        return name in self._functions

    def event(self, name: str) -> Event:
        """Raises InputError: no such event."""
        if name not in self._event_codecs:
            if name not in self._events:
                where = self.name or "the contract"
                raise InputError(f"{where} has no event {name!r}; it has {sorted(self._events)}")
            self._event_codecs[name] = Event(self._events[name])
        return self._event_codecs[name]
