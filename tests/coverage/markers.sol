// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

// What the instrumented copies of the contracts call. A marker is a `console.log(uint256)`: anvil prints it, in
// transactions and in calls, whether they revert or not. It touches nothing that the contracts can see but gas.

/// @dev The number `id` was reached.
function hit(uint256 id) pure {
    function(uint256) view impure = _log;
    function(uint256) pure purely;
    assembly ("memory-safe") {
        purely := impure
    }
    purely(id);
}

function _log(uint256 id) view {
    assembly ("memory-safe") {
        mstore(0, shl(224, 0xf82c50f1))
        mstore(4, add(id, 7000000000000)) // told apart from times, limits and whatever else anvil prints
        pop(staticcall(gas(), 0x636f6e736f6c652e6c6f67, 0, 36, 0, 0))
    }
}

/// @dev `id` was reached if not `condition`, the next number otherwise.
function arm(bool condition, uint256 id) pure returns (bool) {
    unchecked {
        hit(condition ? id + 1 : id);
    }
    return condition;
}

/// @dev What an assembly block has remembered, a bit for each number from `first` on.
function hits(uint256 bits, uint256 first) pure {
    unchecked {
        for (; bits != 0; bits >>= 1) {
            if (bits & 1 == 1) hit(first);
            ++first;
        }
    }
}
