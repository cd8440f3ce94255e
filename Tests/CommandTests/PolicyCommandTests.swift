/// `larder policy` from outside: what it prints, and its exit codes.

import Foundation
import Testing

@Suite struct PolicyCommandTests {
    private static func run(
        _ arguments: String..., files: [String: String] = [:]
    ) throws
        -> CommandTests.Outcome
    { try CommandTests.run(["policy"] + arguments, files: files) }

    static let mine = """
        description: Mine.
        extends: static-assets
        decisions:
          - name: stored, cookie or not
            request: { headers: ['Cookie: a=1'] }
            response: { headers: ['Cache-Control: max-age=60'] }
            expect: { stored: true }
        """

    static let wrong =
        mine + """

              - name: a cookie makes it private
                request: { headers: ['Cookie: a=1'] }
                response: { headers: ['Cache-Control: max-age=60'] }
                expect: { stored: false, reason: cookie }
                then: { after: 5s, expect: { served: hit, age: 6 } }
            """

    @Test func withoutFilesTheShippedTablesRun() throws {
        let outcome = try Self.run("test")
        #expect(outcome.status == 0 && outcome.errors.isEmpty)
        let lines = outcome.output.split(separator: "\n")
        #expect(lines.count == 5)
        for line in lines {
            #expect(
                line.wholeMatch(of: /[a-z0-9-]+ \(shipped policy [a-z0-9-]+\): (\d+) of \1 .*passed/) != nil)
        }
    }

    @Test func theFoldersTablesRunAndFailuresAreShown() throws {
        let files = ["cache-policies/mine.yaml": Self.wrong, "cache-policies/bare.yaml": "{}"]
        let outcome = try Self.run("test", files: files)
        #expect(outcome.status == 1 && outcome.errors.isEmpty)
        #expect(
            outcome.output == """
                bare (cache-policies/bare.yaml): no decisions
                mine (cache-policies/mine.yaml): 1 of 2 decisions passed
                  cache-policies/mine.yaml:8: a cookie makes it private
                    stored: expected false, found true
                    reason: expected cookie, found none
                    then.age: expected 6 s, found 5 s

                """)

        let json = try Self.run("test", "--json", files: files)
        #expect(json.status == 1 && json.errors.isEmpty)
        let object = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
        #expect(object?["passed"] as? Bool == false)
        let policies = object?["policies"] as? [[String: Any]]
        #expect(policies?.map { $0["passed"] as? Int } == [0, 1])
        let failures = policies?.last?["failures"] as? [[String: Any]]
        #expect(failures?.map { $0["line"] as? Int } == [8])
        let differences = failures?.first?["differences"] as? [[String: String]]
        #expect(differences?.first == ["what": "stored", "expected": "false", "found": "true"])
        #expect(differences?.dropFirst().first == ["what": "reason", "expected": "cookie"])
    }

    /// The documentation shows what the command prints for a table that fails.
    @Test func theDocumentationShowsTheOutput() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../docs/configuration.md").standardized
        let text = try String(contentsOf: file, encoding: .utf8)
        let name = "# cache-policies/brief.yaml\n"
        let start = try #require(text.range(of: "```yaml\n\(name)"))
        let end = try #require(text.range(of: "```\n", range: start.upperBound..<text.endIndex))
        let policy = name + text[start.upperBound..<end.lowerBound]
        let outcome = try Self.run("test", files: ["cache-policies/brief.yaml": policy])
        #expect(outcome.status == 1 && outcome.errors.isEmpty)
        #expect(text.contains("```\n\(outcome.output)```\n"), "\(outcome.output)")
    }

    /// With only a file of another name in the folder, the shipped tables must not pass in its place.
    @Test func aFileOfAnotherNameIsAnError() throws {
        let outcome = try Self.run("test", files: ["cache-policies/mine.yml": Self.wrong])
        #expect(outcome.status == 2 && outcome.output.isEmpty)
        #expect(outcome.errors.hasPrefix("cache-policies/mine.yml: error: found 'mine.yml'; allowed: "))
        #expect(outcome.errors.hasSuffix("; did you mean 'mine.yaml'?\n"))
    }

    /// The configuration names the folder, wherever the command is run.
    @Test func theConfigurationNamesTheFolder() throws {
        let files = [
            "conf/x.yaml": "cache: { policies: mine }\n" + CommandTests.good, "conf/mine/a.yaml": Self.mine,
            "cache-policies/b.yaml": Self.wrong,
        ]
        let outcome = try Self.run("test", "-c", "conf/x.yaml", files: files)
        #expect(outcome.status == 0)
        #expect(outcome.output == "a (conf/mine/a.yaml): 1 of 1 decisions passed\n")
        #expect(try Self.run("test", files: files).status == 1)
    }

    @Test func filesAreRunFromAnyFolder() throws {
        let files = ["a/one.yaml": Self.mine, "b/two.yaml": "extends: base", "b/base.yaml": "{}"]
        let outcome = try Self.run("test", "a/one.yaml", "b/two.yaml", files: files)
        #expect(outcome.status == 0)
        #expect(
            outcome.output
                == "one (a/one.yaml): 1 of 1 decisions passed\ntwo (b/two.yaml): no decisions\n")
    }

    /// Mistakes of all files are reported, each once, and no table is run.
    @Test func mistakesExitWith2() throws {
        let files = [
            "a.yaml": "\nextends: b", "b.yaml": "stor: {}", "c.yaml": Self.mine,
            "d.yaml": "decisions:\n  - name: x\n    request: { headers: ['Content-Length: x'] }\n"
                + "    expect: { stored: true }",
            "broken/larder.yaml": "threds: 1",
        ]
        let outcome = try Self.run("test", "a.yaml", "b.yaml", "c.yaml", "missing.yaml", files: files)
        #expect(outcome.status == 2 && outcome.output.isEmpty)
        let lines = outcome.errors.split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines.contains("a.yaml:2: error: extends: found 'b', which has mistakes"))
        #expect(lines.contains("missing.yaml: error: there is no such file"))

        let row = try Self.run("test", "d.yaml", files: files)
        #expect(row.status == 2 && row.output.isEmpty)
        #expect(
            row.errors.hasPrefix("d.yaml:2: error: decisions[0]: the request is no valid HTTP: "))

        let json = try Self.run("test", "--json", "b.yaml", files: files)
        #expect(json.status == 2 && json.errors.isEmpty)
        let object = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
        #expect(object?["valid"] as? Bool == false)

        #expect(try Self.run("test", "-c", "broken/larder.yaml", files: files).status == 2)
        #expect(try Self.run("test", "-c", "x.yaml", "c.yaml", files: files).status == 2)
    }

    @Test func policiesAreListedAndShown() throws {
        let files = ["larder.yaml": CommandTests.good, "cache-policies/mine.yaml": Self.mine]
        let list = try Self.run("list", files: files)
        #expect(list.status == 0 && list.errors.isEmpty)
        let rows = list.output.split(separator: "\n").map { $0.split(separator: " ").prefix(2) }
        #expect(rows.count == 6)
        #expect(
            rows.contains(["mine", "cache-policies/mine.yaml"]) && rows.contains(["rfc9111", "shipped"]))
        let json = try JSONSerialization.jsonObject(
            with: Data(Self.run("list", "--json", files: files).output.utf8))
        #expect((json as? [[String: Any]])?.count == 6)

        let show = try Self.run("show", "mine", files: files)
        #expect(show.status == 0)
        #expect(show.output.contains("  cookies: strip\n") && show.output.contains("decisions:"))
        let settings = try Self.run("show", "mine", "--settings", files: files)
        #expect(settings.output.contains("  cookies: strip\n") && !settings.output.contains("decisions:"))
        #expect(try Self.run("show", "nobody", files: files).status == 2)
        // The output is a policy file.
        let again = try Self.run("test", "again.yaml", files: ["again.yaml": show.output])
        #expect(again.output == "again (again.yaml): 1 of 1 decisions passed\n")
    }
}
