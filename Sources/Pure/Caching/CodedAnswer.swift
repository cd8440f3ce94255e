/// Answers that the origin has coded itself: which clients get them, and for which clients gzip is undone.
///
/// Larder undoes gzip only for a client whose Accept-Encoding excludes gzip. A download that is a compressed
/// file stays compressed, because its name and its checksum belong to the coded bytes. So Larder never
/// undoes: `x-gzip`, archive types, archive names (in the path, the query or Content-Disposition), answers
/// with `no-transform`, and any coding other than gzip.
///
/// An answer is *coded for all* if the origin codes it for every client. That is assumed if it was fetched
/// for a client that does not accept the coding, or if it is a compressed file without `Vary:
/// Accept-Encoding`.
///
/// A client without Accept-Encoding accepts any coding (RFC 9110 §12.5.3), but few such clients decode. An
/// answer suits them if it is coded for all, or if it has no `Vary: Accept-Encoding` and a type that servers
/// do not compress on the fly. (For a page, the missing Vary proves nothing: nginx compresses pages without
/// sending Vary.)
///
///     the client's Accept-Encoding   gzip that may be undone   any other coding
///     accepts the coding             as stored                 as stored
///     is absent                      as stored if that suits the client, otherwise fetched for it
///     excludes the coding            undone                    as stored if coded for all, otherwise fetched

internal import Bytes
public import HTTP

extension Rules {
    /// Records in `facts`, whose coding is not identity, which clients the coded answer suits.
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

    /// Is the origin's 206 a part of bytes that this client may have received in another coding? That is so
    /// if Larder would undo its gzip. It is also so if Larder would compress the whole answer and `If-Range`
    /// is a date, because all codings share the date. (An entity tag is weak if Larder changes the coding,
    /// and `If-Range` never matches a weak tag.)
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

    /// Is the coding spelt `x-gzip`? Servers send that for files stored in gzip.
    private static func spellsOldGzip(_ fields: borrowing FieldTable, _ bytes: Span<UInt8>) -> Bool {
        guard let field = fields.first(.contentEncoding) else { return false }
        return bytes.slice(field.value).equalsIgnoringCase("x-gzip")
    }

    /// Does the origin say that its coding depends on the client's Accept-Encoding?
    private static func isNegotiated(_ fields: borrowing FieldTable, _ bytes: Span<UInt8>) -> Bool {
        guard fields.contains(.vary) else { return false }
        for index in fields.range(of: .vary) where fields[index].id == .vary {
            if HeadTransform.coversAcceptEncoding(bytes.slice(fields[index].value)) { return true }
        }
        return false
    }
}

extension EntryFacts {
    /// A 304 does not tell which clients the stored body suits, so this is kept from `old`.
    public mutating func keepReach(of old: EntryFacts) {
        let reach: Flags = [.codedForAll, .codedForUnstated]
        flags.subtract(reach)
        flags.formUnion(old.flags.intersection(reach))
        if !old.flags.contains(.undoable) { flags.remove(.undoable) }
    }
}

/// How a stored entry can answer a request, with regard to codings.
public enum Reach: Sendable, BitwiseCopyable, Equatable {
    case none
    case asStored
    /// Only after its gzip is undone.
    case undone
}

extension RequestVerdict {
    /// Records whether `target`, path and query, names a compressed file. Needed only if the answer is coded.
    public mutating func noteFile(_ target: Span<UInt8>) {
        let path = target.extracting(first: target.firstIndex(of: UInt8(ascii: "?")) ?? target.count)
        if Archive.isName(path) || Archive.isName(target) { flags.insert(.archive) }
    }

    /// Can this entry answer the request, with regard to codings? A lookup also asks `Variance.matches` and
    /// `Rules.use`.
    @inlinable @inline(__always)
    public func reach(of entry: EntryFacts) -> Reach {
        codings.contains(entry.coding) && !entry.flags.contains(.codedForUnstated)
            ? .asStored : reachCoded(entry)
    }

    @usableFromInline
    func reachCoded(_ entry: EntryFacts) -> Reach {
        if codings.contains(.unstated) {
            // The origin's coding if it suits such clients; not a copy that was decoded for other clients.
            let suits = entry.flags.contains(.codedForUnstated)
            return suits == (entry.coding == .identity) ? .none : .asStored
        }
        if codings.contains(entry.coding) { return .asStored }
        if entry.flags.contains(.undoable), codings.contains(.identity) { return .undone }
        return entry.flags.contains(.codedForAll) ? .asStored : .none
    }

    /// The rank of an entry among the codings of one body: the highest answers; 0 cannot answer.
    @inlinable
    public func rank(_ entry: EntryFacts, preferring preferred: Codings) -> Int {
        guard reach(of: entry) != .none else { return 0 }
        guard codings.contains(entry.coding) else { return 1 }
        if entry.coding == preferred { return 5 }
        return entry.coding == .identity ? 2 : entry.coding == .gzip ? 3 : 4
    }
}

/// Files that are compressed by their nature.
enum Archive {
    /// File name extensions, in lower case.
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
    /// Does this path, query or file name end in such an extension?
    static func isName(_ name: Span<UInt8>) -> Bool {
        var dot = name.count
        while dot > 0, name.count &- dot < 6, name[dot &- 1] != UInt8(ascii: ".") { dot &-= 1 }
        guard dot > 0, name[dot &- 1] == UInt8(ascii: ".") else { return false }
        let suffix = name.extracting(droppingFirst: dot)
        for known in extensions where suffix.equalsIgnoringCase(known) { return true }
        return false
    }

    /// Does the answer's type, or the file name it states, tell that it is a compressed file?
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

    /// Does a Content-Disposition name such a file (`filename` or `filename*`, RFC 6266)?
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
