// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IRiskGuard} from "./IRiskGuard.sol";
import {IRiskParityVault} from "./IRiskParityVault.sol";
import {IVolatilityOracle} from "./IVolatilityOracle.sol";

/// @title Dutch auctions that bring the vault back to its risk budgets
/// @notice Anyone opens when a band is left; anyone bids. The price is the live oracle mid times a curve that
///         falls from a premium in the vault's favour to a maximum discount.
interface IRebalanceAuction {
    /// @param targetVolatilityWad Volatility that the vault aims at {D18 / sqrt(year)} [0.01e18, 1e18]
    /// @param maxLeverageWad Largest sum of exposures {D18} [0.1e18, 4e18]; at most 1e18 without a lending account
    /// @param parityBandWad Parity gap above which anyone may open {D18} [0.001e18, 0.2e18]
    /// @param volatilityBandWad Relative error of the volatility above which anyone may open {D18}
    ///        [0.01e18, 0.5e18]
    /// @param startPremiumWad Premium over mid at the start of the curve {D18} [0, 0.05e18]
    /// @param endDiscountWad Discount from mid at the end of the curve {D18} [0, 0.02e18]
    /// @param lossBudgetWad Value that may be given away at mid in any rolling day {D18 of NAV}
    ///        [0.0001e18, 0.02e18]
    /// @param cashBufferWad Cash that stays idle for redemptions, also while cash is borrowed {D18 of NAV}
    ///        [0, 0.1e18]; unused without a lending account
    /// @param maxBorrowRateWad Borrow rate above which nothing more is borrowed {D18 / year} [0, 1e18]
    /// @param ripcordDiscountWad Discount from mid at the end of the ripcord's rise {D18} [0.005e18, 0.04e18]
    /// @param ripcordDuration Time in which that discount is reached {s} [60, 1 hour]; bids are taken four times as
    ///        long
    /// @param duration Length of an auction {s} [60, 1 day]
    struct Params {
        uint64 targetVolatilityWad;
        uint64 maxLeverageWad;
        uint64 parityBandWad;
        uint64 volatilityBandWad;
        uint64 startPremiumWad;
        uint64 endDiscountWad;
        uint64 lossBudgetWad;
        uint64 cashBufferWad;
        uint64 maxBorrowRateWad;
        uint64 ripcordDiscountWad;
        uint32 ripcordDuration;
        uint32 duration;
    }

    /// @notice The auction in course, or the last one.
    /// @param id Counts from 1; 0 before the first
    /// @param startedAt {s}
    /// @param endsAt Last second at which bids are taken {s}
    /// @param ripcord Whether the ripcord started it: then it sells the same fraction of everything for cash
    /// @param basketVersion Of the vault at the opening: the targets are of that basket and end with it. A ripcord goes on
    /// @param targets Target exposures, WORD8 {1e-8 of NAV}; 0 for a ripcord and for a token being retired
    struct Auction {
        uint48 id;
        uint64 startedAt;
        uint64 endsAt;
        bool ripcord;
        uint16 basketVersion;
        uint256 targets;
    }

    /// @notice Why an auction may open.
    enum Reason {
        None,
        ParityGap,
        VolatilityTooLow,
        VolatilityTooHigh,
        RetiringAsset
    }

    /// @notice The vault's risk now. The oracle's n assets come first; the vault's further tokens are being retired: there is
    ///         no report of them, so that they count in `leverageWad` but not in volatility, shares and gap.
    /// @param navWad {D18 USD}
    /// @param exposuresWad Value of each basket token of the vault over NAV {D18}
    /// @param targetsWad Their target exposures {D18}, 0 for one being retired
    /// @param sharesWad Share of variance of each of the n assets {D18}, sums to 1; zeros without risk
    /// @param parityGapWad max |share - budget| {D18}; 0 without risk
    /// @param volatilityWad Volatility of the n assets' exposures {D18 / sqrt(year)}
    /// @param targetVolatilityWad Volatility of the targets: the parameter, or less under the leverage cap
    /// @param leverageWad Sum of the exposures {D18}
    /// @param targetLeverageWad Sum of the target exposures {D18}: the least of what volatility, maximum, health
    ///        factor, age of the report and borrow rate allow
    /// @param reason Why an auction may open, or None
    struct RiskState {
        uint256 navWad;
        uint256[] exposuresWad;
        uint256[] targetsWad;
        int256[] sharesWad;
        uint256 parityGapWad;
        uint256 volatilityWad;
        uint256 targetVolatilityWad;
        uint256 leverageWad;
        uint256 targetLeverageWad;
        Reason reason;
    }

    event AuctionOpened(
        uint256 indexed id,
        address indexed opener,
        Reason reason,
        uint256 targets,
        uint256 parityGapWad,
        uint256 volatilityWad,
        uint256 endsAt
    );
    event RipcordPulled(uint256 indexed id, address indexed caller, uint256 healthFactorWad, uint256 endsAt);
    event Bid(
        uint256 indexed id,
        address indexed bidder,
        address indexed receiver,
        address sell,
        address buy,
        uint256 sellAmount,
        uint256 buyAmount,
        uint256 sellValueWad,
        uint256 buyValueWad
    );
    event ParamsSet(Params params);

    error RebalanceAuction__ZeroAddress();
    /// @notice The vault's first tokens, the volatility oracle's assets and those of its realised volatilities must be the
    ///         same in the same order: governance is changing the basket, and has calls left to make.
    error RebalanceAuction__BasketMismatch(bytes32 vaultAssetsHash, bytes32 oracleAssetsHash);
    /// @notice The auction's targets are of another basket: open a new one.
    error RebalanceAuction__BasketChanged(uint256 auctionVersion, uint256 vaultVersion);
    error RebalanceAuction__NoReports();
    error RebalanceAuction__EmptyVault();
    error RebalanceAuction__AlreadyOpen(uint256 id, uint256 endsAt);
    error RebalanceAuction__WithinBands(
        uint256 parityGapWad,
        uint256 parityBandWad,
        uint256 volatilityWad,
        uint256 targetVolatilityWad,
        uint256 volatilityBandWad
    );
    error RebalanceAuction__NotOpen(uint256 id, uint256 currentId, uint256 endsAt);
    error RebalanceAuction__UnknownToken(address token);
    error RebalanceAuction__SameToken(address token);
    error RebalanceAuction__ZeroAmount();
    error RebalanceAuction__LengthMismatch(uint256 length, uint256 expected);
    error RebalanceAuction__NoLendingAccount();
    /// @notice The health factor needs no ripcord: `minWad` is the trigger, or for a bid the target.
    error RebalanceAuction__RipcordNotDue(uint256 healthFactorWad, uint256 minWad);
    /// @notice After this purchase the health factor would be too low: bid for less, or wait for a sale.
    error RebalanceAuction__HealthTooLow(uint256 healthFactorWad, uint256 minWad);
    /// @notice Borrowing costs more than the vault pays: bid for less, or wait for the venue's rate to fall.
    error RebalanceAuction__BorrowTooDear(uint256 rateWad, uint256 maxRateWad);
    error RebalanceAuction__LotExceeded(uint256 sellAmount, uint256 lot);
    error RebalanceAuction__BidTooDear(uint256 buyAmount, uint256 maxBuyAmount);
    error RebalanceAuction__OnlyCashBought(IRiskGuard.Mode mode, address buy);
    /// @notice Fractions of NAV: bid less, later (the budget refills in a day), or at a better price for the vault.
    error RebalanceAuction__LossBudgetExceeded(uint256 lossWad, uint256 budgetWad);

    /// @notice Opens an auction and fixes its target exposures. Anyone, when a band is left or a token is being retired.
    /// @return id The auction's number
    /// @custom:requirement EQ-95 MUST refuse while vault and oracle are of different baskets, whatever auction is in course
    ///                     of another version.
    /// @custom:requirement EQ-80 MUST revert while an auction is in course or no band is left.
    /// @custom:requirement EQ-81 MUST take the targets from verified coordinates and reported volatilities only.
    function open() external returns (uint256 id);

    /// @notice Starts a fast sale of the same fraction of every asset for cash, all of which repays debt. Anyone,
    ///         below the trigger health factor, or below the target one when volatilities are silent for
    ///         `deleverAfter`. Its caller is paid by the discount of the bids only.
    /// @return id The auction's number; an auction in course ends with it
    /// @custom:requirement EQ-132 MUST need neither volatility nor correlation, and MUST be startable at any health
    ///                     factor below the trigger.
    /// @custom:requirement EQ-133 Its bids MUST lower debt over collateral while the equity is positive, and all of
    ///                     them together MUST restore the target health factor.
    function ripcord() external returns (uint256 id);

    /// @notice Sells `sellAmount` of the vault's `sell` for `buy`. The bidder pays first.
    /// @param id The auction that the bidder means
    /// @param sell Token that the vault gives: a basket token above its target, or cash
    /// @param buy Token that the vault takes: a basket token below its target, or cash
    /// @param sellAmount {smallest unit of sell} (0, lot]; type(uint256).max means the whole lot
    /// @param maxBuyAmount The most that the bidder pays {smallest unit of buy}
    /// @param receiver Gets the sold tokens
    /// @return sold {smallest unit of sell}
    /// @return bought {smallest unit of buy}
    /// @custom:requirement EQ-82 MUST NOT trade worse than mid less the maximum discount.
    /// @custom:requirement EQ-83 MUST NOT sell more than the surplus nor buy more than the deficit.
    /// @custom:requirement EQ-84 MUST NOT give away more than the loss budget in a rolling day.
    /// @custom:requirement EQ-85 Outside Normal MUST only take cash for what is above its target.
    function bid(
        uint256 id,
        address sell,
        address buy,
        uint256 sellAmount,
        uint256 maxBuyAmount,
        address receiver
    ) external returns (uint256 sold, uint256 bought);

    /// @notice Sells several basket tokens for cash at once. At a health factor below 1 the venue lets nothing out
    ///         unless it is above 1 afterwards: then only a bid for enough of the basket passes.
    /// @param sellAmounts One for each basket token of the vault {smallest unit of each} [0, lot]; type(uint256).max means the whole lot
    /// @param maxBuyAmount The most cash that the bidder pays {smallest unit of cash}
    /// @return sold The same and the cash's, which is 0 {smallest unit of each}
    /// @return bought {smallest unit of cash}
    function bidBasket(
        uint256 id,
        uint256[] calldata sellAmounts,
        uint256 maxBuyAmount,
        address receiver
    ) external returns (uint256[] memory sold, uint256 bought);

    /// @notice What a `bidBasket` would sell and take now.
    function quoteBasket(
        uint256[] calldata sellAmounts
    ) external view returns (uint256[] memory sold, uint256 bought);

    /// @notice What a bid would sell and take now; the same errors as `bid` but for those of balances, allowances and the
    ///         lending venue, and of the health factor after a purchase.
    function quoteBid(
        address sell,
        address buy,
        uint256 sellAmount
    ) external view returns (uint256 sold, uint256 bought);

    /// @notice Price factor of the auction in course at `timestamp` {D18}; start premium before, end discount after. Of
    ///         a ripcord the time's part only: the discount is also at most half of the equity over the collateral.
    function curveWad(uint256 timestamp) external view returns (uint256);

    /// @notice Value given away at mid that still counts against the budget, and the budget {D18 of NAV}.
    function lossBudget() external view returns (uint256 usedWad, uint256 budgetWad);

    /// @notice Target exposures from the reports now, and the volatility that they aim at. The borrow rate, which
    ///         only stops increases, is left out.
    function targetExposures()
        external
        view
        returns (uint256[] memory targetsWad, uint256 leverageWad, uint256 targetVolatilityWad);

    /// @notice Everything that decides about opening.
    function riskState() external view returns (RiskState memory);

    /// @notice The auction in course or the last one.
    function current() external view returns (Auction memory);

    function params() external view returns (Params memory);

    function vault() external view returns (IRiskParityVault);

    function volatilityOracle() external view returns (IVolatilityOracle);

    function guard() external view returns (IRiskGuard);

    /// @notice Changes the parameters within their ranges. Owner; or the guardian where nothing moves but target volatility,
    ///         leverage, borrow rate and loss budget, downwards.
    /// @custom:requirement EQ-98
    function setParams(Params calldata newParams) external;
}
