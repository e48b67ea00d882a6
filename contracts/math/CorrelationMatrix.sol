// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title CORR: a packed correlation matrix of up to 8 assets with unit diagonal
/// @notice Pairs (0,1), (0,2) .. (0,n-1), (1,2) ..: the k-th is the int16 at bits [16 (k % 16), +16) of word k / 16,
/// in units of 1/32767.
library CorrelationMatrix {
    uint256 internal constant PAIRS_PER_WORD = 16;
    uint256 internal constant PAIR_BITS = 16;
    /// @dev A lane's value for 1.0.
    int256 internal constant ONE = 32767;
    /// @dev A pivot of C - floor I below this counts as none: keeps the elimination far from overflow.
    int256 internal constant MIN_PIVOT_WAD = 1e12;
    int256 private constant WAD = 1e18;

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
        uint256 k;
        for (uint256 i; i < n; ++i) {
            matrixWad[i * n + i] = WAD;
            for (uint256 j = i + 1; j < n; ++j) {
                int256 valueWad = (pair(correlations, k++) * WAD) / ONE;
                matrixWad[i * n + j] = valueWad;
                matrixWad[j * n + i] = valueWad;
            }
        }
    }

    /// @notice Whether the smallest eigenvalue of C lies above `floorWad`: every pivot of the LDL' factorisation of
    /// C - floor I must reach MIN_PIVOT_WAD (1e-6).
    /// @dev Pivots of C itself depend on the assets' order and bound nothing (C may pass at 0.01 with coordinates of
    /// 1000); the shifted ones bound each coordinate by 1 / sqrt(floor). No overflow: a row ends as soon as its
    /// running pivot fails, so row entries stay below sqrt(d_j) <= 1 and factors below 1 / MIN_PIVOT.
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
        int256[] memory a = load(correlations, n);
        int256[] memory pivots = new int256[](n);
        unchecked {
            for (uint256 i; i < n; ++i) {
                int256[] memory factors = new int256[](i);
                int256 pivot = WAD - int256(floorWad);
                for (uint256 j; j < i && pivot >= MIN_PIVOT_WAD; ++j) {
                    int256 entry = a[i * n + j];
                    for (uint256 k; k < j; ++k) entry -= (factors[k] * a[j * n + k]) / WAD;
                    a[i * n + j] = entry;
                    factors[j] = (entry * WAD) / pivots[j];
                    pivot -= (factors[j] * entry) / WAD;
                }
                if (pivot < MIN_PIVOT_WAD) return (false, i, pivot);
                pivots[i] = pivot;
            }
        }
        return (true, 0, 0);
    }
}
