// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title A factory and a pool that are neither: what a filler must not be fooled by
contract PoolImpostor {
    /// @notice Extra call made during `swap`, and what became of it.
    address public target;
    bytes public data;
    bool public succeeded;
    bytes public result;

    function setCall(address newTarget, bytes calldata newData) external {
        (target, data) = (newTarget, newData);
    }

    function getPool(address, address, uint24) external view returns (address) {
        return address(this);
    }

    function swap(address, bool, int256, uint160, bytes calldata) external returns (int256, int256) {
        // solhint-disable-next-line avoid-low-level-calls
        (succeeded, result) = target.call(data);
        return (0, 0);
    }
}
