/// Updates a stored head with the head of a 304 or of an answer to HEAD (RFC 9111 §3.2).
///
///     fields of the newer answer                 replace all lines of the same name
///     Content-Length, Content-Encoding,          stay as stored: they describe the stored body
///     Content-Range, digests
///     fields of one connection, Age              are omitted, as on storing
///     Date                                       the newer one; if absent, the time of receipt

internal import Bytes
internal import HTTP

extension StoredHead {
    /// The status code of a stored head (`HTTP/1.1 200 …`).
    static func status(of head: Span<UInt8>) -> UInt16? {
        guard head.count > 12, let status = head.extracting(9..<12).decimalSaturating() else { return nil }
        return UInt16(status)
    }

    /// Fields that describe the stored body.
    private static var bound: FieldSet {
        FieldSet.digests.with(.contentLength).with(.contentEncoding).with(.contentRange)
    }

    /// Appends the updated head.
    /// - Returns: false if the stored head is malformed; then `output` may contain a part of it.
    static func merge(
        _ head: Span<UInt8>, with response: borrowing ResponseHead, _ bytes: Span<UInt8>,
        receivedSeconds: Int64, to output: inout ByteBuffer
    ) -> Bool {
        guard let statusEnd = head.firstIndex(of: 0x0a) else { return false }
        var position = statusEnd &+ 1
        output.append(head.extracting(first: position))
        while let range = nextLine(of: head, from: &position) {
            let line = head.extracting(range)
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > 0 else { return false }
            let name = line.extracting(first: colon)
            if FieldName.identify(name) == .date || isReplaced(name, by: response, bytes) { continue }
            output.append(line)
            output.append("\r\n")
        }
        guard position == head.count else { return false }
        for index in 0..<response.fields.count {
            guard updates(index, response) else { continue }
            let field = response.fields[index]
            output.append(name: bytes.slice(field.name), value: bytes.slice(field.value))
        }
        if !response.fields.contains(.date) {
            output.append("Date: ")
            HTTPDate.append(receivedSeconds, to: &output)
            output.append("\r\n")
        }
        return true
    }

    private static func isReplaced(
        _ name: Span<UInt8>, by response: borrowing ResponseHead, _ bytes: Span<UInt8>
    ) -> Bool {
        for index in 0..<response.fields.count {
            if bytes.slice(response.fields[index].name).equalsIgnoringCase(name) {
                return updates(index, response)
            }
        }
        return false
    }

    private static func updates(_ line: Int, _ response: borrowing ResponseHead) -> Bool {
        let id = response.fields.id(of: line)
        return !bound.contains(id) && id != .age && !HopByHop.contains(id)
            && !response.connection.nominates(line: line)
    }
}
