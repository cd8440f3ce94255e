/// Vary (RFC 9111 §4.1): which request fields select among the records of a key.
///
/// Accept-Encoding is never compared: a record's coding is tested against what the request accepts instead.
/// Nor is what the key holds (Host), nor what no origin sees. What Larder writes itself, such as
/// X-Forwarded-For, cannot be compared: the client's own line is not what the origin judged by, so such
/// answers are not stored. The other names and the values they had in the stored request are the record's
/// Vary blob, empty in the common case:
///
///     blob  = *entry
///     entry = name length (1 byte) · name, lower case · 0xFF 0xFF               the field was absent
///           | name length (1 byte) · name, lower case · value length (2, big-endian) · value
///
/// Each name has one entry, and there are at most sixteen of them: a lookup compares each name with all
/// fields of a request. An answer that varies by more is not stored.
///
/// A field's lines are combined with ", " and compared byte by byte, but for those whose syntax is known: of
/// Accept and Accept-Language the members are compared, in their order, without white space, and language
/// ranges in lower case (RFC 9111 §4.1; RFC 4647 §2). Of any other field a difference that means nothing
/// costs a miss.

public import Bytes
public import HTTP
internal import Settings

public enum Variance {
    /// Bytes of a blob at most.
    static var blobLimit: Int { 1024 }
    /// Names of a blob at most.
    static var nameLimit: Int { 16 }
    private static var absent: Int { 0xffff }

    /// May the record with this blob answer this request, as far as Vary goes?
    @inlinable
    public static func matches(
        _ blob: Span<UInt8>, _ request: borrowing FieldTable, _ requestBytes: Span<UInt8>
    ) -> Bool {
        blob.isEmpty || PlantedFault.isPlanted(.ignoresVary) || matchesEntries(blob, request, requestBytes)
    }

    /// The blob comes from shared memory: anything that is not well formed matches nothing.
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

    /// How many entries a well-formed blob has, and whether one of them is of this name.
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

    /// Appends the blob that a request has under the names of another one's blob: the same where both are of
    /// one variant. Longer than a blob may be where nothing of its variant could be stored.
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
            for index in 0..<request.count where request.isHeard(index, as: name, bytes) {
                if !isAbsent { blob.append(", ") }
                isAbsent = false
                blob.append(bytes.slice(request[index].value))
            }
        }
        guard !isAbsent else { return }
        // A value too long for the blob is refused by the caller; the length written then is never read.
        let length = min(blob.count &- start, 0xfffe)
        var written = blob.mutableSpan
        written[start &- 2] = UInt8(length >> 8)
        written[start &- 1] = UInt8(length & 0xff)
    }

    /// Do the request's lines of `name`, combined, equal `stored` (or are there none)?
    private static func combinedEquals(
        _ stored: Span<UInt8>, isAbsent: Bool, _ name: Span<UInt8>, _ request: borrowing FieldTable,
        _ bytes: Span<UInt8>
    ) -> Bool {
        if let list = NormalizedList(name) {
            return list.equals(stored, isAbsent: isAbsent, request, bytes)
        }
        var rest = stored
        var isFirst = true
        for index in 0..<request.count where request.isHeard(index, as: name, bytes) {
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
    /// How a member of Vary selects.
    private enum Selector {
        /// By the field's value in the request.
        case value
        /// All requests of a key, or of a coding, are alike to the origin.
        case constant
        /// What the origin saw cannot be told from the request.
        case unknowable
    }

    private func selector(_ name: Span<UInt8>) -> Selector {
        // `*` is a token too.
        guard name.isToken, name.count < 256, !name.equals("*") else { return .unknowable }
        let field = FieldName.identify(name)
        switch field {
        // Host is in the key; X-Forwarded-Proto tells the scheme, which is too.
        case .acceptEncoding, .host, .xForwardedProto: return .constant
        // Under `strip` the origin saw no cookie, whatever it says about varying by it.
        case .cookie: return cookies == .strip ? .constant : .value
        // Claims that are not believed count as absent, as they are to the origin.
        default:
            return treatment(of: field, storable: true, believed: true) == .send ? .value : .unknowable
        }
    }

    /// Does Vary name only what the policy lists, and what can be told apart? nil: no.
    /// - Returns: must requests be compared?
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

    /// Appends the blob of an answer that `judge` found storable.
    ///
    /// - Parameters:
    ///   - request: the field lines that reached the origin (without Cookie under `cookies: strip`), or the
    ///     client's own.
    /// - Returns: nil, or why it cannot be stored: more than a blob may hold.
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

    /// As `writeVary`, from a stored head: that of an entry which was renewed.
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

    /// The entries of one line of Vary.
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
