/// Invariants of the head parsers, for every input. A breach traps.
import Bytes
import HTTP

let fuzzLimits = HeadLimits(head: 1_024, fields: 12)

/// Parses `bytes` cut at `cuts`, and then whole. Returns the verdict, and how many bytes it took.
func parseRequest(
    _ head: inout RequestHead, _ bytes: Span<UInt8>, cuts: some Sequence<Int>
) -> (
    HeadResult, Int
) {
    var scan = HeadScan()
    for end in cuts {
        let result = head.parse(bytes.extracting(first: end), limits: fuzzLimits, scan: &scan)
        if result != .needMore { return (result, end) }
    }
    return (head.parse(bytes, limits: fuzzLimits, scan: &scan), bytes.count)
}

func parseResponse(
    _ head: inout ResponseHead, _ bytes: Span<UInt8>, cuts: some Sequence<Int>, method: HTTP.Method
) -> (HeadResult, Int) {
    var scan = HeadScan()
    for end in cuts {
        let result = head.parse(
            bytes.extracting(first: end), limits: fuzzLimits, scan: &scan, requestMethod: method)
        if result != .needMore { return (result, end) }
    }
    return (head.parse(bytes, limits: fuzzLimits, scan: &scan, requestMethod: method), bytes.count)
}

/// The verdict does not depend on the cuts; slices lie inside the head; the head's lines are the fields.
public func checkRequestHead(_ bytes: Span<UInt8>) {
    var head = RequestHead()
    let result = parseRequest(&head, bytes, cuts: []).0
    var dripped = RequestHead()
    let (drippedResult, end) = parseRequest(&dripped, bytes, cuts: 0..<bytes.count)
    precondition(result == drippedResult, "whole and byte by byte differ")
    precondition(
        parseRequest(&dripped, bytes, cuts: [bytes.count / 2]).0 == result, "whole and halves differ")
    precondition(result != .needMore || bytes.count < fuzzLimits.head, "past the limit without a verdict")
    guard case .complete(let length) = result else { return }
    precondition(end == length, "complete only with its last byte")
    _ = parseRequest(&dripped, bytes, cuts: 0..<bytes.count)
    precondition(dripped.target == head.target && dripped.path == head.path && dripped.query == head.query)
    precondition(
        dripped.authority == head.authority && dripped.framing == head.framing
            && dripped.keepAlive == head.keepAlive)
    precondition(dripped.fields.count == head.fields.count && dripped.methodName == head.methodName)
    checkFollowing(&dripped, bytes, lines: head.target.range.upperBound + 11)

    let view = bytes.extracting(first: length)
    let start = Int(head.methodName.start)
    precondition(start == 0 || start == 2)
    checkFields(head.fields, view, startLine: start, isAnswer: false)
    let target = view.slice(head.target)
    precondition(
        !target.isEmpty && target.firstNonVisible(from: 0) == target.count
            && target.firstIndex(of: 0x23) == nil)
    for index in head.methodName.range { precondition(ASCII.token.contains(view[index])) }
    checkTarget(head, view)
    checkFraming(head.fields, view, head.framing, none: .none)
    precondition(head.minorVersion == 1 || (head.minorVersion == 0 && head.framing != .chunked))
    precondition(!head.keepAlive || !head.connection.close)
    precondition(
        head.fields.count(of: .host) == 1 || (head.minorVersion == 0 && head.fields.count(of: .host) == 0))
    checkAuthority(head, view)
}

/// There is one normal form: the written authority reads as itself.
private func checkAuthority(_ head: borrowing RequestHead, _ bytes: Span<UInt8>) {
    guard !head.authority.isEmpty else { return precondition(head.host(in: bytes).isEmpty) }
    guard let spelt = Authority(bytes.slice(head.authority)) else { preconditionFailure("no authority") }
    var normal = ByteBuffer()
    spelt.appendHost(of: bytes.slice(head.authority), to: &normal)
    precondition(head.host(in: bytes).equalsIgnoringCase(normal.span))
    spelt.appendPort(unless: 80, to: &normal)
    precondition(head.authority(in: bytes, defaultPort: 80).equalsIgnoringCase(normal.span))
    guard let read = Authority(normal.span) else { preconditionFailure("the normal form is no authority") }
    var again = ByteBuffer()
    read.appendHost(of: normal.span, to: &again)
    read.appendPort(unless: 80, to: &again)
    precondition(again.span.equals(normal.span))
}

private func checkTarget(_ head: borrowing RequestHead, _ bytes: Span<UInt8>) {
    let target = bytes.slice(head.target)
    switch head.form {
    case .asterisk: precondition(target.equals("*") && head.method == .options && head.path.isEmpty)
    case .origin: precondition(head.path.start == head.target.start && bytes[Int(head.path.start)] == 0x2f)
    case .absolute:
        precondition(
            head.schemeIsHTTPS == target.extracting(first: min(target.count, 6)).equalsIgnoringCase("https:"))
        precondition(head.path.start == head.authority.range.upperBound)
        precondition(head.path.isEmpty || bytes[Int(head.path.start)] == 0x2f)
    }
    guard head.form != .asterisk else { return }
    let pathEnd = head.path.range.upperBound
    precondition(bytes.slice(head.path).firstIndex(of: 0x3f) == nil)
    if head.hasQuery {
        precondition(bytes[pathEnd] == 0x3f && Int(head.query.start) == pathEnd + 1)
        precondition(head.query.range.upperBound == head.target.range.upperBound)
    } else {
        precondition(head.query.isEmpty && pathEnd == head.target.range.upperBound)
    }
}

/// Like `checkRequestHead`, for responses to GET and HEAD.
public func checkResponseHead(_ bytes: Span<UInt8>) {
    for method in [HTTP.Method.get, .head] {
        var head = ResponseHead()
        let result = parseResponse(&head, bytes, cuts: [], method: method).0
        var dripped = ResponseHead()
        let (drippedResult, end) = parseResponse(&dripped, bytes, cuts: 0..<bytes.count, method: method)
        precondition(result == drippedResult, "whole and byte by byte differ")
        precondition(
            parseResponse(&dripped, bytes, cuts: [bytes.count / 2], method: method).0 == result,
            "whole and halves differ")
        precondition(result != .needMore || bytes.count < fuzzLimits.head, "past the limit without a verdict")
        guard case .complete(let length) = result else { continue }
        precondition(end == length, "complete only with its last byte")
        checkFollowing(&dripped, bytes, method)
        let view = bytes.extracting(first: length)
        checkFields(head.fields, view, startLine: 0, isAnswer: true)
        precondition((100..<600).contains(head.status))
        for index in head.reason.range { precondition(ASCII.isFieldValue(view[index])) }
        if head.status < 200 || head.status == 204 || head.status == 304 || method == .head {
            precondition(head.framing == .none)
        } else {
            checkFraming(head.fields, view, head.framing, none: .untilClose)
            precondition(head.framing != .untilClose || !head.keepAlive)
        }
    }
}

/// Reads the head's lines again, plainly, and compares: no field is lost or invented.
private func checkFields(
    _ fields: borrowing FieldTable, _ head: Span<UInt8>, startLine: Int, isAnswer: Bool
) {
    func lineEnd(_ start: Int) -> Int {
        var index = start
        while !(head[index] == 0x0d && head[index + 1] == 0x0a) {
            precondition(
                head[index] != 0x0d && head[index] != 0x0a && head[index] != 0, "a control byte got through")
            index += 1
        }
        return index
    }
    var cursor = lineEnd(startLine) + 2
    for index in 0..<fields.count {
        let end = lineEnd(cursor)
        let field = fields[index]
        precondition(Int(field.name.start) == cursor && field.name.count > 0)
        var colon = field.name.range.upperBound
        while isAnswer, ASCII.isBlank(head[colon]) { colon += 1 }
        precondition(head[colon] == 0x3a)
        if colon > field.name.range.upperBound {
            precondition(field.id != .contentLength && field.id != .transferEncoding && field.id != .connection)
        }
        for place in field.name.range { precondition(ASCII.token.contains(head[place])) }
        let value = head.extracting((colon + 1)..<end)
        precondition(value.trimmed().equals(head.slice(field.value)))
        for place in 0..<value.count { precondition(ASCII.isFieldValue(value[place])) }
        let id = FieldName.identify(head.slice(field.name))
        // The names of a response's fields make no claims about a client.
        precondition(id == field.id || field.id == .other && "\(id.text)".isEmpty)
        if !"\(field.id.text)".isEmpty {
            precondition(head.slice(field.name).equalsIgnoringCase("\(field.id.text)".utf8.span))
        }
        precondition(
            fields.contains(field.id) && fields.isRepeated(field.id) == (fields.count(of: field.id) > 1))
        cursor = end + 2
    }
    precondition(lineEnd(cursor) == cursor && cursor + 2 == head.count, "the blank line ends the head")
}

private func checkFraming(
    _ fields: borrowing FieldTable, _ head: Span<UInt8>, _ framing: BodyFraming, none: BodyFraming
) {
    let (lengths, codings) = (fields.count(of: .contentLength), fields.count(of: .transferEncoding))
    switch framing {
    case .chunked:
        precondition(codings == 1 && lengths == 0)
        precondition(head.slice(fields.first(.transferEncoding)!.value).equalsIgnoringCase("chunked"))
    case .length(let length):
        precondition(codings == 0 && lengths == 1 && length <= UInt64(Int64.max))
        precondition(head.slice(fields.first(.contentLength)!.value).decimalSaturating() == length)
    case .none, .untilClose: precondition(framing == none && codings == 0 && lengths == 0)
    }
}
