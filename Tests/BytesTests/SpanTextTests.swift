/// Every text operation on spans, compared with the standard library's operation on arrays and strings.
import Bytes
import Testing

struct SpanTextTests {
    static let texts = [
        "", "a", "A", "b", "ab", "Ab", "aB", "abc", "ABC", "abd", " ab", "ab ", "\t a b \t", "   ", "\u{e9}",
        "[", "{", "max-age", "MAX-AGE",
        "must-revalidate", "Must-Revalidate", "must-revalidat", "must-revalidatE ",
        "stale-while-revalidate=1",
    ]

    @Test(arguments: texts, texts)
    func spansCompareAsArraysDo(_ left: String, _ right: String) {
        let (a, b) = (Array(left.utf8), Array(right.utf8))
        let lower = { (bytes: [UInt8]) in bytes.map(ASCII.lowercased) }
        let (span, other) = (a.span, b.span)
        let results = [span.equals(other), span.equalsIgnoringCase(other), span.hasPrefix(other)]
        #expect(results == [a == b, lower(a) == lower(b), a.starts(with: b)])
    }

    @Test func spansCompareWithLiterals() {
        func check(_ text: String, _ equals: Bool, _ ignoringCase: Bool, _ prefix: Bool) {
            let span = text.utf8.span
            let results = [
                span.equals("max-age"), span.equalsIgnoringCase("max-age"), span.hasPrefix("max-age"),
            ]
            #expect(results == [equals, ignoringCase, prefix], "\(text)")
        }
        check("max-age", true, true, true)
        check("Max-AGE", false, true, false)
        check("max-age=1", false, false, true)
        check("max-ag", false, false, false)
        check("", false, false, false)
        check("max\rage", false, false, false)
        check("max-ag\u{5}", false, false, false)
    }

    /// Every wrong byte at every place, for literals of one to three words.
    @Test func aWrongByteAnywhereFailsTheComparison() {
        func check(_ literal: StaticString, _ equals: (Span<UInt8>) -> [Bool]) {
            let text = Array("\(literal)".utf8)
            for place in text.indices {
                for byte in 0...255 as ClosedRange<UInt8> {
                    var bytes = text
                    bytes[place] = byte
                    let same = byte == text[place]
                    let expected = [same, ASCII.lowercased(byte) == text[place], same]
                    #expect(equals(bytes.span) == expected, "\(literal): \(byte) at \(place)")
                }
            }
        }
        check("te") { [$0.equals("te"), $0.equalsIgnoringCase("te"), $0.hasPrefix("te")] }
        check("close") { [$0.equals("close"), $0.equalsIgnoringCase("close"), $0.hasPrefix("close")] }
        check("s-maxage") {
            [$0.equals("s-maxage"), $0.equalsIgnoringCase("s-maxage"), $0.hasPrefix("s-maxage")]
        }
        check("http2-settings") {
            [
                $0.equals("http2-settings"), $0.equalsIgnoringCase("http2-settings"),
                $0.hasPrefix("http2-settings"),
            ]
        }
        check("proto=\"https\", 0/9:;") {
            [
                $0.equals("proto=\"https\", 0/9:;"), $0.equalsIgnoringCase("proto=\"https\", 0/9:;"),
                $0.hasPrefix("proto=\"https\", 0/9:;"),
            ]
        }
    }

    @Test(arguments: texts)
    func whiteSpaceIsTrimmed(_ text: String) {
        let span = text.utf8.span
        let expected = String(
            text.reversed().drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" })
        let (trimmed, range) = (span.trimmed().string, span.trimmedRange())
        #expect(trimmed == expected)
        #expect(range.count == expected.utf8.count)
    }

    @Test(
        arguments: [
            ("", nil), ("0", 0), ("007", 7), ("18446744073709551615", UInt64.max),
            ("18446744073709551616", .max), ("18446744073709551609", 18_446_744_073_709_551_609),
            ("99999999999999999999999999", .max), ("99999999999999999999999999x", nil),
            ("18446744073709551616 ", nil), ("1 ", nil), (" 1", nil),
            ("+1", nil), ("-1", nil), ("1.0", nil), ("0x1", nil), ("\u{661}", nil),
            ("184467440737095516160", .max),
        ] as [(String, UInt64?)])
    func decimalNumbersAreRead(_ text: String, _ value: UInt64?) {
        let parsed = text.utf8.span.decimalSaturating()
        #expect(parsed == value)
    }

    /// Every byte at every place of one to nine digits.
    @Test func aWrongByteAnywhereIsNoDecimalNumber() {
        let digits = Array("907316284".utf8)
        for count in 1...digits.count {
            for place in 0..<count {
                for byte in 0...255 as ClosedRange<UInt8> {
                    var bytes = Array(digits[..<count])
                    bytes[place] = byte
                    let expected =
                        bytes.allSatisfy(ASCII.isDigit)
                        ? bytes.reduce(UInt64(0)) { $0 * 10 + UInt64($1 - 0x30) } : nil
                    let parsed = bytes.span.decimalSaturating()
                    #expect(parsed == expected, "\(bytes)")
                }
            }
        }
    }

    @Test func aSpanIsCopiedToAnArray() {
        let bytes: [UInt8] = [0x61, 0xff, 0x62]
        let (copied, string) = (bytes.span.copied, bytes.span.string)
        #expect(copied == bytes && string == "a\u{fffd}b")
    }

    @Test func aLiteralGivesItsBytes() {
        let literal: StaticString = "hello"
        #expect((0..<5).map { literal.byte(at: $0) } == Array("hello".utf8))
    }
}
