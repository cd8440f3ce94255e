/// Files that are not YAML, or larger than Larder reads, and the exact messages about them.

import Configuration
import Testing

@Suite struct FileTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var name: String
        var bytes: [UInt8]
        /// nil: accepted.
        var message: String?
        var testDescription: String { name }

        init(_ name: String, _ bytes: [UInt8], _ message: String?) {
            self.name = name
            self.bytes = bytes
            self.message = message
        }

        init(_ name: String, _ text: String, _ message: String?) {
            self.init(name, Array(text.utf8), message)
        }
    }

    static let base = MistakeTests.base
    private static let bytes = Array(base.utf8)

    private static func sixteen(_ text: String, bigEndian: Bool) -> [UInt8] {
        text.utf16.flatMap { unit in
            let high = UInt8(unit >> 8)
            let low = UInt8(unit & 0xff)
            return bigEndian ? [high, low] : [low, high]
        }
    }

    static let encodings: [Row] = [
        Row("a byte order mark", [0xef, 0xbb, 0xbf] + bytes, nil),
        Row("CRLF", base.replacing("\n", with: "\r\n"), nil),
        Row("CR", base.replacing("\n", with: "\r"), nil),
        Row("no line break at the end", String(base.dropLast()), nil),
        Row("any character in a comment", base + "# grüße, 日本語, 🗄\n", nil),
        Row(
            "Latin-1", bytes + Array("# gr".utf8) + [0xfc] + Array("n\n".utf8),
            ":4: error: found the byte 0xFC in column 5, which is not UTF-8; allowed: UTF-8"),
        Row(
            "Latin-1 after other characters", bytes + Array("# é ".utf8) + [0xe9, 0x0a],
            ":4: error: found the byte 0xE9 in column 5, which is not UTF-8; allowed: UTF-8"),
        Row(
            "a character cut short", bytes + [0x23, 0xe2, 0x82],
            ":4: error: found the byte 0xE2 in column 2, which is not UTF-8; allowed: UTF-8"),
        Row(
            "an overlong character", bytes + [0x23, 0xe0, 0x80, 0x80],
            ":4: error: found the byte 0xE0 in column 2, which is not UTF-8; allowed: UTF-8"),
        Row(
            "half a surrogate pair", bytes + [0x23, 0xed, 0xa0, 0x80],
            ":4: error: found the byte 0xED in column 2, which is not UTF-8; allowed: UTF-8"),
        Row(
            "in CRLF lines", Array(base.replacing("\n", with: "\r\n").utf8) + [0xff],
            ":4: error: found the byte 0xFF in column 1, which is not UTF-8; allowed: UTF-8"),
        Row(
            "UTF-16, little-endian", [0xff, 0xfe] + sixteen(base, bigEndian: false),
            ":1: error: found UTF-16; allowed: UTF-8"),
        Row(
            "UTF-16, big-endian", [0xfe, 0xff] + sixteen(base, bigEndian: true),
            ":1: error: found UTF-16; allowed: UTF-8"),
        Row(
            "UTF-16 without a mark", sixteen(base, bigEndian: false),
            ":1: error: found UTF-16; allowed: UTF-8"),
        Row(
            "UTF-32", [0xff, 0xfe, 0, 0] + bytes.flatMap { [$0, 0, 0, 0] },
            ":1: error: found UTF-32; allowed: UTF-8"),
        Row(
            "a NUL at the end", base + "threads: 2\0",
            ":4: error: found the character U+0000 in column 11; allowed: no control characters"),
        Row(
            "a NUL in the last line", base + "\n# \0\n",
            ":5: error: found the character U+0000 in column 3; allowed: no control characters"),
        Row(
            "an escape", base + "# \u{1b}[1m\n",
            ":4: error: found the character U+001B in column 3; allowed: no control characters"),
        Row(
            "a second mark", base + "\u{feff}threads: 1\n",
            ":4: error: found the character U+FEFF in column 1; allowed: no control characters"),
    ]

    static let deep =
        "found lists and maps inside each other, deeper than Larder reads; allowed: 32"
    static let values = "found more values than Larder reads; allowed: 100000"
    static let aliases =
        "found aliases that stand for more values than Larder reads; allowed: 10000 in all"

    /// Each list holds the list before it ten times.
    private static func laughs(_ count: Int, _ item: (Int) -> String) -> String {
        "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
            + (1..<count).map { "a\($0): &a\($0) \(item($0 - 1))\n" }.joined()
    }
    private static func tenTimes(_ level: Int) -> String {
        "[" + Array(repeating: "*a\(level)", count: 10).joined(separator: ", ") + "]"
    }

    static let bounds: [Row] = [
        Row("a billion laughs", laughs(10, tenTimes), ":4: error: \(aliases)"),
        Row(
            "laughs in maps", laughs(30) { "{ a: *a\($0), b: *a\($0), c: *a\($0), d: *a\($0) }" },
            ":6: error: \(aliases)"),
        Row("laughs in a key", laughs(9, tenTimes) + "? *a8\n: b\n", ":4: error: \(aliases)"),
        Row(
            "an alias of itself", base + "x: &x [*x]\n",
            ":4: error: found '*x', an alias without an anchor '&x' before it; a text that begins with '*' "
                + "needs quotes"),
        Row("deep lists", "a: " + String(repeating: "[", count: 200_000), ":1: error: \(deep)"),
        Row(
            "deep lists, closed",
            "a: " + String(repeating: "[", count: 40) + String(repeating: "]", count: 40),
            ":1: error: \(deep)"),
        Row("deep maps", String(repeating: "{a: ", count: 100_000), ":1: error: \(deep)"),
        Row("deep block lists", String(repeating: "- ", count: 100_000), ":1: error: \(deep)"),
        Row("deep keys", String(repeating: "? ", count: 100_000), ":1: error: \(deep)"),
        Row(
            "deep block maps", (0..<600).map { String(repeating: " ", count: $0) + "a:\n" }.joined(),
            ":33: error: \(deep)"),
        Row(
            "many items", "trustedProxies: [" + String(repeating: "a,", count: 200_000) + "]",
            ":1: error: \(values)"),
        Row("many keys", (0..<60_000).map { "k\($0): 1\n" }.joined(), ":50000: error: \(values)"),
        Row("one key many times", String(repeating: "a: 1\n", count: 100_000), ":50000: error: \(values)"),
        Row(
            "a large file", base + "#" + String(repeating: "x", count: 1 << 20),
            ": error: found a file of more than 1MiB; allowed: at most 1MiB"),
        Row("a long comment", base + "#" + String(repeating: "x", count: 1_000_000), nil),
        Row(
            "many directives", (0..<50_000).map { "%TAG !a\($0)! b\n" }.joined() + "---\n" + base,
            ":17: error: found more than 16 lines that begin with '%'; allowed: 16"),
        Row(
            "many documents", String(repeating: "---\n", count: 100_000),
            ":2: error: found a second document ('---'); allowed: one document a file"),
        Row(
            "a long value", base + "threads: " + String(repeating: "x", count: 1_000_000),
            ":4: error: threads: found '\(String(repeating: "x", count: 60))…'; allowed: auto, or a whole "
                + "number from 1 to 256"),
        Row(
            "a long key", base + "? " + String(repeating: "x", count: 1_000_000) + "\n: 1\n",
            ":4: error: \(String(repeating: "x", count: 60))…: unknown key; allowed: \(MistakeTests.keys)"),
        Row("aliases that are few", base + "limits: { drain: &d 1s, keepAlive: *d }\n", nil),
        Row(
            "an alias as a key", "&k threads: 1\n" + base + "limits: { *k : 1 }\n",
            ":5: error: limits.threads: "
                + "unknown key; allowed: requestHead, requestHeaders, requestBody, connections, buffers, "
                + "headTimeout, keepAlive, drain"),
    ]

    static let syntax: [Row] = [
        Row(
            "a tab before a key", "cache:\n  memory: 64MiB\n\tpolicies: x\n",
            ":3: error: not valid YAML: found a tab in column 1; indent lines with spaces"),
        Row(
            "a tab after spaces", "listeners:\n  \t- bind: 127.0.0.1:80\n",
            ":2: error: not valid YAML: found a tab in column 3; indent lines with spaces"),
        Row(
            "a tab after a dash", "listeners:\n  -\tbind: 127.0.0.1:80\n",
            ":2: error: not valid YAML: found a tab in column 4; indent lines with spaces"),
        Row(
            "a tab before a value, in a list and a comment",
            "threads:\t2\t# two\nforwarded: [\n\tvia ]\n" + base, nil),
        Row(
            "a pattern without quotes", "host: *.example.com\n",
            ":1: error: not valid YAML: did not find expected alphabetic or numeric character, while "
                + "scanning an "
                + "alias; a text that begins with '*' needs quotes: '*.example.com'"),
        Row(
            "an address without quotes", "bind: [::]:80\n",
            ":1: error: not valid YAML: did not find expected node content, while parsing a flow node; an "
                + "IPv6 "
                + "address needs quotes: '[::]:8080'"),
        Row(
            "a sign that YAML keeps", "a: @b\n",
            ":1: error: not valid YAML: found character that cannot start any token, while scanning for the "
                + "next "
                + "token; a text that begins with '@' needs quotes"),
        Row(
            "a quote that stays open", base + "process: { user: 'a }\n",
            ":4: error: not valid YAML: found unexpected end of stream, while scanning a quoted scalar"),
        Row(
            "a list as a key", base + "? [a]\n: b\n",
            ":4: error: found a list or a map as a key; allowed: a text"),
        Row(
            "a binary", base + "threads: !!binary Mg==\n",
            ":4: error: found the tag '!!binary'; allowed: values without tags"),
        Row(
            "an unknown tag", base + "threads: !Ref x\n",
            ":4: error: found the tag '!Ref'; allowed: values without tags"),
        Row(
            "a list that is tagged a text", base + "forwarded: !!str [via]\n",
            ":4: error: found the tag '!!str'; allowed: values without tags"),
        Row("tags that change nothing", base + "threads: !!int 2\nforwarded: !!seq [!!str via]\n", nil),
        Row(
            "a merge key", base + "<<: { threads: 1 }\n",
            ":4: error: <<: Larder does not read merge keys; repeat the keys, or use an alias for each "
                + "value"),
        Row(
            "control characters of a key", base + "\"\\e[31m\\u202e\": 1\n",
            ":4: error: \\u{1b}[31m\\u{202e}: unknown key; allowed: \(MistakeTests.keys)"),
    ]

    @Test(arguments: encodings + bounds + syntax)
    func aMalformedFileIsReported(_ row: Row) {
        #expect(Fixture.mistakes(bytes: row.bytes) == (row.message.map { ["larder.yaml\($0)"] } ?? []))
    }

    /// The same in a policy file.
    @Test(arguments: [
        ("\u{feff}store: {}\n", nil),
        (
            "store:\n\tmaxAge: 1s\n",
            "2: error: not valid YAML: found a tab in column 1; indent lines with spaces"
        ),
        ("a: " + String(repeating: "[", count: 1000), "1: error: \(deep)"),
        ("{}\0", "1: error: found the character U+0000 in column 3; allowed: no control characters"),
    ])
    func aMalformedPolicyFileIsReported(_ policy: String, _ message: String?) {
        let text = Fixture.listeners + "routes: [{ upstream: app, policy: mine }]\n" + Fixture.upstreams
        #expect(
            Fixture.mistakes(text, policies: ["mine": policy])
                == (message.map { ["cache-policies/mine.yaml:\($0)"] } ?? []))
    }

    @Test func manyMistakesAreCounted() {
        let unknown = (1...1000).map { "k\($0): 1\n" }.joined()
        let messages = Fixture.mistakes(Self.base + unknown)
        #expect(messages.count == 51)
        #expect(messages.first == "larder.yaml:4: error: k1: unknown key; allowed: \(MistakeTests.keys)")
        #expect(messages.last == "larder.yaml: error: and 950 more errors")
        #expect(Fixture.mistakes(Self.base + (1...50).map { "k\($0): 1\n" }.joined()).count == 50)
        let one = Fixture.mistakes(Self.base + (1...51).map { "k\($0): 1\n" }.joined())
        #expect(one.last == "larder.yaml: error: and 1 more error")
    }

    @Test func manyMistakesOfManyPoliciesAreCounted() throws {
        var files: [String: String] = [:]
        for index in 100..<160 { files["p\(index)"] = "a: 1\nb: 2\n" }
        do {
            _ = try Fixture.read(Self.base, policies: files, everyPolicy: true)
            Issue.record("accepted")
        } catch {
            #expect(error.problems.count == 51)
            #expect(error.problems.last?.description == "larder.yaml: error: and 70 more errors")
        }
    }

    @Test func theNumberOfPoliciesIsLimited() {
        var files: [String: String] = [:]
        for index in 0..<1024 { files["p\(index)"] = "{" }
        #expect(Fixture.mistakes(Self.base, policies: files) == [])
        files["one-more"] = "{}"
        #expect(
            Fixture.mistakes(Self.base, policies: files) == [
                "cache-policies: error: found 1025 policy files; allowed: at most 1024"
            ])
    }

    /// A configured folder must exist; the default folder may be missing.
    @Test(arguments: [
        ("", FileSource.Failure.missing, nil),
        (
            "cache: { policies: policies }\n", .missing,
            "larder.yaml:1: error: cache.policies: found '/etc/larder/policies', but there is no such "
                + "folder; "
                + "allowed: a folder of policy files, or none"
        ),
        (
            "cache: { policies: /x }\n", .unreadable("Not a directory"),
            "larder.yaml:1: error: cache.policies: found '/x', which cannot be read: Not a directory; "
                + "allowed: a "
                + "folder of policy files"
        ),
        (
            "", .unreadable("Permission denied"),
            "larder.yaml: error: cache.policies: found '/etc/larder/cache-policies', which cannot be read: "
                + "Permission denied; allowed: a folder of policy files"
        ),
    ])
    func aMissingFolderIsReported(_ text: String, _ failure: FileSource.Failure, _ message: String?) {
        let files = FileSource(bytes: { _ in .failure(.missing) }, names: { _ in .failure(failure) })
        var problems: [String] = []
        do throws(ConfigurationError) {
            _ = try ConfigurationFile.read(
                Array((text + Self.base).utf8), file: "larder.yaml", folder: "/etc/larder", files: files)
        } catch { problems = error.problems.map(\.description) }
        #expect(problems == (message.map { [$0] } ?? []))
    }

    /// A file that exists and cannot be read is not replaced by the shipped policy of its name.
    @Test(arguments: [
        (FileSource.Failure.missing, "the file cannot be read: it is a link to a file that does not exist"),
        (.unreadable("Permission denied"), "the file cannot be read: Permission denied"),
    ])
    func anUnreadablePolicyFileIsReported(_ failure: FileSource.Failure, _ message: String) {
        let files = FileSource(
            bytes: { _ in .failure(failure) }, names: { _ in .success(["pessimistic.yaml"]) })
        do throws(ConfigurationError) {
            _ = try ConfigurationFile.read(
                Array(Self.base.utf8), file: "larder.yaml", folder: "/etc/larder", files: files)
            Issue.record("accepted")
        } catch {
            #expect(
                error.problems.map(\.description) == ["cache-policies/pessimistic.yaml: error: \(message)"])
        }
    }
}
