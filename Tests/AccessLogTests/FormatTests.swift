/// Lines of the log: every format, and any bytes a client may send.

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
func jsonStrings(text: String, expected: String) {
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
func jsonStringsOfInvalidUTF8(bytes: [UInt8], expected: String) {
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
func combinedEscapes(text: String, expected: String) {
    #expect(escaped(Array(text.utf8)) == expected)
}

/// A batch of one record, formatted.
private func line(
    _ format: LogFormat, userAgent: String = #"curl/8 "x""#, reason: StaticString = "", route: Int32 = 1,
    choice: ServerChoice = .first
) -> String {
    var batch = Batch(textCapacity: 256)
    var record = AccessRecord(
        wallMilliseconds: 784_111_777_007, version: .http11, status: 200, bytesSent: 1234,
        durationMicroseconds: 56,
        cache: .hit, reason: reason, route: route, server: 9)
    record.choice = choice
    batch.add(
        record, client: SocketAddress(parsing: "192.0.2.7:5000")!, method: Array("GET".utf8).span,
        target: Array("/a\"b?c".utf8).span, host: Array("example.com".utf8).span, referer: [UInt8]().span,
        userAgent: Array(userAgent.utf8).span)
    var formatter = LogFormatter(format: format, routes: ["assets", "ap\"p"], servers: [])
    var out = ByteBuffer(capacity: 64)
    formatter.append(batch, 0, to: &out)
    return out.span.string
}

@Test func jsonLine() {
    #expect(
        line(.json, reason: "no-freshness")
            == #"{"time":"1994-11-06T08:49:37.007Z","client":"192.0.2.7","method":"GET","#
            + #""host":"example.com","target":"/a\"b?c","version":"HTTP/1.1","status":200,"bytes":1234,"duration_us":56,"#
            + ##""cache":"hit","reason":"no-freshness","route":"ap\"p","server":"#9","user_agent":"curl/8 \"x\""}"##
            + "\n")
    for (choice, text) in [(ServerChoice.spill, "spill"), (.retry, "retry")] {
        #expect(line(.json, choice: choice).contains(##","server":"#9","choice":"\##(text)","user_agent""##))
        #expect(line(.template([.field(.choice)]), choice: choice) == "\(text)\n")
    }
    #expect(!line(.json).contains("choice") && line(.template([.field(.choice)])) == "-\n")
    let short = line(.json, userAgent: "", route: -1)
    #expect(!short.contains("user_agent") && !short.contains("reason") && !short.contains("route"))
}

@Test func combinedLine() {
    #expect(
        line(.combined)
            == #"192.0.2.7 - - [06/Nov/1994:08:49:37 +0000] "GET /a\"b?c HTTP/1.1" 200 1234 "-" "curl/8 \"x\"""#
            + "\n")
}

@Test func templateLine() throws {
    let format = try LogFormat(
        parsing: "${time} $client $$$status/${cache}:$reason $route $server $referer$duration_us")
    #expect(line(format) == "1994-11-06T08:49:37.007Z 192.0.2.7 $200/hit:- ap\\\"p #9 -56\n")
}

@Test(arguments: [
    ("jsn", "unknown log format 'jsn': expected json, combined, or a template with at least one $field"),
    ("$nope", "character 1: unknown field 'nope'; the fields are time, time_local, client"),
    ("a ${status", "character 3: '${status' without its '}'"),
    ("$status $", "character 9: a '$' without a field's name"),
    ("$status ${}", "character 9: a '$' without a field's name"),
    ("$status\n", "a control character"),
])
func formatsThatAreRefused(text: String, message: String) {
    let problem = #expect(throws: LogFormat.Problem.self) { try LogFormat(parsing: text) }
    #expect(problem?.description.contains(message) == true, "\(problem?.description ?? "")")
}

@Test func formatsByName() throws {
    #expect(try LogFormat(parsing: "json") == .json)
    #expect(try LogFormat(parsing: "combined") == .combined)
}
