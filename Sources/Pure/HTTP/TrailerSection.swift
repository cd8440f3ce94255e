/// Who gets the trailers of an answer (RFC 9110 §6.5.1 and §10.1.4).
import Bytes

extension RequestHead {
    /// Has the client said `TE: trailers`? (Whether its `Connection` names `TE`, as it should, does not
    /// matter: the field is the client's own, for it is never passed on.)
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
