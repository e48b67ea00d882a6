// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IRebalanceAuction} from "./IRebalanceAuction.sol";

/// @title Bids without capital
/// @notice Sells what the auction gives on a Uniswap V3 pool, pays the auction out of it, keeps the improvement.
///         Holds nothing between calls.
interface IUniswapV3Filler {
    /// @param id The auction's number
    /// @param sell Token that the vault gives
    /// @param buy Token that the vault takes
    /// @param poolFee Fee tier of the pool of the two tokens {1e-6}
    /// @param sellAmount {smallest unit of sell} (0, lot]; not the uint256 maximum
    /// @param minProfit The least that must be left over {smallest unit of buy}
    /// @param receiver Gets what is left over
    struct Fill {
        uint256 id;
        address sell;
        address buy;
        uint24 poolFee;
        uint256 sellAmount;
        uint256 minProfit;
        address receiver;
    }

    /// @param id The auction's number
    /// @param sellAmounts n amounts of the basket tokens {smallest unit of each}, as `quoteBasket` told or less
    /// @param poolFees Fee tier of each token's pool against cash {1e-6}; unused where nothing is sold
    /// @param minProfit The least that must be left over {smallest unit of cash}
    /// @param receiver Gets what is left over
    struct BasketFill {
        uint256 id;
        uint256[] sellAmounts;
        uint24[] poolFees;
        uint256 minProfit;
        address receiver;
    }

    event BasketFilled(uint256 indexed id, address indexed caller, uint256[] sellAmounts, uint256 profit);
    event Filled(
        uint256 indexed id,
        address indexed caller,
        address sell,
        address buy,
        uint256 sold,
        uint256 profit
    );

    error UniswapV3Filler__ZeroAddress();
    error UniswapV3Filler__NoPool(address sell, address buy, uint24 poolFee);
    error UniswapV3Filler__OnlyPool(address caller);
    error UniswapV3Filler__BadAmount(uint256 sellAmount);
    error UniswapV3Filler__LengthMismatch(uint256 sellAmounts, uint256 poolFees, uint256 expected);
    error UniswapV3Filler__PartialSwap(uint256 owed, uint256 sold);
    error UniswapV3Filler__ProfitTooLow(uint256 profit, uint256 minProfit);

    /// @notice Fills `sellAmount` of the auction from the pool. Anyone.
    /// @return profit What was left over {smallest unit of buy}
    /// @custom:requirement EQ-110 MUST revert when the pool does not pay for the bid plus `minProfit`.
    function fill(Fill calldata order) external returns (uint256 profit);

    /// @notice Fills several basket tokens against cash at once, each from its pool: the ripcord without capital.
    /// @return profit What was left over {smallest unit of cash}
    function fillBasket(BasketFill calldata order) external returns (uint256 profit);

    function auction() external view returns (IRebalanceAuction);
}
