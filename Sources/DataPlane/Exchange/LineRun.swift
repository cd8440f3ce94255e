/// The field lines of a head that go out as they came: what lies between two that do not is one copy.

internal import Bytes
internal import HTTP

struct LineRun {
    /// Where what is not written yet begins.
    private var start: Int

    init(from start: Int) { self.start = start }

    /// Writes what stands in front of this line, and leaves the line out.
    mutating func leaveOut(_ line: Range<Int>, of bytes: Span<UInt8>, to out: inout ByteBuffer) {
        flush(upTo: line.lowerBound, of: bytes, to: &out)
        start = line.upperBound
    }

    /// Writes what waits: behind the last line.
    @inline(__always)
    func flush(upTo end: Int, of bytes: Span<UInt8>, to out: inout ByteBuffer) {
        if end > start { out.append(bytes.extracting(start..<end)) }
    }
}
