/// `check` tries what a start needs of the machine, and leaves nothing behind.

import Bytes
import Foundation
import Kernel
import Testing

@Suite struct StartTrialTests {
    private static func text(
        bind: String = "127.0.0.1:0", upstream: String = "{ servers: [127.0.0.1:3000] }", more: String = ""
    ) -> String {
        """
        listeners:
          - bind: '\(bind)'
        routes: [{ upstream: app }]
        upstreams:
          app: \(upstream)

        """ + (more.isEmpty || more.hasSuffix("\n") ? more : more + "\n") + "trustedProxies: [unix]\n"
    }

    struct Row: Sendable, CustomTestStringConvertible {
        var name: String
        var text: String
        var files: [String: String] = [:]
        /// Of the one problem, `…` for the folder that the test runs in; empty: none.
        var problem: String
        var testDescription: String { name }

        init(_ name: String, _ text: String, _ problem: String) { self.init(name, text, [:], problem) }

        init(_ name: String, _ text: String, _ files: [String: String], _ problem: String) {
            (self.name, self.text, self.files, self.problem) = (name, text, files, problem)
        }
    }

    static let rows: [Row] = [
        Row(
            "all is there", text(upstream: "{ files: site }", more: "log: { access: ./a.log }"), ["site/a": ""],
            ""),
        Row(
            "a log that is there is only appended to", text(more: "log: { access: logs/a.log }"),
            ["logs/a.log": "x"], ""),
        Row(
            "an address of another machine", text(bind: "192.0.2.1:80"),
            "2: error: listeners[0].bind: found '192.0.2.1:80', which is not an address of this machine"),
        Row(
            "a socket in no folder", text(bind: "unix:/no-such-folder/x.sock"),
            "2: error: listeners[0].bind: found 'unix:/no-such-folder/x.sock', but there is no folder "
                + "'/no-such-folder'"),
        Row(
            "a socket that is a file", text(bind: "unix:/etc/passwd"),
            "2: error: listeners[0].bind: found 'unix:/etc/passwd', but that file is not a socket; Larder "
                + "does not replace it"),
        Row(
            "a folder that is not there", text(upstream: "{ files: site }"),
            "5: error: upstreams.app.files: found '…/site': No such file or directory"),
        Row(
            "a folder that is a file", text(upstream: "{ files: site }"), ["site": ""],
            "5: error: upstreams.app.files: found '…/site': Not a directory"),
        Row(
            "a page that is not there", text(upstream: "{ files: site, notFound: /404.html }"),
            ["site/a": ""],
            "5: error: upstreams.app.notFound: found '/404.html', which cannot be read below 'files': "
                + "No such file or directory"),
        Row(
            "a name without address", text(upstream: "{ servers: ['no-such.invalid:80'] }"),
            "5: error: upstreams.app.servers[0]: found 'no-such.invalid:80', but the name has no address: "),
        Row(
            "a log in no folder", text(more: "log: { access: logs/a.log }"),
            "6: error: log.access: found '…/logs/a.log', but there is no folder '…/logs'"),
        Row(
            "a log that is a folder", text(more: "log: { access: ./logs }"), ["logs/a": ""],
            "6: error: log.access: found '…/logs': Is a directory"),
        Row(
            "more memory than there is", text(more: "cache: { memory: 512GiB, memoryMax: 512GiB }"),
            "6: error: cache.memory: cache.memory (512GiB) is more than this process may use, "
        ),
    ]

    @Test(arguments: rows)
    func problems(_ row: Row) throws {
        var files = row.files
        files["larder.yaml"] = row.text
        let outcome = try CommandTests.run(["check"], files: files)
        #expect(outcome.status == (row.problem.isEmpty ? 0 : 1), "\(outcome.errors)")
        // The configuration can be used, and is printed.
        #expect(outcome.output.hasPrefix("listeners:\n"))
        let parts = row.problem.split(separator: "…", omittingEmptySubsequences: false)
        if row.problem.isEmpty {
            #expect(outcome.errors.isEmpty)
        } else {
            #expect(outcome.errors.hasPrefix("larder.yaml:\(parts[0])"), "\(outcome.errors)")
            for part in parts { #expect(outcome.errors.contains(part), "\(outcome.errors)") }
            #expect(outcome.errors.count { $0 == "\n" } == 1)
        }
        // Where nothing is tried, nothing is found.
        let offline = try CommandTests.run(["check", "--offline"], files: files)
        #expect(offline.status == 0 && offline.errors.isEmpty)
    }

    /// The log that `check` looks at is not made, and a unix socket neither.
    @Test func nothingIsLeftBehind() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "larder-\(UUID().uuidString)")
            .path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let text = Self.text(bind: "unix:\(folder)/x.sock", more: "log: { access: \(folder)/a.log }")
        let outcome = try CommandTests.run(["check"], files: ["larder.yaml": text])
        #expect(outcome.status == 0 && outcome.errors.isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
    }

    /// A configuration is checked before a reload, while Larder has its ports.
    @Test func portsInUseAreAWarning() throws {
        let listener = try Listener.bind(.ipv4(0x7f00_0001, port: 0))
        let bound = listener.localAddress
        let address = try #require(bound)
        let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).sock").path
        let socket = try #require(SocketAddress.unix(path: path))
        let unix = try Listener.bind(socket)
        defer { try? FileManager.default.removeItem(atPath: path) }
        for bind in ["\(address)", "unix:\(path)"] {
            let outcome = try CommandTests.run(["check"], files: ["larder.yaml": Self.text(bind: bind)])
            #expect(outcome.status == 0)
            #expect(
                outcome.errors
                    == "larder.yaml:2: warning: listeners[0].bind: found '\(bind)', which is in use, "
                        + "perhaps by a running Larder; no other process can listen there until that "
                        + "process ends\n")
        }
        _ = (listener.raw, unix.raw)
    }

    @Test func inJSON() throws {
        func object(_ arguments: [String], _ text: String) throws -> (Int32, [String: Any]) {
            let outcome = try CommandTests.run(["check", "--json"] + arguments, files: ["larder.yaml": text])
            #expect(outcome.errors.isEmpty)
            let object = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
            return (outcome.status, object ?? [:])
        }
        let missing = Self.text(upstream: "{ files: site }")
        let (status, found) = try object([], missing)
        #expect(status == 1)
        #expect(found["valid"] as? Bool == true && found["startable"] as? Bool == false)
        #expect((found["problems"] as? [[String: Any]])?.map { $0["kind"] as? String } == ["error"])
        #expect(found["configuration"] != nil)
        let (offline, untried) = try object(["--offline"], missing)
        #expect(offline == 0 && untried["startable"] == nil && untried["valid"] as? Bool == true)
        let (good, tried) = try object([], Self.text())
        #expect(good == 0 && tried["startable"] as? Bool == true)
    }

    /// The example that is shipped can be started as it is.
    @Test func theExampleStarts() throws {
        let root = URL(filePath: #filePath).appending(path: "../../..").standardized.path
        let outcome = try CommandTests.run(["check", "-c", "\(root)/examples/larder.yaml"])
        #expect(outcome.status == 0)
        #expect(!outcome.errors.contains("error"), "\(outcome.errors)")
    }
}
