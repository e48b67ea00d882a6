// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IAggregatorV3} from "../interfaces/external/IAggregatorV3.sol";

/// @title Chainlink's AggregatorV3Interface with a history of rounds that a writer may set to anything
contract TestAggregator is IAggregatorV3 {
    /// @dev One slot, as in Chainlink's own aggregators, so that a read costs what theirs costs.
    struct Round {
        int192 answer;
        uint64 updatedAt;
    }

    error TestAggregator__Unrepresentable(int256 answer, uint256 updatedAt);
    error TestAggregator__NotWriter(address caller, address writer);
    error TestAggregator__NoRound(uint80 roundId, uint80 latestRoundId);

    event AnswerUpdated(int256 indexed current, uint256 indexed roundId, uint256 updatedAt);

    /// @dev Chainlink's proxies put the phase of the aggregator above the 64 bits of its own count.
    uint80 private constant _PHASE = uint80(1) << 64;

    uint8 public immutable decimals;
    address public immutable writer;
    string public description;

    uint80 private _count;
    mapping(uint80 roundId => Round) private _rounds;

    /// @param description_ Pair of the feed, e.g. "BTC / USD"
    /// @param decimals_ Decimals of the answer, 8 for USD pairs
    /// @param writer_ Who may push
    constructor(string memory description_, uint8 decimals_, address writer_) {
        description = description_;
        decimals = decimals_;
        writer = writer_;
    }

    /// @notice Appends a round. Nothing is checked: a feed's faults are what tests need.
    /// @param answer Price {10 ** -decimals USD / whole token}
    /// @param updatedAt {seconds since 1970}
    function push(int256 answer, uint256 updatedAt) external {
        if (msg.sender != writer) revert TestAggregator__NotWriter(msg.sender, writer);
        uint80 roundId = _PHASE | ++_count;
        Round memory round = Round(int192(answer), uint64(updatedAt));
        if (round.answer != answer || round.updatedAt != updatedAt)
            revert TestAggregator__Unrepresentable(answer, updatedAt);
        _rounds[roundId] = round;
        emit AnswerUpdated(answer, roundId, updatedAt);
    }

    /// @inheritdoc IAggregatorV3
    function latestRoundData()
        external
        view
        returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)
    {
        return getRoundData(_PHASE | _count);
    }

    /// @notice The answer alone, which Aave's oracle reads.
    function latestAnswer() external view returns (int256) {
        return _rounds[_PHASE | _count].answer;
    }

    /// @notice Version of Chainlink's aggregator that this one resembles.
    function version() external pure returns (uint256) {
        return 4;
    }

    /// @notice A round of the past.
    function getRoundData(
        uint80 id
    )
        public
        view
        returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)
    {
        uint80 latest = _PHASE | _count;
        if (id <= _PHASE || id > latest) revert TestAggregator__NoRound(id, latest);
        Round memory round = _rounds[id];
        return (id, round.answer, round.updatedAt, round.updatedAt, id);
    }
}
