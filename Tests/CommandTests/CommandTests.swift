/// The executable from outside: exit codes, and what goes to stdout and what to stderr.

import Foundation
import Kernel
import Testing

@Suite struct CommandTests {
    struct Outcome {
        var status: Int32
        var output: String
        var errors: String
    }

    /// Runs `larder` in a folder of its own that holds `files`. Nothing keeps running: no command serves.
    static func run(
        _ arguments: [String], files: [String: String] = [:], input: String? = nil
    ) throws -> Outcome {
        let folder = FileManager.default.temporaryDirectory.appending(path: "larder-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, text) in files {
            let file = folder.appending(path: name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
        let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let process = Process()
        process.executableURL = URL(filePath: tests).deletingLastPathComponent().appending(path: "larder")
        process.arguments = arguments
        process.currentDirectoryURL = folder
        process.standardInput = FileHandle.nullDevice
        if let input {
            let file = folder.appending(path: ".stdin")
            try Data(input.utf8).write(to: file)
            process.standardInput = try FileHandle(forReadingFrom: file)
        }
        // Files, not pipes: nothing to drain, nothing to block on.
        let output = folder.appending(path: ".stdout")
        let errors = folder.appending(path: ".stderr")
        for file in [output, errors] { try Data().write(to: file) }
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
        process.waitUntilExit()
        return Outcome(
            status: process.terminationStatus, output: try String(contentsOf: output, encoding: .utf8),
            errors: try String(contentsOf: errors, encoding: .utf8))
    }

    static let good = """
        listeners: [{ bind: 127.0.0.1:0 }]
        routes: [{ upstream: app }]
        upstreams: { app: { servers: [127.0.0.1:3000], health: {} } }
        """

    @Test func checkWarnsOfALoop() throws {
        let text = """
            listeners: [{ bind: 0.0.0.0:18080 }, { bind: unix:/tmp/larder-none.sock }]
            routes: [{ upstream: app }]
            upstreams:
              app: { servers: [192.0.2.1:18080, 127.0.0.1:18080, unix:/tmp/larder-none.sock] }
            """
        let outcome = try Self.run(["check"], files: ["larder.yaml": text])
        #expect(outcome.status == 0)
        for (index, server, bind) in [
            (1, "127.0.0.1:18080", "0.0.0.0:18080"),
            (2, "unix:/tmp/larder-none.sock", "unix:/tmp/larder-none.sock"),
        ] {
            #expect(
                outcome.errors.contains(
                    "larder.yaml:4: warning: upstreams.app.servers[\(index)]: found '\(server)', which is "
                        + "Larder's own listener '\(bind)'"), "\(outcome.errors)")
        }
        #expect(!outcome.errors.contains("servers[0]"))
    }

    @Test func checkPrintsTheConfigurationAndNotesApart() throws {
        let outcome = try Self.run(["check"], files: ["larder.yaml": Self.good])
        #expect(outcome.status == 0)
        #expect(outcome.output.hasPrefix("listeners:\n  - bind: 127.0.0.1:0\n"))
        #expect(
            outcome.errors
                == "larder.yaml:3: note: upstreams.app.health: not in effect yet: Larder does not probe "
                    + "servers; all count as healthy\nlarder.yaml: note: trustedProxies: no proxy is "
                    + "trusted: Larder drops X-Forwarded-For and other fields that a proxy sets, from every "
                    + "client; if a proxy or balancer is in front of Larder, name its address here\n")
        let again = try Self.run(["check", "-c", "a/b.yaml"], files: ["a/b.yaml": outcome.output])
        #expect(again.status == 0)
        #expect(again.output == outcome.output)
    }

    @Test func checkReportsMistakes() throws {
        let files = ["conf/x.yaml": Self.good + "\nthreds: 1", "conf/cache-policies/a.yaml": "stor: {}"]
        let outcome = try Self.run(["check", "-c", "conf/x.yaml"], files: files)
        #expect(outcome.status == 2)
        #expect(outcome.output.isEmpty)
        let lines = outcome.errors.split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines.first?.hasPrefix("conf/x.yaml:4: error: threds: unknown key; allowed: ") == true)
        #expect(
            lines.last?.hasPrefix("conf/cache-policies/a.yaml:1: error: stor: unknown key; allowed: ") == true
        )

        let json = try Self.run(["check", "--json", "-c", "conf/x.yaml"], files: files)
        #expect(json.status == 2)
        #expect(json.errors.isEmpty)
        let object = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
        #expect(object?["valid"] as? Bool == false)
        #expect((object?["problems"] as? [[String: Any]])?.first?["line"] as? Int == 4)
    }

    /// Larder does not serve as somebody who may do more than the user that it was told.
    @Test func serveRefusesToRunAsAnother() throws {
        func files(_ user: String) -> [String: String] {
            // Nobody has that address: who gets as far as listening fails there.
            let text = Self.good.replacing("127.0.0.1:0", with: "192.0.2.1:80")
            return ["larder.yaml": text + "\nprocess: { user: \(user) }"]
        }
        let own = User.name(of: User.current)
        for user in ["no-such-user", own == "daemon" ? "root" : "daemon"] {
            let found =
                User.id(named: user) == nil
                ? "process.user: found '\(user)', but this machine has no such user\n"
                : "process.user: found '\(user)', but Larder runs as '\(own ?? String(User.current))'; "
                    + "start it as '\(user)' (systemd: User=\(user))\n"
            let served = try Self.run(["serve"], files: files(user))
            #expect(served.status == 2 && served.output.isEmpty)
            #expect(served.errors == "larder.yaml:4: error: \(found)")
            let checked = try Self.run(["check"], files: files(user))
            #expect(checked.status == 1)
            let kind = User.id(named: user) == nil ? "error" : "warning"
            #expect(checked.errors.hasSuffix("\nlarder.yaml:4: \(kind): \(found)"))
        }
        guard let own else { return }
        let served = try Self.run(["serve"], files: files(own))
        #expect(served.status == 1)
        #expect(served.errors.contains("cannot listen on 192.0.2.1:80"))
        #expect(try !Self.run(["check"], files: files(own)).errors.contains("process.user"))
    }

    @Test func checkPrintsJSONAndPolicies() throws {
        let files = ["larder.yaml": Self.good, "cache-policies/a.yaml": "store: { maxAge: 1h }"]
        let json = try Self.run(["check", "--json"], files: files)
        #expect(json.status == 0)
        let object = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
        #expect(object?["valid"] as? Bool == true)
        #expect((object?["configuration"] as? [String: Any])?["threads"] as? String == "auto")
        let policy = try Self.run(["check", "--policy", "a"], files: files)
        #expect(policy.status == 0)
        #expect(policy.output.contains("  maxAge: 1h\n"))
        #expect(try Self.run(["check", "--policy", "b"], files: files).status == 2)
    }

    @Test(arguments: [
        [], ["check"], ["check", "-c", "missing.yaml"], ["check", "--nonsense"], ["nonsense"], ["serve"],
        ["serve", "-c"],
        ["serve", "--memory", "8MiB"], ["serve", "--upstream", "http://127.0.0.1:1", "--files", "."],
        ["serve", "-c", "x.yaml", "--listen", "127.0.0.1:0"], ["serve", "--upstream", "nonsense"],
    ])
    func wrongUsageIsTwo(_ arguments: [String]) throws {
        let outcome = try Self.run(arguments)
        #expect(outcome.status == 2)
        #expect(outcome.output.isEmpty)
        #expect(!outcome.errors.isEmpty)
        #expect(!outcome.errors.contains("\u{1b}"))
    }

    @Test(arguments: [["--version"], ["--help"], ["help"], ["serve", "--help"], ["check", "--schema", "larder"]])
    func answersGoToStandardOutput(_ arguments: [String]) throws {
        let outcome = try Self.run(arguments)
        #expect(outcome.status == 0)
        #expect(!outcome.output.isEmpty)
        #expect(outcome.errors.isEmpty)
    }
}
