/// The character classes and scans, compared with plain definitions over all bytes.
import Bytes
import Testing

struct ASCIITests {
    static let all = Array(UInt8.min...UInt8.max)
    static let letters = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
    static let digits = Array("0123456789".utf8)
    static let words = Set(letters + [0x2d])
    static let names = Set(letters + digits + [0x2d, 0x2e])

    @Test func characterClassesMatchTheirDefinitions() {
        let token = Set(Self.letters + Self.digits + Array("!#$%&'*+-.^_`|~".utf8))
        for byte in Self.all {
            #expect(ASCII.token.contains(byte) == token.contains(byte))
            #expect(ASCII.visible.contains(byte) == (0x21...0x7e).contains(byte))
            #expect(ASCII.isDigit(byte) == Self.digits.contains(byte))
            #expect(ASCII.isLetter(byte) == Self.letters.contains(byte))
            #expect(ASCII.isBlank(byte) == [0x20, 0x09].contains(byte))
            #expect(ASCII.isFieldValue(byte) == (byte == 9 || (byte > 31 && byte != 127)))
            let lower = Array(String(decoding: [byte], as: UTF8.self).lowercased().utf8)
            #expect(ASCII.lowercased(byte) == (byte < 128 ? lower[0] : byte))
            let isHex = byte < 128 && Character(Unicode.Scalar(byte)).isHexDigit
            #expect(
                ASCII.hexValue(byte).map(Int.init)
                    == (isHex ? Character(Unicode.Scalar(byte)).hexDigitValue : nil))
        }
    }

    @Test func aWordIsLowercased() {
        for byte in Self.all {
            for index in 0..<8 {
                var bytes = Array("aZ@[`{09".utf8)
                bytes[index] = byte
                let expected = bytes.map(ASCII.lowercased)
                let same = bytes.span.word(at: 0).lowercasedBytes == expected.span.word(at: 0)
                #expect(same)
            }
        }
    }

    @Test func wordsAreLoadedAtEveryPlace() {
        let text: StaticString = "abcdefghijklmnopqrst"
        let bytes = Array("\(text)".utf8)
        for count in 0...bytes.count {
            let span = bytes.span.extracting(first: count)
            for start in 0...count {
                for length in 0...min(8, count - start) {
                    let expected = (0..<length).reduce(UInt64(0)) {
                        $0 | UInt64(bytes[start + $1]) << UInt64($1 * 8)
                    }
                    let word = span.word(at: start, length: length)
                    #expect(word == expected, "\(length) at \(start) of \(count)")
                    if length == min(8, bytes.count - start) { #expect(text.word(at: start) == expected) }
                }
            }
        }
    }

    @Test func pairsAreFoundAtEveryPlace() {
        let bytes = Array("abcdef".utf8)
        for count in 0...bytes.count {
            for index in [.min, -2, -1, 0, 1, 2, 3, 4, 5, 6, .max - 1, .max] as [Int] {
                let isThere = index >= 0 && index < count - 1
                let pair = isThere ? UInt16(bytes[index]) | UInt16(bytes[index + 1]) << 8 : 0x6261
                let found = bytes.span.extracting(first: count).hasPair(pair, at: index)
                let foundOther = bytes.span.extracting(first: count).hasPair(pair ^ 0x100, at: index)
                #expect(found == isThere && !foundOther, "\(index) of \(count)")
            }
        }
    }

    /// Every byte at every place of a run that is long enough for the vector part and the scalar part of each
    /// scan.
    @Test func scansAgreeWithPlainLoops() {
        for byte in Self.all {
            for length in [0, 1, 7, 8, 9, 15, 16, 17, 40] {
                for place in 0...length {
                    var bytes = [UInt8](repeating: 0x61, count: length)
                    if place < length { bytes[place] = byte }
                    for start in [0, 1, place, length] where start <= length {
                        check(bytes, from: start, byte: byte)
                    }
                }
            }
        }
    }

    func check(_ bytes: [UInt8], from start: Int, byte: UInt8) {
        func first(_ test: (UInt8) -> Bool) -> Int { bytes[start...].firstIndex(where: test) ?? bytes.count }
        let span = bytes.span
        let found = [
            span.firstIndex(of: byte, from: start) ?? bytes.count, span.firstControl(from: start),
            span.firstNonVisible(from: start),
            span.firstNonWord(from: start), span.firstNonName(from: start), span.firstNonPath(from: start),
        ]
        let expected = [
            first { $0 == byte }, first { $0 < 0x20 || $0 == 0x7f }, first { !ASCII.visible.contains($0) },
            first { !Self.words.contains($0) }, first { !Self.names.contains($0) },
            first { !ASCII.visible.contains($0) || $0 == 0x23 || $0 == 0x3f },
        ]
        if found != expected { Issue.record("\(bytes) from \(start): \(found), not \(expected)") }
        checkPairs(bytes, from: start)
        if start > 0 { checkMarks(bytes, from: start) }
    }

    /// A scan for pairs finds a pair that begins in the last sixteen bytes and ends one byte later.
    func checkPairs(_ bytes: [UInt8], from start: Int) {
        let span = bytes.span
        for (place, find) in [
            (span.firstControl(from: start), { bytes.span.firstControl(from: start, beginning: $0) }),
            (span.firstNonWord(from: start), { bytes.span.firstNonWord(from: start, beginning: $0) }),
        ] as [(Int, (UInt16) -> Int?)] {
            guard place + 1 < bytes.count else {
                if find(0) != nil { Issue.record("\(bytes) from \(start): a pair at the end") }
                continue
            }
            let pair = UInt16(bytes[place]) | UInt16(bytes[place + 1]) << 8
            let isReached = start + (place - start) / 16 * 16 + 17 <= bytes.count
            let found = find(pair)
            if found != place, isReached || found != nil {
                Issue.record("\(bytes) from \(start): \(String(describing: found)), not \(place)")
            }
            if find(pair ^ 0x100) != nil || find(pair ^ 1) != nil {
                Issue.record("\(bytes) from \(start): another pair")
            }
        }
    }

    /// The scan that reports marks finds the same end, and reports no mark where there is none.
    func checkMarks(_ bytes: [UInt8], from start: Int) {
        var hasMarks = false
        let end = bytes.span.firstNonPath(from: start, hasMarks: &hasMarks)
        let expected = (start..<end).contains { index in
            "%;\\".utf8.contains(bytes[index]) || bytes[index] == 0x2e && bytes[index - 1] == 0x2f
        }
        if end != bytes.span.firstNonPath(from: start) || expected && !hasMarks {
            Issue.record("\(bytes) from \(start): marks \(hasMarks), not \(expected)")
        }
    }

    /// A mark at every place of a path, before its end and after it.
    @Test(arguments: ["%", ";", "\\", "/.", ".", "a.b"])
    func marksOfAPathAreFound(mark: String) {
        for before in 0..<40 {
            for end in [" ", "?", "#", "\r", "\u{7f}"] {
                let filler = String(repeating: "a", count: before)
                for (text, isInside) in [
                    (filler + mark + "b" + end, true), (filler + "b" + end + mark, false),
                ] {
                    let bytes = Array(("GET " + text + String(repeating: "x", count: 40)).utf8)
                    var hasMarks = false
                    let found = bytes.span.firstNonPath(from: 4, hasMarks: &hasMarks)
                    let expected = isInside && mark != "." && mark != "a.b"
                    #expect(hasMarks == expected && found == bytes.span.firstNonPath(from: 4), "\(text)")
                }
            }
        }
    }

    /// A scan by steps never starts outside the bytes.
    @Test func stepsBeginInsideTheBytes() {
        let bytes = [UInt8](repeating: 0, count: 40)
        for start in [.min, -16, -1, 25, 40, .max - 15, .max] as [Int] {
            #expect(bytes.span.firstControl(from: start, beginning: 0) == nil, "\(start)")
        }
    }

    @Test func theEndsAreTheFirstAndTheLastEightBytes() {
        let bytes = Array("abcdefghijklmnopqrstuvwxyz".utf8)
        for index in 0...8 {
            for length in 1...16 {
                let ends = bytes.span.ends(at: index, length: length)
                let count = min(length, 8)
                let shift = UInt64(64 - count * 8)
                #expect(ends.first == bytes.span.word(at: index, length: count) << shift)
                #expect(ends.last == bytes.span.word(at: index + length - count, length: count) << shift)
            }
        }
    }
}
