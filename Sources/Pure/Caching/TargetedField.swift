/// Targeted cache control (RFC 9213): a dictionary of structured fields (RFC 9651 §3.2). It replaces
/// Cache-Control, Expires and Pragma completely if it parses and is not empty; otherwise it counts as absent.

internal import Bytes
internal import HTTP
internal import Settings

enum TargetedField {
    /// The directives of the first field that applies: `Larder-Cache-Control`, then `CDN-Cache-Control`.
    static func directives(
        _ fields: borrowing FieldTable, _ bytes: Span<UInt8>, _ reading: Policy.Reading
    ) -> CacheDirectives? {
        guard fields.containsAny(of: FieldSet(.larderCacheControl).with(.cdnCacheControl)) else { return nil }
        return directives(in: .larderCacheControl, fields, bytes, reading)
            ?? directives(in: .cdnCacheControl, fields, bytes, reading)
    }

    /// Nil if the field is absent, empty or does not parse.
    private static func directives(
        in name: FieldName, _ fields: borrowing FieldTable, _ bytes: Span<UInt8>, _ reading: Policy.Reading
    ) -> CacheDirectives? {
        guard fields.contains(name) else { return nil }
        var directives = CacheDirectives()
        directives.field = name
        var isEmpty = true
        // Lines are combined with a comma (RFC 9651 §4.2), so an empty line beside others does not parse.
        for index in fields.range(of: name) where fields[index].id == name {
            var reader = StructuredReader(bytes.slice(fields[index].value))
            reader.skipSpaces()
            if reader.isAtEnd {
                if fields.isRepeated(name) { return nil }
                continue
            }
            while true {
                guard let member = reader.member() else { return nil }
                isEmpty = false
                let key = reader.text.extracting(member.key)
                // If a key occurs twice, the last value counts (RFC 9651 §4.2.2).
                if reading == .rfc { directives.forget(key) }
                directives.note(key, seconds: member.integer, isBare: member.isTrue, reading)
                guard let hasNext = reader.separator() else { return nil }
                if !hasNext { break }
            }
        }
        return isEmpty ? nil : directives
    }
}
