/// A head that was parsed into before parses the next input as a fresh head does: recognised fields and names
/// give the same result as parsing them.
import Bytes
import HTTP

/// Inputs that differ from `bytes` in one bit of one byte: another letter, or the same in the other case.
private func neighbours(of bytes: Span<UInt8>) -> [[UInt8]] {
    var found: [[UInt8]] = []
    for place in [1, 2, 3].map({ bytes.count * $0 / 4 }) {
        for bit: UInt8 in [1, 0x20] {
            var other = (0..<bytes.count).map { bytes[$0] }
            other[place] ^= bit
            found.append(other)
        }
    }
    return found
}

private func checkSame(_ known: borrowing FieldTable, _ fresh: borrowing FieldTable) {
    precondition(known.count == fresh.count && known.isPlain == fresh.isPlain && known.lines == fresh.lines)
    for index in 0..<known.count {
        precondition(known[index].name == fresh[index].name && known[index].value == fresh[index].value)
        precondition(known[index].id == fresh[index].id && known.line(index) == fresh.line(index))
        let id = fresh[index].id
        precondition(known.isRepeated(id) == fresh.isRepeated(id))
        precondition(known.first(id)?.name == fresh.first(id)?.name)
    }
}

/// `known` was parsed from `bytes`, whose field lines begin at `lines`.
func checkFollowing(_ known: inout RequestHead, _ bytes: Span<UInt8>, lines: Int) {
    var others = neighbours(of: bytes)
    for line in ["GET /other?line HTTP/1.1\r\n", "HEAD / HTTP/1.0\r\n"] {
        others.append(Array(line.utf8) + (lines..<bytes.count).map { bytes[$0] })
    }
    for other in others {
        _ = parseRequest(&known, bytes, cuts: [])
        var fresh = RequestHead()
        let result = parseRequest(&fresh, other.span, cuts: []).0
        precondition(parseRequest(&known, other.span, cuts: []).0 == result, "known and parsed differ")
        guard case .complete = result else { continue }
        precondition(known.authority == fresh.authority && known.host == fresh.host)
        precondition(known.port == fresh.port && known.framing == fresh.framing)
        precondition(known.keepAlive == fresh.keepAlive && known.expectsContinue == fresh.expectsContinue)
        precondition(known.upgradesToWebSocket == fresh.upgradesToWebSocket)
        checkSame(known.fields, fresh.fields)
    }
}

/// `known` was parsed from `bytes`.
func checkFollowing(_ known: inout ResponseHead, _ bytes: Span<UInt8>, _ method: HTTP.Method) {
    for other in neighbours(of: bytes) {
        _ = parseResponse(&known, bytes, cuts: [], method: method)
        var fresh = ResponseHead()
        let result = parseResponse(&fresh, other.span, cuts: [], method: method).0
        precondition(
            parseResponse(&known, other.span, cuts: [], method: method).0 == result,
            "known and parsed differ")
        guard case .complete = result else { continue }
        precondition(known.status == fresh.status && known.framing == fresh.framing)
        precondition(known.keepAlive == fresh.keepAlive)
        checkSame(known.fields, fresh.fields)
    }
}
