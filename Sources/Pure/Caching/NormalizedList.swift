/// Request fields that are compared by their members. White space between members and the distribution over
/// lines do not matter: `en-GB, en;q=0.5` and `EN-gb,en; q=0.5` are equal. The order of members matters,
/// because origins use it.
///
/// The normal form is the members with a comma between them, without white space outside quoted strings.

internal import Bytes
internal import HTTP

struct NormalizedList {
    private let field: FieldName

    /// Nil if the field is not known to be such a list.
    init?(_ name: Span<UInt8>) {
        field = FieldName.identify(name)
        guard field == .accept || field == .acceptLanguage else { return nil }
    }

    /// Is `stored` the normal form of the request's field? With `isAbsent`: is the field absent from the
    /// request?
    func equals(
        _ stored: Span<UInt8>, isAbsent: Bool, _ request: borrowing FieldTable, _ bytes: Span<UInt8>
    ) -> Bool {
        guard request.contains(field) else { return isAbsent }
        guard !isAbsent else { return false }
        var position = 0
        let isSame = forEachByte(request, bytes) { byte in
            guard position < stored.count, stored[position] == byte else { return false }
            position &+= 1
            return true
        }
        return isSame && position == stored.count
    }

    /// Appends the normal form.
    /// - Returns: does the request have the field?
    func append(
        _ request: borrowing FieldTable, _ bytes: Span<UInt8>, to output: inout ByteBuffer
    ) -> Bool {
        guard request.contains(field) else { return false }
        return forEachByte(request, bytes) { byte in
            output.append(byte)
            return true
        }
    }

    /// Passes the bytes of the normal form to `take`, until it returns false.
    /// - Returns: did `take` accept all bytes?
    @inline(__always)
    private func forEachByte(
        _ request: borrowing FieldTable, _ bytes: Span<UInt8>, _ take: (UInt8) -> Bool
    ) -> Bool {
        var isFirst = true
        for index in 0..<request.count where request[index].id == field {
            let value = bytes.slice(request[index].value)
            var members = ListTokens(value)
            while let member = members.next() {
                if !isFirst, !take(UInt8(ascii: ",")) { return false }
                isFirst = false
                var isQuoted = false
                var isEscaped = false
                for place in member {
                    let byte = value[place]
                    if isEscaped {
                        isEscaped = false
                    } else if byte == UInt8(ascii: "\"") {
                        isQuoted.toggle()
                    } else if isQuoted {
                        isEscaped = byte == UInt8(ascii: "\\")
                    } else if ASCII.isBlank(byte) {
                        continue
                    }
                    if !take(field == .acceptLanguage ? ASCII.lowercased(byte) : byte) { return false }
                }
            }
        }
        return true
    }
}
