/// What `larder explain` found out: a value that is printed as text or as JSON.

internal import Caching
internal import Settings

struct ExplainReport {
    struct Route {
        var name: String
        /// nil: the route has none, nothing is stored.
        var policy: String?
        var upstream: String
    }

    struct Key {
        var upstream: String
        var scheme: String
        var host: String
        var path: String
        /// As keyed; nil: none.
        var query: String?
        /// The routing hash: 16 hexadecimal digits.
        var hash: String
    }

    struct Server {
        var name: String
        var address: String
        /// Why the fetch went on to the next one.
        var failure: String?
    }

    struct Answer {
        var statusLine: String
        /// Why the body was not read to its end.
        var bodyNote: String?
        /// From the request to the head; nil: pasted.
        var milliseconds: UInt64?
        var findings: [Finding]
        var timing: Timing
        /// Nothing refuses.
        var isStored: Bool
        /// Nothing is known of the body, so it may still refuse.
        var isWithoutBody: Bool
        /// The whole came at once, so that it is stored before the head is sent on.
        var isInOnePiece: Bool
        /// Seconds that it would be fresh, from receipt on.
        var freshSeconds: UInt64
        /// It is kept to be asked after, and never fresh.
        var isAlwaysRevalidated: Bool
    }

    /// No answer, or none that could be judged.
    struct Failure {
        var description: String
        /// What Larder answers; nil: that is not known, the command gave up before Larder would have.
        var status: Int?
    }

    /// `GET http://example.com/path`
    var title: String
    /// HTTP date.
    var time: String
    /// nil: no route takes the request.
    var route: Route?
    var balance: Upstream.Balance?
    var requestFindings: [Finding] = []
    var key: Key?
    /// In the order of the key's choices; where the balance goes by none, in that of the file.
    var servers: [Server] = []
    /// Lines of the head that was sent.
    var sent: [String] = []
    var answer: Answer?
    var failure: Failure?
    var outcome = ""
    /// As field lines.
    var cacheStatus: String?
    var nextCacheStatus: String?
}

extension Finding.Verdict {
    /// For scripts, and for people: `ok`, `refused`, `n/a`, `at use`.
    var word: String {
        switch self {
        case .satisfied: "ok"
        case .refused: "refused"
        case .notApplicable: "n/a"
        case .atUse: "at use"
        }
    }
}

extension Finding {
    var code: String? { reason.map { String(describing: $0.code) } }
}
