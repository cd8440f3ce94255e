/// Tests of the rules: each must find the faults planted for it, on their lines, and no others.

import Testing

struct Planted: Sendable, CustomTestStringConvertible {
    let rule: String
    let path: String
    let text: String
    /// The lines of the faults, from 1; none if the text is good.
    let lines: [Int]

    init(_ rule: String, _ path: String, _ text: String, _ lines: Int...) {
        self.rule = rule
        self.path = path
        self.text = text
        self.lines = lines
    }

    var testDescription: String { "\(rule): \(path): \(text.prefix(50).replacing("\n", with: "⏎"))" }
}

@Suite struct RuleTests {
    static let planted: [Planted] = [
        // Imports.
        Planted("imports", "Sources/Pure/HTTP/A.swift", "/// A.\npublic import Bytes\n"),
        Planted("imports", "Sources/Pure/HTTP/A.swift", "/// A.\npublic import Bytes\nimport Kernel\n", 3),
        Planted("imports", "Sources/Pure/HTTP/A.swift", "/// A.\n@preconcurrency internal import struct Kernel.Socket\n", 2),
        Planted("imports", "Sources/Pure/HTTP/A.swift", "import Foundation\n", 1),
        Planted("imports", "Sources/DataPlane/A.swift", "import Glibc\n", 1),
        Planted("imports", "Sources/System/Kernel/A.swift", "import Glibc\n"),
        Planted("imports", "Sources/Commands/larder/A.swift", "import Foundation\n@testable import DataPlane\n", 2),
        Planted("imports", "Sources/Pure/HTTP/A.swift", "// import Kernel\nlet a = \"import Kernel\"\nlet b = \"\"\"\nimport Kernel\n\"\"\"\n"),
        Planted("imports", "Sources/Nobody/A.swift", "import Bytes\n", 1),
        Planted("imports", "Tests/HTTPTests/A.swift", "import Foundation\n"),
        Planted("imports", "perf/Floor/A.swift", "import Foundation\n", 1),
        // Unsafe.
        Planted("unsafe only", "Sources/Pure/HTTP/A.swift", "// unsafe\nlet a = unsafe b\n", 2),
        Planted("unsafe only", "Sources/Pure/HTTP/A.swift", "nonisolated(unsafe) let a = 1\n", 1),
        Planted("unsafe only", "Sources/Pure/HTTP/A.swift", "@unsafe func f() {}\n@safe struct S {}\n", 1, 2),
        Planted("unsafe only", "Sources/Pure/HTTP/A.swift", "let unsafeguarded = \"unsafe \\(unsafe(\"unsafe\")) x\" // unsafe\n"),
        Planted("unsafe only", "Sources/Pure/Bytes/Scan.swift", "let a = unsafe b\n"),
        Planted("unsafe only", "Sources/Pure/Bytes/ASCII.swift", "let a = unsafe b\n", 1),
        Planted("unsafe only", "Sources/System/Kernel/A.swift", "let a = unsafe b\nstruct S: @unchecked Sendable {}\n", 2),
        // Traps.
        Planted("nothing that traps", "Sources/Pure/HTTP/A.swift", "let a = try! b()\nlet c = try? d(); let e = try f(!g)\n", 1),
        Planted("nothing that traps", "Sources/Pure/HTTP/A.swift", "/// fatalError\nfatalError(\"no\")\n", 2),
        // Length.
        Planted("files", "Sources/Pure/HTTP/A.swift", String(repeating: "//\n", count: 400)),
        Planted("files", "Sources/Pure/HTTP/A.swift", String(repeating: "//\n", count: 401), 401),
        Planted("lines", "Sources/Pure/HTTP/A.swift", "\(String(repeating: "é", count: 110))\n\(String(repeating: "x", count: 111))\n", 2),
        Planted("lines", "Sources/C/CKernel/include/a.h", "// \(String(repeating: "x", count: 111))\n", 1),
        Planted("lines", "perf/bench", "# \(String(repeating: "x", count: 119))\n", 1),
        Planted("lines", "Tests/HTTPTests/A.swift", "\(String(repeating: "x", count: 160))\n\(String(repeating: "x", count: 161))\n", 2),
        Planted("functions", "Sources/Pure/HTTP/A.swift", function(lines: 70)),
        Planted("functions", "Sources/Pure/HTTP/A.swift", "\n" + function(lines: 71), 2),
        Planted("functions", "Sources/Pure/HTTP/A.swift", "struct S {\n" + function(lines: 60) + function(lines: 60) + "}\n"),
        Planted("functions", "Sources/Pure/HTTP/A.swift", "protocol P {\nfunc f()\n}\nenum E {\n" + String(repeating: "//\n", count: 90) + "}\n"),
        Planted("functions have", "Sources/Pure/HTTP/A.swift", "func f(\(parameters(7))) -> (a: Int, b: Int) {}\n"),
        Planted("functions have", "Sources/Pure/HTTP/A.swift", "struct S {\nfunc f<T: A>(\(parameters(8))) {}\n}\n", 2),
        Planted("functions have", "Sources/Pure/HTTP/A.swift", "init(\n\(parameters(8))\n) {\n}\n", 1),
        Planted("functions have", "Tests/HTTPTests/A.swift", "func f(\(parameters(8))) {}\n"),
        Planted("functions have", "Sources/Pure/HTTP/A.swift", "func f(a: [A: B], b: C<D, E>, c: (x: A, y: B) -> Int) {}\n"),
        // Form.
        Planted("files open", "Sources/Pure/HTTP/A.swift", "import Bytes\n\n/// A.\nstruct A {}\n"),
        Planted("files open", "Sources/Pure/HTTP/A.swift", "import Bytes\n\nstruct A {}\n", 3),
        Planted("files open", "Sources/C/CKernel/include/a.h", "#pragma once\nint a(void);\n", 2),
        Planted("files open", "Sources/C/CXXHash/shim.h", "#include <xxhash.h>\n"),
        Planted("files open", "Sources/C/CXXHash/shim.h", "", 1),
        Planted("files open", "perf/bench", "#!/usr/bin/env python3\n"),
        Planted("files open", "perf/bench.py", "import os\n", 1),
        Planted("no notes", "Sources/Pure/HTTP/A.swift", "// TO" + "DO: later\n// TO" + "DOs\n", 1),
        Planted("no notes", "perf/bench", "# FIX" + "ME\n", 1),
        Planted("plain", "Sources/Commands/larder/A.swift", "// Who" + " reads.\n// It is read. Who" + " reads it?\n// A reader.\n", 1, 2),
        Planted("plain", "Sources/Commands/larder/A.swift", "// a\nlet a = \"Who" + "ever asks\"\nlet who" + "ever = 1\n", 2),
        Planted("plain", "perf/bench", "# to" + " whom\n# to whomever\n", 1),
        Planted("no tabs", "Sources/Pure/HTTP/A.swift", "// a\n\tlet a = 1\nlet b = 1 \nlet c = 1\r\n", 2, 3, 4),
        Planted("no tabs", "Sources/Pure/HTTP/A.swift", "// a\n\n", 2),
    ]

    static func parameters(_ count: Int) -> String {
        (0..<count).map { "_ a\($0): @escaping (Int, Int) -> [Int: Int]" }.joined(separator: ", ")
    }

    static func function(lines: Int) -> String {
        "public init(a: () -> Int = { 1 }) where A: B\n{\n" + String(repeating: "if x { self.init(f()) }\n", count: lines - 3) + "}\n"
    }

    @Test(arguments: planted)
    func finds(_ planted: Planted) throws {
        let rule = try #require(Rule.all.first { $0.name.hasPrefix(planted.rule) })
        let findings = rule.check(SourceFile(path: planted.path, text: planted.text))
        #expect(findings.map(\.line) == planted.lines, "\(findings)")
        #expect(findings.allSatisfy { $0.path == planted.path && !$0.message.isEmpty })
    }

    @Test func everyRuleHasPlantedFaults() {
        for rule in Rule.all {
            #expect(Self.planted.contains { rule.name.hasPrefix($0.rule) && !$0.lines.isEmpty }, "\(rule.name)")
        }
    }

    @Test(arguments: [
        ("a // b", "a     "), ("a /* b /* c */ d */ e", "a                   e"), (#"f("a\"b", c)"#, "f(      , c)"),
        (##"f(#"a"b\"#, c)"##, "f(        , c)"), (#"g("\(h("x)")) y") z"#, "g(              ) z"),
        ("\"\"\"\n\"a\" // b\n\"\"\" c", "   \n        \n    c"), ("a \"b\nc", "a   \nc"),
    ])
    func blanksCommentsAndLiterals(_ text: String, _ code: String) {
        #expect(Blanking.code(of: text, swift: true) == code)
    }

    @Test func blanksC() {
        #expect(Blanking.code(of: "char a = '\"'; // b", swift: false) == "char a =    ;     ")
    }
}
