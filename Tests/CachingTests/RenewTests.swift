/// Revalidation: the conditions of a fetch, which 304 renews (RFC 9111 §4.3.4), the renewed head (§3.2), and
/// the effect of a response to HEAD (§4.3.5).
import Bytes
import HTTP
import Settings
import Testing

@testable import Caching

@Suite struct RenewTests {
    static let fresh = "Cache-Control: max-age=60"
    static let modified = "Last-Modified: Thu, 01 Jan 2015 00:00:00 GMT"
    static let date = "Date: Thu, 01 Jan 2026 00:00:00 GMT"

    static func stored(_ headers: [String], status: Int = 200, transform: HeadTransform = .none) -> [UInt8] {
        Array(ResponseSample(status, headers).stored(transform: transform).utf8)
    }

    static func conditions(_ headers: [String], status: Int = 200) -> String {
        let head = stored(headers, status: status)
        var lines = ByteBuffer(capacity: 64)
        let isConditional = Validators.append(head: head.span, to: &lines)
        return isConditional ? lines.span.string : lines.isEmpty ? "none" : "something"
    }

    @Test func aFetchSendsTheEntrysConditions() {
        #expect(Self.conditions([#"ETag: "a""#]) == "If-None-Match: \"a\"\r\n")
        #expect(Self.conditions([#"ETag: W/"a""#]) == "If-None-Match: W/\"a\"\r\n")
        let since = "If-Modified-Since: Thu, 01 Jan 2015 00:00:00 GMT\r\n"
        #expect(Self.conditions([Self.modified]) == since)
        #expect(Self.conditions([Self.modified, #"ETag: "a""#]) == "If-None-Match: \"a\"\r\n" + since)
        for none in [[], ["ETag: a"], ["ETag: \"a\"", "ETag: \"b\""], ["Last-Modified: x"]] {
            #expect(Self.conditions(none) == "none", "\(none)")
        }
        // A 304 implies that there is a 200.
        #expect(Self.conditions([#"ETag: "a""#], status: 404) == "none")
        #expect(Self.conditions([#"ETag: "a""#], status: 301) == "none")
    }

    struct Renewal {
        /// `60` seconds fresh, `mismatch`, or the reason of a refusal.
        var outcome: String
        var head: String
        var facts: EntryFacts?
        var ageSeconds: UInt32 = 0
    }

    static func renew(
        _ head: [UInt8], by headers: [String], status: Int = 304, _ policy: Policy = Policy(name: "test"),
        delayMilliseconds: UInt64 = 0, isBare: Bool = false
    ) -> Renewal {
        // Unless a test is about that, the 304 names the stored validators.
        let stored = String(decoding: head, as: UTF8.self).split(separator: "\r\n").map(String.init)
        let isNamed = headers.contains { $0.hasPrefix("ETag") || $0.hasPrefix("Last-Modified") }
        let named = stored.filter { $0.hasPrefix("ETag") || $0.hasPrefix("Last-Modified") }
        let response = ResponseSample(
            status, isBare || isNamed ? headers : headers + named, reason: "Not Modified")
        var received = Decision.now
        received.wallMilliseconds += delayMilliseconds
        received.bootMilliseconds += delayMilliseconds
        var updated = ByteBuffer("kept\r\n")
        let verdict = Rules(policy: policy, upstream: "origin").renew(
            head.span, by: response.head, response.buffer.span, to: RequestSample().verdict(policy),
            sent: Decision.now, received: received, into: &updated)
        let text = String(updated.span.string.dropFirst("kept\r\n".count))
        let isKept = updated.span.hasPrefix("kept\r\n")
        #expect(isKept)
        switch verdict {
        case .renewed(let facts):
            return Renewal(outcome: "\(facts.freshForMilliseconds / 1000)", head: text, facts: facts)
        case .mismatch:
            #expect(text.isEmpty)
            return Renewal(outcome: "mismatch", head: text)
        case .refused(let reason, let age):
            return Renewal(outcome: String(describing: reason.code), head: text, ageSeconds: age)
        }
    }

    // §4.3.4, in its order: a strong validator, a weak one, none.
    @Test(
        arguments: [
            ([#"ETag: "a""#], [#"ETag: "a""#], true), ([#"ETag: "a""#], [#"ETag: "b""#], false),
            ([#"ETag: W/"a""#], [#"ETag: "a""#], false), ([#"ETag: "a""#], [#"ETag: W/"a""#], true),
            ([#"ETag: W/"a""#], [#"ETag: W/"a""#], true), ([#"ETag: W/"a""#], [#"ETag: W/"b""#], false),
            ([#"ETag: "a""#], ["ETag: a"], false), ([#"ETag: "a""#], [#"ETag: "a""#, #"ETag: "a""#], false),
            ([modified], [#"ETag: "a""#], false),
            // The tag decides.
            ([#"ETag: "a""#, modified], [#"ETag: "b""#, modified], false),
            (
                [#"ETag: "a""#, modified],
                [#"ETag: "a""#, "Last-Modified: Fri, 02 Jan 2015 00:00:00 GMT"], true
            ),
            ([modified], [modified], true), ([#"ETag: "a""#, modified], [modified], true),
            ([modified], ["Last-Modified: Thu Jan  1 00:00:00 2015"], true),
            ([modified], ["Last-Modified: Thu, 01 Jan 2015 00:00:01 GMT"], false),
            ([modified], ["Last-Modified: x"], false), ([#"ETag: "a""#], [modified], false),
            // The conditions sent were this entry's.
            ([modified], [], true), ([#"ETag: "a""#], [], true),
        ] as [([String], [String], Bool)])
    func a304SelectsTheEntryByItsValidators(stored: [String], by: [String], expected: Bool) {
        let renewal = Self.renew(Self.stored([Self.fresh] + stored), by: by)
        #expect((renewal.outcome == "60") == expected && (renewal.outcome == "mismatch") == !expected)
    }

    @Test func onlyA304Of2xxRenews() {
        let head = Self.stored([Self.fresh, #"ETag: "a""#])
        #expect(Self.renew(head, by: [#"ETag: "a""#], status: 200).outcome == "mismatch")
        let missing = Self.stored([Self.fresh, #"ETag: "a""#], status: 404)
        #expect(Self.renew(missing, by: [#"ETag: "a""#]).outcome == "mismatch")
    }

    // §3.2.
    @Test func a304ReplacesTheFieldsThatItNames() {
        let head = Self.stored([
            Self.date, Self.fresh, #"ETag: "a""#, "Content-Type: text/plain", "X-Old: 1", "X-Both: 1",
            "X-Both: 2", "Content-Digest: sha-256=:aa=:", "Content-Encoding: gzip",
        ])
        let renewal = Self.renew(
            head,
            by: [
                "x-both: 3", "X-New: 4", "X-New: 5", #"ETag: "a""#, "Content-Type: text/html",
                "Content-Length: 999", "Content-Encoding: br", "Content-Range: bytes 0-1/2", "Age: 5",
                "Keep-Alive: x", "Content-Digest: sha-256=:bb=:", "Date: Thu, 01 Jan 2026 00:00:01 GMT",
                "Cache-Control: max-age=30",
            ])
        #expect(renewal.outcome == "25")
        let lines = renewal.head.split(separator: "\r\n", omittingEmptySubsequences: false).map(String.init)
        #expect(lines.first == "HTTP/1.1 200 OK" && lines.last == "")
        #expect(
            lines.dropFirst().dropLast().sorted() == [
                "Cache-Control: max-age=30", "Content-Digest: sha-256=:aa=:", "Content-Encoding: gzip",
                "Content-Length: 5", "Content-Type: text/html", "Date: Thu, 01 Jan 2026 00:00:01 GMT",
                #"ETag: "a""#, "Vary: Accept-Encoding", "X-New: 4", "X-New: 5", "X-Old: 1", "x-both: 3",
            ])
        #expect(renewal.facts?.coding == .gzip && renewal.facts?.status == 200)
    }

    @Test func nominatedFieldsDoNotUpdate() {
        let head = Self.stored([Self.fresh, #"ETag: "a""#, "X-Hop: 1"])
        let renewal = Self.renew(head, by: ["Connection: close, x-hop", "X-Hop: 2"])
        #expect(renewal.head.contains("\r\nX-Hop: 1\r\n") && !renewal.head.contains("X-Hop: 2"))
        #expect(renewal.outcome == "connection")
    }

    /// The fetch is the store's own, whichever client caused it.
    @Test(
        arguments: [
            ("GET", ["Range: bytes=0-1"]), ("HEAD", []), ("GET", ["If-None-Match: \"a\""]),
        ] as [(String, [String])])
    func anyClientsFetchMayRenew(method: String, lines: [String]) {
        let verdict = RequestSample(method, "/", lines).verdict()
        #expect(verdict.storing.mayStore && verdict.storing.method == .get && verdict.storing.reason == nil)
        let head = Self.stored([Self.fresh, #"ETag: "a""#])
        let response = ResponseSample(304, [#"ETag: "a""#])
        var updated = ByteBuffer(capacity: 64)
        let renewal = Rules(policy: Policy(name: "test"), upstream: "origin").renew(
            head.span, by: response.head, response.buffer.span, to: verdict, sent: Decision.now,
            received: Decision.now, into: &updated)
        if case .renewed = renewal {} else { Issue.record("\(renewal)") }
    }

    @Test func aBypassingRequestRenewsNothing() {
        for lines in [["Authorization: x"], ["Cache-Control: no-store"], ["If-Match: \"a\""]] {
            let verdict = RequestSample("GET", "/", lines + ["Range: bytes=0-1"]).verdict()
            #expect(!verdict.storing.mayStore && verdict.storing.reason == verdict.reason)
        }
    }

    /// After a 304, Age counts from the 304 alone.
    @Test func theAgeIsThatOfThe304() {
        let head = Self.stored(["Date: Wed, 31 Dec 2025 23:59:20 GMT", Self.fresh, #"ETag: "a""#, "Age: 9"])
        let plain = Self.renew(head, by: [])
        #expect(plain.outcome == "60" && plain.facts?.initialAgeMilliseconds == 0)
        #expect(plain.head.contains("\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n"))
        #expect(!plain.head.contains("23:59:20") && !plain.head.contains("Age:"))
        #expect(Self.renew(head, by: ["Age: 20"]).outcome == "40")
        #expect(Self.renew(head, by: ["Age: 20"], delayMilliseconds: 5000).outcome == "35")
        #expect(Self.renew(head, by: ["Date: Wed, 31 Dec 2025 23:59:50 GMT"]).outcome == "50")
    }

    /// All rules run again. The client that asked still gets the head.
    @Test(
        arguments: [
            (["Cache-Control: no-store"], "no-store"), (["Set-Cookie: a=1"], "set-cookie"),
            (["Vary: *"], "vary"), (["Vary: Origin"], "vary"), (["Cache-Control: max-age=0"], "expired"),
            (["Cache-Control: private, max-age=60"], "private"), (["Age: 60"], "expired"),
            (["Date: x"], "date"), (["X-Long: " + String(repeating: "a", count: 4100)], "head-too-large"),
        ] as [([String], String)])
    func aRenewalMayBeRefused(by: [String], reason: String) {
        let head = Self.stored([Self.fresh, #"ETag: "a""#])
        let renewal = Self.renew(head, by: by)
        #expect(renewal.outcome == reason)
        #expect(renewal.head.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(renewal.head.contains("\r\nContent-Length: 5\r\n"))
        #expect(renewal.ageSeconds == (by == ["Age: 60"] ? 60 : 0))
        // Fields that the 304 does not repeat stay as they were.
        #expect(Self.renew(head, by: ["X-New: 1"]).outcome == "60")
    }

    /// Whatever the reason of a refusal, the delay, Date and Age of the 304 give its age (§4.2.3).
    @Test(arguments: ["Cache-Control: private", "Set-Cookie: a=1", "Vary: *", "Cache-Control: max-age=0"])
    func aRefusedRenewalHasTheAgeOfThe304(by line: String) {
        let head = Self.stored([Self.fresh, #"ETag: "a""#])
        #expect(Self.renew(head, by: [line], delayMilliseconds: 2500).ageSeconds == 3)
        #expect(Self.renew(head, by: [line, "Age: 20"], delayMilliseconds: 5000).ageSeconds == 25)
        #expect(Self.renew(head, by: [line, "Date: Wed, 31 Dec 2025 23:59:50 GMT"]).ageSeconds == 10)
        #expect(Self.renew(head, by: [line, "Date: x"]).ageSeconds == 0)
    }

    @Test func theVaryAddedForCompressionStays() {
        let text = "Content-Type: text/css"
        let policy = Policy(name: "x").with {
            $0.store.vary = .list(["origin"])
            $0.compress.minBodyBytes = 1
        }
        let head = Self.stored([Self.fresh, #"ETag: "a""#, text], transform: .varies)
        let same = Self.renew(head, by: [], policy)
        #expect(same.outcome == "60" && same.facts?.flags.contains(.compressible) == true)
        #expect(same.head.components(of: "Vary: Accept-Encoding\r\n") == 1)
        let other = Self.renew(head, by: ["Vary: Origin"], policy)
        #expect(other.outcome == "60" && other.facts?.flags.contains(.varies) == true)
        #expect(other.head.components(of: "Vary: Accept-Encoding\r\n") == 1)
        #expect(other.head.components(of: "Vary: Origin\r\n") == 1)
        // The origin's own Vary is judged as at the first response.
        #expect(Self.renew(head, by: ["Vary: Accept-Encoding, Origin"], policy).outcome == "vary")
        #expect(Self.renew(head, by: ["Vary: Accept-Encoding"], policy).outcome == "vary")
    }

    @Test func varyIsReadFromStoredHeads() {
        let rules = Rules(policy: .liberal, upstream: "origin")
        let request = RequestSample("GET", "/", ["Origin: a", "X-B: c"])
        for vary in [["Origin, Accept-Encoding"], ["origin", "X-B"], [], ["*"], ["X-Forwarded-For"]] {
            let response = ResponseSample(200, vary.map { "Vary: \($0)" })
            var fromResponse = ByteBuffer(capacity: 64)
            var fromStored = ByteBuffer(capacity: 64)
            let head = Array(response.stored().utf8)
            let first = rules.writeVary(
                response.head, response.buffer.span, request: request.head.fields, request.buffer.span,
                into: &fromResponse)
            let second = rules.writeVary(
                ofStored: head.span, request: request.head.fields, request.buffer.span, into: &fromStored)
            let blobs = (fromResponse.span.copied, fromStored.span.copied)
            #expect(first == second && blobs.0 == blobs.1, "\(vary)")
        }
    }

    @Test func variantsAreRenewedFromTheirOriginal() {
        let head = Self.stored([Self.fresh, #"ETag: "a""#, Self.modified])
        let renewed = Array(Self.renew(head, by: ["X-New: 1"]).head.utf8)
        let text = Self.variant(of: renewed, .br) ?? ""
        for line in [
            "X-New: 1", #"ETag: W/"a""#, "Content-Encoding: br", "Content-Length: 3",
            "Vary: Accept-Encoding",
        ] { #expect(text.contains("\r\n\(line)\r\n"), "\(line)") }
        let forbidden = Self.stored(["Cache-Control: max-age=60, no-transform"])
        #expect(Self.variant(of: forbidden, .br) == nil)
        let coded = Self.stored([Self.fresh, "Content-Encoding: gzip"])
        #expect(Self.variant(of: coded, .identity)?.contains("gzip") == false)
        #expect(Self.variant(of: renewed, .br, stored: "HTTP/1.1 200 OK\r\n") == nil)
    }

    static func variant(
        of head: [UInt8], _ coding: Codings, stored: String = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n"
    ) -> String? {
        let stored = Array(stored.utf8)
        var variant = ByteBuffer(capacity: 64)
        let isDerived = StoredHead.renewVariant(
            stored.span, from: head.span, coding: coding, limit: 4096, into: &variant)
        return isDerived ? variant.span.string : nil
    }

    /// Shared memory is untrusted: no prefix of a head and no noise traps or renews by accident.
    @Test func damagedHeadsAreSafe() {
        let head = Self.stored([Self.fresh, #"ETag: "a""#, Self.modified])
        for count in 0..<head.count {
            let renewal = Self.renew(Array(head[..<count]), by: [#"ETag: "a""#])
            let ends = count >= 2 && head[count - 2] == 13 && head[count - 1] == 10
            if !ends { #expect(renewal.outcome == "mismatch", "\(count)") }
        }
        for byte in [0, 10, 13, 58, 255] as [UInt8] {
            let noise = [UInt8](repeating: byte, count: 100)
            #expect(Self.renew(noise, by: []).outcome == "mismatch")
            #expect(Self.renew(Array("HTTP/1.1 200 ".utf8) + noise, by: []).outcome == "mismatch")
        }
    }

    // MARK: HEAD (§4.3.5)

    static func head(
        _ stored: [UInt8], by headers: [String], status: Int = 200, _ policy: Policy = Policy(name: "test"),
        method: String = "HEAD", request: [String] = []
    ) -> String {
        let response = ResponseSample(status, headers, method: .head)
        let asked = RequestSample(method, "/", request)
        var updated = ByteBuffer(capacity: 64)
        let outcome = Rules(policy: policy, upstream: "origin").updateByHead(
            stored.span, by: response.head, response.buffer.span, to: asked.verdict(policy),
            sent: Decision.now, received: Decision.now, into: &updated)
        switch outcome {
        case .freshened(let facts):
            let isHead = updated.span.hasPrefix("HTTP/1.1 200 OK\r\n")
            #expect(isHead)
            return "\(facts.freshForMilliseconds / 1000)"
        case .invalidate, .ignore:
            let isEmpty = updated.isEmpty
            #expect(isEmpty)
            return "\(outcome)"
        }
    }

    @Test(
        arguments: [
            ([#"ETag: "a""#, "Content-Length: 5"], "30"), ([#"ETag: "a""#], "30"),
            ([#"ETag: "a""#, modified], "30"), ([modified], "30"),
            ([#"ETag: "b""#], "invalidate"), ([#"ETag: W/"a""#], "invalidate"),
            ([#"ETag: "a""#, "Content-Length: 6"], "invalidate"), (["Content-Length: 6"], "invalidate"),
            ([#"ETag: "a""#, "Last-Modified: x"], "invalidate"),
            ([], "ignore"), (["Content-Length: 5"], "ignore"),
            ([#"ETag: "a""#, "Content-Encoding: gzip"], "ignore"),
            ([#"ETag: "a""#, "Set-Cookie: a=1"], "invalidate"),
            ([#"ETag: "a""#, "Vary: *"], "invalidate"),
        ] as [([String], String)])
    func aResponseToHeadUpdatesTheEntry(by: [String], expected: String) {
        let stored = Self.stored([Self.fresh, #"ETag: "a""#, Self.modified])
        #expect(Self.head(stored, by: by + ["Cache-Control: max-age=30"]) == expected)
    }

    @Test func aResponseToHeadUpdatesOnlyItsOwnVariant() {
        let stored = Self.stored([Self.fresh, #"ETag: "a""#])
        #expect(Self.head(stored, by: [#"ETag: "b""#], status: 404) == "ignore")
        #expect(Self.head(Self.stored([#"ETag: "a""#], status: 404), by: [#"ETag: "b""#]) == "ignore")
        #expect(Self.head(stored, by: [#"ETag: "b""#], method: "GET") == "ignore")
        // A request that bypasses may get another representation.
        #expect(Self.head(stored, by: [#"ETag: "b""#], request: ["Authorization: x"]) == "ignore")
        // §4.3.5 takes the fields that are there.
        #expect(Self.head(stored, by: ["Content-Length: 5"], .liberal) == "60")
        #expect(Self.head(stored, by: [], .liberal) == "ignore")
    }
}

extension String {
    /// The number of times that `part` occurs.
    func components(of part: String) -> Int {
        indices.filter { self[$0...].hasPrefix(part) }.count
    }
}
