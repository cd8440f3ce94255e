/// Which clients get the trailers of an answer (RFC 9110 §6.5.1 and §10.1.4).
import Bytes

extension RequestHead {
    /// Did the client send `TE: trailers`? `Connection` should nominate `TE`, but this is not checked: the
    /// field always comes from the client itself, because no proxy forwards it.
    public func takesTrailers(_ bytes: Span<UInt8>) -> Bool {
        guard minorVersion >= 1 else { return false }
        for index in fields.range(of: .te) where fields.id(of: index) == .te {
            let value = bytes.slice(fields[index].value)
            var members = ListTokens(value)
            while let member = members.next() {
                if value.extracting(member).equalsIgnoringCase("trailers") { return true }
            }
        }
        return false
    }
}
