// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {TestAggregator} from "./TestAggregator.sol";

/// @title The writer of all test feeds: a day's prices in one transaction
contract FeedBatch is Ownable {
    error FeedBatch__LengthMismatch(uint256 feeds, uint256 answers);

    constructor(address owner_) Ownable(owner_) {}

    /// @notice Pushes a round of the current block's time to each feed.
    /// @param answers Prices in the feeds' own decimals
    function push(TestAggregator[] calldata feeds, int256[] calldata answers) external onlyOwner {
        if (feeds.length != answers.length) revert FeedBatch__LengthMismatch(feeds.length, answers.length);
        for (uint256 i = 0; i < feeds.length; ++i) feeds[i].push(answers[i], block.timestamp);
    }

    /// @notice Pushes one round with any answer and any time.
    /// @param updatedAt {seconds since 1970}
    function pushAt(TestAggregator feed, int256 answer, uint256 updatedAt) external onlyOwner {
        feed.push(answer, updatedAt);
    }
}
