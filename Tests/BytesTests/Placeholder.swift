import Bytes
import Testing

@Test func bufferAppends() {
    var buffer = ByteBuffer(capacity: 4)
    buffer.append("hello ")
    buffer.append(decimal: 1234567890)
    buffer.append(0x20)
    buffer.append(hexadecimal: 0xabc)
    buffer.append(hexadecimal: 0)
    let text = buffer.span.string
    #expect(text == "hello 1234567890 abc0")
}
