/// Cache groups (RFC 9875). `Cache-Groups` puts a stored answer into groups of its origin.
/// `Cache-Group-Invalidation` in the answer to an unsafe request invalidates groups. Both fields are Lists of
/// Strings (RFC 9651 §3.1), compared character by character. A field that does not parse as a whole, or that
/// has a member of another type, is ignored.
///
/// The number of groups is limited only by the size of the head (the RFC asks for 32 groups of 32
/// characters).

internal import Bytes
public import HTTP

public enum CacheGroups {
    /// Maximum number of groups of one answer that are invalidated one by one.
    static var invalidationLimit: Int { 16 }

    /// The scopes that the `Cache-Group-Invalidation` of an answer invalidates; none if the method is safe
    /// (RFC 9875 §3). With more than 16 groups, the scope is the whole host. Allocates.
    ///
    /// - Parameter key: the key of the request's target; the groups belong to the origin in it.
    public static func invalidated(
        by response: borrowing ResponseHead, _ bytes: Span<UInt8>, method: Method, key: Span<UInt8>
    ) -> [PurgeScope] {
        guard !method.isSafe, response.fields.contains(.cacheGroupInvalidation),
            let layout = KeyLayout(key)
        else { return [] }
        var names: [[UInt8]] = []
        let isOnly = !response.fields.isRepeated(.cacheGroupInvalidation)
        for index in response.fields.range(of: .cacheGroupInvalidation)
        where response.fields[index].id == .cacheGroupInvalidation {
            var reader = StructuredReader(bytes.slice(response.fields[index].value))
            guard read(&reader, isOnly: isOnly, { names.append($0) }) else { return [] }
        }
        let distinct = Set(names)
        guard distinct.count <= invalidationLimit else {
            return [.host(key.extracting(layout.host).copied)]
        }
        let origin = key.extracting(layout.origin).copied
        return distinct.sorted { $0.lexicographicallyPrecedes($1) }.map {
            .group(origin: origin, name: $0)
        }
    }

    /// Reads one line and passes each String, without its escapes, to `take`.
    /// - Returns: false if the line does not parse.
    private static func read(
        _ reader: inout StructuredReader, isOnly: Bool, _ take: ([UInt8]) -> Void
    ) -> Bool {
        reader.skipSpaces()
        // Lines are combined with a comma, so an empty line beside others does not parse.
        if reader.isAtEnd { return isOnly }
        while true {
            guard let member = reader.stringMember() else { return false }
            let text = reader.text.extracting(member)
            var name: [UInt8] = []
            var index = 0
            while index < text.count {
                if text[index] == UInt8(ascii: "\\") { index &+= 1 }
                name.append(text[index])
                index &+= 1
            }
            take(name)
            guard let hasNext = reader.separator() else { return false }
            if !hasNext { return true }
        }
    }

    /// Is a stored answer in this group? Does not allocate.
    static func contains(_ name: Span<UInt8>, in head: Span<UInt8>) -> Bool {
        var isMember = false
        var lines = 0
        var empty = 0
        var position = 0
        while let line = StoredHead.nextLine(of: head, from: &position) {
            guard let value = StoredHead.value(ofLine: line, "cache-groups", in: head) else { continue }
            lines &+= 1
            var reader = StructuredReader(head.extracting(value))
            reader.skipSpaces()
            if reader.isAtEnd {
                empty &+= 1
                continue
            }
            while true {
                guard let member = reader.stringMember() else { return false }
                if equals(head.extracting(value).extracting(member), name) { isMember = true }
                guard let hasNext = reader.separator() else { return false }
                if !hasNext { break }
            }
        }
        return isMember && (empty == 0 || lines == 1)
    }

    /// Is the content of a String, escapes included, equal to this text?
    private static func equals(_ string: Span<UInt8>, _ text: Span<UInt8>) -> Bool {
        var index = 0
        var position = 0
        while index < string.count {
            if string[index] == UInt8(ascii: "\\") { index &+= 1 }
            guard index < string.count, position < text.count, string[index] == text[position] else {
                return false
            }
            index &+= 1
            position &+= 1
        }
        return position == text.count
    }
}
