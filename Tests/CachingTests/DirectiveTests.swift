/// Reading directives: the fast path, which nearly all directives take, compared with the slow path.
import Bytes
import HTTP
import SeededRandom
import Testing

@testable import Caching

@Suite struct DirectiveTests {
    /// The directives of a value, as text. Bytes of a head follow the value.
    static func read(_ value: String) -> [String] {
        let bytes = ByteBuffer(value + "\r\nno-store: 1, no-cache=1\r\n")
        let end = value.utf8.count
        var position = 0
        var found: [String] = []
        while let directive = Directive.next(in: bytes.span, upTo: end, from: &position) {
            found.append(show(directive, bytes.span))
        }
        return found
    }

    static func show(_ directive: Directive, _ value: Span<UInt8>) -> String {
        let argument = directive.argument.map { "=" + value.extracting($0).string } ?? ""
        return value.extracting(directive.name).string + argument + (directive.isWellFormed ? "" : " (broken)")
    }

    @Test(arguments: [
        ("", []), (" , ,", []), ("no-store", ["no-store"]), ("a,b", ["a", "b"]), (" a , b=1\t,", ["a", "b=1"]),
        ("max-age=60, public", ["max-age=60", "public"]), ("a=\"b,c\", d", ["a=b,c", "d"]),
        ("a=", ["a= (broken)"]), ("=1", ["=1 (broken)"]), ("a=1 2", ["a=1 2 (broken)"]),
        ("a b", ["a b (broken)"]), ("a =1", ["a=1 (broken)"]), ("a=\"\\\"\"", ["a=\"\\\"\""]),
        ("a=\"b", ["a=\"b (broken)"]), ("a*b=c|d", ["a*b=c|d"]),
    ])
    func directivesAreRead(value: String, expected: [String]) { #expect(Self.read(value) == expected) }

    /// A directive between quotes or spaces reads as one that stands alone: one more comma or member changes
    /// nothing for the others.
    @Test func eachDirectiveIsReadAsIfAlone() {
        var random = SeededRandom(seed: 17)
        let parts = [
            "a", "no-store", "max-age=3", "x=1.5", "=", "a=", "a b", "\t", "", "a=\"b,c\"", "a =1", "a= 1", "*=1",
            "a=\"\\\"\"", "a=b=c", ";", "a;b=1", "a=1\"",
        ]
        for _ in 0..<2_000 {
            let chosen = (0..<random.below(5)).map { _ in parts[random.below(parts.count)] }
            let joined = chosen.joined(separator: random.picks(50) ? "," : " , ")
            // A quote that is never closed hides what follows.
            if chosen.dropLast().contains("a=1\"") { continue }
            #expect(Self.read(joined) == chosen.flatMap(Self.read), "\(joined)")
        }
    }
}
