/// The result of `larder explain`, which `ExplainText` prints for people and `ExplainJSON` for scripts.

internal import Caching
internal import Settings

struct ExplainReport {
    struct Route {
        var name: String
        /// nil: the route has no policy, and nothing is stored.
        var policy: String?
        var upstream: String
    }

    struct Key {
        var upstream: String
        var scheme: String
        var host: String
        var path: String
        /// The query in the key; nil: the key has no query.
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

    struct Response {
        var statusLine: String
        /// Why the body was not read to its end.
        var bodyNote: String?
        /// The time from the request to the head; nil: the response was pasted.
        var milliseconds: UInt64?
        var findings: [Finding]
        var timing: Timing
        /// Does no rule refuse the response?
        var isStored: Bool
        /// Is nothing known about the body? Then the body may still be a reason not to store the response.
        var isWithoutBody: Bool
        /// Did head and body arrive in one read? Then the response is stored before its head is sent on.
        var isInOnePiece: Bool
        /// The time that the response is fresh, in seconds after receipt.
        var freshSeconds: UInt64
        /// Must Larder revalidate the entry at each use, because it is never fresh?
        var isAlwaysRevalidated: Bool
    }

    /// There is no valid response.
    struct Failure {
        var description: String
        /// The status of Larder's answer; nil: unknown, because `--timeout` ended the fetch first.
        var status: Int?
    }

    /// `GET http://example.com/path`
    var title: String
    /// The time of the explanation as an HTTP date.
    var time: String
    /// nil: no route takes the request.
    var route: Route?
    var balance: Upstream.Balance?
    var requestFindings: [Finding] = []
    var key: Key?
    /// The servers in the order in which the key chooses them. If the balance does not use the key, the order
    /// is that of the file.
    var servers: [Server] = []
    /// The lines of the request head that was sent.
    var sent: [String] = []
    var response: Response?
    var failure: Failure?
    var outcome = ""
    /// The Cache-Status field line of this answer.
    var cacheStatus: String?
    /// The Cache-Status field line of the next answer, which comes from the store.
    var nextCacheStatus: String?
}

extension Finding.Verdict {
    /// The verdict in both outputs: `ok`, `refused`, `n/a` or `at use`.
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
