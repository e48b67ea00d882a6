"""`equipoise solve` on published risk-parity cases, as a user calls it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from equipoise.cli import main
from equipoise.client.artifacts import ROOT

FILE = ROOT.parent / "shared" / "market" / "erc_reference_cases.json"
CASES: list[Any] = json.loads(FILE.read_text())["cases"] if FILE.is_file() else []


@pytest.mark.skipif(not CASES, reason=f"{FILE} is not there: it lies beside the repository and never ships")
def test_solve__every_published_case__to_its_digits_and_the_independent_solution(tmp_path: Path) -> None:
    for case in CASES:
        path = tmp_path / "case.json"
        path.write_text(json.dumps(case))
        done = CliRunner().invoke(main, ["solve", "--input", str(path)])
        assert done.exit_code == 0, (case["name"], done.output)
        answer = json.loads(done.output)
        half_a_digit = 0.5 * 10.0 ** -case["expected_decimals"] + 1e-12
        np.testing.assert_allclose(
            answer["weights"], case["expected_weights"], rtol=0, atol=half_a_digit, err_msg=case["name"]
        )
        np.testing.assert_allclose(
            answer["weights"], case["recomputed_weights"], rtol=0, atol=1e-9, err_msg=case["name"]
        )
        assert answer["volatility"] == pytest.approx(case["recomputed_vol"], rel=1e-9)
        assert answer["max_error"] <= 1e-9
