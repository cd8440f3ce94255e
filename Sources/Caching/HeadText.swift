// Stand-in for the parser of HTTP, for whole and valid heads.
internal import Bytes
internal import HTTP

extension FieldName {
    static func identifyStandIn(_ name: Span<UInt8>) -> FieldName {
        let text = String(name.string.lowercased().filter { $0 != "-" })
        return allCases.first { "\($0)".lowercased() == text } ?? .other
    }
}

enum HeadText {
    static func lines(_ bytes: Span<UInt8>, _ table: inout FieldTable) -> Range<Int> {
        let first = 0..<(bytes.firstIndex(of: 0x0d) ?? bytes.count)
        var position = first.upperBound + 2
        while position < bytes.count {
            let end = bytes.firstIndex(of: 0x0d, from: position) ?? bytes.count
            guard end > position else { break }
            let colon = bytes.firstIndex(of: 0x3a, from: position)!
            let value = bytes.extracting((colon + 1)..<end).trimmedRange()
            let name = Slice(position..<colon)
            _ = table.append(
                Field(
                    name: name, value: Slice((colon + 1 + value.lowerBound)..<(colon + 1 + value.upperBound)),
                    id: .identifyStandIn(bytes.slice(name))))
            position = end + 2
        }
        return first
    }

    static func request(_ bytes: Span<UInt8>) -> RequestHead? {
        var head = RequestHead()
        let space = bytes.firstIndex(of: 0x20)!
        let end = bytes.firstIndex(of: 0x20, from: space + 1)!
        let names: [(String, Method)] = [
            ("GET", .get), ("HEAD", .head), ("POST", .post), ("PUT", .put), ("DELETE", .delete),
            ("OPTIONS", .options),
        ]
        let method = bytes.extracting(0..<space).string
        head.method = names.first { $0.0 == method }?.1 ?? .other
        head.target = Slice((space + 1)..<end)
        let mark = bytes.firstIndex(of: 0x3f, from: space + 1).flatMap { $0 < end ? $0 : nil }
        head.path = Slice((space + 1)..<(mark ?? end))
        head.hasQuery = mark != nil
        if let mark { head.query = Slice((mark + 1)..<end) }
        if bytes[space + 1] == 0x2a { head.form = .asterisk }
        let first = lines(bytes, &head.fields)
        head.minorVersion = bytes[first.upperBound - 1] - 0x30
        head.authority = head.fields.first(.host)?.value ?? .empty
        if let length = head.fields.first(.contentLength) {
            head.framing = .length(bytes.slice(length.value).decimalSaturating() ?? 0)
        }
        if head.fields.contains(.transferEncoding) { head.framing = .chunked }
        return head
    }

    static func response(_ bytes: Span<UInt8>) -> ResponseHead? {
        var head = ResponseHead()
        let first = lines(bytes, &head.fields)
        head.status = UInt16(bytes.extracting(9..<12).decimalSaturating()!)
        head.reason = first.upperBound > 13 ? Slice(13..<first.upperBound) : .empty
        head.framing = .untilClose
        if head.fields.contains(.transferEncoding) {
            head.framing = .chunked
        } else if let length = head.fields.first(.contentLength) {
            head.framing = .length(bytes.slice(length.value).decimalSaturating() ?? 0)
        }
        if head.status < 200 || head.status == 204 || head.status == 304 { head.framing = .none }
        return head
    }
}
