// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title LDL' factorisation of a small symmetric matrix, row by row
/// @dev Matrices are WAD, n x n, row-major in int256[]; only the lower triangle is read and written. No bounds are
/// checked: callers pass arrays of length n and n * n.
library LDL {
    int256 internal constant WAD = 1e18;

    /// @notice Factorises `a` in place: E = L D below the diagonal, the pivots D on it.
    /// @dev A row ends as soon as its running pivot falls under `minPivotWad`, which is what keeps every intermediate
    /// small: with entries and diagonal of a in [-1, 1] and m = minPivot, rows that passed have |E_ij| <= 1, so a
    /// candidate has |E_ij| <= 1 + n / m and a factor |E_ij / D_j| <= (1 + n / m) / m: no overflow for m >= 1e-6.
    /// @param minPivotWad positive
    /// @return complete whether all pivots reached `minPivotWad`
    /// @return index the first row whose pivot did not, 0 if complete
    /// @return pivotWad that pivot, as far as its row was eliminated, 0 if complete
    function factorise(
        int256[] memory a,
        uint256 n,
        int256 minPivotWad
    ) internal pure returns (bool complete, uint256 index, int256 pivotWad) {
        int256[] memory factors = new int256[](n);
        int256 wad = WAD;
        for (uint256 i; i < n; ++i) {
            assembly ("memory-safe") {
                let stride := shl(5, n)
                let row := add(add(a, 32), mul(i, stride))
                let diagonal := add(row, shl(5, i))
                let other := add(a, 32)
                pivotWad := mload(diagonal)
                for {
                    let done := 0
                } lt(row, diagonal) {
                    row := add(row, 32)
                    done := add(done, 32)
                    other := add(other, stride)
                } {
                    if slt(pivotWad, minPivotWad) {
                        break
                    }
                    // E_ij = a_ij - sum over k < j of E_jk factor_k
                    let sum := 0
                    for {
                        let k := 0
                    } lt(k, done) {} {
                        k := add(k, 32)
                        sum := add(sum, mul(mload(add(factors, k)), mload(sub(add(other, k), 32))))
                    }
                    let entry := sub(mload(row), sdiv(sum, wad))
                    mstore(row, entry)
                    let factor := sdiv(mul(entry, wad), mload(add(other, done)))
                    mstore(add(add(factors, 32), done), factor)
                    pivotWad := sub(pivotWad, sdiv(mul(factor, entry), wad))
                }
                mstore(diagonal, pivotWad)
            }
            if (pivotWad < minPivotWad) return (false, i, pivotWad);
        }
        return (true, 0, 0);
    }

    /// @notice Solves a y = v for a factorised `a`; v becomes y.
    function solveInPlace(int256[] memory a, int256[] memory v, uint256 n) internal pure {
        int256 wad = WAD;
        assembly ("memory-safe") {
            let stride := shl(5, n)
            let first := add(v, 32)
            let end := add(first, stride)
            // w = D^-1 L^-1 v
            let row := add(a, 32)
            for {
                let i := first
            } lt(i, end) {
                i := add(i, 32)
                row := add(row, stride)
            } {
                let sum := mul(mload(i), wad)
                let entry := row
                for {
                    let k := first
                } lt(k, i) {
                    k := add(k, 32)
                    entry := add(entry, 32)
                } {
                    sum := sub(sum, mul(mload(entry), mload(k)))
                }
                mstore(i, sdiv(sum, mload(entry)))
            }
            // y = L'^-1 w, where L_ki = E_ki / D_i
            for {
                let k := sub(end, 32)
            } gt(k, first) {
                k := sub(k, 32)
            } {
                row := sub(row, stride)
                let y := mload(k)
                let entry := row
                let diagonal := add(a, 32)
                for {
                    let i := first
                } lt(i, k) {
                    i := add(i, 32)
                    entry := add(entry, 32)
                    diagonal := add(diagonal, add(stride, 32))
                } {
                    mstore(i, sub(mload(i), sdiv(mul(mload(entry), y), mload(diagonal))))
                }
            }
        }
    }

    /// @notice (a x)_i, truncated towards zero; reads all of row i.
    function rowTimes(int256[] memory a, int256[] memory x, uint256 i) internal pure returns (int256 sum) {
        int256 wad = WAD;
        assembly ("memory-safe") {
            let size := shl(5, mload(x))
            let entry := add(a, mul(i, size))
            for {
                let end := add(x, size)
            } lt(x, end) {} {
                x := add(x, 32)
                entry := add(entry, 32)
                sum := add(sum, mul(mload(entry), mload(x)))
            }
            sum := sdiv(sum, wad)
        }
    }

    /// @notice Copies matrix `a` into `to`.
    function copy(int256[] memory a, int256[] memory to) internal pure {
        assembly ("memory-safe") {
            mcopy(add(to, 32), add(a, 32), shl(5, mload(a)))
        }
    }
}
