/// Receives the verdicts of the rules during a walk. There is one walk for requests and one for answers, in
/// the order of the tables. Serving stops at the first refusal (`FirstRefusal`). Explaining continues to the
/// end and keeps every verdict (`Recorder`).
///
/// The walks are generic and inside this module, so the compiler specialises them for serving and removes
/// everything that only explaining needs.

protocol Findings {
    /// Must every rule be evaluated? If not, one cheap test may stand for several rules.
    static var isExhaustive: Bool { get }

    /// Records the verdict of `rule`: it refuses for `reason`, or passes if `reason` is nil.
    /// - Returns: true if the walk ends here.
    mutating func record(_ rule: Rule, _ reason: Reason?) -> Bool

    /// Records that `rule` does not apply, or that the part it reads is missing.
    mutating func skip(_ rule: Rule)

    /// Records that `rule` is decided later, when an entry is about to answer.
    mutating func postpone(_ rule: Rule)
}

/// For serving: only the first refusal matters.
struct FirstRefusal: Findings {
    var reason: Reason?

    @inline(__always)
    static var isExhaustive: Bool { false }

    @inline(__always)
    mutating func record(_ rule: Rule, _ reason: Reason?) -> Bool {
        self.reason = reason
        return reason != nil
    }

    @inline(__always)
    func skip(_ rule: Rule) {}

    @inline(__always)
    func postpone(_ rule: Rule) {}
}

/// The verdict of one rule.
public struct Finding: Sendable, Equatable {
    public enum Verdict: Sendable, Equatable {
        case satisfied
        case refused(Reason)
        /// The rule does not apply, or the part it reads is missing.
        case notApplicable
        /// The rule is decided at each use of an entry.
        case atUse
    }

    public var rule: Rule
    public var verdict: Verdict
    /// The text that the rule read, as received; nil if there is none.
    public var value: String?

    public init(_ rule: Rule, _ verdict: Verdict, value: String? = nil) {
        self.rule = rule
        self.verdict = verdict
        self.value = value
    }

    public var reason: Reason? { if case .refused(let reason) = verdict { reason } else { nil } }
}

/// For explaining: the verdict of every rule, in the order of the walk.
struct Recorder: Findings {
    var findings: [Finding] = []

    static var isExhaustive: Bool { true }

    var reason: Reason? { findings.lazy.compactMap(\.reason).first }

    mutating func record(_ rule: Rule, _ reason: Reason?) -> Bool {
        findings.append(Finding(rule, reason.map { .refused($0) } ?? .satisfied))
        return false
    }

    mutating func skip(_ rule: Rule) { findings.append(Finding(rule, .notApplicable)) }

    mutating func postpone(_ rule: Rule) { findings.append(Finding(rule, .atUse)) }
}
