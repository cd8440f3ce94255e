/// Field lines as heads are written: the one place that spells them.

public import Bytes

extension ByteBuffer {
    /// Appends a field line as `FieldLine` reads it: name, colon, one space, value, CRLF.
    @inlinable
    public mutating func append(name: Span<UInt8>, value: Span<UInt8>) {
        append(name, 0x3a, 0x20, value, 0x0d, 0x0a)
    }
}
