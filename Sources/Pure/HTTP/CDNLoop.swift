/// `CDN-Loop` (RFC 8586): each cache that passes a request on adds its cdn-id, so that it knows the request
/// again when it comes back.
///
///     CDN-Loop = #( cdn-id *( OWS ";" OWS parameter ) )
import Bytes

public enum CDNLoop {
    /// Is this cdn-id among the members of the lines?
    ///
    /// Every comma ends a member, a comma inside of quotes too. So no member that somebody else wrote, well
    /// formed or not, can hide this one.
    public static func contains(
        _ id: Span<UInt8>, _ fields: borrowing FieldTable, _ bytes: Span<UInt8>
    ) -> Bool {
        for index in fields.range(of: .cdnLoop) where fields.id(of: index) == .cdnLoop {
            let value = bytes.slice(fields[index].value)
            var start = 0
            while start < value.count {
                let end = value.firstIndex(of: UInt8(ascii: ","), from: start) ?? value.count
                let member = value.extracting(start..<end)
                let idEnd = member.firstIndex(of: UInt8(ascii: ";")) ?? member.count
                if member.extracting(first: idEnd).trimmed().equalsIgnoringCase(id) { return true }
                start = end &+ 1
            }
        }
        return false
    }
}
