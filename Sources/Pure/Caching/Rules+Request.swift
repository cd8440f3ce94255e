/// "May the store answer this request?" (the table of that name), decided from the head as received.
///
/// A plain GET passes with one test of the set of fields and the normalisation of Accept-Encoding, without
/// evaluating the table. Nothing is allocated.

internal import Bytes
public import HTTP
internal import Settings

extension FieldSet {
    /// Request fields that ask for another URL or method than the key contains.
    @inlinable @inline(__always)
    static var unkeyed: FieldSet { FieldSet(.rewritesURL).with(.overridesMethod) }

    /// A request with any of these fields must go through the table.
    @inlinable @inline(__always)
    static var judged: FieldSet {
        unkeyed.with(.claimsUser)
            .with(.authorization).with(.connection).with(.ifMatch).with(.ifUnmodifiedSince).with(.ifRange)
            .with(.ifNoneMatch).with(.ifModifiedSince).with(.range).with(.cacheControl).with(.pragma).with(
                .cookie
            )
            .with(.transferEncoding).with(.contentLength).with(.upgrade)
    }
}

extension Rules {
    /// - Parameters:
    ///   - bytes: the buffer that `request` was parsed from.
    ///   - clientCertificate: did the client present a certificate that was verified?
    @inlinable @inline(__always)
    public func judge(
        _ request: borrowing RequestHead, _ bytes: Span<UInt8>, clientCertificate: Bool = false
    ) -> RequestVerdict {
        // Most requests are a GET with fields, path and query that no row of the table rejects.
        if request.method == .get, !request.pathHasMarks, !request.path.isEmpty, !clientCertificate,
            !request.fields.containsAny(of: .judged), heuristicPercent == 0 || !request.hasQuery,
            bytes[request.path.range.lowerBound] == UInt8(ascii: "/")
        {
            var verdict = RequestVerdict(method: .get)
            verdict.codings = Codings.accepted(by: request.fields, bytes)
            if !verdict.codings.isEmpty { return verdict }
        }
        return judgeByTable(request, bytes, clientCertificate: clientCertificate)
    }

    @usableFromInline
    func judgeByTable(
        _ request: borrowing RequestHead, _ bytes: Span<UInt8>, clientCertificate: Bool
    ) -> RequestVerdict {
        var verdict = RequestVerdict(method: request.method)
        var first = FirstRefusal()
        walk(request, bytes, clientCertificate: clientCertificate, &verdict, &first)
        if let reason = first.reason { verdict.bypass(reason) }
        return verdict
    }

    /// Evaluates the table, row by row. The caller applies a refusal to `verdict`.
    @inline(__always)
    func walk<F: Findings>(
        _ request: borrowing RequestHead, _ bytes: Span<UInt8>, clientCertificate: Bool,
        _ verdict: inout RequestVerdict, _ findings: inout F
    ) {
        let isRead = request.method == .get || request.method == .head
        if findings.record(.requestMethod, isRead && request.form != .asterisk ? nil : .method) { return }
        // First, because `only-if-cached` also forbids asking the origin for a request that bypasses.
        if request.fields.containsAny(of: FieldSet(.cacheControl).with(.pragma)) {
            readDirectives(of: request, bytes, &verdict)
        }
        let path = bytes.slice(request.path)
        let isPlain =
            request.pathHasMarks
            ? Self.isPlain(path) : path.isEmpty || path[0] == UInt8(ascii: "/")
        if findings.record(.requestPath, isPlain ? nil : .path) { return }
        verdict.codings = Codings.accepted(by: request.fields, bytes)
        if heuristicPercent > 0, request.hasQuery, !names.query.isIgnored { verdict.flags.insert(.query) }
        if F.isExhaustive || request.fields.containsAny(of: .judged) {
            if walkFields(of: request, bytes, &verdict, &findings) { return }
        }
        if findings.record(.clientCertificate, clientCertificate ? .clientCertificate : nil) { return }
        // The client refuses identity and every coding that Larder knows. Only the origin can choose an
        // answer.
        if findings.record(.acceptEncoding, verdict.codings.isEmpty ? .encoding : nil) { return }
    }

    /// Evaluates the rules on single fields.
    /// - Returns: does the walk end here?
    private func walkFields<F: Findings>(
        of request: borrowing RequestHead, _ bytes: Span<UInt8>, _ verdict: inout RequestVerdict,
        _ findings: inout F
    ) -> Bool {
        let hasBody = request.framing != .none && request.framing != .length(0)
        if findings.record(.requestBody, hasBody ? .method : nil) { return true }
        if request.fields.contains(.authorization) {
            verdict.flags.insert(.authorization)
            if authorization != .never {
                findings.postpone(.requestAuthorization)
            } else if findings.record(.requestAuthorization, .authorization) {
                return true
            }
        } else if findings.record(.requestAuthorization, nil) {
            return true
        }
        // If a trusted proxy names a user, the answer is for that user only.
        let isUsers = request.fields.trustsClaims && request.fields.contains(.claimsUser)
        let isUnkeyed = isUsers || request.fields.containsAny(of: .unkeyed)
        if findings.record(.unkeyed, isUnkeyed ? .unkeyed : nil) { return true }
        let isUnusual = request.upgradesToWebSocket || request.connection.other
        if findings.record(.requestConnection, isUnusual ? .connection : nil) { return true }
        let hasPreconditions = request.fields.containsAny(
            of: FieldSet(.ifMatch).with(.ifUnmodifiedSince))
        if findings.record(.preconditions, hasPreconditions ? .conditional : nil) { return true }
        // A stored 200 may answer a range request; the origin's answer to it is not stored. On HEAD, Range
        // has no meaning (RFC 9110 §14.2), nor has If-Range without Range (§13.1.5).
        if request.fields.contains(.range), request.method == .get {
            verdict.flags.insert(.range)
            verdict.mayStore = false
            verdict.reason = .range
            findings.postpone(.requestRange)
        } else if findings.record(.requestRange, nil) {
            return true
        }
        if walkCookie(of: request, &verdict, &findings) { return true }
        if request.fields.containsAny(of: FieldSet(.ifNoneMatch).with(.ifModifiedSince)) {
            verdict.flags.insert(.conditional)
        }
        let forbidsStoring = verdict.flags.contains(.noStore)
        if findings.record(.clientNoStore, forbidsStoring ? .clientNoStore : nil) { return true }
        if verdict.restrictsAge {
            findings.postpone(.clientRefresh)
        } else if clientRefresh == .ignore {
            findings.skip(.clientRefresh)
        } else if findings.record(.clientRefresh, nil) {
            return true
        }
        return false
    }

    @inline(__always)
    private func walkCookie<F: Findings>(
        of request: borrowing RequestHead, _ verdict: inout RequestVerdict, _ findings: inout F
    ) -> Bool {
        guard request.fields.contains(.cookie) else { return findings.record(.requestCookie, nil) }
        // Under `strip` the cookie does not reach the origin, so the answer cannot depend on it.
        if cookies == .strip {
            findings.skip(.requestCookie)
            return false
        }
        verdict.flags.insert(.cookie)
        if cookies == .never { return findings.record(.requestCookie, .cookie) }
        findings.postpone(.requestCookie)
        return false
    }

    /// Reads the request directives (RFC 9111 §5.2.1). A malformed directive gets its most restrictive
    /// meaning.
    private func readDirectives(
        of request: borrowing RequestHead, _ bytes: Span<UInt8>, _ verdict: inout RequestVerdict
    ) {
        let obeyed = clientRefresh == .revalidate
        guard request.fields.contains(.cacheControl) else {
            // §5.4: Pragma counts only if there is no Cache-Control.
            if obeyed, Pragma.isNoCache(request.fields, bytes) { verdict.flags.insert(.noCache) }
            return
        }
        for index in 0..<request.fields.count where request.fields[index].id == .cacheControl {
            let value = request.fields[index].value.range
            var position = value.lowerBound
            while let directive = Directive.next(in: bytes, upTo: value.upperBound, from: &position) {
                let name = bytes.extracting(directive.name)
                if name.equalsIgnoringCase("no-store") {
                    verdict.flags.insert(.noStore)
                } else if name.equalsIgnoringCase("only-if-cached") {
                    verdict.flags.insert(.onlyIfCached)
                } else if !obeyed {
                    continue
                } else if name.equalsIgnoringCase("no-cache") {
                    verdict.flags.insert(.noCache)
                } else if name.equalsIgnoringCase("max-age") {
                    let seconds = directive.seconds(in: bytes) ?? 0
                    verdict.maxAgeSeconds = min(verdict.maxAgeSeconds, seconds)
                } else if name.equalsIgnoringCase("min-fresh") {
                    let seconds = directive.seconds(in: bytes) ?? RequestVerdict.unlimited
                    verdict.minFreshSeconds = max(verdict.minFreshSeconds, seconds)
                } else if name.equalsIgnoringCase("max-stale") {
                    let seconds =
                        directive.argument == nil ? RequestVerdict.unlimited : directive.seconds(in: bytes)
                    verdict.maxStaleSeconds = max(verdict.maxStaleSeconds, seconds ?? 0)
                }
            }
        }
    }

    /// Does every origin read this path alike? Not if it contains dot segments, `\`, `;`, a broken
    /// percent-encoding, or an encoded slash, backslash, semicolon, control, or dot of a dot segment (cache
    /// deception).
    static func isPlain(_ path: Span<UInt8>) -> Bool {
        guard !path.isEmpty else { return true }
        guard path[0] == UInt8(ascii: "/") else { return false }
        var index = 1
        // Only `.`, `%`, `;` and `\` need a look.
        let special = ASCII.Class(low: 0x0800_4020_0000_0000, high: 0x0000_0000_1000_0000)
        while index < path.count {
            let byte = path[index]
            if special.contains(byte) {
                switch byte {
                case UInt8(ascii: "."):
                    if isDotSegment(path, at: index) { return false }
                case UInt8(ascii: "%"):
                    guard index &+ 2 < path.count, let high = ASCII.hexValue(path[index &+ 1]),
                        let low = ASCII.hexValue(path[index &+ 2])
                    else { return false }
                    switch high << 4 | low {
                    case 0..<0x20, 0x7f, UInt8(ascii: "/"), UInt8(ascii: "\\"), UInt8(ascii: ";"):
                        return false
                    case UInt8(ascii: "."):
                        if isDotSegment(path, at: index) { return false }
                    default: break
                    }
                    index &+= 2
                default: return false
                }
            }
            index &+= 1
        }
        return true
    }

    /// Does a segment of one or two dots, plain or encoded, begin at `start`?
    private static func isDotSegment(_ path: Span<UInt8>, at start: Int) -> Bool {
        guard start == 0 || path[start &- 1] == UInt8(ascii: "/") else { return false }
        var index = start
        var dots = 0
        while index < path.count, path[index] != UInt8(ascii: "/") {
            if path[index] == UInt8(ascii: ".") {
                index &+= 1
            } else if index &+ 2 < path.count, path[index] == UInt8(ascii: "%"),
                path[index &+ 1] == UInt8(ascii: "2"), path[index &+ 2] | 0x20 == UInt8(ascii: "e")
            {
                index &+= 3
            } else {
                return false
            }
            dots &+= 1
        }
        return dots <= 2
    }
}

enum Pragma {
    @inline(__always)
    static func isNoCache(_ fields: borrowing FieldTable, _ bytes: Span<UInt8>) -> Bool {
        fields.contains(.pragma) && saysNoCache(fields, bytes)
    }

    private static func saysNoCache(_ fields: borrowing FieldTable, _ bytes: Span<UInt8>) -> Bool {
        for index in fields.range(of: .pragma) where fields[index].id == .pragma {
            let value = fields[index].value.range
            var position = value.lowerBound
            while let directive = Directive.next(in: bytes, upTo: value.upperBound, from: &position) {
                if bytes.extracting(directive.name).equalsIgnoringCase("no-cache") { return true }
            }
        }
        return false
    }
}
