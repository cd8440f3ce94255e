/// Why a request was not answered from the store, or a response was not stored. Each code is part of the
/// product's interface: the access log, the metrics, `explain` and `Cache-Status` show it.
///
/// Raw values start at 1, so that 0 can mean "none" wherever a reason is packed into a byte.
public enum Reason: UInt8, Sendable, CaseIterable, BitwiseCopyable {
    // Reasons in the request (RFC 9111 §3, §4).
    case method = 1
    case authorization, clientCertificate, unkeyed, path, connection, conditional, clientNoStore
    case clientRefresh, cookie, key
    // Reasons in the response.
    case status, noStore, `private`, noCache, noFreshness, expired, age, date, setCookie, vary, tooLarge
    case headTooLarge, incomplete, range, trailers, encoding
    // Reasons that arise while the response is on its way.
    case invalidated, pressure

    /// The code as users see it: a token of RFC 9110 §5.6.2 and of RFC 9651 §3.3.4.
    public var code: StaticString {
        switch self {
        case .method: "method"
        case .authorization: "authorization"
        case .clientCertificate: "client-certificate"
        case .unkeyed: "unkeyed"
        case .path: "path"
        case .connection: "connection"
        case .conditional: "conditional"
        case .clientNoStore: "client-no-store"
        case .clientRefresh: "client-refresh"
        case .cookie: "cookie"
        case .key: "key"
        case .status: "status"
        case .noStore: "no-store"
        case .private: "private"
        case .noCache: "no-cache"
        case .noFreshness: "no-freshness"
        case .expired: "expired"
        case .age: "age"
        case .date: "date"
        case .setCookie: "set-cookie"
        case .vary: "vary"
        case .tooLarge: "too-large"
        case .headTooLarge: "head-too-large"
        case .incomplete: "incomplete"
        case .range: "range"
        case .trailers: "trailers"
        case .encoding: "encoding"
        case .invalidated: "invalidated"
        case .pressure: "pressure"
        }
    }

    /// The codes, indexed by raw value. Index 0 has an empty text.
    public static var codes: [String] {
        var codes = [String](repeating: "", count: Int(allCases.map(\.rawValue).max() ?? 0) + 1)
        for reason in allCases { codes[Int(reason.rawValue)] = "\(reason.code)" }
        return codes
    }

    /// Does the response itself cause this reason? Then the reason holds for every client that requests the
    /// same key. Otherwise one request causes it, or a temporary state of the store.
    public var dependsOnlyOnResponse: Bool {
        switch self {
        case .cookie, .authorization, .pressure, .invalidated: false
        default: true
        }
    }
}
