/// Lines of the log: every format, with any bytes a client may send.

import Bytes
import Kernel
import Testing

@testable import AccessLog

private func json(_ bytes: [UInt8]) -> String {
    var out = ByteBuffer(capacity: 16)
    LogText.appendJSON(bytes.span, to: &out)
    return out.span.string
}

private func escaped(_ bytes: [UInt8]) -> String {
    var out = ByteBuffer(capacity: 16)
    LogText.appendEscaped(bytes.span, to: &out)
    return out.span.string
}

@Test(arguments: [
    ("/a?b=c", "/a?b=c"), ("", ""), (#"a"b\c"#, #"a\"b\\c"#), ("a\nb\r\tc", #"a\nb\r\tc"#),
    ("\u{0}\u{1b}[31m\u{7f}", #"\u0000\u001b[31m\u007f"#), ("grün €𝄞", "grün €𝄞"),
    ("\u{80}\u{9f}\u{a0}", "\\u0080\\u009f\u{a0}"),
])
func jsonStringsAreEscaped(text: String, expected: String) {
    #expect(json(Array(text.utf8)) == expected)
}

@Test(
    arguments: [
        ([0xff], #"\ufffd"#), ([0xc3], #"\ufffd"#), ([0xc3, 0x28], #"\ufffd("#),
        ([0xc0, 0x80], #"\ufffd\ufffd"#),
        ([0xed, 0xa0, 0x80], #"\ufffd\ufffd\ufffd"#), ([0xe2, 0x82], #"\ufffd\ufffd"#),
        ([0xe2, 0x82, 0xac], "€"),
        ([0xf5, 0x80, 0x80, 0x80], #"\ufffd\ufffd\ufffd\ufffd"#),
        ([0xf4, 0x90, 0x80, 0x80], #"\ufffd\ufffd\ufffd\ufffd"#),
        ([0xe0, 0x80, 0xaf], #"\ufffd\ufffd\ufffd"#), ([0xf0, 0x9d, 0x84], #"\ufffd\ufffd\ufffd"#),
        ([0x80], #"\ufffd"#),
    ] as [([UInt8], String)])
func invalidUTF8IsReplacedInJSONStrings(bytes: [UInt8], expected: String) {
    #expect(json(bytes) == expected)
    #expect(json([0x61] + bytes + [0x62]) == "a" + expected + "b")
}

@Test func jsonOfEveryByteIsValidAndOneLine() {
    for byte in UInt8.min...UInt8.max {
        let text = json([byte])
        #expect(
            String(validating: text.utf8, as: UTF8.self) != nil
                && !text.utf8.contains { $0 < 0x20 || $0 == 0x7f })
    }
}

@Test(arguments: [
    ("GET /", "GET /"), (#"say "hi" \o"#, #"say \"hi\" \\o"#), ("a\nb\tc\r", #"a\nb\tc\r"#),
    ("\u{1b}[2J\u{7f}", #"\x1b[2J\x7f"#),
    ("é", #"\xc3\xa9"#), ("", ""),
])
func combinedFieldsAreEscaped(text: String, expected: String) {
    #expect(escaped(Array(text.utf8)) == expected)
}

/// A batch of one record, formatted. If `isHeld`, the record waited for the end of its answer.
private func line(
    _ format: LogFormat, userAgent: String = #"curl/8 "x""#, told: String = "", found: String = "",
    isHeld: Bool = false, _ change: (inout AccessRecord) -> Void = { _ in }
) -> String {
    var batch = Batch(textCapacity: 256)
    var record = AccessRecord(
        wallMilliseconds: 784_111_777_007, version: .http11, status: 200, bytesSent: 1234,
        durationMicroseconds: 56, cache: .hit, route: 1, server: 9)
    change(&record)
    let (method, target, host) = (Array("GET".utf8), Array("/a\"b?c".utf8), Array("example.com".utf8))
    let (client, agent, found) = (Array(told.utf8), Array(userAgent.utf8), Array(found.utf8))
    let texts = AccessTexts(
        client: client.span, method: method.span, target: target.span, host: host.span, referer: Span(),
        userAgent: agent.span, found: found.span)
    let peer = SocketAddress(parsing: "192.0.2.7:5000")!
    if isHeld {
        var text = ByteBuffer(capacity: 64)
        let lengths = Batch.append(peer, texts, to: &text)
        batch.add(HeldRecord(record: record, texts: text.span.copied, lengths: lengths))
    } else {
        batch.add(record, peer: peer, texts)
    }
    var formatter = LogFormatter(
        AccessLog.Options(
            destination: .none, format: format, routes: ["assets", "ap\"p"],
            reasons: ["", "no-freshness", "set-cookie"]))
    var out = ByteBuffer(capacity: 64)
    formatter.append(batch, 0, to: &out)
    return out.span.string
}

@Test(arguments: [false, true])
func aJSONLineHoldsEveryField(isHeld: Bool) {
    #expect(
        line(.json, isHeld: isHeld) { $0.reasons = [0x0102, 0] }
            == #"{"time":"1994-11-06T08:49:37.007Z","client":"192.0.2.7","method":"GET","#
            + #""host":"example.com","target":"/a\"b?c","version":"HTTP/1.1","status":200,"bytes":1234,"#
            + #""duration_us":56,"cache":"hit","reason":"set-cookie","reasons":["set-cookie","no-freshness"],"#
            + ##""route":"ap\"p","server":"#9","user_agent":"curl/8 \"x\""}"## + "\n")
    for (choice, text) in [(ServerChoice.spill, "spill"), (.retry, "retry")] {
        let json = line(.json, isHeld: isHeld) { $0.choice = choice }
        #expect(json.contains(##","server":"#9","choice":"\##(text)","user_agent""##))
        #expect(line(.template([.field(.choice)]), isHeld: isHeld) { $0.choice = choice } == "\(text)\n")
    }
    #expect(!line(.json).contains("choice") && line(.template([.field(.choice)])) == "-\n")
    let short = line(.json, userAgent: "") { $0.route = -1 }
    #expect(!short.contains("user_agent") && !short.contains("reason") && !short.contains("route"))
}

/// The members of a line about a failure and about a client behind a proxy.
@Test func jsonOfFailuresAndProxies() {
    let failed = line(.json, found: "A b: c\r") { record in
        (record.cause, record.rule, record.failedServer) = ("malformed", "field-line", 3)
    }
    #expect(failed.contains(#""cache":"hit","cause":"malformed","rule":"field-line","found":"A b: c\r","#))
    #expect(failed.contains(##""server":"#9","failed_server":"#3","##))
    let told = line(.json, told: "198.51.100.9")
    #expect(told.contains(#""client":"198.51.100.9","peer":"192.0.2.7","method":"#))
    #expect(!line(.json).contains("peer"))
    let fields: [LogFormat.Field] = [.client, .peer, .reason, .reasons, .cause, .rule, .found, .failedServer]
    let all = LogFormat.template(fields.flatMap { [.field($0), .text([0x20])] })
    #expect(line(all) == "192.0.2.7 192.0.2.7 - - - - - - \n")
    let full = line(all, told: "198.51.100.9", found: "x\u{1}") { record in
        (record.cause, record.rule, record.failedServer) = ("malformed", "chunk", 3)
        record.reasons = [0x0201, 0]
    }
    #expect(
        full == "198.51.100.9 192.0.2.7 no-freshness no-freshness,set-cookie malformed chunk x\\x01 #3 \n")
}

@Test func aCombinedLineHasItsFieldsInOrder() {
    let combined =
        #"192.0.2.7 - - [06/Nov/1994:08:49:37 +0000] "GET /a\"b?c HTTP/1.1" 200 1234 "-" "curl/8 \"x\"""#
    #expect(line(.combined) == combined + "\n")
    #expect(line(.combinedCache) == combined + " hit 56\n")
}

@Test func aTemplateLineIsFilledIn() throws {
    let format = try LogFormat(
        parsing: "${time} $client $$$status/${cache}:$reason $route $server $referer$duration_us")
    #expect(line(format) == "1994-11-06T08:49:37.007Z 192.0.2.7 $200/hit:- ap\\\"p #9 -56\n")
}

@Test(arguments: [
    ("jsn", "unknown log format 'jsn': expected json, combined, combined+cache, or a template with at"),
    ("$nope", "character 1: unknown field 'nope'; the fields are time, time_local, client, peer"),
    ("a ${status", "character 3: '${status' without its '}'"),
    ("$status $", "character 9: a '$' without a field's name"),
    ("$status ${}", "character 9: a '$' without a field's name"),
    ("$status\n", "a control character"),
])
func aMalformedFormatIsRefused(text: String, message: String) {
    let problem = #expect(throws: LogFormat.Problem.self) { try LogFormat(parsing: text) }
    #expect(problem?.description.contains(message) == true, "\(problem?.description ?? "")")
}

@Test func formatsAreFoundByName() throws {
    #expect(try LogFormat(parsing: "json") == .json)
    #expect(try LogFormat(parsing: "combined") == .combined)
    #expect(try LogFormat(parsing: "combined+cache") == .combinedCache)
}
