// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";

import {ILendingAccount} from "./ILendingAccount.sol";
import {IPriceOracle} from "./IPriceOracle.sol";
import {IRiskGuard} from "./IRiskGuard.sol";

/// @title ERC-4626 vault over a basket of up to 8 tokens and idle cash
/// @notice `asset` is the cash token. Deposits mint at the NAV at ask prices, cash redemptions pay the NAV at bid
///         prices, `convertTo*` use the mid; every quantity comes from the vault's own books, never from
///         `balanceOf`.
interface IRiskParityVault is IERC4626 {
    /// @param entryFeeWad Share of a deposit that stays in the vault {D18} [0, 0.01e18]
    /// @param exitFeeWad Share of a redemption, in cash or in kind, that stays in the vault {D18} [0, 0.01e18]
    /// @param managementFeeWad Share of the NAV a year, paid in new shares {D18 / year} [0, 0.02e18]
    /// @param performanceFeeWad Share of the gain above the high-water mark, paid in new shares {D18} [0, 0.2e18]
    struct Fees {
        uint64 entryFeeWad;
        uint64 exitFeeWad;
        uint64 managementFeeWad;
        uint64 performanceFeeWad;
    }

    /// @notice NAV in the smallest unit of `asset` at three sets of prices; bid <= mid <= ask.
    struct Nav {
        uint256 bid;
        uint256 mid;
        uint256 ask;
    }

    /// @notice The whole book at mid prices. Arrays have n + 1 entries, the cash token last.
    /// @param tokens Basket tokens in the order of the oracle's report, then those being retired, then the cash token
    /// @param balances {smallest unit of the token}
    /// @param valuesWad {D18 USD}
    /// @param debt Borrowed cash, interest included {smallest unit of asset}
    /// @param debtWad {D18 USD}
    /// @param navWad Sum of valuesWad less debtWad, 0 where the debt is more {D18 USD}
    /// @param basketVersion Changes of the basket so far
    struct Portfolio {
        address[] tokens;
        uint256[] balances;
        uint256[] valuesWad;
        uint256 debt;
        uint256 debtWad;
        uint256 navWad;
        uint16 basketVersion;
        IPriceOracle.Quote[] quotes;
    }

    event RedeemedInKind(
        address indexed caller,
        address indexed receiver,
        address indexed owner,
        uint256 shares,
        uint256[] amounts,
        uint256 debtRepaid
    );
    event Exchanged(
        address indexed payer,
        address indexed receiver,
        uint256[] sold,
        uint256 buyIndex,
        uint256 bought
    );
    event FeesAccrued(uint256 managementShares, uint256 performanceShares, uint256 highWaterMarkWad);
    event FeesSet(Fees fees, address indexed recipient);
    event DepositCapSet(uint256 cap);
    event AuctionSet(address indexed auction);
    event BasketSet(address[] tokens, uint256 basketVersion);

    error RiskParityVault__ZeroAddress();
    error RiskParityVault__ZeroAmount();
    error RiskParityVault__ZeroShares(uint256 assets);
    error RiskParityVault__ZeroAssets(uint256 shares);
    error RiskParityVault__BadBasketSize(uint256 size, uint256 min, uint256 max);
    error RiskParityVault__BadToken(address token);
    error RiskParityVault__UnknownToken(address token);
    /// @notice `token` is left out with `balance` of it, worth more than what may be written off {D18 USD}: keep it behind
    ///         the oracle's assets until auctions have sold it.
    error RiskParityVault__NotSold(address token, uint256 balance, uint256 valueWad, uint256 limitWad);
    /// @notice The mode is DeleverOnly or worse, deposits are paused, or more is owed than owned.
    error RiskParityVault__DepositsClosed();
    /// @notice The lending venue did not answer, with less gas than it may use: ask again with at least `needed`.
    error RiskParityVault__TooLittleGas(uint256 given, uint256 needed);
    error RiskParityVault__DepositCapExceeded(uint256 assets, uint256 maxAssets);
    /// @notice Cash is short: redeem at most `available`, or take `redeemInKind` or the ExitZap for the rest.
    error RiskParityVault__InsufficientCash(uint256 assets, uint256 available);
    error RiskParityVault__OnlyAuction(address caller);
    error RiskParityVault__AuctionAlreadySet(address auction);
    /// @notice The token delivered less than its transfer said: fee-on-transfer tokens are not supported.
    error RiskParityVault__NotBacked(address token, uint256 booked, uint256 held);

    // ---------------------------------------------------------------- in kind

    /// @notice Burns shares for the pro-rata part of every token, less the exit fee, against the pro-rata part of
    ///         the debt: all of it from who holds all shares and pays no exit fee (a share unit kept leaves the virtual
    ///         shares their part). Needs no oracle, no signer, no keeper, no guardian and no DAO of the vault's.
    /// @param shares {vault share, 18 decimals} (0, balance of owner]
    /// @param receiver Gets the tokens; the receipts (aTokens) of one that the lending venue cannot pay out
    /// @param owner Whose shares are burnt; the caller needs an allowance unless it is the owner
    /// @param skip Tokens to leave behind, such as one whose transfers are blocked; that part is forfeited to the
    ///        other holders
    /// @return amounts What was sent, basket tokens first, the cash last {smallest unit of each}
    /// @dev The caller pays the debt in `asset`, which the vault pulls: approve what `previewRedeemInKind` tells,
    ///      and a little for the interest until then.
    /// @custom:requirement EQ-50 MUST succeed in every mode while the tokens not skipped can be transferred.
    /// @custom:requirement EQ-51 MUST pay at most the pro-rata part of the books, rounded down.
    function redeemInKind(
        uint256 shares,
        address receiver,
        address owner,
        address[] calldata skip
    ) external returns (uint256[] memory amounts);

    /// @notice What `redeemInKind` would send and what debt its caller would repay now.
    function previewRedeemInKind(
        uint256 shares
    ) external view returns (uint256[] memory amounts, uint256 debtRepaid);

    // ---------------------------------------------------------------- auction

    /// @notice Settles a bid: takes `bought` from `payer`, repays or supplies, borrows or withdraws, then sends what
    ///         was sold. Auction only.
    /// @param payer Pays the bought token; has approved the vault
    /// @param receiver Gets the sold tokens
    /// @param sold n + 1 amounts, the cash last {smallest unit of each}
    /// @param buyIndex Index of the bought token; n means cash
    /// @param bought {smallest unit of the bought token}
    /// @param cashFloor Idle cash that neither goes to the debt nor pays for a purchase {smallest unit of asset}
    /// @custom:requirement EQ-52 MUST be callable by the one auction only, which is set once and for ever.
    function exchange(
        address payer,
        address receiver,
        uint256[] calldata sold,
        uint256 buyIndex,
        uint256 bought,
        uint256 cashFloor
    ) external;

    // ------------------------------------------------------------------- fees

    /// @notice Mints the management and performance fee shares that are due. Anyone.
    /// @custom:requirement EQ-53 Fees MUST stay under the hard caps and the performance fee above the high-water
    ///                     mark only.
    function accrueFees() external;

    // ------------------------------------------------------------------ views

    /// @notice The book, valued at mid prices; reverts with the price oracle's error when a price is unusable.
    function portfolio() external view returns (Portfolio memory);

    /// @notice The book without prices. Arrays have n + 1 entries, the cash token last.
    function holdings() external view returns (address[] memory tokens, uint256[] memory balances);

    /// @notice Changes of the basket so far: an index into the tokens holds within one version only.
    function basketVersion() external view returns (uint16);

    /// @notice Borrowed cash, interest included {smallest unit of asset}; 0 without a lending account.
    function debt() external view returns (uint256);

    /// @notice Health factor at the lending venue {D18}; the maximum without debt.
    function healthFactorWad() external view returns (uint256);

    /// @notice Where the basket is collateral; the zero address: no leverage.
    function lendingAccount() external view returns (ILendingAccount);

    /// @notice NAV at bid, mid and ask {smallest unit of asset}.
    function nav() external view returns (Nav memory);

    /// @notice Value at mid of one whole share relative to one whole unit of asset at birth {D18}, starts at 1e18.
    function sharePriceWad() external view returns (uint256);

    /// @notice The mode now, InKindOnly included; reverts for want of gas only: whoever gives too little is told nothing
    ///         rather than something wrong.
    function mode() external view returns (IRiskGuard.Mode);

    function fees() external view returns (Fees memory);

    function feeRecipient() external view returns (address);

    function depositCap() external view returns (uint256);

    function highWaterMarkWad() external view returns (uint256);

    function auction() external view returns (address);

    function priceOracle() external view returns (IPriceOracle);

    function guard() external view returns (IRiskGuard);

    // ------------------------------------------------------------------ admin

    /// @notice Wires the auction, once. Owner only.
    function setAuction(address newAuction) external;

    /// @notice Changes which tokens the vault deals in. Owner only. No token moves: auctions buy what is new and sell what
    ///         is last. A token leaves when it is sold, that is when at most 1e-4 of the NAV is left of it; that rest, and
    ///         a gift of it later, is in no book until the token returns.
    /// @param newBasket 2 to 8 distinct tokens with usable prices, none the cash: the oracle's assets in its order, then
    ///        those being retired
    /// @custom:requirement EQ-93 EQ-94
    function setBasket(address[] calldata newBasket) external;

    /// @notice Changes fees within their hard caps, after accruing under the old ones. Owner only.
    function setFees(Fees calldata newFees, address recipient) external;

    /// @notice Changes the deposit cap {smallest unit of asset}; the guardian may lower it. Owner or guardian.
    function setDepositCap(uint256 newCap) external;
}
