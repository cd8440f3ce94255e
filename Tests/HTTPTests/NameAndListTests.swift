/// Field names, Connection options, lists and reason phrases.
import Bytes
import HTTP
import Testing

struct NameAndListTests {
    /// Cases that stand for one name each.
    static let known: [FieldName] = FieldName.allCases.filter { !"\($0.text)".isEmpty }

    @Test func casesThatAreNotOneNameAreExcluded() {
        let others: [FieldName] = [
            .other, .claimsClient, .claimsSite, .claimsUser, .rewritesURL, .overridesMethod, .oddSpelling,
        ]
        #expect(FieldName.allCases.filter { !Self.known.contains($0) } == others)
    }

    @Test(arguments: NameAndListTests.known)
    func namesAreKnownInAnyCase(_ name: FieldName) {
        let text = "\(name.text)"
        for spelling in [text, text.lowercased(), text.uppercased()] {
            #expect(identify(Array(spelling.utf8)) == name)
            // Inside a head, where the bytes after the name can be loaded.
            let parsed = parseResponse(
                latin1("HTTP/1.1 200\r\n\(spelling):\(name == .transferEncoding ? "chunked" : "1")\r\n\r\n"))
            #expect(parsed.text.last?.hasSuffix("(\(name))") == true)
        }
    }

    @Test func aNameThatIsOneByteOffIsOther() {
        for name in FieldName.allCases where !"\(name.text)".isEmpty {
            let bytes = Array("\(name.text)".utf8)
            for index in bytes.indices {
                for bit in 0..<8 {
                    var changed = bytes
                    changed[index] ^= 1 << UInt8(bit)
                    let isCaseChange = bit == 5 && ASCII.isLetter(bytes[index])
                    #expect(wellKnown(changed) == (isCaseChange ? name : other(changed)))
                }
            }
            #expect(wellKnown(bytes + [0x61]) == other(bytes + [0x61]))
            #expect(wellKnown(Array(bytes.dropLast())) == other(Array(bytes.dropLast())))
        }
        #expect(identify(Array(repeating: 0x61, count: 100)) == .other)
        #expect(identify([]) == .other)
    }

    /// A name with `_` for `-` is told from the name itself and from unknown names, in every head, also where
    /// its lines are recognised from the head before or another line is new.
    @Test func aNameWithUnderscoresIsToldFromTheName() {
        let heads: [(String, FieldName)] = [
            ("Content_Length", .oddSpelling), ("content_length", .oddSpelling), ("My_Field", .other),
            ("Content-Length", .contentLength), ("Content_Length", .oddSpelling), ("My_Field", .other),
            ("X-HTTP_Method-Override", .overridesMethod), ("X_", .other), ("Set-Cookie_", .other),
            (String(repeating: "_", count: 40), .other), ("Transfer_Encoding", .oddSpelling),
            ("\(FieldName.proxyAuthenticationInfo.text)".replacing("-", with: "_"), .oddSpelling),
        ]
        var head = RequestHead()
        var scan = HeadScan()
        for (name, expected) in heads {
            for other in ["A: b", "A: b", "C: d"] {
                let bytes = latin1("GET / HTTP/1.1\r\nHost: a\r\n\(name): 1\r\n\(other)\r\n\r\n1")
                let result = head.parse(bytes.span, limits: roomy, scan: &scan)
                #expect(result == .complete(bytes.count - 1))
                let found = (0..<head.fields.count).map { head.fields[$0].id }
                #expect(found == [.host, expected, .other], "\(name)")
                let framing = head.framing
                #expect(framing == (expected == .contentLength ? .length(1) : .none))
                let isThere = head.fields.contains(.oddSpelling)
                #expect(isThere == (expected == .oddSpelling))
            }
        }
    }

    func identify(_ bytes: [UInt8]) -> FieldName { FieldName.identify(bytes.span) }

    /// As above, except for claims and twins (`ClaimTests`).
    func wellKnown(_ bytes: [UInt8]) -> FieldName {
        let id = identify(bytes)
        return Self.known.contains(id) ? id : .other
    }

    /// The name, found by plain comparison with every text.
    func other(_ bytes: [UInt8]) -> FieldName {
        let text = String(decoding: bytes, as: UTF8.self).lowercased()
        return Self.known.first { "\($0.text)".lowercased() == text } ?? .other
    }

    /// A table that recognises names of the head before reads the next head as an empty table does: with the
    /// same names, with other names that end alike, and with one name more or less.
    @Test func aHeadReadsTheSameAfterAnyOtherHead() {
        let names = [
            ["Server", "Date", "Vary", "Vary"], ["server", "DATE", "vary", "Vary"],
            ["Server", "Date", "Vary", "Age"],
            ["Server", "Date", "Vary", "Vary"], ["Server", "Date", "Vary"], ["Server", "Date", "Vary", "x"],
            ["If-Match", "Content-Range", "x"], ["If-MatchIf-Match", "Content-Range", "x"],
            ["If-Match", "Content-Range", "x"], ["x", "Content-Range", "If-Match"], ["aaaaaaaaa"],
            ["aaaaaaaaaa"],
            ["X-HTTP-Method-Override", "Age"], ["X-HTTP-Method-Override", "Age"],
            ["X-HTTP-Method-OverridX", "Age"],
            ["X-HTTP-MeXhod-Override", "Age"], ["X-HTTP-Method-Override", "Age"],
            ["X-HTTP-Method-OXerride", "Age"], ["X-HTTP-Method-Override", "Age"],
            ["Proxy-Authentication-Info", "Age"], ["Proxy-AuthenticatioX-Info", "Age"],
            ["Proxy-Authentication-Info", "Age"], ["Proxy-Authentication-InfoX", "Age"],
            [String(repeating: "a", count: 32)], [String(repeating: "a", count: 33)],
            [], ["Age"], ["Via"], [], ["Via"],
        ]
        var head = ResponseHead()
        var scan = HeadScan()
        for after in ["", "the body, which may be looked at"] {
            for names in names {
                let bytes = latin1(
                    "HTTP/1.1 200 OK\r\n" + names.map { "\($0): 1\r\n" }.joined() + "\r\n" + after)
                let result = head.parse(bytes.span, limits: roomy, scan: &scan, requestMethod: .get)
                #expect(result == .complete(bytes.count - after.utf8.count))
                #expect(fieldTexts(head.fields, bytes.span) == Array(parseResponse(bytes).text.dropFirst(3)))
                for name in Self.known + [.other] {
                    let expected = names.filter { other(Array($0.utf8)) == name }
                    #expect(head.fields.contains(name) == !expected.isEmpty)
                    #expect(head.fields.isRepeated(name) == (expected.count > 1))
                    let first = head.fields.first(name).map { bytes.span.text($0.name) }
                    #expect(first == expected.first)
                }
            }
        }
    }

    /// Lines with any white space around their values.
    @Test(arguments: [
        ("A: b\r\nC: d\r\n", true), ("A: b\r\n", true), ("", true), ("A:b\r\nC: d\r\n", false),
        ("A: b\r\nC:  d\r\n", false), ("A: b \r\nC: d\r\n", false), ("A: \r\nC: d\r\n", true),
        ("A:\r\nC: d\r\n", false), ("A: \tb\r\n", false), ("A: b\tb\r\n", true), ("A_1: b\r\n", true),
    ])
    func linesKeepTheirPlaces(_ text: String, isPlain: Bool) {
        for after in ["", "the body, which may be looked at"] {
            var head = ResponseHead()
            var scan = HeadScan()
            let start = "HTTP/1.1 200 OK\r\n"
            let bytes = latin1(start + text + "\r\n" + after)
            let result = head.parse(bytes.span, limits: roomy, scan: &scan, requestMethod: .get)
            #expect(result == .complete(bytes.count - after.utf8.count))
            let lines = (0..<head.fields.count).map { bytes[head.fields.line($0)] }
            #expect(Array(lines.joined()) == latin1(text) && lines.allSatisfy { $0.last == 0x0a })
            #expect(head.fields.lines == start.utf8.count..<(start.utf8.count + text.utf8.count))
            #expect(head.fields.isPlain == isPlain)
        }
    }

    /// Lines that are recognised from the request before have their places in this request.
    @Test func recognisedLinesMoveWithTheFirstLine() {
        let lines = "Host: a.example\r\nAccept: */*\r\nX-Long: 0123456789012345678901234567890\r\n"
        var head = RequestHead()
        var scan = HeadScan()
        for path in ["/", "/a/longer/path?with=query", "/a", "/a", "/b/c"] {
            let start = "GET \(path) HTTP/1.1\r\n"
            let bytes = latin1(start + lines + "\r\n")
            let result = head.parse(bytes.span, limits: roomy, scan: &scan)
            #expect(result == .complete(bytes.count))
            #expect(head.fields.lines == start.utf8.count..<(start.utf8.count + lines.utf8.count))
            let found = (0..<head.fields.count).map { bytes[head.fields.line($0)] }
            #expect(Array(found.joined()) == latin1(lines))
        }
    }

    @Test func theTableKnowsRepeatedFields() {
        var head = ResponseHead()
        var scan = HeadScan()
        let bytes = latin1("HTTP/1.1 200\r\nVary: a\r\nAge: 1\r\nX: y\r\nVary: b\r\nvary: c\r\n\r\n")
        let result = head.parse(bytes.span, limits: roomy, scan: &scan, requestMethod: .get)
        #expect(result == .complete(bytes.count))
        let repeats = [
            head.fields.isRepeated(.vary), head.fields.isRepeated(.age), head.fields.isRepeated(.other),
            head.fields.isRepeated(.date),
        ]
        #expect(repeats == [true, false, false, false])
        let counts = [
            head.fields.count(of: .vary), head.fields.count(of: .age), head.fields.count(of: .other),
            head.fields.count,
        ]
        #expect(counts == [3, 1, 1, 5])
        let names = [.vary, .age, .other, .date] as [FieldName]
        let ranges = names.map { head.fields.range(of: $0) }
        #expect(ranges == [0..<5, 1..<2, 2..<3, 0..<0])
        let firsts = names.map { head.fields.first($0).map { bytes.span.text($0.value) } }
        #expect(firsts == ["a", "1", "y", nil])
    }

    @Test(arguments: [
        ("", ""), ("close", "close"),
        ("Close, TE,upgrade , KEEP-ALIVE,http2-settings", "close keepAlive upgrade te http2Settings"),
        ("x", "other"), ("close x", "other"), ("\"close\"", "other"), (",, ,", ""), ("clos", "other"),
        ("te;q=1", "other"), ("close,", "close"),
    ])
    func connectionOptionsAreRead(_ value: String, _ expected: String) {
        var head = ResponseHead()
        var scan = HeadScan()
        let bytes = latin1("HTTP/1.1 200\r\nConnection: \(value)\r\nA: b\r\n\r\n")
        _ = head.parse(bytes.span, limits: roomy, scan: &scan, requestMethod: .get)
        let options = head.connection
        let flags = [
            (options.close, "close"), (options.keepAlive, "keepAlive"), (options.upgrade, "upgrade"),
            (options.te, "te"),
            (options.http2Settings, "http2Settings"), (options.other, "other"),
        ]
        #expect(flags.filter(\.0).map(\.1).joined(separator: " ") == expected)
    }

    @Test(arguments: [
        ("", []), (" , ,\t,", []), ("a", ["a"]), (" a , b\t,,c d ,", ["a", "b", "c d"]),
        ("\"a,b\", c", ["\"a,b\"", "c"]),
        ("a=\"\\\",x\",b", ["a=\"\\\",x\"", "b"]), ("\"open, b", ["\"open, b"]), ("\"\\", ["\"\\"]),
        ("W/\"1\" ,*", ["W/\"1\"", "*"]),
    ])
    func listsAreSplitIntoMembers(_ value: String, _ members: [String]) {
        #expect(tokens(value) == members)
    }

    @Test func entityTagsKnowNoEscapes() {
        #expect(tokens("\"a\\\", \"b\"", backslashEscapes: false) == ["\"a\\\"", "\"b\""])
    }

    func tokens(_ value: String, backslashEscapes: Bool = true) -> [String] {
        let span = value.utf8.span
        var list = ListTokens(span, backslashEscapes: backslashEscapes)
        var found: [String] = []
        while let range = list.next() { found.append(span.extracting(range).string) }
        return found
    }

    @Test func hopByHopFieldsAreKnown() {
        let names = FieldName.allCases.filter { HopByHop.contains($0) }.map { "\($0.text)" }
        #expect(
            Set(names) == [
                "Connection", "Keep-Alive", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding",
                "Upgrade", "Proxy-Authenticate",
                "Proxy-Authorization", "Proxy-Authentication-Info",
            ])
    }

    @Test(arguments: [
        (200, "OK"), (304, "Not Modified"), (404, "Not Found"), (431, "Request Header Fields Too Large"),
        (299, "Success"), (599, "Server Error"),
        (499, "Client Error"), (99, ""), (600, ""),
    ])
    func eachStatusHasItsReasonPhrase(_ status: Int, _ reason: String) {
        #expect("\(StatusText.reason(UInt16(status)))" == reason)
    }
}
