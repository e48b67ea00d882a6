// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IParameters} from "./IParameters.sol";
import {IRealizedVolatility} from "./IRealizedVolatility.sol";

/// @title Signed volatilities and correlations, verified parity coordinates
/// @notice Signers report numbers inside bounds; nobody chooses weights. Two words are used throughout:
/// WORD8 holds 8 lanes of uint32 in units of 1e-8, asset i at bits [32 i, 32 i + 32), unused lanes zero.
/// CORR is uint256[2]: pairs (0,1), (0,2) .. (0,n-1), (1,2) .., the k-th in word k / 16 at bits
/// [16 (k % 16), +16) as int16 two's complement in units of 1/32767, unused lanes zero.
/// Volatilities are annualised (year = 365 days), 1e8 = 100 %.
interface IVolatilityOracle is IParameters {
    /// @param maxReportAge seconds between observation and submission, [1 minute, 1 day]
    /// @param settlePeriod seconds after a post during which more reports replace it, and until which the volatilities
    /// before it stay in use, [0, 1 hour]
    /// @param maxFallPerDayWad largest fall of a stored volatility per day, fraction of it, [1e16, 1e18]
    /// @param eigenvalueFloorWad the smallest eigenvalue of an accepted correlation matrix lies above it, [2e15, 0.5e18]
    /// (both to 1e-7; from 2e15 on every coordinate fits its lane and, rounded to 1e-8, passes the certificate)
    /// @param floorFractionWad a volatility in use is at least this fraction of the realised one, [0, 1e18]
    /// @param parityFractionWad and all of them are scaled up together while the parity portfolio's realised volatility,
    /// times this fraction, exceeds the reported one, [0, 1e18]
    /// @param signerDelay seconds between a signer's proposal and its first signature that counts, [1 day, 30 days]
    struct Params {
        uint32 maxReportAge;
        uint32 settlePeriod;
        uint64 maxFallPerDayWad;
        uint64 eigenvalueFloorWad;
        uint64 floorFractionWad;
        uint64 parityFractionWad;
        uint32 signerDelay;
    }

    /// @notice A change of signers that waits for its time.
    /// @param replaces leaves when it is activated; the zero address: nobody
    /// @param readyAt unix time from which anyone may activate it, 0 where there is no proposal
    /// @param threshold the quorum from then on
    struct Proposal {
        address replaces;
        uint40 readyAt;
        uint8 threshold;
    }

    /// @param observedAt unix time of the estimate
    /// @param vols WORD8 of annualised volatilities, each lane in [1e5 (0.1 %), 4e9 (4000 %)]
    /// @param r EIP-2098 compact signature, first word
    /// @param vs EIP-2098 compact signature, second word
    struct SignedVolatilities {
        uint64 observedAt;
        uint256 vols;
        bytes32 r;
        bytes32 vs;
    }

    /// @param observedAt unix time of the estimate
    /// @param correlations CORR
    struct CorrelationReport {
        uint64 observedAt;
        uint256[2] correlations;
    }

    /// @notice EIP-2098 compact signature
    struct Signature {
        bytes32 r;
        bytes32 vs;
    }

    /// @param vols WORD8 of volatilities in use: reported, but no less than the realised ones allow; 0 before the first
    /// @param volatilitiesAt observation time of the reports in use, 0 before the first have settled; a change of the basket
    /// leaves it
    /// @param correlationsAt the same of the last correlations
    /// @param correlations CORR, zeros before the first of this basket
    /// @param coordinates WORD8 of parity coordinates, 0 while none are verified
    /// @param budgets WORD8 of risk budgets, lanes sum to 1e8
    /// @param n number of assets, [2, 8]
    struct RiskData {
        uint256 vols;
        uint64 volatilitiesAt;
        uint64 correlationsAt;
        uint256[2] correlations;
        uint256 coordinates;
        uint256 budgets;
        uint8 n;
    }

    /// @notice What was posted: whoever corrects it adds what it lacks.
    event ReportsPosted(SignedVolatilities[] reports);
    event VolatilitiesPosted(uint256 vols, uint256 medianVols, uint64 observedAt, uint256 reportCount);
    event CorrelationsPosted(uint256[2] correlations, uint64 observedAt, uint256 signatureCount);
    event CoordinatesPosted(uint256 coordinates, uint256 certificateErrorWad);
    event CoordinatesCleared();
    event BudgetsSet(uint256 budgets);
    event BasketSet(address[] assets, uint256 budgets, bytes32 assetsHash);
    event SignerAdded(address indexed signer);
    event SignerRemoved(address indexed signer);
    event SignerProposed(
        address indexed signer,
        address indexed replaces,
        uint256 threshold,
        uint256 readyAt
    );
    event ProposalCancelled(address indexed signer);
    event ThresholdSet(uint256 threshold);
    event GuardianSet(address indexed guardian);
    event ParamsSet(Params params);

    /// @notice A basket has [min, max] assets.
    error VolatilityOracle__AssetCountOutOfRange(uint256 count, uint256 min, uint256 max);
    /// @notice `role` ("asset", "signer", "guardian") must not be the zero address.
    error VolatilityOracle__ZeroAddress(bytes32 role);
    error VolatilityOracle__DuplicateAsset(address asset);
    /// @notice There is room for [1, max] signers.
    error VolatilityOracle__SignerCountOutOfRange(uint256 count, uint256 max);
    error VolatilityOracle__DuplicateSigner(address signer);
    error VolatilityOracle__UnknownSigner(address signer);
    /// @notice A threshold is a majority of the signers: [min, max].
    error VolatilityOracle__ThresholdOutOfRange(uint256 threshold, uint256 min, uint256 max);
    error VolatilityOracle__NotOwnerOrGuardian(address caller);
    /// @notice There is no proposal for `signer`, or it has been activated or cancelled.
    error VolatilityOracle__NoProposal(address signer);
    error VolatilityOracle__ProposalPending(address signer, uint256 readyAt);
    error VolatilityOracle__ProposalNotReady(uint256 readyAt, uint256 blockTimestamp);
    /// @notice Lowering the quorum loosens: propose it with the zero address as signer.
    error VolatilityOracle__ThresholdOnlyRises(uint256 threshold, uint256 current);
    /// @notice Budget `value` of asset `index`, in 1e-8, lies outside [min, max].
    error VolatilityOracle__BudgetOutOfRange(uint256 index, uint256 value, uint256 min, uint256 max);
    /// @notice The budgets' lanes add up to `sum`, not to `required`.
    error VolatilityOracle__BudgetSumInvalid(uint256 sum, uint256 required);
    /// @notice Bits of `word` above the last asset (or the last pair) are set: clear them.
    error VolatilityOracle__UnusedLanesNotZero(uint256 word);

    error VolatilityOracle__QuorumNotReached(uint256 have, uint256 need);
    /// @notice The signature is of `recovered`, who is no signer; a report for other assets, another chain or
    /// another oracle ends here too, since these stand in the signed digest.
    error VolatilityOracle__NotSigner(address recovered);
    /// @notice Sort the reports by their signers' addresses, one report a signer.
    error VolatilityOracle__SignersNotAscending(address previous, address current);
    error VolatilityOracle__ReportFromFuture(uint256 observedAt, uint256 blockTimestamp);
    error VolatilityOracle__ReportTooOld(uint256 observedAt, uint256 blockTimestamp, uint256 maxReportAge);
    /// @notice Observed no later than what has settled: a replay, or overtaken.
    error VolatilityOracle__ReportNotNewer(uint256 observedAt, uint256 storedAt);
    /// @notice The post of `observedAt` has not settled: until `settlesAt` nothing but more than `reportCount` reports of that
    /// time replaces it. Add to its reports (event ReportsPosted) those that it lacks, or wait.
    error VolatilityOracle__RoundOpen(uint256 observedAt, uint256 reportCount, uint256 settlesAt);
    /// @notice Reports of one post are of one time: ask every signer for `expected`.
    error VolatilityOracle__TimesDiffer(uint256 observedAt, uint256 expected);
    /// @notice Volatility `value` of asset `index`, in 1e-8, lies outside [min, max].
    error VolatilityOracle__VolatilityOutOfRange(uint256 index, uint256 value, uint256 min, uint256 max);
    /// @notice The smallest eigenvalue of the correlation matrix C is not above the floor: LDL' pivot `index` of
    /// C - floor I is `pivotWad` (as far as its row was eliminated), under 1e12. Shrink C towards the identity.
    error VolatilityOracle__NotPositiveDefinite(uint256 index, int256 pivotWad, uint256 floorWad);
    /// @notice Coordinate `index` is zero.
    error VolatilityOracle__CoordinateZero(uint256 index);
    /// @notice max |x_i (Cx)_i - b_i| of the coordinates exceeds the tolerance.
    error VolatilityOracle__CertificateFailed(uint256 errorWad, uint256 toleranceWad);
    /// @notice Coordinates in place are replaced by strictly better ones only.
    error VolatilityOracle__CoordinatesNotBetter(uint256 errorWad, uint256 currentErrorWad);
    /// @notice Post correlations of this basket first.
    error VolatilityOracle__NoCorrelations();

    /// @notice Post volatilities: every signer signs its own estimate, the stored one is the per-asset median
    /// (the upper one for an even count), no lower than the speed limit allows.
    /// @param reports at least `threshold()` and at most one a signer, all of one time, ascending by signer's address; all
    /// that can be had: until a post has settled, anyone replaces it by one with more reports of that time
    /// @custom:requirement EQ-149 EQ-23 EQ-24 EQ-25 EQ-26 EQ-27 EQ-28 EQ-29 EQ-30
    function postVolatilities(SignedVolatilities[] calldata reports) external;

    /// @notice Post correlations that at least `threshold()` signers signed identically.
    /// @param signatures ascending by signer's address
    /// @param coordinates WORD8 that passes the certificate, or 0: then the chain solves for them
    /// @custom:requirement EQ-23 EQ-26 EQ-31 EQ-32 EQ-33 EQ-35
    function postCorrelations(
        CorrelationReport calldata report,
        Signature[] calldata signatures,
        uint256 coordinates
    ) external;

    /// @notice Post coordinates for the present correlations and budgets. Anyone may.
    /// @param coordinates WORD8 that passes the certificate and improves on what is stored
    /// @custom:requirement EQ-33 EQ-34
    function postCoordinates(uint256 coordinates) external;

    /// @notice The same without anybody's solver: the chain finds the coordinates. Anyone may.
    /// @custom:requirement EQ-35
    function solveCoordinates() external;

    /// @notice Set the risk budgets (owner). Coordinates are cleared: post or solve for new ones.
    /// @param newBudgets WORD8, lanes of at least 1e6 (1 %) that sum to exactly 1e8
    /// @custom:requirement EQ-36
    function setBudgets(uint256 newBudgets) external;

    /// @notice Replace the assets and their budgets (owner). Reports for the old ones are refused from now on; nothing is in
    /// use until a post for the new ones has settled and correlations have come. Times of the last reports stay: silence
    /// goes on counting, and no report counts twice when a basket returns. The realised volatilities, the vault and its
    /// auction follow by calls of their own; until they agree no auction opens.
    /// @param newAssets 2 to 8, distinct, in the order of all lanes
    /// @param newBudgets as `setBudgets` has it
    /// @custom:requirement EQ-90 EQ-91
    function setBasket(address[] calldata newAssets, uint256 newBudgets) external;

    /// @notice Propose a change of signers (owner): it can be activated after `signerDelay`.
    /// @param signer who shall sign; the zero address: only the threshold changes
    /// @param replaces who leaves in the same step, as when a key is rotated; the zero address: nobody
    /// @param newThreshold more than half of, and at most, the number of signers from then on
    /// @custom:requirement EQ-37
    function proposeSigner(address signer, address replaces, uint256 newThreshold) external;

    /// @notice Carry out a proposal whose time has come. Anyone may.
    /// @custom:requirement EQ-37
    function activateSigner(address signer) external;

    /// @notice Withdraw a proposal (owner or guardian).
    function cancelProposal(address signer) external;

    /// @notice Remove a signer at once (owner or guardian). The threshold stays: with fewer signers left than it asks
    /// for, no report passes until new ones are activated or the threshold is lowered, both after the delay.
    /// @custom:requirement EQ-37
    function removeSigner(address signer) external;

    /// @notice Raise the quorum at once (owner), to at most the number of signers. A proposal that waits sets the quorum that
    /// it names all the same: cancel it in the same call if it must not.
    /// @custom:requirement EQ-37
    function raiseThreshold(uint256 newThreshold) external;

    /// @notice Replace the guardian (owner).
    function setGuardian(address newGuardian) external;

    /// @notice Set the bounded parameters (owner).
    /// @custom:requirement EQ-38
    function setParams(Params calldata newParams) external;

    /// @notice Everything that risk is computed from.
    function riskData() external view returns (RiskData memory);

    /// @notice What target exposures are computed from: volatilities in use, for `n` assets. Zeros where nothing was posted.
    /// @custom:requirement EQ-144 EQ-146
    function exposureData()
        external
        view
        returns (uint256 vols, uint256 coordinates, uint64 volatilitiesAt, uint64 correlationsAt, uint8 n);

    /// @notice What a mode is computed from, in one storage read: observation times of what is in use, 0 before there is any,
    /// and whether verified coordinates are in place.
    function reportTimes()
        external
        view
        returns (uint64 volatilitiesAt, uint64 correlationsAt, bool hasCoordinates);

    /// @notice The volatilities in use before they are scaled for the parity portfolio, and the coordinates: the
    /// portfolio whose realised volatility tells whether the correlations hold.
    function parityPortfolio() external view returns (uint256 vols, uint256 coordinates);

    /// @notice The latest post: its volatilities, the time of its reports, how many there were (0 once one of the signers has
    /// left: any quorum replaces it), and from when it is in use. Until then more reports of that time replace it.
    function lastPost()
        external
        view
        returns (uint256 vols, uint64 observedAt, uint256 reportCount, uint256 settlesAt);

    /// @notice WORD8 of volatilities as reported (median, speed limit, settled), 0 before the first report.
    function reportedVolatilities() external view returns (uint256);

    /// @notice Where the realised volatilities come from.
    function realized() external view returns (IRealizedVolatility);

    /// @notice The pending change that would let `signer` in; zeros where there is none.
    function proposalOf(address signer) external view returns (Proposal memory);

    /// @notice WORD8 of risk budgets.
    function budgets() external view returns (uint256);

    /// @notice The basket, in the order of all lanes.
    function assets() external view returns (address[] memory);

    /// @notice keccak256(abi.encode(assets)), part of every signed report.
    function assetsHash() external view returns (bytes32);

    /// @notice The signers, in no particular order.
    function signers() external view returns (address[] memory);

    function isSigner(address account) external view returns (bool);

    /// @notice Signatures that a report needs.
    function threshold() external view returns (uint256);

    function guardian() external view returns (address);

    function params() external view returns (Params memory);
}
