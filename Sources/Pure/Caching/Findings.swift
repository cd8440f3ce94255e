/// What a walk through the rules does with their verdicts. There is one walk for requests and one for
/// answers, in the order of the tables, and two ways to go it: serving ends at the first refusal
/// (`FirstRefusal`), explaining goes on to the end and keeps everything (`Recorder`).
///
/// The walks are generic and in this module, so that the compiler makes a copy of each for serving, in which
/// nothing of the other way is left.

protocol Findings {
    /// Is every rule asked, or may one cheap test stand for several?
    static var isExhaustive: Bool { get }

    /// `rule` refuses for `reason`; nil: it does not.
    /// - Returns: does the walk end here?
    mutating func ends(_ rule: Rule, _ reason: Reason?) -> Bool

    /// `rule` has nothing to say here, or cannot be asked: what it looks at is missing.
    mutating func skips(_ rule: Rule)

    /// `rule` is settled when an entry is there to answer.
    mutating func defers(_ rule: Rule)
}

/// Serving: what refuses first is all there is to know.
struct FirstRefusal: Findings {
    var reason: Reason?

    @inline(__always)
    static var isExhaustive: Bool { false }

    @inline(__always)
    mutating func ends(_ rule: Rule, _ reason: Reason?) -> Bool {
        self.reason = reason
        return reason != nil
    }

    @inline(__always)
    func skips(_ rule: Rule) {}

    @inline(__always)
    func defers(_ rule: Rule) {}
}

/// What one rule came to.
public struct Finding: Sendable, Equatable {
    public enum Verdict: Sendable, Equatable {
        case satisfied
        case refused(Reason)
        /// The rule has nothing to say here, or cannot be asked.
        case notApplicable
        /// Settled at each use, by the entry that is there.
        case atUse
    }

    public var rule: Rule
    public var verdict: Verdict
    /// What the rule looked at, as it came; nil: there is no such thing.
    public var value: String?

    public init(_ rule: Rule, _ verdict: Verdict, value: String? = nil) {
        self.rule = rule
        self.verdict = verdict
        self.value = value
    }

    public var reason: Reason? { if case .refused(let reason) = verdict { reason } else { nil } }
}

/// Explaining: every rule's verdict, in the order of the walk.
struct Recorder: Findings {
    var findings: [Finding] = []

    static var isExhaustive: Bool { true }

    var reason: Reason? { findings.lazy.compactMap(\.reason).first }

    mutating func ends(_ rule: Rule, _ reason: Reason?) -> Bool {
        findings.append(Finding(rule, reason.map { .refused($0) } ?? .satisfied))
        return false
    }

    mutating func skips(_ rule: Rule) { findings.append(Finding(rule, .notApplicable)) }

    mutating func defers(_ rule: Rule) { findings.append(Finding(rule, .atUse)) }
}
