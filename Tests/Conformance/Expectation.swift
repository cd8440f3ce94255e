// The expected outcome of one step.

struct Expectation: Sendable {
    enum Origin: Sendable {
        /// The origin must not be asked.
        case unasked
        /// The origin must be asked once.
        case asked
        /// The origin must be asked, perhaps repeatedly.
        case askedAtLeastOnce
        /// The origin is asked once, before or after the client has its answer.
        case askedInBackground
    }

    enum Body: Sendable {
        /// The body of this step's response.
        case fetched
        /// The body of the last response that was fetched before this step.
        case kept
        /// The body of that step's response.
        case step(Int)
        case text(String)
        case empty
        case any
    }

    var origin: Origin
    var body: Body
    /// nil: the status of the response whose body is expected.
    var status: Int?
    var isWhole = true
    var age: Int?
    /// Fields of the answer: `Name: value` (the values of all lines joined by `, `), or `Name` for any value.
    var present: [String] = []
    var absent: [String] = []
    /// The same for the request that reaches the origin.
    var sent: [String] = []
    var withheld: [String] = []
    /// Parameters of Larder's own member of Cache-Status; for absent ones, their keys.
    var members: [String] = []
    var absentMembers: [String] = []
    /// Statuses of interim answers.
    var interim: [Int] = []

    init(_ origin: Origin, _ body: Body, status: Int? = nil) {
        self.origin = origin
        self.body = body
        self.status = status
    }

    // MARK: Outcomes

    /// Fetched from the origin.
    static var miss: Expectation { Expectation(.asked, .fetched) }
    /// From the store, fresh: the last answer that was fetched.
    static var hit: Expectation { Expectation(.unasked, .kept).has("Age").member("hit") }
    static func hit(_ step: Int) -> Expectation {
        Expectation(.unasked, .step(step)).has("Age").member("hit")
    }
    /// From the store, stale, while the origin is asked for later requests.
    static var staleWhileRevalidating: Expectation { Expectation(.askedInBackground, .kept).has("Age") }
    /// From the store; the origin is not asked.
    static var stale: Expectation { Expectation(.unasked, .kept).has("Age") }
    /// From the store because the origin failed.
    static var staleOnError: Expectation { Expectation(.askedAtLeastOnce, .kept).has("Age") }
    /// The origin fails, and no stored response may be served instead.
    static func failure(_ status: Int) -> Expectation { Expectation(.askedAtLeastOnce, .any, status: status) }
    /// The answer broke off on its way, and the client can see it.
    static var cut: Expectation {
        var expectation = Expectation(.asked, .any)
        expectation.isWhole = false
        return expectation
    }
    /// Any answer: only later steps matter.
    static var anything: Expectation { Expectation(.askedAtLeastOnce, .any) }
    /// From the store, after a 304 of the origin.
    static var revalidated: Expectation { Expectation(.asked, .kept) }
    static func revalidated(_ step: Int) -> Expectation { Expectation(.asked, .step(step)) }
    /// 304 from the store.
    static var notModified: Expectation {
        Expectation(.unasked, .empty, status: 304).has("Age").member("hit")
    }
    /// 304 after the origin was asked.
    static var fetchedNotModified: Expectation { Expectation(.asked, .empty, status: 304) }
    /// From the store, the head alone.
    static var headHit: Expectation { Expectation(.unasked, .empty, status: 200).has("Age").member("hit") }
    /// A range cut from the stored body.
    static func part(_ text: String, _ range: String) -> Expectation {
        Expectation(.unasked, .text(text), status: 206).has("Content-Range: bytes \(range)", "Age").member(
            "hit")
    }
    /// 504: nothing is stored, and the client forbids asking the origin.
    static var onlyIfCached: Expectation { Expectation(.unasked, .any, status: 504) }

    /// Fetched, and now in the store.
    static var stored: Expectation { miss.member("stored") }
    /// Fetched and not kept, for this reason.
    static func refused(_ reason: String) -> Expectation { miss.member("detail=\(reason)").lacking("stored") }

    // MARK: Details

    private func with(_ change: (inout Expectation) -> Void) -> Expectation {
        var copy = self
        change(&copy)
        return copy
    }

    func status(_ status: Int) -> Expectation { with { $0.status = status } }
    func age(_ seconds: Int) -> Expectation { with { $0.age = seconds } }
    func has(_ fields: String...) -> Expectation { with { $0.present += fields } }
    func lacks(_ names: String...) -> Expectation { with { $0.absent += names } }
    func sends(_ fields: String...) -> Expectation { with { $0.sent += fields } }
    func withholds(_ names: String...) -> Expectation { with { $0.withheld += names } }
    func member(_ member: String) -> Expectation { with { $0.members.append(member) } }
    func lacking(_ key: String) -> Expectation { with { $0.absentMembers.append(key) } }
    func announces(_ statuses: Int...) -> Expectation { with { $0.interim = statuses } }
    func body(_ text: String) -> Expectation { with { $0.body = .text(text) } }
    var bodyless: Expectation { with { $0.body = .empty } }
    var anyBody: Expectation { with { $0.body = .any } }
}
