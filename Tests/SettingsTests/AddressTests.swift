/// IP addresses, ranges, binds and server addresses: the texts that are read, and their canonical form.

import Settings
import Testing

@Suite struct AddressTests {
    @Test(arguments: [
        ("0.0.0.0", "0.0.0.0"), ("192.0.2.255", "192.0.2.255"), ("::", "::"), ("::1", "::1"), ("1::", "1::"),
        ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"), ("2001:db8::1:0:0:1", "2001:db8::1:0:0:1"),
        ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"), ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"),
        ("1:0:3:4:5:6:7:8", "1:0:3:4:5:6:7:8"), ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
        ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"), ("::ffff:c000:201", "192.0.2.1"),
    ])
    func anAddressIsReadInItsCanonicalForm(_ text: String, _ canonical: String) {
        #expect(IPAddress(parsing: text)?.description == canonical)
        #expect(IPAddress(parsing: canonical) == IPAddress(parsing: text))
    }

    @Test(arguments: [
        "", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.4 ", "+1.2.3.4", "1.2..4", ":", ":::",
        "1:2",
        "1:2:3:4:5:6:7:8:9", "1::2::3", "1:2:3:4:5:6:7:8::", "::12345", "::g", "::+1", "::-1", "1:", ":1",
        "::1.2.3",
        "1.2.3.4::", "::1.2.3.4:5", "fe80::1%eth0", "[::1]", "1:2:3:4:5:6:7:1.2.3.4",
    ])
    func aMalformedAddressIsRefused(_ text: String) {
        #expect(IPAddress(parsing: text) == nil)
    }

    @Test(arguments: [
        ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.0", false),
        ("10.0.0.0/8", "::ffff:10.0.0.1", true),
        ("10.1.2.3", "10.1.2.3", true), ("10.1.2.3", "10.1.2.4", false), ("0.0.0.0/0", "203.0.113.9", true),
        ("0.0.0.0/0", "::1", false), ("::/0", "2001:db8::1", true), ("::/0", "203.0.113.9", false),
        ("2001:db8::/32", "2001:db8:ffff::", true), ("2001:db8::/32", "2001:db9::", false),
        ("2001:db8::/64", "2001:db8::ffff:0:0:1", true), ("2001:db8::/65", "2001:db8:0:0:8000::", false),
        ("::1", "::1", true), ("::1/128", "::2", false), ("::ffff:10.0.0.0/104", "10.9.9.9", true),
    ])
    func aRangeHoldsItsAddresses(_ range: String, _ address: String, _ isInside: Bool) throws {
        let range = try AddressRange(parsing: range)
        let address = try #require(IPAddress(parsing: address))
        #expect(range.contains(address) == isInside)
        #expect(try AddressRange(parsing: range.description) == range)
    }

    @Test(arguments: [
        ("0.0.0.0:80", "0.0.0.0:80", true), ("0.0.0.0:80", "127.0.0.1:80", true),
        ("0.0.0.0:80", "127.0.0.1:81", false), ("127.0.0.1:80", "127.0.0.2:80", false),
        ("0.0.0.0:0", "0.0.0.0:0", false), ("127.0.0.1:0", "127.0.0.1:0", false),
        ("[::]:80", "0.0.0.0:80", false), ("[::]:80", "127.0.0.1:80", false), ("[::]:80", "[::1]:80", true),
        ("[::1]:80", "[::2]:80", false), ("[::1]:80", "[0:0::1]:80", true),
        ("[::ffff:127.0.0.1]:80", "0.0.0.0:80", true), ("[::ffff:127.0.0.1]:80", "[::]:80", false),
        ("unix:/run/a", "unix:/run/a", true), ("unix:/run/a", "unix:/run//./a", true),
        ("unix:/run/a", "unix:/run/b", false), ("unix:/run/a", "0.0.0.0:80", false),
    ])
    func overlappingBindsAreRecognised(_ one: String, _ other: String, _ expected: Bool) throws {
        let one = try #require(BindAddress(parsing: one))
        let other = try #require(BindAddress(parsing: other))
        #expect(one.excludes(other) == expected)
        #expect(other.excludes(one) == expected)
    }

    private static func holds(_ range: AddressRange, _ bytes: [UInt8]) -> Bool {
        range.contains(bytes: bytes.span)
    }

    @Test func aRangeHoldsAddressesGivenAsBytes() throws {
        let four = try AddressRange(parsing: "10.0.0.0/8")
        #expect(Self.holds(four, [10, 1, 2, 3]))
        #expect(!Self.holds(four, [11, 1, 2, 3]))
        #expect(Self.holds(four, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 1, 2, 3]))
        #expect(!Self.holds(four, [10, 1, 2]))
        #expect(!Self.holds(four, []))
        let six = try AddressRange(parsing: "2001:db8::/32")
        #expect(Self.holds(six, [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]))
        #expect(!Self.holds(six, [0x20, 1, 0x0d, 0xb8]))
    }

    @Test(arguments: [
        ("10.0.0.1/8", AddressRange.Invalid.hostBits(meant: "10.0.0.0/8")),
        ("2001:db8::1/32", .hostBits(meant: "2001:db8::/32")),
        ("10.0.0.0/33", .prefix(limit: 32)), ("10.0.0.0/", .prefix(limit: 32)),
        ("10.0.0.0/-1", .prefix(limit: 32)),
        ("::/129", .prefix(limit: 128)), ("::/1/2", .prefix(limit: 128)),
        ("::ffff:10.0.0.0/8", .prefix(limit: 128)),
        ("localhost", .notAnAddress), ("", .notAnAddress), ("/8", .notAnAddress),
    ])
    func aMalformedRangeIsRefused(_ text: String, _ error: AddressRange.Invalid) {
        #expect(throws: error) { _ = try AddressRange(parsing: text) }
    }

    @Test(arguments: [
        ("0.0.0.0:8080", "0.0.0.0:8080"), ("[::]:8080", "[::]:8080"), ("127.0.0.1:0", "127.0.0.1:0"),
        ("[2001:DB8::0]:65535", "[2001:db8::]:65535"), ("unix:/run/larder.sock", "unix:/run/larder.sock"),
    ])
    func aBindIsReadInItsCanonicalForm(_ text: String, _ canonical: String) {
        #expect(BindAddress(parsing: text)?.description == canonical)
    }

    @Test(arguments: [
        "", "8080", ":8080", "localhost:80", "::1:80", "[::1]", "1.2.3.4", "1.2.3.4:", "1.2.3.4:65536",
        "1.2.3.4:+1",
        "1.2.3.4:8O", "[1.2.3.4]:80", "unix:", "unix:run.sock", "unix:/" + String(repeating: "a", count: 107),
    ])
    func aMalformedBindIsRefused(_ text: String) {
        #expect(BindAddress(parsing: text) == nil)
    }

    @Test(arguments: [
        ("10.0.0.1:80", "10.0.0.1:80"), ("[::1]:80", "[::1]:80"), ("app.internal:80", "app.internal:80"),
        ("app:80", "app:80"), ("my_app:80", "my_app:80"), ("unix:/run/app.sock", "unix:/run/app.sock"),
    ])
    func aServerIsReadInItsCanonicalForm(_ text: String, _ canonical: String) {
        #expect(ServerAddress(parsing: text)?.description == canonical)
    }

    @Test(arguments: [
        "", "app", "app:0", "app:65536", "10.0.0.256:80", "10.0.0:80", "::1:80", "http://a:80", "a/b:80",
        "-a:80",
    ])
    func aMalformedServerIsRefused(_ text: String) {
        #expect(ServerAddress(parsing: text) == nil)
    }
}
