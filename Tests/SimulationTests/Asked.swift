/// What a request asks of the origin, read from its bytes.
import Bytes
import HTTP

struct Asked {
    var method = HTTP.Method.get
    var framing = BodyFraming.none
    var resource = 0
    /// Which of the clients' requests made the worker ask.
    var number = -1
    var user: Int?
    var bearer: Int?
    var language = 0
    var acceptsGzip = false
    var ifNoneMatch: String?
    var ifModifiedSince: Int64?
    var range: Want.Range?
    var ifRange: String?
}

/// Reads request heads as they come in.
struct RequestReader: ~Copyable {
    private var request = RequestHead()

    enum Result {
        case needMore
        case complete(Asked, count: Int)
        case refused(BrokenRule)
    }

    mutating func read(_ bytes: borrowing ByteBuffer, _ scan: inout HeadScan) -> Result {
        let span = bytes.span
        switch request.parse(span, limits: Wire.limits, scan: &scan) {
        case .needMore: return .needMore
        case .refused(let refusal): return .refused(refusal)
        case .complete(let count): return .complete(Self.read(request, span), count: count)
        }
    }

    /// Reads the head in `request`, parsed over `span`.
    private static func read(_ request: borrowing RequestHead, _ span: Span<UInt8>) -> Asked {
        var asked = Asked()
        asked.method = request.method
        asked.framing = request.framing
        let path = span.slice(request.path)
        let number = Int(path.extracting(droppingFirst: 2).decimalSaturating() ?? 0)
        asked.resource =
            number * 4 + (request.hasQuery ? 2 : 0) + (span.slice(request.host).hasPrefix("b") ? 1 : 0)
        for index in 0..<request.fields.count {
            let value = span.slice(request.fields[index].value)
            switch request.fields[index].id {
            case .cookie: asked.user = Int(value.extracting(droppingFirst: 5).decimalSaturating() ?? 0)
            case .authorization:
                asked.bearer = Int(value.extracting(droppingFirst: 7).decimalSaturating() ?? 0)
            case .acceptLanguage: asked.language = Want.languages.firstIndex(of: value.string) ?? 0
            case .acceptEncoding: asked.acceptsGzip = value.hasPrefix("gzip")
            case .ifNoneMatch: asked.ifNoneMatch = value.string
            case .ifModifiedSince: asked.ifModifiedSince = HTTPDate.parse(value, now: Representation.epoch)
            case .range: asked.range = range(value.string)
            case .ifRange: asked.ifRange = value.string
            default:
                let name = span.slice(request.fields[index].name)
                guard name.equalsIgnoringCase("request-number") else { break }
                asked.number = Int(value.decimalSaturating() ?? 0)
            }
        }
        return asked
    }

    static func range(_ text: String) -> Want.Range? {
        let ends = text.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2 else { return nil }
        guard let first = Int(ends[0]) else { return Int(ends[1]).map { .last($0) } }
        return .from(first, to: Int(ends[1]))
    }
}
