/// Request fields that select by their members, whatever the white space between them and the lines they
/// stand on: `en-GB, en;q=0.5` and `EN-gb,en; q=0.5` ask for the same. Their order stays: origins go by it.
///
/// The normal form is the members with a comma between them, without white space outside of quoted strings.

internal import Bytes
internal import HTTP

struct NormalizedList {
    private let field: FieldName

    /// nil for fields that are not known to be such lists.
    init?(_ name: Span<UInt8>) {
        field = FieldName.identify(name)
        guard field == .accept || field == .acceptLanguage else { return nil }
    }

    /// Is `stored` the normal form of the request's field, or is it absent where the request's is?
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
    /// - Returns: is there such a field?
    func append(
        _ request: borrowing FieldTable, _ bytes: Span<UInt8>, to output: inout ByteBuffer
    ) -> Bool {
        guard request.contains(field) else { return false }
        return forEachByte(request, bytes) { byte in
            output.append(byte)
            return true
        }
    }

    /// Hands over the normal form until `take` has enough.
    /// - Returns: did it take all?
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
