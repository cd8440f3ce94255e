/// Which answers are compressed although Larder does not store them.
///
/// Compression weakens the ETag. And the compressed length can tell an attacker whether a guess is part of a
/// secret (BREACH). Both matter for an answer that is meant for one client. So an answer is compressed only
/// if Larder stores it, or if it is *shareable*: a shared cache may clearly store it. Reasons that do not
/// concern the audience do not count here: the size, the status, a `Vary` that the policy does not list.
///
///     never shareable     methods other than GET and HEAD; requests with Authorization or no-store; Cookie
///     without
///                         `public` or `s-maxage`; Set-Cookie; no-store, private, no-cache; `Vary: *`,
///                         Cookie or Authorization
///     otherwise, if       `public`, or a stated lifetime above 0
///     or if               a file: its name ends in .css, .js, .mjs or .svg, it has Last-Modified, and no
///     field
///                         about caching

internal import Bytes
public import HTTP
internal import Settings

extension Rules {
    /// May the body of an answer that is not stored be compressed, if its type is compressible?
    public func mayCompress(
        unstored response: borrowing ResponseHead, _ bytes: Span<UInt8>, to verdict: RequestVerdict,
        _ request: borrowing RequestHead, _ requestBytes: Span<UInt8>, received: Times
    ) -> Bool {
        compression.takesAll
            || isShareable(response, bytes, to: verdict, request, requestBytes, received: received)
    }

    /// Does the 200 behind a forwarded 304 vary by coding, because Larder would have compressed it? If the
    /// 304 names no type, the type counts as listed: an unneeded `Vary` does no harm.
    public func variesByCoding(
        notModified response: borrowing ResponseHead, _ bytes: Span<UInt8>, to verdict: RequestVerdict,
        _ request: borrowing RequestHead, _ requestBytes: Span<UInt8>, received: Times
    ) -> Bool {
        guard compression.isEnabled, compression.listsType(response.fields, bytes) != false,
            !response.fields.containsAny(of: .untransformable),
            !CompressionRules.forbidsTransform(response.fields, bytes)
        else { return false }
        return mayCompress(
            unstored: response, bytes, to: verdict, request, requestBytes, received: received)
    }

    private func isShareable(
        _ response: borrowing ResponseHead, _ bytes: Span<UInt8>, to verdict: RequestVerdict,
        _ request: borrowing RequestHead, _ requestBytes: Span<UInt8>, received: Times
    ) -> Bool {
        guard request.method == .get || request.method == .head, !request.fields.contains(.authorization),
            !verdict.flags.contains(.noStore), !response.fields.contains(.setCookie)
        else { return false }
        let directives =
            TargetedField.directives(response.fields, bytes, reading)
            ?? CacheDirectives(cacheControl: response.fields, bytes, reading)
        let prohibitions: CacheDirectives.Flags = [.noStore, .private, .noCache]
        guard directives.flags.isDisjoint(with: prohibitions), !Pragma.isNoCache(response.fields, bytes),
            !directives.isMalformed, !Self.variesByPerson(response.fields, bytes)
        else { return false }
        if request.fields.contains(.cookie), cookies != .strip, !directives.mayAnswerCookies { return false }
        if directives.flags.contains(.public) { return true }
        let path = requestBytes.slice(request.path)
        if isSilent(response), Self.isFileName(path),
            response.status == 304 || response.fields.contains(.lastModified)
        {
            return true
        }
        var timing = Timing()
        var first = FirstRefusal()
        _ = walkFreshness(
            of: response, bytes, directives, mayGuess: false, mayKeepStale: false, sent: received,
            received: received, &timing, &first)
        return (timing.lifetime ?? 0) > 0
    }

    /// Has the answer no field about caching?
    private func isSilent(_ response: borrowing ResponseHead) -> Bool {
        !response.fields.containsAny(of: FieldSet(.cacheControl).with(.expires).with(.pragma))
    }

    private static func variesByPerson(_ fields: borrowing FieldTable, _ bytes: Span<UInt8>) -> Bool {
        guard fields.contains(.vary) else { return false }
        for index in fields.range(of: .vary) where fields[index].id == .vary {
            let value = bytes.slice(fields[index].value)
            var members = ListTokens(value)
            while let member = members.next() {
                let name = value.extracting(member)
                if name.equals("*") || name.equalsIgnoringCase("cookie")
                    || name.equalsIgnoringCase("authorization")
                {
                    return true
                }
            }
        }
        return false
    }

    private static func isFileName(_ path: Span<UInt8>) -> Bool {
        func ends(with suffix: StaticString) -> Bool {
            let count = suffix.utf8CodeUnitCount
            return path.count > count
                && path.extracting(droppingFirst: path.count &- count).equalsIgnoringCase(suffix)
        }
        return ends(with: ".css") || ends(with: ".js") || ends(with: ".mjs") || ends(with: ".svg")
    }
}
