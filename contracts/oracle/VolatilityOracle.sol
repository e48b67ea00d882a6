// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {EnumerableSet} from "@openzeppelin/contracts/utils/structs/EnumerableSet.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

import {IRealizedVolatility} from "../interfaces/IRealizedVolatility.sol";
import {IVolatilityOracle} from "../interfaces/IVolatilityOracle.sol";
import {Bounds} from "../math/Bounds.sol";
import {CoordinateSolver} from "../math/CoordinateSolver.sol";
import {CorrelationMatrix} from "../math/CorrelationMatrix.sol";
import {FloorMath} from "../math/FloorMath.sol";
import {RiskMath} from "../math/RiskMath.sol";
import {Word8} from "../math/Word8.sol";

/// @title Signed volatilities and correlations, verified parity coordinates
/// @dev A report for other assets, another chain or another oracle has another digest, so that its signature
/// recovers to some address that is no signer. A replay fails because observation times must rise.
contract VolatilityOracle is IVolatilityOracle, EIP712, Ownable2Step {
    using EnumerableSet for EnumerableSet.AddressSet;

    /// @dev One slot: all that a report is checked against.
    struct State {
        uint40 volatilitiesAt;
        uint40 correlationsAt;
        uint8 threshold;
        uint32 maxReportAge;
        uint64 maxFallPerDayWad;
        uint64 eigenvalueFloorWad;
        bool hasCoordinates;
    }

    /// @dev One slot: what only governance and the targets read.
    struct Floors {
        uint64 floorFractionWad;
        uint64 parityFractionWad;
        uint32 signerDelay;
    }

    uint256 public constant MIN_ASSETS = 2;
    uint256 public constant MAX_ASSETS = 8;
    uint256 public constant MAX_SIGNERS = 32;
    /// @notice {1e-8 / sqrt(year)} 0.1 %
    uint256 public constant MIN_VOLATILITY = 1e5;
    /// @notice {1e-8 / sqrt(year)} 4000 %
    uint256 public constant MAX_VOLATILITY = 4e9;
    /// @notice {1e-8} 1 %
    uint256 public constant MIN_BUDGET = 1e6;
    /// @notice Largest accepted max |x_i (Cx)_i - b_i|.
    uint256 public constant CERTIFICATE_TOLERANCE_WAD = 1e12;

    bytes32 public constant VOLATILITY_REPORT_TYPEHASH =
        keccak256("VolatilityReport(bytes32 assetsHash,uint64 observedAt,uint256 vols)");
    bytes32 public constant CORRELATION_REPORT_TYPEHASH =
        keccak256("CorrelationReport(bytes32 assetsHash,uint64 observedAt,uint256[2] correlations)");

    uint256 private constant WAD = 1e18;

    /// @inheritdoc IVolatilityOracle
    bytes32 public immutable assetsHash;
    /// @inheritdoc IVolatilityOracle
    IRealizedVolatility public immutable realized;
    uint256 private immutable _n;

    State private _state;
    Floors private _floors;
    uint256 private _vols;
    uint256 private _coordinates;
    uint256[2] private _correlations;
    /// @inheritdoc IVolatilityOracle
    uint256 public budgets;
    /// @inheritdoc IVolatilityOracle
    address public guardian;
    address[] private _assets;
    EnumerableSet.AddressSet private _signers;
    mapping(address signer => Proposal) private _proposals;

    constructor(
        address owner_,
        address guardian_,
        IRealizedVolatility realized_,
        address[] memory assets_,
        uint256 budgets_,
        address[] memory signers_,
        uint256 threshold_,
        Params memory params_
    ) EIP712("Equipoise VolatilityOracle", "1") Ownable(owner_) {
        uint256 n = assets_.length;
        if (n < MIN_ASSETS || n > MAX_ASSETS) {
            revert VolatilityOracle__AssetCountOutOfRange(n, MIN_ASSETS, MAX_ASSETS);
        }
        for (uint256 i; i < n; ++i) {
            if (assets_[i] == address(0)) revert VolatilityOracle__ZeroAddress("asset");
            for (uint256 j; j < i; ++j) {
                if (assets_[i] == assets_[j]) revert VolatilityOracle__DuplicateAsset(assets_[i]);
            }
        }
        _n = n;
        _assets = assets_;
        assetsHash = keccak256(abi.encode(assets_));
        if (address(realized_) == address(0)) revert VolatilityOracle__ZeroAddress("realized");
        realized = realized_;

        _setGuardian(guardian_);
        _checkBudgets(budgets_, n);
        budgets = budgets_;
        emit BudgetsSet(budgets_);
        for (uint256 i; i < signers_.length; ++i) _addSigner(signers_[i]);
        _checkThreshold(threshold_, signers_.length);
        _setThreshold(threshold_);
        _setParams(params_);
    }

    // ---- governance

    modifier onlyOwnerOrGuardian() {
        if (msg.sender != owner() && msg.sender != guardian) {
            revert VolatilityOracle__NotOwnerOrGuardian(msg.sender);
        }
        _;
    }

    /// @inheritdoc IVolatilityOracle
    function setBudgets(uint256 newBudgets) external onlyOwner {
        _checkBudgets(newBudgets, _n);
        budgets = newBudgets;
        _coordinates = 0;
        _state.hasCoordinates = false;
        emit BudgetsSet(newBudgets);
        emit CoordinatesCleared();
    }

    /// @inheritdoc IVolatilityOracle
    function proposeSigner(address signer, address replaces, uint256 newThreshold) external onlyOwner {
        Proposal memory pending = _proposals[signer];
        if (pending.readyAt != 0) revert VolatilityOracle__ProposalPending(signer, pending.readyAt);
        _checkChange(signer, replaces, newThreshold);
        uint256 readyAt = block.timestamp + _floors.signerDelay;
        _proposals[signer] = Proposal(replaces, uint40(readyAt), uint8(newThreshold));
        emit SignerProposed(signer, replaces, newThreshold, readyAt);
    }

    /// @inheritdoc IVolatilityOracle
    function activateSigner(address signer) external {
        Proposal memory p = _pending(signer);
        if (block.timestamp < p.readyAt)
            revert VolatilityOracle__ProposalNotReady(p.readyAt, block.timestamp);
        // the set may have changed since it was proposed
        _checkChange(signer, p.replaces, p.threshold);
        delete _proposals[signer];
        if (p.replaces != address(0)) _removeSigner(p.replaces);
        if (signer != address(0)) _addSigner(signer);
        _setThreshold(p.threshold);
    }

    /// @inheritdoc IVolatilityOracle
    function cancelProposal(address signer) external onlyOwnerOrGuardian {
        _pending(signer);
        delete _proposals[signer];
        emit ProposalCancelled(signer);
    }

    /// @inheritdoc IVolatilityOracle
    function removeSigner(address signer) external onlyOwnerOrGuardian {
        _removeSigner(signer);
    }

    /// @inheritdoc IVolatilityOracle
    function raiseThreshold(uint256 newThreshold) external onlyOwner {
        if (newThreshold < _state.threshold)
            revert VolatilityOracle__ThresholdOnlyRises(newThreshold, _state.threshold);
        _checkThreshold(newThreshold, _signers.length());
        _setThreshold(newThreshold);
    }

    /// @inheritdoc IVolatilityOracle
    function setGuardian(address newGuardian) external onlyOwner {
        _setGuardian(newGuardian);
    }

    /// @inheritdoc IVolatilityOracle
    function setParams(Params calldata newParams) external onlyOwner {
        _setParams(newParams);
    }

    function _addSigner(address signer) private {
        if (signer == address(0)) revert VolatilityOracle__ZeroAddress("signer");
        if (!_signers.add(signer)) revert VolatilityOracle__DuplicateSigner(signer);
        if (_signers.length() > MAX_SIGNERS) {
            revert VolatilityOracle__SignerCountOutOfRange(_signers.length(), MAX_SIGNERS);
        }
        emit SignerAdded(signer);
    }

    function _removeSigner(address signer) private {
        if (!_signers.remove(signer)) revert VolatilityOracle__UnknownSigner(signer);
        emit SignerRemoved(signer);
    }

    function _pending(address signer) private view returns (Proposal memory p) {
        p = _proposals[signer];
        if (p.readyAt == 0) revert VolatilityOracle__NoProposal(signer);
    }

    function _checkChange(address signer, address replaces, uint256 newThreshold) private view {
        uint256 count = _signers.length();
        if (replaces != address(0)) {
            if (!_signers.contains(replaces)) revert VolatilityOracle__UnknownSigner(replaces);
            --count;
        }
        if (signer != address(0)) {
            if (_signers.contains(signer)) revert VolatilityOracle__DuplicateSigner(signer);
            ++count;
        }
        _checkThreshold(newThreshold, count);
    }

    function _setThreshold(uint256 newThreshold) private {
        _state.threshold = uint8(newThreshold);
        emit ThresholdSet(newThreshold);
    }

    /// @dev A majority, so that two quorums share a signer; at most all, so that a quorum can be reached.
    function _checkThreshold(uint256 value, uint256 count) private pure {
        uint256 majority = count / 2 + 1;
        if (value < majority || value > count) {
            revert VolatilityOracle__ThresholdOutOfRange(value, majority, count);
        }
    }

    function _setGuardian(address newGuardian) private {
        if (newGuardian == address(0)) revert VolatilityOracle__ZeroAddress("guardian");
        guardian = newGuardian;
        emit GuardianSet(newGuardian);
    }

    function _setParams(Params memory p) private {
        Bounds.check("maxReportAge", p.maxReportAge, 1 minutes, 1 days);
        Bounds.check("maxFallPerDayWad", p.maxFallPerDayWad, 0.01e18, WAD);
        Bounds.check("eigenvalueFloorWad", p.eigenvalueFloorWad, 0.002e18, 0.5e18);
        Bounds.check("floorFractionWad", p.floorFractionWad, 0, WAD);
        Bounds.check("parityFractionWad", p.parityFractionWad, 0, WAD);
        // no report is accepted that old: what a signer signed before it was removed is dead when it returns
        Bounds.check("signerDelay", p.signerDelay, 1 days, 30 days);
        _floors = Floors(p.floorFractionWad, p.parityFractionWad, p.signerDelay);
        _state.maxReportAge = p.maxReportAge;
        _state.maxFallPerDayWad = p.maxFallPerDayWad;
        _state.eigenvalueFloorWad = p.eigenvalueFloorWad;
        emit ParamsSet(p);
    }

    function _checkBudgets(uint256 word, uint256 n) private pure {
        if (!Word8.unusedLanesAreZero(word, n)) revert VolatilityOracle__UnusedLanesNotZero(word);
        uint256 sum;
        for (uint256 i; i < n; ++i) {
            uint256 lane = Word8.lane(word, i);
            if (lane < MIN_BUDGET) revert VolatilityOracle__BudgetOutOfRange(i, lane, MIN_BUDGET, Word8.ONE);
            sum += lane;
        }
        if (sum != Word8.ONE) revert VolatilityOracle__BudgetSumInvalid(sum, Word8.ONE);
    }

    // ---- volatilities

    /// @inheritdoc IVolatilityOracle
    function postVolatilities(SignedVolatilities[] calldata reports) external {
        State memory state = _state;
        uint256 count = reports.length;
        _checkQuorum(count, state.threshold);

        uint256 oldestAt = type(uint64).max;
        address signer;
        uint256[] memory words = new uint256[](count);
        for (uint256 i; i < count; ++i) {
            SignedVolatilities calldata report = reports[i];
            (uint256 observedAt, uint256 word) = (report.observedAt, report.vols);
            _checkTime(observedAt, state.volatilitiesAt, state.maxReportAge);
            bytes32 structHash = keccak256(
                abi.encode(VOLATILITY_REPORT_TYPEHASH, assetsHash, observedAt, word)
            );
            signer = _recoverSigner(structHash, report.r, report.vs, signer);
            if (!Word8.unusedLanesAreZero(word, _n)) revert VolatilityOracle__UnusedLanesNotZero(word);
            if (observedAt < oldestAt) oldestAt = observedAt;
            words[i] = word;
        }

        uint256 medianVols = _median(words);
        uint256 vols = state.volatilitiesAt == 0
            ? medianVols
            : _limitFall(medianVols, _vols, oldestAt - state.volatilitiesAt, state.maxFallPerDayWad);
        _vols = vols;
        _state.volatilitiesAt = uint40(oldestAt);
        emit VolatilitiesPosted(vols, medianVols, uint64(oldestAt), count);
    }

    /// @dev The middle of each lane, the upper middle for an even count: the side of less exposure. While less than
    /// half of the words lie, it is between two honest ones. All lanes of all words must be within bounds.
    function _median(uint256[] memory words) private view returns (uint256 medians) {
        uint256[] memory sorted = new uint256[](words.length);
        uint256 middle = words.length / 2;
        unchecked {
            for (uint256 i; i < _n; ++i) {
                uint256 shift = Word8.LANE_BITS * i;
                (uint256 least, uint256 greatest) = _sortLane(words, shift, sorted);
                if (least < MIN_VOLATILITY || greatest > MAX_VOLATILITY) {
                    revert VolatilityOracle__VolatilityOutOfRange(
                        i,
                        least < MIN_VOLATILITY ? least : greatest,
                        MIN_VOLATILITY,
                        MAX_VOLATILITY
                    );
                }
                medians |= sorted[middle] << shift;
            }
        }
    }

    /// @dev Insertion sort of one lane of all words into `sorted`, ascending; the first and the last of them.
    function _sortLane(
        uint256[] memory words,
        uint256 shift,
        uint256[] memory sorted
    ) private pure returns (uint256 least, uint256 greatest) {
        uint256 mask = Word8.LANE_MASK;
        assembly ("memory-safe") {
            let first := add(sorted, 32)
            let size := shl(5, mload(words))
            for {
                let offset := 0
            } lt(offset, size) {} {
                let slot := add(first, offset)
                offset := add(offset, 32)
                let value := and(shr(shift, mload(add(words, offset))), mask)
                for {} gt(slot, first) {} {
                    let below := sub(slot, 32)
                    let other := mload(below)
                    if iszero(gt(other, value)) {
                        break
                    }
                    mstore(slot, other)
                    slot := below
                }
                mstore(slot, value)
            }
            least := mload(first)
            greatest := mload(add(sorted, size))
        }
    }

    /// @dev max(new, old * (1 - rate * elapsed)), lane by lane, the limit rounded up.
    function _limitFall(
        uint256 newVols,
        uint256 oldVols,
        uint256 elapsed,
        uint256 maxFallPerDayWad
    ) private view returns (uint256 vols) {
        uint256 keptWad = FixedPointMathLib.zeroFloorSub(WAD, (maxFallPerDayWad * elapsed) / 1 days);
        unchecked {
            for (uint256 shift; shift < Word8.LANE_BITS * _n; shift += Word8.LANE_BITS) {
                uint256 value = (newVols >> shift) & Word8.LANE_MASK;
                uint256 least = (((oldVols >> shift) & Word8.LANE_MASK) * keptWad + WAD - 1) / WAD;
                vols |= (value < least ? least : value) << shift;
            }
        }
    }

    // ---- correlations and coordinates

    /// @inheritdoc IVolatilityOracle
    function postCorrelations(
        CorrelationReport calldata report,
        Signature[] calldata signatures,
        uint256 coordinates
    ) external {
        State memory state = _state;
        uint256[2] memory correlations = report.correlations;
        _checkQuorum(signatures.length, state.threshold);
        _checkTime(report.observedAt, state.correlationsAt, state.maxReportAge);
        if (!CorrelationMatrix.unusedLanesAreZero(correlations, _n)) {
            revert VolatilityOracle__UnusedLanesNotZero(
                correlations[1] == 0 ? correlations[0] : correlations[1]
            );
        }
        bytes32 structHash = keccak256(
            abi.encode(
                CORRELATION_REPORT_TYPEHASH,
                assetsHash,
                report.observedAt,
                keccak256(abi.encode(correlations))
            )
        );
        address signer;
        for (uint256 i; i < signatures.length; ++i) {
            signer = _recoverSigner(structHash, signatures[i].r, signatures[i].vs, signer);
        }
        (bool accepted, uint256 index, int256 pivotWad) = CorrelationMatrix.eigenvaluesAbove(
            correlations,
            _n,
            state.eigenvalueFloorWad
        );
        if (!accepted) {
            revert VolatilityOracle__NotPositiveDefinite(index, pivotWad, state.eigenvalueFloorWad);
        }

        _correlations = correlations;
        _state.correlationsAt = uint40(report.observedAt);
        emit CorrelationsPosted(correlations, report.observedAt, signatures.length);
        _storeCoordinates(coordinates, correlations, false);
    }

    /// @inheritdoc IVolatilityOracle
    function postCoordinates(uint256 coordinates) external {
        if (coordinates == 0) revert VolatilityOracle__CoordinateZero(0);
        _storeCoordinates(coordinates, _loadCorrelations(), true);
    }

    /// @inheritdoc IVolatilityOracle
    function solveCoordinates() external {
        _storeCoordinates(0, _loadCorrelations(), true);
    }

    function _loadCorrelations() private view returns (uint256[2] memory) {
        if (_state.correlationsAt == 0) revert VolatilityOracle__NoCorrelations();
        return _correlations;
    }

    /// @dev Verifies and stores; 0 stands for "solve". Coordinates that hold already are replaced by better ones
    /// only, so that nobody can move the targets to and fro within the tolerance.
    function _storeCoordinates(
        uint256 coordinates,
        uint256[2] memory correlations,
        bool currentHolds
    ) private {
        uint256 n = _n;
        uint256 budgets_ = budgets;
        if (coordinates == 0) coordinates = CoordinateSolver.solve(correlations, budgets_, n);
        if (!Word8.unusedLanesAreZero(coordinates, n)) {
            revert VolatilityOracle__UnusedLanesNotZero(coordinates);
        }
        for (uint256 i; i < n; ++i) {
            if (Word8.lane(coordinates, i) == 0) revert VolatilityOracle__CoordinateZero(i);
        }
        uint256 errorWad = RiskMath.certificateError(coordinates, correlations, budgets_, n);
        if (errorWad > CERTIFICATE_TOLERANCE_WAD) {
            revert VolatilityOracle__CertificateFailed(errorWad, CERTIFICATE_TOLERANCE_WAD);
        }
        uint256 current = _coordinates;
        if (currentHolds && current != 0) {
            uint256 currentErrorWad = RiskMath.certificateError(current, correlations, budgets_, n);
            if (errorWad >= currentErrorWad) {
                revert VolatilityOracle__CoordinatesNotBetter(errorWad, currentErrorWad);
            }
        }
        _coordinates = coordinates;
        if (!_state.hasCoordinates) _state.hasCoordinates = true;
        emit CoordinatesPosted(coordinates, errorWad);
    }

    // ---- what every signed report is checked for

    function _checkQuorum(uint256 count, uint256 need) private pure {
        if (count < need) revert VolatilityOracle__QuorumNotReached(count, need);
    }

    function _checkTime(uint256 observedAt, uint256 storedAt, uint256 maxReportAge) private view {
        if (observedAt > block.timestamp) {
            revert VolatilityOracle__ReportFromFuture(observedAt, block.timestamp);
        }
        if (observedAt + maxReportAge < block.timestamp) {
            revert VolatilityOracle__ReportTooOld(observedAt, block.timestamp, maxReportAge);
        }
        if (observedAt <= storedAt) revert VolatilityOracle__ReportNotNewer(observedAt, storedAt);
    }

    /// @dev A strictly ascending order makes the signers distinct, so that there are never more reports than signers.
    function _recoverSigner(
        bytes32 structHash,
        bytes32 r,
        bytes32 vs,
        address previous
    ) private view returns (address signer) {
        signer = ECDSA.recover(_hashTypedDataV4(structHash), r, vs);
        if (!_signers.contains(signer)) revert VolatilityOracle__NotSigner(signer);
        if (signer <= previous) revert VolatilityOracle__SignersNotAscending(previous, signer);
    }

    // ---- views

    /// @inheritdoc IVolatilityOracle
    function riskData() external view returns (RiskData memory) {
        State memory state = _state;
        (, uint256 vols) = _volatilitiesInUse();
        return
            RiskData({
                vols: vols,
                volatilitiesAt: state.volatilitiesAt,
                correlationsAt: state.correlationsAt,
                correlations: _correlations,
                coordinates: _coordinates,
                budgets: budgets,
                n: uint8(_n)
            });
    }

    /// @inheritdoc IVolatilityOracle
    function exposureData()
        external
        view
        returns (uint256 vols, uint256 coordinates, uint64 volatilitiesAt, uint64 correlationsAt)
    {
        State memory state = _state;
        (, vols) = _volatilitiesInUse();
        return (vols, _coordinates, state.volatilitiesAt, state.correlationsAt);
    }

    /// @inheritdoc IVolatilityOracle
    function parityPortfolio() external view returns (uint256 vols, uint256 coordinates) {
        (vols, ) = _volatilitiesInUse();
        return (vols, _coordinates);
    }

    /// @inheritdoc IVolatilityOracle
    function reportedVolatilities() external view returns (uint256) {
        return _vols;
    }

    /// @dev Nothing reported stays nothing: a floor alone is no report.
    function _volatilitiesInUse() private view returns (uint256 raised, uint256 scaled) {
        uint256 vols = _vols;
        if (vols == 0) return (0, 0);
        Floors memory f = _floors;
        (uint256 realisedVols, uint256 ratioWad) = realized.floors();
        raised = realisedVols == 0 ? vols : FloorMath.raised(vols, realisedVols, f.floorFractionWad, _n);
        scaled = FloorMath.scaled(raised, ratioWad, f.parityFractionWad, MAX_VOLATILITY, _n);
    }

    /// @inheritdoc IVolatilityOracle
    function reportTimes()
        external
        view
        returns (uint64 volatilitiesAt, uint64 correlationsAt, bool hasCoordinates)
    {
        State storage state = _state;
        return (state.volatilitiesAt, state.correlationsAt, state.hasCoordinates);
    }

    /// @inheritdoc IVolatilityOracle
    function assets() external view returns (address[] memory) {
        return _assets;
    }

    /// @inheritdoc IVolatilityOracle
    function signers() external view returns (address[] memory) {
        return _signers.values();
    }

    /// @inheritdoc IVolatilityOracle
    function isSigner(address account) external view returns (bool) {
        return _signers.contains(account);
    }

    /// @inheritdoc IVolatilityOracle
    function proposalOf(address signer) external view returns (Proposal memory) {
        return _proposals[signer];
    }

    /// @inheritdoc IVolatilityOracle
    function threshold() external view returns (uint256) {
        return _state.threshold;
    }

    /// @inheritdoc IVolatilityOracle
    function params() external view returns (Params memory) {
        State memory state = _state;
        Floors memory f = _floors;
        return
            Params(
                state.maxReportAge,
                state.maxFallPerDayWad,
                state.eigenvalueFloorWad,
                f.floorFractionWad,
                f.parityFractionWad,
                f.signerDelay
            );
    }
}
