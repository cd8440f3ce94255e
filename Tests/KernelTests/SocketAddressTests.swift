/// Addresses as text: every form that is read, every form that is refused, and that a printed address reads
/// back.

import Bytes
import Kernel
import Testing

@Suite struct SocketAddressTests {
    @Test(arguments: [
        "0.0.0.0:0", "1.2.3.4:80", "255.255.255.255:65535", "127.0.0.1:8080", "[::]:443", "[::1]:80",
        "[2001:db8::1]:8443", "[fe80::1:2:3:4]:1", "unix:/run/larder.sock", "unix:/", "unix:/a b",
    ])
    func canonicalTextRoundTrips(_ text: String) throws {
        let address = try #require(SocketAddress(parsing: text))
        #expect(address.description == text)
    }

    @Test(arguments: [
        ("[2001:DB8:0:0:0:0:0:1]:80", "[2001:db8::1]:80"), ("[::ffff:1.2.3.4]:80", "1.2.3.4:80"),
        ("[0:0:0:0:0:0:0:0]:1", "[::]:1"),
    ])
    func otherSpellingsBecomeCanonical(_ text: String, _ canonical: String) throws {
        #expect(SocketAddress(parsing: text)?.description == canonical)
    }

    @Test(arguments: [
        "", ":", ":80", "80", "1.2.3.4", "1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:99999", "1.2.3.4:100000",
        "1.2.3.4:+80", "1.2.3.4:-1",
        "1.2.3.4:080", "1.2.3.4:8 0", " 1.2.3.4:80", "1.2.3.4:80 ", "1.2.3.4 :80",
        "1.2.3:80", "1.2.3.4.5:80", "1..3.4:80", "1.2.3.256:80", "01.2.3.4:80", "1.2.3.4x:80", "0x1.2.3.4:80",
        "localhost:80", "*:80", "::1:80", "::1", "[::1]", "[::1]:", "[::1]80", "[::1:80", "::1]:80", "[]:80",
        "[1.2.3.4]:80", "[::1%lo]:80", "[:::1]:80", "[::1\u{0}]:80", "1.2.3.4\u{0}:80", "[[::1]]:80", "unix:",
        "unix:relative", "unix:/a\u{0}b", "UNIX:/a", "http://1.2.3.4:80", "１.2.3.4:80",
    ])
    func anyOtherTextIsRefused(_ text: String) {
        #expect(SocketAddress(parsing: text) == nil)
    }

    @Test func aUnixPathHasTheKernelsLimit() {
        let longest = "/" + String(repeating: "x", count: SocketAddress.longestUnixPath - 1)
        #expect(SocketAddress.longestUnixPath == 107)
        #expect(SocketAddress.unix(path: longest)?.unixPath == longest)
        #expect(SocketAddress.unix(path: longest + "x") == nil)
    }

    @Test func aLiteralWithoutAPortIsRead() {
        #expect(SocketAddress(ip: "10.0.0.1", port: 9)?.description == "10.0.0.1:9")
        #expect(SocketAddress(ip: "::1", port: 9)?.description == "[::1]:9")
        for text in ["[::1]", "localhost", "", "1.2.3", "1.2.3.4:5"] {
            #expect(SocketAddress(ip: text, port: 9) == nil)
        }
    }

    @Test func anAddressKnowsItsPartsAndWhetherItIsLoopback() throws {
        #expect(SocketAddress.ipv4(0x7f00_0001, port: 80).description == "127.0.0.1:80")
        #expect(SocketAddress(parsing: "1.2.3.4:5")?.ipv4 == 0x0102_0304)
        let halves = try #require(SocketAddress(parsing: "[2001:db8::ff]:1")?.ipv6)
        #expect(halves == (high: 0x2001_0db8_0000_0000, low: 0xff))
        for (text, expected) in [
            ("127.0.0.1:1", true), ("127.255.0.9:1", true), ("128.0.0.1:1", false), ("[::1]:1", true),
            ("[::2]:1", false), ("[1::1]:1", false), ("unix:/x", true),
        ] {
            #expect(SocketAddress(parsing: text)?.isLoopback == expected)
        }
    }

    @Test func theHostIsAppended() throws {
        var header = buffer("for=")
        SocketAddress.ipv4(0xc0a8_00ff, port: 1).appendHost(to: &header)
        header.append(" ")
        SocketAddress.ipv6(high: 0x2001_0db8 << 32, low: 1, port: 1).appendHost(to: &header)
        #expect(header.span.string == "for=192.168.0.255 2001:db8::1")
    }

    @Test func literalsResolveToThemselvesAndNamesToAddresses() throws {
        #expect(try Resolution.resolve(host: "192.0.2.1", port: 80).map(\.description) == ["192.0.2.1:80"])
        let local = try Resolution.resolve(host: "localhost", port: 81)
        #expect(!local.isEmpty && local.allSatisfy { $0.isLoopback && $0.port == 81 })
        #expect(Set(local).count == local.count)
        for host in ["", "a\u{0}b", "no such name"] {
            #expect(throws: Resolution.Failure.self) { try Resolution.resolve(host: host, port: 1) }
        }
    }
}
