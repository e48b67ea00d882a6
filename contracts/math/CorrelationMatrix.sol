// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {LDL} from "./LDL.sol";

/// @title CORR: a packed correlation matrix of up to 8 assets with unit diagonal
/// @notice Pairs (0,1), (0,2) .. (0,n-1), (1,2) ..: the k-th is the int16 at bits [16 (k % 16), +16) of word k / 16,
/// in units of 1/32767.
library CorrelationMatrix {
    uint256 internal constant PAIRS_PER_WORD = 16;
    uint256 internal constant PAIR_BITS = 16;
    /// @dev A lane's value for 1.0.
    int256 internal constant ONE = 32767;
    /// @dev A pivot of C - floor I below this counts as none: see LDL on overflow.
    int256 internal constant MIN_PIVOT_WAD = 1e12;
    int256 private constant WAD = LDL.WAD;

    /// @notice The k-th pair's correlation in units of 1/32767.
    function pair(uint256[2] memory correlations, uint256 k) internal pure returns (int256) {
        return int16(uint16(correlations[k / PAIRS_PER_WORD] >> (PAIR_BITS * (k % PAIRS_PER_WORD))));
    }

    /// @notice Whether every lane from the n (n - 1) / 2-th on is zero.
    /// @custom:requirement EQ-2
    function unusedLanesAreZero(uint256[2] memory correlations, uint256 n) internal pure returns (bool) {
        uint256 pairs = (n * (n - 1)) / 2;
        if (pairs <= PAIRS_PER_WORD)
            return correlations[1] == 0 && correlations[0] >> (PAIR_BITS * pairs) == 0;
        return correlations[1] >> (PAIR_BITS * (pairs - PAIRS_PER_WORD)) == 0;
    }

    /// @notice The n x n matrix as WAD, row by row, unit diagonal, truncated towards zero.
    /// @custom:requirement EQ-2
    function load(
        uint256[2] memory correlations,
        uint256 n
    ) internal pure returns (int256[] memory matrixWad) {
        matrixWad = new int256[](n * n);
        int256 wad = WAD;
        int256 one = ONE;
        uint256 pairsPerWord = PAIRS_PER_WORD;
        assembly ("memory-safe") {
            let stride := shl(5, n)
            let next := add(stride, 32)
            let end := add(add(matrixWad, 32), mul(n, stride))
            let word := mload(correlations)
            let pairs := 0
            for {
                let diagonal := add(matrixWad, 32)
                let rowEnd := add(diagonal, stride)
            } lt(diagonal, end) {
                diagonal := add(diagonal, next)
                rowEnd := add(rowEnd, stride)
            } {
                mstore(diagonal, wad)
                let mirror := diagonal
                for {
                    let entry := add(diagonal, 32)
                } lt(entry, rowEnd) {
                    entry := add(entry, 32)
                } {
                    mirror := add(mirror, stride)
                    let value := sdiv(mul(signextend(1, word), wad), one)
                    mstore(entry, value)
                    mstore(mirror, value)
                    word := shr(16, word)
                    pairs := add(pairs, 1)
                    if eq(pairs, pairsPerWord) {
                        word := mload(add(correlations, 32))
                    }
                }
            }
        }
    }

    /// @notice Whether the smallest eigenvalue of C lies above `floorWad`: every pivot of the LDL' factorisation of
    /// C - floor I must reach MIN_PIVOT_WAD (1e-6).
    /// @dev Pivots of C itself depend on the assets' order and bound nothing (C may pass at 0.01 with coordinates of
    /// 1000); the shifted ones bound each coordinate by 1 / sqrt(floor).
    /// @param floorWad [0, 1e18)
    /// @return accepted true where all pivots pass; then the two other values are 0
    /// @return index first row whose pivot fails
    /// @return pivotWad its pivot in C - floor I, as far as the row was eliminated
    /// @custom:requirement EQ-3
    function eigenvaluesAbove(
        uint256[2] memory correlations,
        uint256 n,
        uint256 floorWad
    ) internal pure returns (bool accepted, uint256 index, int256 pivotWad) {
        int256[] memory matrixWad = load(correlations, n);
        for (uint256 i; i < n; ++i) matrixWad[i * n + i] -= int256(floorWad);
        return LDL.factorise(matrixWad, n, MIN_PIVOT_WAD);
    }
}
