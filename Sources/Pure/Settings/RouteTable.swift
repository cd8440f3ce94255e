/// The routes as one array of bytes and one array of plain entries. A request is matched by comparing bytes,
/// without allocation, reference counting or `String`. The first route that matches host and path wins.
public import Bytes

public struct RouteTable: Sendable {
    @usableFromInline
    enum HostMatch: UInt8, BitwiseCopyable, Sendable { case any, exact, subdomains }

    /// One route: ranges of `text` for its host and its path.
    @usableFromInline
    struct Entry: BitwiseCopyable, Sendable {
        @usableFromInline var hostMatch: HostMatch
        @usableFromInline var hostStart: UInt32
        @usableFromInline var hostCount: UInt32
        @usableFromInline var pathCount: UInt32

        @usableFromInline
        init(hostMatch: HostMatch, hostStart: UInt32, hostCount: UInt32, pathCount: UInt32) {
            self.hostMatch = hostMatch
            self.hostStart = hostStart
            self.hostCount = hostCount
            self.pathCount = pathCount
        }
    }

    @usableFromInline let text: [UInt8]
    @usableFromInline let entries: [Entry]
    /// Does the first route match every request? Then nothing needs to be compared.
    public let firstMatchesAll: Bool

    public init(_ routes: [Route]) {
        var text: [UInt8] = []
        var entries: [Entry] = []
        for route in routes {
            let start = UInt32(text.count)
            let match: HostMatch
            switch route.host {
            case .any: match = .any
            case .exact(let host):
                match = .exact
                text += Array(host.utf8)
            case .subdomains(let apex):
                // With the dot, so that `*.example.com` does not match `badexample.com`.
                match = .subdomains
                text += Array(".\(apex)".utf8)
            }
            let hostCount = UInt32(text.count) - start
            // `/` matches every path except the `*` of OPTIONS, which only a route without a path matches.
            text += route.path
            entries.append(
                Entry(
                    hostMatch: match, hostStart: start, hostCount: hostCount,
                    pathCount: UInt32(route.path.count)))
        }
        self.text = text
        self.entries = entries
        firstMatchesAll = entries.first.map { $0.hostMatch == .any && $0.pathCount == 0 } ?? false
    }

    public var count: Int { entries.count }

    /// The index of the first route that matches a request, or nil.
    /// - Parameters:
    ///   - host: in its normal form except for its case (`RequestHead.host(in:)`), without its port; empty if
    ///     the client sent none.
    ///   - path: the raw path bytes; empty means `/`.
    @inlinable
    public func route(host: borrowing Span<UInt8>, path: borrowing Span<UInt8>) -> Int? {
        let hostCount = host.count
        let text = self.text.span
        let entries = self.entries.span
        for index in 0..<entries.count {
            let entry = entries[index]
            let start = Int(entry.hostStart)
            let count = Int(entry.hostCount)
            switch entry.hostMatch {
            case .any: break
            case .exact:
                guard hostCount == count, Self.hostMatches(host, at: 0, text, start, count) else { continue }
            case .subdomains:
                guard hostCount > count, host[0] != 0x2e,
                    Self.hostMatches(host, at: hostCount &- count, text, start, count)
                else { continue }
            }
            if Self.pathMatches(path, text, start &+ count, Int(entry.pathCount)) { return index }
        }
        return nil
    }

    /// Are `count` bytes of `host`, in lower case, equal to the pattern at `start` of `text`?
    @inlinable
    static func hostMatches(
        _ host: borrowing Span<UInt8>, at offset: Int, _ text: borrowing Span<UInt8>, _ start: Int,
        _ count: Int
    ) -> Bool {
        for index in 0..<count where ASCII.lowercased(host[offset &+ index]) != text[start &+ index] {
            return false
        }
        return true
    }

    @inlinable
    static func pathMatches(
        _ path: borrowing Span<UInt8>, _ text: borrowing Span<UInt8>, _ start: Int, _ count: Int
    ) -> Bool {
        // A target without a path (`http://host`) means `/`: a route with a longer path does not match it.
        if path.isEmpty { return count == 0 || (count == 1 && text[start] == 0x2f) }
        guard path.count >= count else { return false }
        for index in 0..<count where path[index] != text[start &+ index] { return false }
        return true
    }
}
