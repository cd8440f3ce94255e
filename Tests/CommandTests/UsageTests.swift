/// Wrong usage from outside: every message says what to do instead.

import Foundation
import Testing

@testable import larder

@Suite struct UsageTests {
    @Test(arguments: [
        "cache", "drain", "limits", "purge", "reload", "report", "servers", "simulate", "status", "stop",
        "upgrade",
    ])
    func commandsThatAreNotBuiltYet(_ name: String) throws {
        let instead = try #require(Usage.unbuilt[name])
        for arguments in [[name], [name, "x", "--soft"], [name, "--help"], ["help", name]] {
            #expect(
                Usage.refusal(of: arguments) == "'larder \(name)' is not built yet. \(instead)",
                "\(arguments)")
        }
        // A file, a folder, a policy of the name is none of them.
        for arguments in [["check", "-c", name], ["serve", "--files", name], ["policy", "show", name]] {
            #expect(Usage.refusal(of: arguments) == nil, "\(arguments)")
        }
    }

    @Test func allOfThemAreInTheTable() { #expect(Usage.unbuilt.count == 11) }

    @Test(arguments: [
        (["serve", "--memory", "8MiB", "--memory", "9MiB"], "--memory is given twice; allowed: once."),
        (["serve", "--files", "a", "--files=b"], "--files is given twice; allowed: once."),
        (["serve", "-c", "a", "--config", "b"], "--config is given twice; allowed: once."),
        (["serve", "--threads", "1", "--threads", "1"], "--threads is given twice; allowed: once."),
        (
            ["serve", "--access-log", "none", "--access-log", "stdout"],
            "--access-log is given twice; allowed: once."
        ),
        (["check", "--policy", "a", "--policy", "b"], "--policy is given twice; allowed: once."),
        (
            ["explain", "-X", "GET", "--method", "HEAD", "http://a"],
            "--method is given twice; allowed: once."
        ),
        (["serve", "--listen", "a", "--listen", "b", "--upstream", "c", "--upstream", "d"], nil),
        (["explain", "-H", "a: b", "-H", "c: d", "http://a"], nil),
        (["policy", "test", "--", "-c", "-c"], nil), ([], nil),
    ])
    func repeatedOptions(_ arguments: [String], _ refusal: String?) {
        #expect(Usage.refusal(of: arguments) == refusal)
    }

    @Test(arguments: [
        (["purge", "http://a/"], "Error: 'larder purge' is not built yet. "),
        (["check", "--policy", "a", "--policy", "b"], "Error: --policy is given twice; allowed: once.\n"),
        (["check", "larder.yaml"], "  Use -c to name a configuration file: larder check -c larder.yaml\n"),
        (["serve", "a.yml"], "  Use -c to name a configuration file: larder serve -c a.yml\n"),
        (
            ["serve", "--upstream", "http://a", "--upstream", "http://a"],
            "--upstream: error: found 'a:80' twice; allowed: each server once\n"
        ),
        (["serve", "-c", "a.yaml", "--upstream", "a:1"], "-c and other flags exclude each other"),
        (["serve", "--upstream", "a:1", "--files", "."], "--upstream and --files exclude each other."),
        (["serve", "--listen", "127.0.0.1:0"], "The flags need --upstream or --files."),
    ])
    func refusals(_ arguments: [String], _ message: String) throws {
        let outcome = try CommandTests.run(arguments)
        #expect(outcome.status == 2 && outcome.output.isEmpty)
        #expect(outcome.errors.contains(message), "\(outcome.errors)")
    }

    /// What the disk says about a file that cannot be read is passed on.
    @Test func filesOfTheDisk() throws {
        func check(_ file: String, _ files: [String: String] = [:]) throws -> String {
            let outcome = try CommandTests.run(["check", "-c", file], files: files)
            #expect(outcome.status == 2 && outcome.output.isEmpty)
            return outcome.errors
        }
        #expect(try check("x.yaml") == "x.yaml: error: there is no such file\n")
        #expect(try check(".") == ".: error: the file cannot be read: Is a directory\n")
        #expect(try check("a/b.yaml", ["a": ""]) == "a/b.yaml: error: the file cannot be read: Not a "
            + "directory\n")
        #expect(
            try check("/dev/zero")
                == "/dev/zero: error: found a file of more than 1MiB; allowed: at most 1MiB\n")
        #expect(try check("/dev/null").hasPrefix("/dev/null:1: error: found nothing; allowed: a map "))
        let folder = "x.yaml:1: error: cache.policies: found "
        for (text, files, message) in [
            ("none-such", [:], "but there is no such folder; allowed: a folder of policy files, or none\n"),
            (
                "file", ["file": ""],
                "which cannot be read: Not a directory; allowed: a folder of policy files\n"
            ),
        ] {
            let errors = try check(
                "x.yaml",
                files.merging(["x.yaml": "cache: { policies: \(text) }\n\(CommandTests.good)"]) { $1 })
            #expect(errors.hasPrefix(folder) && errors.hasSuffix(message), "\(errors)")
        }
        let none = [
            "x.yaml": "cache: { policies: none }\n\(CommandTests.good)", "cache-policies/a.yaml": "{",
        ]
        #expect(try CommandTests.run(["check", "-c", "x.yaml"], files: none).status == 0)
    }
}
