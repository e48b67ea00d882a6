// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Pretends to be owned, calls back when it is called, and passes calls on
contract Hostile {
    address public owner;
    address public pendingOwner;
    /// @notice Call made once, by whatever touches this contract next, and what became of it.
    address public target;
    bytes public data;
    bool public succeeded;
    bytes public result;
    uint256 public touched;

    function pretend(address newOwner, address newPendingOwner) external {
        (owner, pendingOwner) = (newOwner, newPendingOwner);
    }

    function arm(address newTarget, bytes calldata newData) external {
        (target, data) = (newTarget, newData);
    }

    function acceptOwnership() external {
        touch();
    }

    function touch() public {
        ++touched;
        address struck = target;
        if (struck == address(0)) return;
        target = address(0);
        // solhint-disable-next-line avoid-low-level-calls
        (succeeded, result) = struck.call(data);
    }

    /// @notice As a multicall or a proxy: the caller's call, made by this contract.
    function forward(address to, bytes calldata call_) external returns (bytes memory answer) {
        // solhint-disable-next-line avoid-low-level-calls
        (succeeded, answer) = to.call(call_);
        // solhint-disable-next-line no-inline-assembly
        if (!succeeded)
            assembly {
                revert(add(answer, 32), mload(answer))
            }
    }
}
