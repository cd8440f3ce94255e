/// Writes field lines of heads. All heads are written by this one function.

public import Bytes

extension ByteBuffer {
    /// Appends a field line in the form that `FieldLine.plain` reads: name, colon, one space, value, CRLF.
    @inlinable
    public mutating func append(name: Span<UInt8>, value: Span<UInt8>) {
        append(name, 0x3a, 0x20, value, 0x0d, 0x0a)
    }
}
