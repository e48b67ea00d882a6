// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title CORR: a packed correlation matrix of up to 8 assets with unit diagonal
/// @notice Pairs (0,1), (0,2) .. (0,n-1), (1,2) ..: the k-th is the int16 at bits [16 (k % 16), +16) of word k / 16, in
/// units of 1/32767.
library CorrelationMatrix {
    uint256 internal constant PAIRS_PER_WORD = 16;
    uint256 internal constant PAIR_BITS = 16;
    /// @dev A lane's value for 1.0.
    int256 internal constant ONE = 32767;
    int256 private constant WAD = 1e18;

    /// @notice The k-th pair's correlation in units of 1/32767.
    function pair(uint256[2] memory correlations, uint256 k) internal pure returns (int256) {
        return int16(uint16(correlations[k / PAIRS_PER_WORD] >> (PAIR_BITS * (k % PAIRS_PER_WORD))));
    }

    /// @notice Whether every lane from the n (n - 1) / 2-th on is zero.
    function unusedLanesAreZero(uint256[2] memory correlations, uint256 n) internal pure returns (bool) {
        uint256 pairs = (n * (n - 1)) / 2;
        if (pairs <= PAIRS_PER_WORD)
            return correlations[1] == 0 && correlations[0] >> (PAIR_BITS * pairs) == 0;
        return correlations[1] >> (PAIR_BITS * (pairs - PAIRS_PER_WORD)) == 0;
    }

    /// @notice The n x n matrix as WAD, row by row, unit diagonal, truncated towards zero.
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
}
