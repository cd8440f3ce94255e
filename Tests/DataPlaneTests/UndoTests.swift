// The origin's gzip and every kind of client: each client gets the coding that the origin would send it, or
// one that it accepts.

import DataPlaneHarness
import Testing

struct UndoTests {
    private static let page = CompressionTests.page
    private static let gzip = "Accept-Encoding: gzip"
    private static let identity = "Accept-Encoding: identity"

    /// What a client gets.
    enum Body: Sendable { case coded, plain }

    struct Row: Sendable, CustomTestStringConvertible {
        let target: String
        let fields: [String]
        /// The origin codes only for clients that accept gzip.
        var isNegotiated = false
        /// Whether Accept-Encoding is absent, or present without gzip.
        let absent: Body
        let stated: Body

        var testDescription: String { "\(target) \(fields) \(isNegotiated ? "negotiated" : "always")" }
    }

    static let rows: [Row] = [
        Row(target: "/", fields: ["Content-Encoding: gzip"], absent: .coded, stated: .plain),
        Row(target: "/", fields: ["Content-Encoding: GZIP"], absent: .coded, stated: .plain),
        Row(
            target: "/", fields: ["Content-Encoding: gzip", "Vary: Accept-Encoding"], absent: .coded,
            stated: .plain),
        Row(
            target: "/", fields: ["Content-Encoding: gzip", "Vary: Accept-Encoding"], isNegotiated: true,
            absent: .plain, stated: .plain),
        // As nginx without gzip_vary.
        Row(
            target: "/", fields: ["Content-Encoding: gzip"], isNegotiated: true, absent: .plain,
            stated: .plain),
        // No server compresses these types on the fly.
        Row(
            target: "/", fields: ["Content-Encoding: gzip", "Content-Type: application/octet-stream"],
            absent: .coded, stated: .plain),
        Row(target: "/", fields: ["Content-Encoding: x-gzip"], absent: .coded, stated: .coded),
        Row(
            target: "/", fields: ["Content-Encoding: x-gzip", "Vary: Accept-Encoding"], isNegotiated: true,
            absent: .plain, stated: .plain),
        Row(
            target: "/", fields: ["Content-Encoding: gzip", "Cache-Control: no-transform"], absent: .coded,
            stated: .coded),
        Row(
            target: "/", fields: ["Content-Encoding: gzip", "Cache-Control: no-transform"],
            isNegotiated: true, absent: .plain, stated: .plain),
    ]
        + [
            "/a.gz", "/a.tar.gz", "/a.tgz", "/a.TGZ", "/a.svgz", "/a.deb", "/a.gzip", "/dists/Packages.gz",
            "/a.tar", "/a.tar.gz?v=1", "/get?file=a.tar.gz", "/a.tar.Z", "/a.zip", "/a.rpm",
        ].map { Row(target: $0, fields: ["Content-Encoding: gzip"], absent: .coded, stated: .coded) }
        + [
            "application/gzip", "application/x-gzip", "application/x-tar", "Application/X-GTar ; a=b",
            "application/x-gtar-compressed", "application/x-compressed-tar",
            "application/vnd.debian.binary-package", "application/x-debian-package",
        ].map {
            Row(
                target: "/", fields: ["Content-Encoding: gzip", "Content-Type: \($0)"], absent: .coded,
                stated: .coded)
        }
        + [
            "attachment; filename=\"a.tar.gz\"", "attachment; filename=a.tgz",
            "attachment; filename*=UTF-8''a.deb", "inline;x=\";\"; FileName = \"a.svgz\" ; size=1",
        ].map {
            Row(
                target: "/", fields: ["Content-Encoding: gzip", "Content-Disposition: \($0)"],
                absent: .coded, stated: .coded)
        }
        + [
            "attachment; filename=\"a.txt\"", "attachment", "attachment; name=\"a.tgz\"",
        ].map {
            Row(
                target: "/", fields: ["Content-Encoding: gzip", "Content-Disposition: \($0)"],
                absent: .coded, stated: .plain)
        }
        + ["/gz", "/a.html", "/a.gz/b", "/a.gz.html", "/tgz.txt"].map {
            Row(target: $0, fields: ["Content-Encoding: gzip"], absent: .coded, stated: .plain)
        }

    static let clients: [(String, isAbsent: Bool)] = [
        ("Accept: */*", true), ("Accept-Encoding: identity", false), ("Accept-Encoding: gzip;q=0", false),
        ("Accept-Encoding: deflate", false), ("Accept-Encoding:", false),
        ("Accept-Encoding: *;q=0, identity", false),
    ]

    private static func takesGzip(_ request: Message) -> Bool {
        request["accept-encoding"].map { $0.contains("gzip") && !$0.contains("gzip;q=0") } ?? false
    }

    private static func origin(_ row: Row, _ control: String) throws -> ScriptedOrigin {
        let gzipped = deflated(page)
        return try ScriptedOrigin { peer, number, origin in
            while let request = try origin.receive(peer, number) {
                let isCoded = !row.isNegotiated || takesGzip(request)
                let body = isCoded ? gzipped : Array(page.utf8)
                var lines = row.fields.filter { isCoded || !$0.hasPrefix("Content-Encoding") }
                lines += ["ETag: \"\(isCoded ? "coded" : "plain")\"", "Content-Length: \(body.count)"]
                if !lines.contains(where: { $0.hasPrefix("Content-Type") }) {
                    lines.append("Content-Type: text/html")
                }
                lines.append("Cache-Control: \(control)")
                let head = "HTTP/1.1 200 OK\r\n" + lines.map { "\($0)\r\n" }.joined() + "\r\n"
                try peer.send(Array(head.utf8) + (request.method == "HEAD" ? [] : body))
            }
        }
    }

    private func check(_ answer: Message, _ body: Body, _ comment: String) {
        #expect(answer.status == 200 && answer.isWhole, "\(comment)")
        switch body {
        case .coded:
            #expect(answer["content-encoding"]?.lowercased().hasSuffix("gzip") == true, "\(comment)")
            #expect(inflated(answer.body) == Self.page && answer["etag"] == "\"coded\"", "\(comment)")
        case .plain:
            #expect(answer["content-encoding"] == nil && answer.text == Self.page, "\(comment)")
            #expect(answer["etag"] == "W/\"coded\"" || answer["etag"] == "\"plain\"", "\(comment)")
        }
    }

    /// Whichever client comes first.
    @Test(arguments: rows)
    func everyClientGetsACodingThatItAccepts(_ row: Row) throws {
        for (field, isAbsent) in Self.clients {
            let expected = isAbsent ? row.absent : row.stated
            let orders = [
                [Self.gzip, field, field, Self.gzip], [field, field, Self.gzip, field],
                [Self.identity, field, field, Self.gzip],
            ]
            for order in orders {
                try withStage(try Self.origin(row, "max-age=60")) { stage in
                    for asks in order {
                        let answer = try stage.ask("GET", row.target, asks)
                        if asks == Self.gzip {
                            let isCoded = answer["content-encoding"] != nil
                            #expect((isCoded ? inflated(answer.body) : answer.text) == Self.page)
                        } else {
                            check(answer, asks == field ? expected : row.stated, "\(asks) of \(order)")
                        }
                    }
                }
            }
        }
    }

    /// A response that is not stored is passed on unchanged.
    @Test(arguments: rows)
    func aPassIsNotDecoded(_ row: Row) throws {
        try withStage(try Self.origin(row, "no-store")) { stage in
            for (field, _) in Self.clients {
                check(
                    try stage.ask("GET", row.target, field), row.isNegotiated ? .plain : .coded, field)
            }
        }
    }

    /// A range is cut from the same bytes that the client got as the whole.
    @Test(arguments: rows)
    func aRangeMatchesTheClientsWholeCopy(_ row: Row) throws {
        for (field, _) in Self.clients {
            let origin = try Self.origin(row, "max-age=60")
            try withStage(origin) { stage in
                let whole = try stage.ask("GET", row.target, field)
                for condition in ["X: y", "If-Range: \(whole["etag"] ?? "")"] {
                    let part = try stage.ask("GET", row.target, field, "Range: bytes=100-199", condition)
                    let expected = part.status == 206 ? Array(whole.body[100..<200]) : whole.body
                    #expect(part.body == expected && part["content-encoding"] == whole["content-encoding"])
                }
            }
        }
    }

    /// A partial response of coded bytes is not passed on where Larder would decode the whole.
    @Test func aRangeOfCodedBytesIsFetchedWhole() throws {
        let gzipped = deflated(Self.page)
        let origin = try ScriptedOrigin { peer, number, origin in
            while let request = try origin.receive(peer, number) {
                let part = request["range"] != nil
                let body = part ? Array(gzipped[100...]) : gzipped
                let range = "Content-Range: bytes 100-\(gzipped.count - 1)/\(gzipped.count)\r\n"
                let head =
                    "HTTP/1.1 \(part ? "206 Part" : "200 OK")\r\nContent-Encoding: gzip\r\n"
                    + "Content-Type: text/html\r\nCache-Control: max-age=60\r\n"
                    + "Content-Length: \(body.count)\r\n" + (part ? range : "") + "\r\n"
                try peer.send(Array(head.utf8) + body)
            }
        }
        try withStage(origin) { stage in
            let coded = try stage.ask("GET", "/", "Range: bytes=100-")
            #expect(coded.status == 206 && coded.body == Array(gzipped[100...]))
            let file = try stage.ask("GET", "/a.tar.gz", "Range: bytes=100-", "Accept-Encoding: identity")
            #expect(file.status == 206 && file.body == Array(gzipped[100...]))
            let plain = try stage.ask("GET", "/", "Range: bytes=100-", "Accept-Encoding: identity")
            let rest = Array(Self.page.utf8)[100...]
            #expect(plain.status == 200 ? plain.text == Self.page : plain.body == Array(rest))
            #expect(plain["content-encoding"] == nil)
        }
    }
}
