/// Field lines on their way from one head into another: neighbours are copied in one piece.

internal import Bytes
internal import HTTP

/// Invariant: [start, end) of the source are lines that go out byte for byte, and wait for that.
struct LineRun {
    private var start = 0
    private var end = 0

    init() {}

    /// Begins with lines that stand at the front of the source.
    init(first count: Int) { end = count }

    /// Takes the next line, which goes out as `name: value` whatever stood around the value.
    @inline(__always)
    mutating func append(_ field: Field, of bytes: Span<UInt8>, to out: inout ByteBuffer) {
        let (name, value) = (field.name.range, field.value.range)
        guard value.lowerBound == name.upperBound &+ 2, bytes[name.upperBound &+ 1] == 0x20,
            bytes[value.upperBound] == 0x0d
        else {
            flush(bytes, to: &out)
            out.append(name: bytes.extracting(name), value: bytes.extracting(value))
            return
        }
        if name.lowerBound != end {
            flush(bytes, to: &out)
            start = name.lowerBound
        }
        end = value.upperBound &+ 2
    }

    /// Writes what waits: before anything else is written, and at the end.
    @inline(__always)
    mutating func flush(_ bytes: Span<UInt8>, to out: inout ByteBuffer) {
        if end > start { out.append(bytes.extracting(start..<end)) }
        start = end
    }
}
