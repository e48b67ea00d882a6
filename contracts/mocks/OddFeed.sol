// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title A price feed that can fail in every way
contract OddFeed {
    enum Behaviour {
        Answers,
        Reverts,
        BurnsGas,
        ReturnsRaw
    }

    error OddFeed__Retired();

    uint8 public immutable decimals;
    int256 public answer;
    /// @notice 0 means the block's time.
    uint256 public updatedAt;
    Behaviour public behaviour;
    bytes public raw;

    constructor(uint8 decimals_, int256 answer_) {
        decimals = decimals_;
        answer = answer_;
    }

    function set(int256 newAnswer, uint256 newUpdatedAt) external {
        (answer, updatedAt) = (newAnswer, newUpdatedAt);
    }

    function setBehaviour(Behaviour newBehaviour, bytes calldata newRaw) external {
        (behaviour, raw) = (newBehaviour, newRaw);
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        if (behaviour == Behaviour.Reverts) revert OddFeed__Retired();
        if (behaviour == Behaviour.BurnsGas)
            assembly ("memory-safe") {
                invalid()
            }
        if (behaviour == Behaviour.ReturnsRaw) {
            bytes memory data = raw;
            assembly ("memory-safe") {
                return(add(data, 32), mload(data))
            }
        }
        uint256 at = updatedAt == 0 ? block.timestamp : updatedAt;
        return (1, answer, at, at, 1);
    }
}
