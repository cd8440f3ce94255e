/// The JSON Schemas accept and refuse the same files as `check`. The rows are JSON, which is YAML too.
/// Not included are rules that a schema cannot express: names that other keys define, comparisons of two
/// keys, bits after a prefix length, and texts such as `0x10` or `null`, which are not texts to an editor.

import Settings
import Testing

@testable import Configuration

@Suite struct SchemaTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var key: String
        /// `%` stands for the value.
        var document: String
        var accepted: [String]
        var refused: [String]
        var testDescription: String { key }
    }

    private static func row(
        _ key: String, _ document: String, _ accepted: [String], _ refused: [String]
    ) -> Row {
        Row(key: key, document: document, accepted: accepted, refused: refused)
    }

    /// A configuration whose parts can be replaced.
    private static func file(
        listeners: String = #"[{"bind": "127.0.0.1:8080"}]"#, routes: String = #"[{"upstream": "app"}]"#,
        upstreams: String = #"{"app": {"servers": ["127.0.0.1:3000"]}}"#, more: String = ""
    ) -> String {
        #"{"listeners": \#(listeners), "routes": \#(routes), "upstreams": \#(upstreams)\#(more)}"#
    }
    private static func top(_ key: String) -> String { file(more: #", "\#(key)": %"#) }
    private static func limit(_ key: String) -> String { file(more: #", "limits": {"\#(key)": %}"#) }
    private static func route(_ key: String) -> String {
        file(routes: #"[{"upstream": "app", "\#(key)": %}]"#)
    }
    private static func upstream(_ more: String) -> String {
        file(upstreams: #"{"app": {"servers": ["127.0.0.1:3000"]\#(more)}}"#)
    }

    static let common = ["null", "[]", "{}", #""""#, "-1", "1.5"]

    static let scalars: [Row] = [
        row(
            "count", limit("requestHeaders"), ["1", "128", #""64""#, #""007""#],
            ["0", "129", #""0""#, #""129""#, #""1 ""#, "true"] + common),
        row(
            "large count", limit("connections"), ["1", "10000000", #""9999999""#],
            ["0", "10000001", #""10000001""#] + common),
        row(
            "size", limit("requestHead"),
            ["1024", #""1KiB""#, #""60KiB""#, #""61440B""#, #""61440""#, #""01KiB""#],
            [
                "1023", "61441", #""61KiB""#, #""1MiB""#, #""0KiB""#, #""1kb""#, #""1 KiB""#, #""1023B""#,
                #""61441B""#,
            ] + common),
        row(
            "large size", file(more: #", "cache": {"memory": %}"#),
            [#""4MiB""#, #""512GiB""#, #""4096KiB""#],
            [#""3MiB""#, #""513GiB""#, #""1TiB""#, #""4095KiB""#, "1"]),
        row(
            "size or none", limit("requestBody"), ["0", #""none""#, #""1TiB""#, #""0B""#],
            [#""2TiB""#, #""nine""#, "true"] + common),
        row(
            "duration", limit("headTimeout"),
            [#""1ms""#, #""7d""#, #""168h""#, #""10080m""#, #""604800s""#, #""604800000ms""#],
            [
                #""0s""#, #""8d""#, #""169h""#, #""604801s""#, #""604800001ms""#, #""10""#, "10", #""1.5s""#,
                #""1 s""#, #""1S""#,
            ] + common),
        row("duration from nothing", limit("drain"), [#""0s""#, #""0ms""#, #""00d""#], [#""8d""#, "0"]),
        row(
            "percentage", upstream(#", "boundedLoad": %"#),
            [#""101%""#, #""10000%""#, #""none""#, #""0150%""#],
            [#""100%""#, #""10001%""#, "150", #""150""#, #""%""#] + common),
        row(
            "flag", file(listeners: #"[{"bind": "127.0.0.1:1", "proxyProtocol": %}]"#),
            ["false", #""false""#], [#""no""#, "0", "true", #""true""#] + common),
        row(
            "threads", top("threads"), [#""auto""#, "1", "256", #""2""#],
            ["0", "257", #""automatic""#] + common),
        row(
            "choice", upstream(#", "balance": %"#),
            [#""url-hash""#, #""round-robin""#, #""least-requests""#],
            [#""random""#, #""URL-hash""#, "1"] + common),
        row(
            "run folder", file(more: #", "process": {"runFolder": %}"#), [#""/run/larder""#, #""/""#],
            [#""run""#, "1", "true"] + common),
        row(
            "user", file(more: #", "process": {"user": %}"#), [#""larder""#, "7", "true", #""a.b-c_d""#],
            [#""-a""#, #""a b""#, #""a/b""#, #""é""#, "[]", #""""#]),
    ]

    static let addresses: [Row] = [
        row(
            "bind", file(listeners: #"[{"bind": %}]"#),
            [
                #""0.0.0.0:8080""#, #""127.0.0.1:0""#, #""[::]:80""#, #""[2001:db8::1]:65535""#,
                #""[::ffff:1.2.3.4]:1""#,
                #""[1:2:3:4:5:6:7:8]:1""#, #""[1::8]:1""#, #""unix:/run/x.sock""#, #""127.0.0.1:00080""#,
                #""[1:2:3:4:5:6:1.2.3.4]:1""#,
            ],
            [
                #""8080""#, #"":8080""#, "8080", #""localhost:80""#, #""1.2.3:80""#, #""1.2.3.256:80""#,
                #""1.2.3.04:80""#,
                #""1.2.3.4:65536""#, #""1.2.3.4:000080""#, #""1.2.3.4""#, #""::1:80""#, #""[1.2.3.4]:80""#,
                #""[:::]:80""#,
                #""[1:2:3:4:5:6:7]:1""#, #""[1:2:3:4:5:6:7:8:9]:1""#, #""[1::2::3]:1""#, #""[12345::]:1""#,
                #""unix:run/x""#, #""unix:""#,
            ] + common),
        row(
            "server", file(upstreams: #"{"app": {"servers": [%]}}"#),
            [
                #""a:1""#, #""a.b-c.d_e:65535""#, #""10.0.0.1:80""#, #""[::1]:80""#, #""unix:/x""#,
                #""1a:80""#,
                #"{"address": "a:1"}"#,
                #"{"address": "a:1", "name": "n", "weight": 2, "maxConnections": "none"}"#,
            ],
            [
                #""a""#, #""a:0""#, #""a:65536""#, #""10.0.0.256:80""#, #""10.0.0:80""#, #""http://a:80""#,
                #""-a:80""#, #""a-:80""#,
                #""a..b:80""#, #""a.:80""#, "80", #"{"weight": 2}"#, #"{"address": "a:1", "slots": 2}"#,
                #"{"address": "a:1", "name": "a/b"}"#,
                #"{"dns": "a:1"}"#, #"{"srv": "_http._tcp.a"}"#, #"{"address": "a:1", "weight": 257}"#,
                #"{"address": "a:1", "x": 1}"#,
            ] + common),
        row(
            "trusted proxies", file(more: #", "trustedProxies": [%]"#),
            [
                #""10.0.0.0/8""#, #""10.0.0.1""#, #""::1""#, #""2001:db8::/32""#, #""0.0.0.0/0""#, #""::/0""#,
                #""unix""#,
            ],
            [
                #""10.0.0.0/33""#, #""::/129""#, #""proxy""#, #""10.0.0.0/""#, #""10.0.0.0/0008""#,
                #""[::1]""#, "10",
            ] + common),
        row(
            "host", route("host"),
            [#""a.com""#, #""A.com.""#, #""*.a.com""#, #""[::1]""#, #""a_b""#, "10", #""1.2.3.4""#],
            [
                #""a.com:80""#, #""*""#, #""*.*.com""#, #""http://a""#, #""a/b""#, #""a..b""#, #""-a""#,
                #""::1""#, #""[::1]:80""#,
                #""\#(String(repeating: "a", count: 64)).com""#, "[]", #""""#,
            ]),
        row(
            "path", route("path"), [#""/""#, #""/a/%41;=b""#, #""/*""#, #""/a\\b""#],
            [
                #""a""#, #""/a?b""#, #""/a#b""#, #""/a b""#, #""/ä""#,
                #""/\#(String(repeating: "a", count: 1024))""#, "1",
            ] + common),
        row(
            "log", file(more: #", "log": {"access": %}"#),
            [#""none""#, #""stdout""#, #""./a""#, #""/a/b.log""#], [#""syslog""#, #""a.log""#, "1"] + common),
        row(
            "log format", file(more: #", "log": {"format": %}"#),
            [#""json""#, #""combined""#, #""combined+cache""#],
            [#""%h""#, #""xml""#, "1"] + common),
        row(
            "forwarded", file(more: #", "forwarded": %"#),
            ["[]", #"["via"]"#, #"["x-forwarded", "forwarded", "via"]"#],
            [#""via""#, #"["Via"]"#, #"["via", "via", "via", "via"]"#, "null", "{}"]),
    ]

    static let maps: [Row] = [
        row(
            "file", "%", [file()],
            [
                "{}", "[]", #""x""#, file(more: #", "x": 1"#),
                #"{"listeners": [{"bind": "127.0.0.1:1"}], "routes": [{"upstream": "app"}]}"#,
                file(listeners: "[]"), file(routes: "[]"), file(routes: "[{}]"), file(listeners: "[{}]"),
            ]),
        row("policy", route("policy"), [#""none""#, #""pessimistic""#], [#""a b""#, "[]", "null", #""""#]),
        row(
            "TLS of a listener", file(listeners: #"[{"bind": "127.0.0.1:1", "tls": %}]"#), [],
            [#"{"certificates": ["a"]}"#, "{}", "true"]),
        row(
            "upstreams", file(upstreams: "%"), [#"{"app": {"files": "x"}}"#],
            [
                "{}", "[]", #"{"app": {}}"#, #"{"app": {"servers": []}}"#,
                #"{"app": {"files": "x"}, "a/b": {"files": "y"}}"#,
            ]),
        row(
            "one upstream", file(upstreams: #"{"app": %}"#),
            [
                #"{"servers": ["a:1"], "balance": "round-robin"}"#,
                #"{"servers": ["a:1"], "balance": "round-robin", "boundedLoad": "none"}"#,
                #"{"servers": ["a:1"], "boundedLoad": "200%", "balance": "url-hash"}"#,
                #"{"files": "x", "cacheControl": "no-cache"}"#,
                #"{"files": "x", "cacheControl": "none", "notFound": "/404.html"}"#,
            ],
            [
                #"{"servers": ["a:1"], "files": "x"}"#, #"{"retries": 1}"#, #"{"files": "x", "retries": 1}"#,
                #"{"files": "x", "balance": "url-hash"}"#,
                #"{"servers": ["a:1"], "cacheControl": "no-cache"}"#,
                #"{"servers": ["a:1"], "fallback": "/x"}"#,
                #"{"servers": ["a:1"], "balance": "round-robin", "boundedLoad": "150%"}"#,
                #"{"servers": ["a:1"], "tls": {}}"#,
                #"{"files": "x", "cacheControl": " a"}"#, #"{"files": "x", "cacheControl": "é"}"#,
                #"{"files": "x", "notFound": "404.html"}"#,
                #"{"files": "x", "notFound": "/"}"#, #"{"files": "x", "notFound": "/a?b"}"#,
            ]),
    ]

    static let policyRows: [Row] = [
        row(
            "statuses", #"{"store": {"statuses": %}}"#, [#""any""#, "[200]", #"["404"]"#, "[]"],
            ["[206]", #"["206"]"#, "[199]", "[600]", "200", #""all""#, #"["any"]"#, "null"]),
        row(
            "vary", #"{"store": {"vary": %}}"#, [#""any""#, #"["Accept"]"#, "[]"],
            [#"["*"]"#, #"["a b"]"#, #""Accept""#, "null"]),
        row(
            "whole seconds", #"{"store": {"maxAge": %}}"#, [#""1s""#, #""1000ms""#, #""10m""#, #""365d""#],
            [#""1500ms""#, #""0s""#, #""366d""#, "1", #""999ms""#, #""0ms""#]),
        row(
            "largest body", #"{"store": {"maxBody": %}}"#, [#""0B""#, #""10MiB""#, #""1TiB""#, "0"],
            [#""2TiB""#, #""x""#, "null"]),
        row(
            "largest head", #"{"store": {"maxHead": %}}"#, [#""256B""#, #""16KiB""#, "256"],
            [#""255B""#, #""17KiB""#, "255"]),
        row(
            "query", #"{"key": {"query": %}}"#,
            [#""keep""#, #""sort""#, #""ignore""#, #"{"only": ["v"]}"#, #"{"only": [1, true]}"#],
            [#""all""#, #"{"only": []}"#, "{}", #"{"only": "v"}"#, #"{"x": []}"#, "[]", "null"]),
        row(
            "types", #"{"compress": {"types": [%]}}"#, [#""text/*""#, #""a/b+c""#],
            [#""*/*""#, #""text""#, #""a/b/c""#, #""a/""#, "1"]),
        row(
            "codings", #"{"compress": {"codings": %}}"#, [#"["br", "gzip", "zstd"]"#, "[]"],
            [#"["br", "br"]"#, #"["deflate"]"#, #""br""#]),
        row("name", #"{"extends": %}"#, [#""pessimistic""#], [#""a b""#, #""../x""#, "[]", "null"]),
        row(
            "decision", #"{"decisions": [%]}"#,
            [
                #"{"name": "x", "expect": {"stored": true}}"#,
                #"{"name": 1, "then": {"expect": {"served": "hit", "age": 0}}}"#,
                #"{"name": "x", "request": {"method": "GET", "url": "http://a/", "headers": ["A: b"]}, "expect": {"stored": "false"}}"#,
                #"{"name": "x", "response": {"status": 200, "body": "1KiB", "delay": "0s"}, "expect": {"stored": true}}"#,
            ],
            [
                #"{"name": "x"}"#, #"{"expect": {"stored": true}}"#, #"{"name": "x", "expect": {}}"#,
                #"{"name": "x", "expect": {"stored": 1}}"#,
                #"{"name": "x", "request": {"url": "a"}, "expect": {"stored": true}}"#,
                #"{"name": "x", "request": {"headers": ["A"]}, "expect": {"stored": true}}"#,
                #"{"name": "x", "request": {"method": "a b"}, "expect": {"stored": true}}"#,
                #"{"name": "x", "response": {"status": 199}, "expect": {"stored": true}}"#,
                #"{"name": "x", "response": {"delay": "1500ms"}, "expect": {"stored": true}}"#,
            ]),
    ]

    private static let fileSchema = Reference.configurationSchema.json
    private static let policySchema = Reference.policySchema.json

    @Test(arguments: scalars + addresses + maps)
    func theSchemaAgreesWithCheckOnAConfiguration(_ row: Row) throws {
        let schema = JSONSchema(root: try .parse(Self.fileSchema))
        try Self.compare(row, schema) { Fixture.mistakes($0) }
    }

    @Test(arguments: policyRows)
    func theSchemaAgreesWithCheckOnAPolicy(_ row: Row) throws {
        let schema = JSONSchema(root: try .parse(Self.policySchema))
        try Self.compare(row, schema) {
            Fixture.mistakes(
                Self.file(routes: #"[{"upstream": "app", "policy": "mine"}]"#), policies: ["mine": $0])
        }
    }

    private static func compare(_ row: Row, _ schema: JSONSchema, mistakes: (String) -> [String]) throws {
        for (values, isAccepted) in [(row.accepted, true), (row.refused, false)] {
            for value in values {
                let text = row.document.replacing("%", with: value, maxReplacements: 1)
                #expect(try schema.accepts(.parse(text)) == isAccepted, "the schema: \(value)")
                #expect(mistakes(text).isEmpty == isAccepted, "check: \(value): \(mistakes(text))")
            }
        }
    }

    /// The schema accepts every printed form.
    @Test func theSchemaAcceptsThePrintedConfiguration() throws {
        let schema = JSONSchema(root: try .parse(Self.fileSchema))
        for text in [EffectiveTests.full, Fixture.listeners + Fixture.routes + Fixture.upstreams] {
            #expect(try schema.accepts(.parse(EffectiveTests.read(text).document.json)))
        }
        let policySchema = JSONSchema(root: try .parse(Self.policySchema))
        for policy in try Fixture.read(Self.file(), everyPolicy: true).policies {
            #expect(try policySchema.accepts(.parse(policy.document.json)), "\(policy.policy.name)")
        }
    }

    /// Numbers of a range, by regular expression: every number near the ends.
    @Test(arguments: [
        0...0, 0...9, 5...5, 1...10, 7...123, 99...101, 101...10_000, 0...65_535, 12_345...67_890,
    ])
    func aRangeOfNumbersIsARegularExpression(_ range: ClosedRange<Int>) throws {
        let schema = JSONSchema(
            root: .map(["pattern": .text("^(?:\(Pattern.number(range)))$")]))
        let near = Set(
            [range.lowerBound, range.upperBound, 10, 100, 1000, 10_000].flatMap { [$0 - 1, $0, $0 + 1] })
        for number in near where number >= 0 {
            for zeros in ["", "0", "000"] {
                #expect(try schema.accepts(.text("\(zeros)\(number)")) == range.contains(number), "\(number)")
            }
        }
    }
}
