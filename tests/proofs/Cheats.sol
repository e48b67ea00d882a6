// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @dev What halmos offers of the cheat codes that forge made usual.
interface Cheats {
    function assume(bool fact) external pure;
    function prank(address caller) external;
    function warp(uint256 timestamp) external;
    function store(address target, bytes32 slot, bytes32 value) external;
}

/// @title What every proof begins with
abstract contract Proof {
    Cheats internal constant vm = Cheats(address(uint160(uint256(keccak256("hevm cheat code")))));
    address internal constant OWNER = address(0xA11CE);
    address internal constant GUARDIAN = address(0xB0B);

    /// @dev The call fails with this error, whatever it would have done: not for another reason on the way.
    function _refused(bytes4 error, address caller, address target, bytes memory data) internal {
        vm.prank(caller);
        (bool passed, bytes memory answer) = target.call(data);
        assert(!passed && bytes4(answer) == error);
    }
}
