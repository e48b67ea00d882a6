// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title One vault's account at a lending venue
/// @notice Holds the vault's basket tokens as collateral and owes its debt in cash. Only the vault moves anything;
///         it sends tokens here before it calls. What the venue refuses comes back as `LendingAccount__Refused`.
interface ILendingAccount {
    event Bound(address indexed vault);
    /// @notice The venue did not take a token (frozen, paused, capped): it waits here, uncollateralised, and is
    ///         offered again with the next supply.
    event KeptIdle(address indexed token, uint256 amount, bytes reason);
    /// @notice The venue could not pay a token out: its receipt (an aToken) was handed over instead.
    event PaidInReceipts(address indexed token, uint256 amount, address indexed to, bytes reason);
    /// @notice The venue does not take what is here of a token for collateral: `useAsCollateral` once it does.
    event NoCollateral(address indexed token, bytes reason);

    error LendingAccount__ZeroAddress();
    error LendingAccount__AlreadyBound(address vault);
    error LendingAccount__OnlyVault(address caller);
    /// @notice The venue does not list the token: deploy the vault without a lending account, or without the token.
    error LendingAccount__NotListed(address token);
    /// @notice The venue refused; `reason` is its own revert data. Bid on another token, later, or for less.
    error LendingAccount__Refused(bytes32 action, address token, uint256 amount, bytes reason);
    error LendingAccount__NotBacked(address token, uint256 booked, uint256 held);
    /// @notice The token backs the debt: sell it at auction, or wait until the venue sets its LTV to zero.
    error LendingAccount__NotZeroLtv(address token, uint256 ltvWad);
    /// @notice The vault's book has no such asset.
    error LendingAccount__NotHeld(address token);
    /// @notice Without this collateral the health factor would be too low: sell the token itself first.
    error LendingAccount__HealthTooLow(uint256 healthFactorWad, uint256 minWad);
    /// @notice The venue cannot value the account, as where an oracle of its own is dead; `reason` is its revert data. Wait for
    ///         the venue, repay the debt, or redeem in kind once nothing is owed.
    error LendingAccount__NoHealthFactor(bytes reason);

    /// @notice Makes the caller the one vault, once and for ever. A vault calls it in its constructor.
    /// @custom:requirement EQ-120 MUST obey one vault only, which is bound once.
    function bind() external;

    /// @notice Takes a token into the basket, any number of times. Vault only: it never unlists, so that what is left of a
    ///         token that the vault dropped is there when it returns.
    /// @custom:requirement EQ-93
    function list(address token) external;

    /// @notice Supplies `amount` that the vault has just sent here, as collateral; keeps it idle where the venue refuses.
    function supply(address token, uint256 amount) external;

    /// @notice Pays `amount` of a basket token out to `to`.
    function withdraw(address token, uint256 amount, address to) external;

    /// @notice As `withdraw`, but in the venue's receipt tokens where it cannot pay (no liquidity).
    /// @custom:requirement EQ-121 A venue without liquidity MUST NOT block an exit in kind.
    function release(address token, uint256 amount, address to) external;

    /// @notice Borrows cash for the vault.
    function borrow(uint256 amount) external;

    /// @notice Repays `amount`, at most the debt, of cash that was just sent here.
    function repay(uint256 amount) external;

    /// @notice Stops using a token as collateral that the vault's book has not (a gift, or what is left of an asset that was
    ///         dropped), or whose LTV the venue's governance has set to zero: until then the venue needs its price, or lets
    ///         no other collateral out. Anyone; one of the book's only while the health factor without it stays at 1.3, or
    ///         at 1.05 and is lower by a twentieth at most, or is lower by a thousandth at most.
    /// @custom:requirement EQ-122 A reserve's LTV of zero MUST NOT lock the other collaterals for ever.
    /// @custom:requirement EQ-126 A gift of collateral MUST NOT make the vault depend on its price, or on its rules.
    function dropCollateral(address token) external;

    /// @notice Uses a token of the vault's book as collateral again, once its LTV is no longer zero: the venue does not by
    ///         itself. Anyone: it can only raise the health factor.
    function useAsCollateral(address token) external;

    // ------------------------------------------------------------------ views

    /// @notice What the account holds and owes, interest included.
    /// @param tokens Basket tokens, then the cash
    /// @return balances Supplied and idle, in the order of `tokens`, 0 for the cash {smallest unit of each}
    /// @return debt {smallest unit of cash}
    function position(
        address[] calldata tokens
    ) external view returns (uint256[] memory balances, uint256 debt);

    /// @notice Cash owed, interest included {smallest unit of cash}.
    function debt() external view returns (uint256);

    /// @notice The venue's own health factor {D18}: below 1e18 it liquidates; the maximum without debt. Reverts
    ///         with `LendingAccount__NoHealthFactor`.
    function healthFactorWad() external view returns (uint256);

    /// @notice Liquidation thresholds {D18}; 0 where a token cannot back new debt (LTV 0, frozen, paused).
    function thresholdsWad(address[] calldata tokens) external view returns (uint256[] memory);

    /// @notice What borrowed cash costs now {D18 / year}.
    function borrowRateWad() external view returns (uint256);

    /// @notice What the venue could pay out or lend of a token now {smallest unit}.
    function liquidity(address token) external view returns (uint256);

    /// @notice Whether the venue lists the token.
    function lists(address token) external view returns (bool);

    /// @notice The vault; the zero address before it is bound.
    function vault() external view returns (address);

    /// @notice The token that is borrowed.
    function cash() external view returns (address);
}
