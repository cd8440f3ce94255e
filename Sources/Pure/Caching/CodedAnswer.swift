/// Answers that the origin coded itself: for whom they are, and which of them may be undone.
///
/// Larder undoes gzip only for a client whose Accept-Encoding does not take it. A download that is a
/// compressed file stays one, because its name and its checksum are those of the coded bytes. So these are
/// never undone: `x-gzip`, archive types, archive names (of the path, the query or Content-Disposition),
/// `no-transform`, and all codings but gzip.
///
/// An answer is *coded for all* if the origin codes it whatever the client takes: it was fetched for a client
/// that does not take the coding, or it is a compressed file without `Vary: Accept-Encoding`. It suits
/// clients without Accept-Encoding (RFC 9110 §12.5.3: any coding is acceptable) if it is coded for all, or
/// says no `Vary: Accept-Encoding` and has a type that no server compresses as it goes. (A page needs more:
/// nginx compresses pages without saying Vary, and few clients without Accept-Encoding decode.)
///
///     the client's Accept-Encoding   gzip, may be undone       any other
///     takes the coding               as stored                 as stored
///     is absent                      as stored where that suits it, else fetched for it
///     does not take the coding       undone                    as stored if coded for all, else fetched

internal import Bytes
public import HTTP

extension Rules {
    /// Notes in `facts`, whose coding is not identity, for whom the answer is coded.
    func noteCoding(
        of response: borrowing ResponseHead, _ bytes: Span<UInt8>, to request: RequestVerdict,
        _ facts: inout EntryFacts
    ) {
        let isFile =
            request.flags.contains(.archive) || Self.spellsOldGzip(response.fields, bytes)
            || Archive.isArchive(response.fields, bytes)
        let isUnasked = !request.codings.contains(facts.coding)
        let isNegotiated = Self.isNegotiated(response.fields, bytes)
        if isUnasked || isFile && !isNegotiated {
            facts.flags.formUnion([.codedForAll, .codedForUnstated])
        } else if !isNegotiated, compression.listsType(response.fields, bytes) != true {
            facts.flags.insert(.codedForUnstated)
        }
        let mayUndo =
            facts.coding == .gzip && !isFile && compression.isEnabled
            && !CompressionRules.forbidsTransform(response.fields, bytes)
        if mayUndo { facts.flags.insert(.undoable) }
    }

    /// Is a 206 of the origin's a part of bytes that this client may have got in another coding? That is
    /// where its gzip would be undone, or the whole would be compressed and `If-Range` is a date, which all
    /// codings share. (An entity tag is weak where Larder changes the coding, and `If-Range` never matches a
    /// weak one.)
    public func isPartOfOtherCoding(
        _ response: borrowing ResponseHead, _ bytes: Span<UInt8>, to verdict: RequestVerdict,
        _ request: borrowing RequestHead, _ requestBytes: Span<UInt8>
    ) -> Bool {
        guard compression.isEnabled else { return false }
        if response.fields.contains(.contentEncoding) {
            guard let coding = Self.coding(response.fields, bytes) else { return false }
            var facts = EntryFacts(unpacking: [0, 0, 0, 0, 0])
            facts.coding = coding
            noteCoding(of: response, bytes, to: verdict, &facts)
            return verdict.reach(of: facts) == .undone
        }
        guard let condition = request.fields.first(.ifRange),
            compression.choose(accepted: verdict.codings) != nil,
            !requestBytes.slice(condition.value).hasPrefix("\""),
            !requestBytes.slice(condition.value).hasPrefix("W/"),
            !CompressionRules.forbidsTransform(response.fields, bytes)
        else { return false }
        return compression.listsType(response.fields, bytes) == true
    }

    /// `x-gzip`, which servers send for files that are stored in gzip.
    private static func spellsOldGzip(_ fields: borrowing FieldTable, _ bytes: Span<UInt8>) -> Bool {
        guard let field = fields.first(.contentEncoding) else { return false }
        return bytes.slice(field.value).equalsIgnoringCase("x-gzip")
    }

    /// Does the origin say that it codes by the client's Accept-Encoding?
    private static func isNegotiated(_ fields: borrowing FieldTable, _ bytes: Span<UInt8>) -> Bool {
        guard fields.contains(.vary) else { return false }
        for index in fields.range(of: .vary) where fields[index].id == .vary {
            if HeadTransform.coversAcceptEncoding(bytes.slice(fields[index].value)) { return true }
        }
        return false
    }
}

extension EntryFacts {
    /// A 304 does not tell for whom the stored body was coded: what was known of that stays.
    public mutating func keepReach(of old: EntryFacts) {
        let reach: Flags = [.codedForAll, .codedForUnstated]
        flags.subtract(reach)
        flags.formUnion(old.flags.intersection(reach))
        if !old.flags.contains(.undoable) { flags.remove(.undoable) }
    }
}

/// How a stored entry reaches a request, as far as codings go.
public enum Reach: Sendable, BitwiseCopyable, Equatable {
    case none
    case asStored
    /// Its gzip must be undone first.
    case undone
}

extension RequestVerdict {
    /// Notes whether `target`, path and query, names a compressed file. Asked where an answer is coded.
    public mutating func noteFile(_ target: Span<UInt8>) {
        let path = target.extracting(first: target.firstIndex(of: UInt8(ascii: "?")) ?? target.count)
        if Archive.isName(path) || Archive.isName(target) { flags.insert(.archive) }
    }

    /// The third question of a lookup, beside `Variance.matches` and `Rules.use`.
    @inlinable @inline(__always)
    public func reach(of entry: EntryFacts) -> Reach {
        codings.contains(entry.coding) && !entry.flags.contains(.codedForUnstated)
            ? .asStored : reachCoded(entry)
    }

    @usableFromInline
    func reachCoded(_ entry: EntryFacts) -> Reach {
        if codings.contains(.unstated) {
            // The coding where that suits it, and not what was undone of it for others.
            let suits = entry.flags.contains(.codedForUnstated)
            return suits == (entry.coding == .identity) ? .none : .asStored
        }
        if codings.contains(entry.coding) { return .asStored }
        if entry.flags.contains(.undoable), codings.contains(.identity) { return .undone }
        return entry.flags.contains(.codedForAll) ? .asStored : .none
    }

    /// Which of the codings of one body answers: the highest; 0 for one that cannot.
    @inlinable
    public func rank(_ entry: EntryFacts, preferring preferred: Codings) -> Int {
        guard reach(of: entry) != .none else { return 0 }
        guard codings.contains(entry.coding) else { return 1 }
        if entry.coding == preferred { return 5 }
        return entry.coding == .identity ? 2 : entry.coding == .gzip ? 3 : 4
    }
}

/// Files that are compressed by what they are.
enum Archive {
    /// In lower case, by what stands behind the last dot.
    private static let extensions: [StaticString] = [
        "gz", "tgz", "taz", "gzip", "svgz", "emz", "wmz", "z", "tar", "bz2", "tbz", "tbz2", "xz", "txz", "lz",
        "lzma", "zst", "tzst", "br", "zip", "7z", "rar", "jar", "war", "deb", "udeb", "ddeb", "rpm", "apk",
        "ipk", "whl", "gem", "crate", "cpio", "iso", "img", "dmg", "cab", "xpi", "crx", "epub",
    ]
    private static let types: [StaticString] = [
        "application/gzip", "application/x-gzip", "application/x-gunzip", "application/gzipped",
        "application/x-tar", "application/x-gtar", "application/x-gtar-compressed",
        "application/x-compressed-tar", "application/x-tgz", "application/x-compress",
        "application/x-compressed", "application/zip", "application/x-zip-compressed", "application/x-bzip",
        "application/x-bzip2", "application/x-xz", "application/x-lzma", "application/zstd",
        "application/x-7z-compressed", "application/x-rar-compressed", "application/vnd.rar",
        "application/java-archive", "application/vnd.debian.binary-package",
        "application/x-debian-package", "application/x-deb", "application/x-rpm",
        "application/x-redhat-package-manager", "application/vnd.android.package-archive",
        "application/x-iso9660-image", "application/x-cpio", "image/svg+xml-compressed",
    ]
    /// Does a path, a query or a file name end like the name of one?
    static func isName(_ name: Span<UInt8>) -> Bool {
        var dot = name.count
        while dot > 0, name.count &- dot < 6, name[dot &- 1] != UInt8(ascii: ".") { dot &-= 1 }
        guard dot > 0, name[dot &- 1] == UInt8(ascii: ".") else { return false }
        let suffix = name.extracting(droppingFirst: dot)
        for known in extensions where suffix.equalsIgnoringCase(known) { return true }
        return false
    }

    /// By the type, or the file name that the answer gives it?
    static func isArchive(_ fields: borrowing FieldTable, _ bytes: Span<UInt8>) -> Bool {
        if let field = fields.first(.contentType) {
            let value = bytes.slice(field.value)
            let end = value.firstIndex(of: UInt8(ascii: ";")) ?? value.count
            let type = value.extracting(first: end).trimmed()
            for known in types where type.equalsIgnoringCase(known) { return true }
        }
        for index in 0..<fields.count
        where bytes.slice(fields[index].name).equalsIgnoringCase("content-disposition") {
            if namesArchive(bytes.slice(fields[index].value)) { return true }
        }
        return false
    }

    /// Does a Content-Disposition name such a file (RFC 6266: `filename` or `filename*`)?
    private static func namesArchive(_ value: Span<UInt8>) -> Bool {
        var start = 0
        while start < value.count {
            var end = start
            var isQuoted = false
            while end < value.count, isQuoted || value[end] != UInt8(ascii: ";") {
                if value[end] == UInt8(ascii: "\"") { isQuoted.toggle() }
                end &+= 1
            }
            let parameter = value.extracting(start..<end).trimmed()
            start = end &+ 1
            guard let equals = parameter.firstIndex(of: UInt8(ascii: "=")) else { continue }
            let name = parameter.extracting(first: equals).trimmed()
            guard name.equalsIgnoringCase("filename") || name.equalsIgnoringCase("filename*")
            else { continue }
            var file = parameter.extracting(droppingFirst: equals &+ 1).trimmed()
            if file.count >= 2, file[file.count &- 1] == UInt8(ascii: "\"") {
                file = file.extracting(first: file.count &- 1)
            }
            if isName(file) { return true }
        }
        return false
    }
}
