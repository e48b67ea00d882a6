// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

import {ILendingAccount} from "../interfaces/ILendingAccount.sol";
import {IRiskParityVault} from "../interfaces/IRiskParityVault.sol";

/// @title Where the tokens are, and how they move
/// @dev Cash is always here. Basket tokens are here, in the books, or in the lending account, which then owes the
///      debt. Donations to this address are never counted.
abstract contract Custody {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    /// @dev One slot a token, so that a NAV reads n slots. `balance` stays 0 with a lending account.
    struct Holding {
        address token;
        uint96 balance;
    }

    /// @dev One slot: what nearly every call reads and writes.
    struct Ledger {
        uint96 cash;
        uint96 depositCap;
        uint40 feesAccruedAt;
        uint8 basketSize;
        uint16 basketVersion;
    }

    uint256 private constant MIN_BASKET = 2;
    uint256 private constant MAX_BASKET = 8;

    ILendingAccount internal immutable _account;
    IERC20 private immutable _cash;
    /// @dev Of fixed size, so that no length is read; the first `basketSize` are used.
    Holding[MAX_BASKET] private _holdings;
    Ledger internal _ledger;

    constructor(IERC20 cash, address[] memory basket, ILendingAccount account) {
        _cash = cash;
        _account = account;
        _checkBasket(basket);
        for (uint256 i; i < basket.length; ++i) _holdings[i].token = basket[i];
        _ledger = Ledger(0, 0, uint40(block.timestamp), uint8(basket.length), 0);
        if (!_levered()) return;
        if (account.cash() != address(cash))
            revert IRiskParityVault.RiskParityVault__BadToken(account.cash());
        for (uint256 i; i < basket.length; ++i)
            if (!account.lists(basket[i])) revert IRiskParityVault.RiskParityVault__BadToken(basket[i]);
        account.bind();
    }

    function _checkBasket(address[] memory basket) private view {
        if (basket.length < MIN_BASKET || basket.length > MAX_BASKET)
            revert IRiskParityVault.RiskParityVault__BadBasketSize(basket.length, MIN_BASKET, MAX_BASKET);
        for (uint256 i; i < basket.length; ++i) {
            bool twice;
            for (uint256 j; j < i; ++j) if (basket[j] == basket[i]) twice = true;
            if (twice || basket[i] == address(_cash))
                revert IRiskParityVault.RiskParityVault__BadToken(basket[i]);
        }
    }

    /// @dev What stays keeps its balance. Whoever calls judges whether what is left out may be: it is in no book any more.
    /// @return tokens As they were, the cash last
    /// @return left What is left of those that are dropped, 0 for all others {smallest unit of each}
    function _replaceBasket(
        address[] memory basket
    ) internal returns (address[] memory tokens, uint256[] memory left) {
        _checkBasket(basket);
        (tokens, left, ) = _book();
        uint256 last = tokens.length - 1;
        left[last] = 0;
        for (uint256 i; i < basket.length; ++i) {
            uint256 j;
            while (j < last && tokens[j] != basket[i]) ++j;
            if (j == last && _levered()) _account.list(basket[i]);
            _holdings[i] = Holding(basket[i], _levered() ? 0 : uint96(left[j]));
            left[j] = 0;
        }
        for (uint256 i = basket.length; i < last; ++i) delete _holdings[i];
        _ledger.basketSize = uint8(basket.length);
        ++_ledger.basketVersion;
    }

    function _levered() internal view returns (bool) {
        return address(_account) != address(0);
    }

    /// @dev Basket tokens in order, the cash last, and the debt in cash.
    function _book()
        internal
        view
        returns (address[] memory tokens, uint256[] memory balances, uint256 debt)
    {
        uint256 n = _ledger.basketSize;
        tokens = new address[](n + 1);
        balances = new uint256[](n + 1);
        unchecked {
            for (uint256 i; i < n; ++i) {
                Holding memory holding = _holdings[i];
                (tokens[i], balances[i]) = (holding.token, holding.balance);
            }
        }
        tokens[n] = address(_cash);
        if (_levered()) (balances, debt) = _account.position(tokens);
        balances[n] = _ledger.cash;
    }

    /// @dev The highest health factor while nothing is owed.
    function _healthFactorWad() internal view returns (uint256) {
        return _levered() && _account.debt() != 0 ? _account.healthFactorWad() : type(uint256).max;
    }

    // --------------------------------------------------------------- movement

    /// @dev Settles a bid; see IRiskParityVault.exchange.
    function _exchange(
        address payer,
        address receiver,
        uint256[] calldata sold,
        uint256 buyIndex,
        uint256 bought,
        uint256 cashFloor
    ) internal {
        if (_levered()) _exchangeLevered(payer, receiver, sold, buyIndex, bought, cashFloor);
        else _exchangeHeld(payer, receiver, sold, buyIndex, bought);
    }

    /// @dev The books are written first: whoever is called on the way sees them as they will be.
    function _exchangeHeld(
        address payer,
        address receiver,
        uint256[] calldata sold,
        uint256 buyIndex,
        uint256 bought
    ) private {
        for (uint256 i; i < sold.length; ++i) {
            if (sold[i] != 0) _write(i, _balance(i) - sold[i]);
        }
        uint256 booked = _balance(buyIndex) + bought;
        _write(buyIndex, booked);
        IERC20 token = _token(buyIndex);
        token.safeTransferFrom(payer, address(this), bought);
        _requireBacked(token, booked);
        for (uint256 i; i < sold.length; ++i) {
            if (sold[i] != 0) _token(i).safeTransfer(receiver, sold[i]);
        }
    }

    /// @dev The payer pays first; then the account supplies or repays, then borrows or withdraws, then the
    ///      receiver is paid. No step needs room that a later one makes.
    function _exchangeLevered(
        address payer,
        address receiver,
        uint256[] calldata sold,
        uint256 buyIndex,
        uint256 bought,
        uint256 cashFloor
    ) private {
        uint256 n = _ledger.basketSize;
        if (buyIndex == n) {
            _repayFrom(payer, bought, cashFloor);
        } else {
            IERC20 token = _token(buyIndex);
            token.safeTransferFrom(payer, address(_account), bought);
            _account.supply(address(token), bought);
        }
        for (uint256 i; i < n; ++i) {
            if (sold[i] != 0) _account.withdraw(address(_token(i)), sold[i], receiver);
        }
        if (sold[n] != 0) _payBorrowing(receiver, sold[n], cashFloor);
    }

    /// @dev All of a payment goes to the debt, and with it what idle cash exceeds the floor.
    function _repayFrom(address payer, uint256 amount, uint256 floor) private {
        uint256 cash = _ledger.cash;
        uint256 excess = FixedPointMathLib.zeroFloorSub(cash, floor);
        uint256 repaid = FixedPointMathLib.min(_account.debt(), amount + excess);
        uint256 direct = FixedPointMathLib.min(repaid, amount);
        _ledger.cash = (cash + amount - repaid).toUint96();
        if (direct != 0) _cash.safeTransferFrom(payer, address(_account), direct);
        if (direct != amount) {
            _cash.safeTransferFrom(payer, address(this), amount - direct);
            _requireBacked(_cash, cash + amount - direct);
        }
        if (repaid != direct) _cash.safeTransfer(address(_account), repaid - direct);
        if (repaid != 0) _account.repay(repaid);
    }

    /// @dev Borrows what the payment would take from the floor.
    function _payBorrowing(address receiver, uint256 amount, uint256 floor) private {
        uint256 cash = _ledger.cash;
        uint256 borrowed = FixedPointMathLib.zeroFloorSub(amount + floor, cash);
        _ledger.cash = (cash + borrowed - amount).toUint96();
        if (borrowed != 0) _account.borrow(borrowed);
        _cash.safeTransfer(receiver, amount);
    }

    function _token(uint256 index) private view returns (IERC20) {
        return index == _ledger.basketSize ? _cash : IERC20(_holdings[index].token);
    }

    function _balance(uint256 index) private view returns (uint256) {
        return index == _ledger.basketSize ? _ledger.cash : _holdings[index].balance;
    }

    function _write(uint256 index, uint256 balance) private {
        if (index == _ledger.basketSize) _ledger.cash = balance.toUint96();
        else _holdings[index].balance = balance.toUint96();
    }

    /// @dev The part `shares / (supply + virtualShares)` of every token and of the cash, rounded down, less what is skipped,
    ///      against the same part of the debt, which the caller pays first.
    function _payInKind(
        address receiver,
        uint256 shares,
        uint256 supply,
        uint256 virtualShares,
        address[] calldata skip
    ) internal returns (uint256[] memory amounts, uint256 repaid) {
        address[] memory tokens;
        (tokens, amounts, repaid) = _book();
        _split(amounts, tokens, shares, supply + virtualShares, skip);
        repaid = _debtOf(repaid, shares, supply, virtualShares);
        // the books first, as in a bid
        uint256 n = tokens.length - 1;
        for (uint256 i = _levered() ? n : 0; i <= n; ++i) {
            if (amounts[i] != 0) _write(i, _balance(i) - amounts[i]);
        }
        if (repaid != 0) {
            _cash.safeTransferFrom(msg.sender, address(_account), repaid);
            _account.repay(repaid);
        }
        for (uint256 i; i <= n; ++i) {
            if (amounts[i] == 0) continue;
            if (_levered() && i != n) _account.release(tokens[i], amounts[i], receiver);
            else IERC20(tokens[i]).safeTransfer(receiver, amounts[i]);
        }
    }

    /// @dev Rounded up. Virtual shares owe as they own, which is much once gifts or fees have made them dear; but whoever holds
    ///      all shares owes all, or dust would remain that is too little collateral for a unit of debt.
    function _debtOf(
        uint256 debt,
        uint256 shares,
        uint256 supply,
        uint256 virtualShares
    ) internal pure returns (uint256) {
        if (supply != 0 && shares == supply) return debt;
        return FixedPointMathLib.fullMulDivUp(debt, shares, supply + virtualShares);
    }

    /// @dev In place: `amounts` become their parts, 0 where skipped.
    function _split(
        uint256[] memory amounts,
        address[] memory tokens,
        uint256 numerator,
        uint256 denominator,
        address[] memory skip
    ) internal pure {
        for (uint256 i; i < skip.length; ++i) {
            uint256 j;
            while (j < tokens.length && tokens[j] != skip[i]) ++j;
            if (j == tokens.length) revert IRiskParityVault.RiskParityVault__UnknownToken(skip[i]);
            amounts[j] = 0;
        }
        for (uint256 i; i < amounts.length; ++i)
            amounts[i] = FixedPointMathLib.fullMulDiv(amounts[i], numerator, denominator);
    }

    /// @dev Donations are never counted; this only refuses a token that delivered less than it said.
    function _requireBacked(IERC20 token, uint256 booked) internal view {
        uint256 held = token.balanceOf(address(this));
        if (held < booked) revert IRiskParityVault.RiskParityVault__NotBacked(address(token), booked, held);
    }
}
