/// Which answers are compressed though Larder does not store them.
///
/// Compression weakens the ETag, and its length tells an attacker whether a guess is part of a secret
/// (BREACH). Both matter where an answer is for one client. So an answer is compressed only if Larder stores
/// it, or if it is *shareable*: a shared cache may plainly keep it. What keeps Larder itself from storing it
/// does not count if it says nothing about who may see the answer: its size, its status, a `Vary` that the
/// policy does not list.
///
///     never               methods but GET and HEAD; requests with Authorization or no-store; Cookie without
///                         `public` or `s-maxage`; Set-Cookie; no-store, private, no-cache; `Vary: *`,
///                         Cookie or Authorization
///     else, if            `public`, or a lifetime that is stated and not 0
///     or if               a file: a name that ends with .css, .js, .mjs or .svg, Last-Modified, and no word
///                         about caching

internal import Bytes
public import HTTP
internal import Settings

extension Rules {
    /// May the body of an answer that is not stored be compressed, if it is of a kind that shrinks?
    public func mayCompress(
        unstored response: borrowing ResponseHead, _ bytes: Span<UInt8>, to verdict: RequestVerdict,
        _ request: borrowing RequestHead, _ requestBytes: Span<UInt8>, received: Times
    ) -> Bool {
        compression.takesAll
            || isShareable(response, bytes, to: verdict, request, requestBytes, received: received)
    }

    /// Does the 200 that a passed 304 speaks of vary by coding, because it would have been compressed? Where
    /// the 304 names no type, any type is taken for a listed one: one `Vary` too many harms nobody.
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

    /// Is nothing said about caching?
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
