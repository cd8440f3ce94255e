/// The rows of the two tables "May the store answer this request?" and "May this answer be stored?",
/// described for people: what a rule demands, which section of HTTP it follows, and what it reads. The
/// decisions are in the walks (`Rules+Request`, `Rules+Response`).

public import HTTP

public enum Rule: UInt8, Sendable, CaseIterable, BitwiseCopyable {
    // The request.
    case requestMethod, requestPath, requestBody, requestAuthorization, unkeyed, requestConnection
    case preconditions, requestRange, requestCookie, clientNoStore, clientRefresh, clientCertificate
    case acceptEncoding, key
    // Rules on the head of the answer.
    case request, status, setCookie, mustUnderstand, noStore, `private`, noCache, pragma, authorization,
        cookie, vary
    case contentEncoding, contentRange, trailer, connection, length, delimited, date, age, clock, lifetime
    case remaining
    // Rules that can be decided only when the head is written for the store and the body has arrived.
    case headSize, varySize, bodySize, complete, trailers, invalidated, pressure
}

extension Rule {
    /// The part of the message that a rule reads.
    public enum Subject: Sendable {
        case method, target, path, framing, status, remaining, lifetime, head, body
        /// Field lines of these names.
        case fields([FieldName])
        /// No part of the message.
        case nothing
    }

    struct Row {
        /// Stable, for scripts: `request.method`, `answer.set-cookie`.
        let id: String
        /// The demand in a few words.
        let demand: String
        let section: String
        let subject: Subject
    }

    public var id: String { row.id }
    public var demand: String { row.demand }
    /// The section of HTTP that the rule follows.
    public var section: String { row.section }
    public var subject: Subject { row.subject }

    var row: Row { rawValue < Rule.request.rawValue ? requestRow : answerRow }

    private var requestRow: Row {
        func row(_ id: String, _ demand: String, _ section: String, _ subject: Subject) -> Row {
            Row(id: "request.\(id)", demand: demand, section: section, subject: subject)
        }
        return switch self {
        case .requestPath: row("path", "a path that all servers read alike", "RFC 3986 §6.2.2", .path)
        case .requestBody: row("body", "no body", "RFC 9110 §9.3.1", .framing)
        case .requestAuthorization:
            row("authorization", "no Authorization", "RFC 9111 §3.5", .fields([.authorization]))
        case .unkeyed:
            row(
                "unkeyed", "no field that rewrites URL or method", "RFC 9111 §7.1",
                .fields([.rewritesURL, .overridesMethod, .claimsUser]))
        case .requestConnection:
            row("connection", "a usual Connection", "RFC 9110 §7.6.1", .fields([.connection, .upgrade]))
        case .preconditions:
            row(
                "preconditions", "no If-Match or If-Unmodified-Since", "RFC 9111 §4.3.2",
                .fields([.ifMatch, .ifUnmodifiedSince]))
        case .requestRange:
            row("range", "no Range, or a stored 200", "RFC 9110 §14.2", .fields([.range, .ifRange]))
        case .requestCookie: row("cookie", "no Cookie", "RFC 9111 §7.3", .fields([.cookie]))
        case .clientNoStore:
            row("no-store", "no no-store from the client", "RFC 9111 §5.2.1.5", .fields([.cacheControl]))
        case .clientRefresh:
            row(
                "refresh", "no demand for a fresher answer", "RFC 9111 §5.2.1",
                .fields([.cacheControl, .pragma]))
        case .clientCertificate: row("certificate", "no client certificate", "RFC 9111 §7.3", .nothing)
        case .acceptEncoding:
            row("encoding", "a coding that Larder knows", "RFC 9110 §12.5.3", .fields([.acceptEncoding]))
        case .key: row("key", "a host, and a URL of at most 2 KiB", "RFC 9111 §2", .target)
        default: row("method", "GET or HEAD", "RFC 9111 §4", .method)
        }
    }

    private var answerRow: Row {
        func row(_ id: String, _ demand: String, _ section: String, _ subject: Subject) -> Row {
            Row(id: "answer.\(id)", demand: demand, section: section, subject: subject)
        }
        let directives = Subject.fields([.larderCacheControl, .cdnCacheControl, .cacheControl])
        return switch self {
        case .status: row("status", "a status that the policy lists", "RFC 9111 §3", .status)
        case .setCookie: row("set-cookie", "no Set-Cookie", "RFC 9111 §7.3", .fields([.setCookie]))
        case .mustUnderstand:
            row("must-understand", "a status that Larder understands", "RFC 9111 §5.2.2.3", directives)
        case .noStore: row("no-store", "no no-store", "RFC 9111 §5.2.2.5", directives)
        case .private: row("private", "no private", "RFC 9111 §5.2.2.7", directives)
        case .noCache: row("no-cache", "no no-cache", "RFC 9111 §5.2.2.4", directives)
        case .pragma: row("pragma", "no Pragma: no-cache", "RFC 9111 §5.4", .fields([.pragma]))
        case .authorization:
            row("authorization", "permission to share (Authorization)", "RFC 9111 §3.5", directives)
        case .cookie: row("cookie", "public or s-maxage, if a cookie came", "RFC 9111 §7.3", directives)
        case .vary: row("vary", "a Vary that the policy lists", "RFC 9111 §4.1", .fields([.vary]))
        case .contentEncoding:
            row("encoding", "one coding that Larder knows", "RFC 9110 §8.4", .fields([.contentEncoding]))
        case .contentRange: row("range", "no Content-Range", "RFC 9110 §14.4", .fields([.contentRange]))
        case .trailer: row("trailer", "no Trailer", "RFC 9110 §6.6.2", .fields([.trailer]))
        case .connection:
            row("connection", "a usual Connection", "RFC 9110 §7.6.1", .fields([.connection]))
        case .length: row("length", "a length within maxBody", "policy", .fields([.contentLength]))
        case .delimited: row("delimited", "a body with a stated end", "RFC 9112 §6.3", .framing)
        case .date: row("date", "one valid Date, or none", "RFC 9110 §6.6.1", .fields([.date]))
        case .age: row("age", "one valid Age, or none", "RFC 9111 §5.1", .fields([.age]))
        case .clock:
            row(
                "clock", "Date plus Age within a day of the clock", "RFC 9111 §4.2.3", .fields([.date, .age]))
        case .lifetime: row("lifetime", "a clearly stated lifetime", "RFC 9111 §4.2.1", .lifetime)
        case .remaining: row("remaining", "enough lifetime left", "RFC 9111 §4.2", .remaining)
        case .headSize: row("head-size", "a head within maxHead", "policy", .head)
        case .varySize: row("vary-size", "the fields of Vary within 1 KiB", "RFC 9111 §4.1", .fields([.vary]))
        case .bodySize: row("body-size", "a body within maxBody", "policy", .body)
        case .complete: row("complete", "the whole body", "RFC 9111 §3.3", .body)
        case .trailers: row("trailers", "no trailers", "RFC 9110 §6.5", .nothing)
        case .invalidated: row("invalidated", "no invalidation meanwhile", "RFC 9111 §4.4", .nothing)
        case .pressure: row("pressure", "room in the store", "policy", .nothing)
        default: row("request", "a request whose answer may be kept", "RFC 9111 §3", .method)
        }
    }
}
