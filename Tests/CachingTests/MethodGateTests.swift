// Which methods a route accepts, and from which clients, as a table.

import Bytes
import Caching
import HTTP
import Settings
import Testing

@Suite struct MethodGateTests {
    private static let office = (try? AddressRange(parsing: "10.0.0.0/8")).map { PeerSet([$0]) }
    private static let inside = PeerSet.Peer.address(IPAddress(ipv4: 0x0a00_0001))
    private static let outside = PeerSet.Peer.address(IPAddress(ipv4: 0xc000_0201))

    struct Row: Sendable, CustomTestStringConvertible {
        var name: String
        var methods: Route.Methods
        var caches: Bool
        var clients: [PeerSet.Peer]
        var expected: MethodGate.Verdict
        var testDescription: String { "\(name) \(methods) caches: \(caches) \(clients)" }
    }

    static let rows: [Row] = {
        var rows: [Row] = []
        func add(
            _ names: [String], of methods: Route.Methods = Route.Methods(), caches: Bool = true,
            from clients: [PeerSet.Peer] = [outside], _ expected: MethodGate.Verdict
        ) {
            for name in names {
                rows.append(
                    Row(name: name, methods: methods, caches: caches, clients: clients, expected: expected))
            }
        }
        let managing = [
            "PURGE", "BAN", "REFRESH", "purge", "Ban", "SOFTPURGE", "PURGEKEYS", "PURGETAGS", "XKEYPURGE",
            "URLPURGE", "FULLBAN", "URIBAN", "BANALL", "INVALIDATE", "FLUSH", "EXPIRE", "EVICT",
        ]
        let others = [
            "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "REPORT", "QUERY", "get",
            "TURBANED", "REFRESHED", "M-SEARCH",
        ]
        add(managing, .notAllowed)
        add(managing, from: [.unix], .notAllowed)
        add(managing, of: Route.Methods(purge: []), from: [.unix], .notAllowed)
        add(managing, of: Route.Methods(purge: []), caches: false, .notAllowed)
        add(managing, caches: false, .purge)
        add(managing, of: Route.Methods(allow: ["GET"]), caches: false, .notAllowed)
        add(others, .pass)
        add(others, of: Route.Methods(purge: office), .pass)
        add(others, caches: false, .pass)
        for caches in [true, false] {
            let methods = Route.Methods(purge: office)
            add(managing, of: methods, caches: caches, from: [inside], .purge)
            add(managing, of: methods, caches: caches, from: [outside], .forbidden)
            add(managing, of: methods, caches: caches, from: [.unix], .forbidden)
            add(managing, of: methods, caches: caches, from: [.unknown], .forbidden)
            add(managing, of: methods, caches: caches, from: [inside, outside], .forbidden)
            add(managing, of: methods, caches: caches, from: [inside, inside], .purge)
            add(["PURGE"], of: Route.Methods(purge: PeerSet([], includesUnix: true)), from: [.unix], .purge)
            add(
                ["PURGE"], of: Route.Methods(purge: PeerSet([], includesUnix: true)), from: [inside],
                .forbidden)
            let few = Route.Methods(allow: ["GET", "REPORT"], purge: office)
            add(["GET", "REPORT"], of: few, caches: caches, .pass)
            add(["HEAD", "POST", "PROPFIND", "get", "OPTIONS"], of: few, caches: caches, .notAllowed)
            add(["PURGE"], of: few, caches: caches, from: [inside], .purge)
        }
        return rows
    }()

    @Test(arguments: rows)
    func aMethodIsAllowedByRouteAndClient(row: Row) {
        let gate = MethodGate(row.methods, caches: row.caches)
        let head = "\(row.name) / HTTP/1.1\r\nHost: a\r\n\r\n"
        var request = RequestHead()
        var scan = HeadScan()
        let bytes = Array(head.utf8)
        let limits = HeadLimits(head: 1024, fields: 8)
        let result = request.parse(bytes.span, limits: limits, scan: &scan)
        #expect(result == .complete(bytes.count))
        // A method that is open to all passes without a comparison of names.
        let isOpen = gate.isOpen(to: request.method)
        let verdict = gate.judge(Array(row.name.utf8).span, from: row.clients)
        #expect(verdict == row.expected)
        #expect(!isOpen || row.expected == .pass || row.methods == Route.Methods() && !row.caches)
        if row.methods.allow == nil, request.method != .other { #expect(isOpen) }
    }

    @Test func methodsOpenToAllArePrecomputed() {
        func allow(_ methods: Route.Methods) -> String {
            var out = ByteBuffer(capacity: 64)
            MethodGate(methods, caches: true).appendAllow(to: &out)
            return out.span.string
        }
        #expect(allow(Route.Methods()) == "GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH")
        #expect(allow(Route.Methods(allow: ["GET", "REPORT"], purge: Self.office)) == "GET, REPORT")
    }
}
