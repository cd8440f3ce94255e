/// Vary (RFC 9111 §4.1): which request fields select among the records of one key.
///
/// Accept-Encoding is not compared; instead, a record's coding is tested against the codings that the request
/// accepts. Fields in the key (Host) and fields that no origin sees are not compared either. Fields that
/// Larder writes itself, such as X-Forwarded-For, cannot be compared, because the origin did not see the
/// client's line; an answer that varies by one is not stored. The remaining names, and their values in the
/// stored request, form the record's Vary blob. It is usually empty:
///
///     blob  = *entry
///     entry = name length (1 byte) · name, lower case · 0xFF 0xFF               the field was absent
///           | name length (1 byte) · name, lower case · value length (2, big-endian) · value
///
/// Each name has one entry. There are at most sixteen entries, because a lookup compares each name with all
/// fields of a request. An answer that varies by more names is not stored.
///
/// The lines of one field are combined with ", " and compared byte by byte. Accept and Accept-Language have a
/// known syntax: their members are compared in order, without white space, language ranges in lower case (RFC
/// 9111 §4.1; RFC 4647 §2). In any other field, a difference without a meaning costs a miss.

public import Bytes
public import HTTP
internal import Settings

public enum Variance {
    /// Maximum bytes of a blob.
    static var blobLimit: Int { 1024 }
    /// Maximum number of names in a blob.
    static var nameLimit: Int { 16 }
    private static var absent: Int { 0xffff }

    /// Does this request select the record with this blob?
    @inlinable
    public static func matches(
        _ blob: Span<UInt8>, _ request: borrowing FieldTable, _ requestBytes: Span<UInt8>
    ) -> Bool {
        blob.isEmpty || PlantedFault.isPlanted(.ignoresVary) || matchesEntries(blob, request, requestBytes)
    }

    /// The blob comes from shared memory: a malformed blob matches nothing.
    @usableFromInline
    static func matchesEntries(
        _ blob: Span<UInt8>, _ request: borrowing FieldTable, _ requestBytes: Span<UInt8>
    ) -> Bool {
        var position = 0
        while position < blob.count {
            let nameCount = Int(blob[position])
            let nameStart = position &+ 1
            let valueStart = nameStart &+ nameCount &+ 2
            guard valueStart <= blob.count else { return false }
            let name = blob.extracting(nameStart..<(nameStart &+ nameCount))
            let length = Int(blob[valueStart &- 2]) << 8 | Int(blob[valueStart &- 1])
            let isAbsent = length == absent
            position = isAbsent ? valueStart : valueStart &+ length
            guard position <= blob.count else { return false }
            let stored = blob.extracting(valueStart..<position)
            guard combinedEquals(stored, isAbsent: isAbsent, name, request, requestBytes) else {
                return false
            }
        }
        return true
    }

    /// The number of entries in a well-formed blob, and whether one of them has this name.
    static func count(_ blob: Span<UInt8>, lookingFor name: Span<UInt8>) -> (entries: Int, isListed: Bool) {
        var (entries, isListed) = (0, false)
        var position = 0
        while position < blob.count {
            let valueStart = position &+ Int(blob[position]) &+ 3
            if blob.extracting((position &+ 1)..<(valueStart &- 2)).equalsIgnoringCase(name) {
                isListed = true
            }
            entries &+= 1
            let length = Int(blob[valueStart &- 2]) << 8 | Int(blob[valueStart &- 1])
            position = length == absent ? valueStart : valueStart &+ length
        }
        return (entries, isListed)
    }

    /// Appends the values that this request has for the names in `blob`, as a blob. It equals `blob` if the
    /// request selects the same variant. It may be longer than `blobLimit`; then nothing of that variant can
    /// be stored.
    public static func append(
        namesOf blob: Span<UInt8>, _ request: borrowing FieldTable, _ requestBytes: Span<UInt8>,
        to output: inout ByteBuffer
    ) {
        var position = 0
        while position < blob.count {
            let nameCount = Int(blob[position])
            let nameStart = position &+ 1
            let valueStart = nameStart &+ nameCount &+ 2
            guard valueStart <= blob.count else { return }
            let name = blob.extracting(nameStart..<(nameStart &+ nameCount))
            let length = Int(blob[valueStart &- 2]) << 8 | Int(blob[valueStart &- 1])
            position = length == absent ? valueStart : valueStart &+ length
            append(name, request, requestBytes, to: &output)
        }
    }

    /// Appends the entry of one name.
    static func append(
        _ name: Span<UInt8>, _ request: borrowing FieldTable, _ bytes: Span<UInt8>, to blob: inout ByteBuffer
    ) {
        blob.append(UInt8(name.count))
        blob.append(lowercasing: name)
        blob.append(0xff)
        blob.append(0xff)
        let start = blob.count
        var isAbsent = true
        if let list = NormalizedList(name) {
            isAbsent = !list.append(request, bytes, to: &blob)
        } else {
            for index in 0..<request.count where request.isEffective(index, as: name, bytes) {
                if !isAbsent { blob.append(", ") }
                isAbsent = false
                blob.append(bytes.slice(request[index].value))
            }
        }
        guard !isAbsent else { return }
        // The caller refuses a blob with a value that is too long, so the clamped length is never read.
        let length = min(blob.count &- start, 0xfffe)
        var written = blob.mutableSpan
        written[start &- 2] = UInt8(length >> 8)
        written[start &- 1] = UInt8(length & 0xff)
    }

    /// Are the request's lines of `name`, combined, equal to `stored`? With `isAbsent`: does the request have
    /// no such line?
    private static func combinedEquals(
        _ stored: Span<UInt8>, isAbsent: Bool, _ name: Span<UInt8>, _ request: borrowing FieldTable,
        _ bytes: Span<UInt8>
    ) -> Bool {
        if let list = NormalizedList(name) {
            return list.equals(stored, isAbsent: isAbsent, request, bytes)
        }
        var rest = stored
        var isFirst = true
        for index in 0..<request.count where request.isEffective(index, as: name, bytes) {
            if isAbsent { return false }
            if !isFirst {
                guard rest.hasPrefix(", ") else { return false }
                rest = rest.extracting(droppingFirst: 2)
            }
            isFirst = false
            let value = bytes.slice(request[index].value)
            guard rest.hasPrefix(value) else { return false }
            rest = rest.extracting(droppingFirst: value.count)
        }
        return isAbsent ? isFirst : !isFirst && rest.isEmpty
    }
}

extension Rules {
    /// How a member of Vary selects among the records of a key.
    private enum Selector {
        /// By the field's value in the request.
        case value
        /// All requests of one key, or of one coding, have the same value.
        case constant
        /// The value that the origin saw cannot be derived from the request.
        case unknowable
    }

    private func selector(_ name: Span<UInt8>) -> Selector {
        // `*` is a token, too.
        guard name.isToken, name.count < 256, !name.equals("*") else { return .unknowable }
        let field = FieldName.identify(name)
        switch field {
        // The key contains Host, and the scheme, which X-Forwarded-Proto states.
        case .acceptEncoding, .host, .xForwardedProto: return .constant
        // Under `cookies: strip` the origin sees no cookie, so its answer cannot vary by cookies.
        case .cookie: return cookies == .strip ? .constant : .value
        // Untrusted claims count as absent, because the origin does not see them.
        default:
            return treatment(of: field, storable: true, trusted: true) == .send ? .value : .unknowable
        }
    }

    /// Does the Vary field name only fields that the policy lists and that can be compared?
    /// - Returns: nil if not; otherwise whether requests must be compared by value.
    func variesByValue(_ fields: borrowing FieldTable, _ bytes: Span<UInt8>) -> Bool? {
        guard fields.contains(.vary) else { return false }
        var byValue = false
        for index in fields.range(of: .vary) where fields[index].id == .vary {
            let value = bytes.slice(fields[index].value)
            var members = ListTokens(value)
            while let member = members.next() {
                let name = value.extracting(member)
                if let allowed = names.vary {
                    var isListed = false
                    for entry in allowed where name.equalsIgnoringCase(entry.span) { isListed = true }
                    guard isListed else { return nil }
                }
                switch selector(name) {
                case .value: byValue = true
                case .constant: break
                case .unknowable: return nil
                }
            }
        }
        return byValue
    }

    /// Appends the Vary blob of an answer that `judge` found storable.
    ///
    /// - Parameters:
    ///   - request: the field lines that reached the origin (without Cookie under `cookies: strip`), or the
    ///     client's own lines.
    /// - Returns: nil, or the reason why the answer cannot be stored: the blob would be too large.
    public func writeVary(
        _ response: borrowing ResponseHead, _ bytes: Span<UInt8>, request: borrowing FieldTable,
        _ requestBytes: Span<UInt8>, into blob: inout ByteBuffer
    ) -> Reason? {
        guard response.fields.contains(.vary) else { return nil }
        let start = blob.count
        for index in response.fields.range(of: .vary) where response.fields[index].id == .vary {
            let refusal = appendEntries(
                bytes.slice(response.fields[index].value), request, requestBytes, from: start, to: &blob)
            if let refusal { return refusal }
        }
        return nil
    }

    /// As `writeVary`, with the Vary field of a stored head: for an entry that a 304 renewed.
    public func writeVary(
        ofStored head: Span<UInt8>, request: borrowing FieldTable, _ requestBytes: Span<UInt8>,
        into blob: inout ByteBuffer
    ) -> Reason? {
        let start = blob.count
        var position = 0
        while let line = StoredHead.nextLine(of: head, from: &position) {
            guard let value = StoredHead.value(ofLine: line, "vary", in: head) else { continue }
            let refusal = appendEntries(
                head.extracting(value), request, requestBytes, from: start, to: &blob)
            if let refusal { return refusal }
        }
        return nil
    }

    /// Appends the entries for one line of Vary.
    private func appendEntries(
        _ names: Span<UInt8>, _ request: borrowing FieldTable, _ bytes: Span<UInt8>, from start: Int,
        to blob: inout ByteBuffer
    ) -> Reason? {
        var members = ListTokens(names)
        while let member = members.next() {
            let name = names.extracting(member)
            switch selector(name) {
            case .value: break
            case .constant: continue
            case .unknowable: return .vary
            }
            let known = Variance.count(blob.span.extracting(droppingFirst: start), lookingFor: name)
            if known.isListed { continue }
            guard known.entries < Variance.nameLimit else { return .vary }
            Variance.append(name, request, bytes, to: &blob)
            guard blob.count &- start <= Variance.blobLimit else { return .vary }
        }
        return nil
    }
}
