/// IP addresses as text, read and written.
import Bytes
import Testing

@Suite struct IPTextTests {
    @Test(
        arguments: [
            ("0.0.0.0", 0), ("1.2.3.4", 0x0102_0304), ("255.255.255.255", 0xffff_ffff), ("1.2.3", nil),
            ("1.2.3.4.5", nil), ("1.2.3.", nil), (".1.2.3", nil), ("1..2.3", nil), ("256.0.0.1", nil),
            ("01.2.3.4", nil), ("1.2.3.0004", nil), ("1.2.3.x", nil), ("", nil), ("1.2.3.4 ", nil),
        ] as [(String, UInt32?)])
    func anIPv4AddressIsRead(_ text: String, _ word: UInt32?) { #expect(IPText.ipv4(text.utf8.span) == word) }

    /// An address is written in the one form of RFC 5952.
    @Test(arguments: [
        ("::", "::"), ("::1", "::1"), ("1::", "1::"), ("0:0:0:0:0:0:0:0", "::"),
        ("2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"), ("2001:DB8::1", "2001:db8::1"),
        ("1:0:0:2:0:0:0:3", "1:0:0:2::3"), ("1:0:0:2:3:0:0:4", "1::2:3:0:0:4"),
        ("1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"),
        ("0:1:2:3:4:5:6:7", "0:1:2:3:4:5:6:7"), ("0:0:1::", "0:0:1::"), ("0:0:1:0:0:2:3:4", "::1:0:0:2:3:4"),
        ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
        ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"), ("::ffff:1.2.3.4", "::ffff:102:304"),
        ("1:2:3:4:5:6:7.8.9.10", "1:2:3:4:5:6:708:90a"), ("::1.2.3.4", "::102:304"),
    ])
    func anIPv6AddressIsReadAndWrittenInItsCanonicalForm(_ text: String, _ canonical: String) {
        guard let (high, low) = IPText.ipv6(text.utf8.span) else {
            Issue.record("\(text) is not read")
            return
        }
        var written = ByteBuffer()
        IPText.append(ipv6: high, low, to: &written)
        #expect(written.span.string == canonical)
        #expect(IPText.ipv6(canonical.utf8.span).map { $0 == (high, low) } == true)
    }

    @Test(arguments: [
        "", ":", ":::", "1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", ":1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:",
        "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "12345::", "g::", "::1.2.3", "::1.2.3.4:5", "1.2.3.4",
        "::%eth0",
        "1:2:3:4:5:6:7:1.2.3.4", "-1::", "+1::", " ::1", "::1 ", "0x1::",
    ])
    func aMalformedIPv6AddressIsRefused(_ text: String) { #expect(IPText.ipv6(text.utf8.span) == nil) }
}
