"""Specification, contracts and tests speak of the same requirements and the same errors."""

from __future__ import annotations

import ast
import re

import pytest

from tests.architecture.trace import (
    BEGIN,
    END,
    ROOT,
    SPECIFICATION,
    TESTS,
    citations,
    inserted,
    promised,
)

SOLIDITY = sorted((ROOT / "contracts").rglob("*.sol"))


def test_specification__numbers__are_unique_and_each_says_must() -> None:
    numbers = promised()
    assert len(numbers) == len(set(numbers)) > 60
    text = SPECIFICATION.read_text()
    for block in re.split(r"^- \*\*", text, flags=re.MULTILINE)[1:]:
        assert re.search(r"\b(MUST|MAY)\b|Only the owner", block), block[:80]


@pytest.mark.parametrize("number", promised())
def test_requirement__of_the_specification__is_cited_by_a_test(number: int) -> None:
    assert number in citations(), f"EQ-{number} stands in contracts/README.md and no test cites it"


def test_citation__in_a_test__is_of_a_requirement_that_exists() -> None:
    unknown = {number: tests for number, tests in citations().items() if number not in promised()}
    assert not unknown


def test_trace__at_the_end_of_the_specification__is_what_the_tests_cite() -> None:
    text = SPECIFICATION.read_text()
    assert BEGIN in text, "the table's markers are gone"
    assert END in text
    assert inserted(text) == text, "run python -m tests.architecture.trace"


def test_citation__in_a_contract__is_of_a_requirement_that_exists() -> None:
    known = set(promised())
    for path in SOLIDITY:
        for line in re.findall(r"@custom:requirement(.*)", path.read_text()):
            cited = {int(number) for number in re.findall(r"EQ-(\d+)", line)}
            assert cited, f"{path.name}: a requirement without a number: {line}"
            assert cited <= known, f"{path.name} cites {cited - known}, which contracts/README.md lacks"


def errors() -> list[str]:
    """Every custom error that an interface of ours declares."""
    sources = (ROOT / "contracts" / "interfaces").glob("*.sol")
    return sorted(
        name for path in sources for name in re.findall(r"^\s*error (\w+)\(", path.read_text(), re.M)
    )


@pytest.mark.parametrize("error", errors())
def test_error__of_an_interface__is_provoked_by_a_test(error: str) -> None:
    assert any(error in path.read_text() for path in TESTS), f"no test names {error}"


@pytest.mark.parametrize("error", errors())
def test_error__of_an_interface__is_used_by_a_contract(error: str) -> None:
    users = [path for path in SOLIDITY if "interfaces" not in path.parts]
    assert any(re.search(rf"revert (\w+\.)?{error}\b", path.read_text()) for path in users), (
        f"{error} is never thrown"
    )


def test_tests__their_names__read_function_condition_outcome() -> None:
    for path in TESTS:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                assert len(node.name.split("__")) >= 2, f"{path.name}::{node.name}"


def test_tests__their_files__are_short() -> None:
    for path in TESTS:
        assert len(path.read_text().splitlines()) <= 400, path
