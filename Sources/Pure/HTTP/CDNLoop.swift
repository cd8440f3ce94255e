/// `CDN-Loop` (RFC 8586) detects forwarding loops: each cache that forwards a request adds its cdn-id, and
/// recognises the id when the request returns.
///
///     CDN-Loop = #( cdn-id *( OWS ";" OWS parameter ) )
import Bytes

public enum CDNLoop {
    /// Is this cdn-id a member of the field?
    ///
    /// Every comma ends a member, even a comma inside quotes. So a member that another sender wrote, well
    /// formed or not, cannot hide this cdn-id.
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
