// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {CorrelationMatrix} from "./CorrelationMatrix.sol";
import {LDL} from "./LDL.sol";
import {Word8} from "./Word8.sol";

/// @title Parity coordinates on-chain: the x > 0 with x_i (C x)_i = b_i
/// @notice The minimum of Spinu's convex f(x) = x'Cx / 2 - sum b_i ln x_i. Two sweeps of cyclical coordinate descent
/// (Griveau-Billion, Richard, Roncalli 2013) from an equal start, then Newton steps, shortened where a coordinate
/// would fall by more than 70 %. Sweeps alone need thousands of rounds for a nearly singular C.
/// @dev Arithmetic is unchecked: whatever comes out, it is the caller's certificate that decides.
library CoordinateSolver {
    uint256 private constant SWEEPS = 2;
    /// @dev 8 suffice for every matrix tried with a smallest eigenvalue of 0.002.
    uint256 private constant MAX_STEPS = 20;
    int256 private constant MAX_FALL_WAD = 0.7e18;
    /// @dev max |x_i (Cx)_i - b_i| at which the steps end, {1e-18}; rounding to 1e-8 adds at most
    /// 0.5e-8 n / sqrt(smallest eigenvalue).
    uint256 private constant TOLERANCE_WAD = 2e10;
    int256 private constant WAD = LDL.WAD;

    /// @notice WORD8 of coordinates, rounded to the nearest 1e-8. The caller checks the certificate.
    /// @param correlations CORR, smallest eigenvalue at least 0.002
    /// @param budgets WORD8, used lanes nonzero
    /// @param n number of assets [2, 8]
    /// @custom:requirement EQ-9
    function solve(
        uint256[2] memory correlations,
        uint256 budgets,
        uint256 n
    ) internal pure returns (uint256 coordinates) {
        int256[] memory c = CorrelationMatrix.load(correlations, n);
        int256[] memory b = new int256[](n);
        int256[] memory x = new int256[](n);
        for (uint256 i; i < n; ++i) (b[i], x[i]) = (int256(Word8.laneWad(budgets, i)), WAD);
        _normalise(x, c);
        int256[] memory hessian = new int256[](n * n);
        for (uint256 k; k < SWEEPS; ++k) _sweep(x, c, b);
        for (uint256 k; k < MAX_STEPS; ++k) {
            if (_newtonStep(x, c, b, hessian)) break;
        }
        for (uint256 i; i < n; ++i) {
            uint256 rounded = (uint256(x[i]) + Word8.LANE_TO_WAD / 2) / Word8.LANE_TO_WAD;
            coordinates |= uint256(SafeCast.toUint32(rounded)) << (Word8.LANE_BITS * i);
        }
    }

    /// @dev Solves x_i (Cx)_i = b_i for one i after the other, then restores x'Cx = 1.
    function _sweep(int256[] memory x, int256[] memory c, int256[] memory b) private pure {
        unchecked {
            for (uint256 i; i < x.length; ++i) {
                int256 others = LDL.rowTimes(c, x, i) - x[i];
                int256 root = int256(FixedPointMathLib.sqrt(uint256(others * others + 4 * b[i] * WAD)));
                x[i] = (root - others) / 2;
            }
        }
        _normalise(x, c);
    }

    /// @dev Moves x by the solution of (C + diag(b / x^2)) dx = b / x - Cx, or returns true where x is done.
    function _newtonStep(
        int256[] memory x,
        int256[] memory c,
        int256[] memory b,
        int256[] memory hessian
    ) private pure returns (bool done) {
        uint256 n = x.length;
        int256[] memory step = new int256[](n);
        LDL.copy(c, hessian);
        unchecked {
            uint256 error;
            for (uint256 i; i < n; ++i) {
                int256 pull = (b[i] * WAD) / x[i];
                step[i] = pull - LDL.rowTimes(c, x, i);
                error = FixedPointMathLib.max(error, FixedPointMathLib.abs((step[i] * x[i]) / WAD));
                hessian[i * n + i] += (pull * WAD) / x[i];
            }
            if (error <= TOLERANCE_WAD) return true;
            LDL.factorise(hessian, n, 1);
            LDL.solveInPlace(hessian, step, n);
            int256 fallWad = MAX_FALL_WAD;
            for (uint256 i; i < n; ++i) fallWad = FixedPointMathLib.max(fallWad, (-step[i] * WAD) / x[i]);
            for (uint256 i; i < n; ++i) x[i] += (step[i] * MAX_FALL_WAD) / fallWad;
        }
    }

    function _normalise(int256[] memory x, int256[] memory c) private pure {
        uint256 n = x.length;
        unchecked {
            int256 square;
            for (uint256 i; i < n; ++i) square += LDL.rowTimes(c, x, i) * x[i];
            int256 norm = int256(FixedPointMathLib.sqrt(uint256(square)));
            for (uint256 i; i < n; ++i) x[i] = (x[i] * WAD) / norm;
        }
    }
}
