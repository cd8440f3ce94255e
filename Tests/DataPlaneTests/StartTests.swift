// What keeps a server from starting, and what it says of that.

import Kernel
import Logging
import DataPlane
import DataPlaneHarness
import Settings
import Store
import Testing

struct StartTests {
    private static func start(_ settings: Settings, threads: Int) throws -> Server {
        try Server(
            settings, threads: threads, store: Store.create(StoreOptions(memory: 4 << 20, rows: 16)),
            notices: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private static func failure(_ settings: Settings, threads: Int) throws -> String {
        do {
            let server = try start(settings, threads: threads)
            server.stop()
            server.join()
        } catch let failure as StartFailure {
            return failure.description
        }
        return "none"
    }

    /// A second server would take a part of the clients, where the port is shared among threads.
    @Test(arguments: [1, 2], [1, 2]) func anAddressIsServedOnce(first: Int, second: Int) throws {
        let origin = try ScriptedOrigin(answering: { _ in answer("text") })
        try withStage(origin, threads: first) { stage in
            let port = stage.address.port
            for address in ["127.0.0.1:\(port)", "0.0.0.0:\(port)"] {
                var settings = Settings.staged([origin.address])
                settings.listeners[0].bind = try #require(BindAddress(parsing: address))
                let failure = try Self.failure(settings, threads: second)
                #expect(failure.hasPrefix("cannot listen on \(address): the address is in use"))
            }
            #expect(try stage.ask("GET", "/").text == "text")
        }
    }

    @Test func aSocketThatIsListenedOnIsNotTaken() throws {
        let origin = try ScriptedOrigin(answering: { _ in answer("text") })
        let paths = SocketPaths(1)
        let path = paths.paths[0]
        try withStage(origin, settings: { $0.listeners = [.init(bind: .unix(path: path))] }) { stage in
            var settings = Settings.staged([origin.address])
            settings.listeners = [.init(bind: .unix(path: path))]
            let failure = try Self.failure(settings, threads: 2)
            #expect(failure.hasPrefix("cannot listen on unix:\(path): the address is in use"))
            #expect(try stage.ask("GET", "/").text == "text")
        }
        // Nobody listens any more: the file is taken over.
        var settings = Settings.staged([origin.address])
        settings.listeners = [.init(bind: .unix(path: path))]
        #expect(try Self.failure(settings, threads: 2) == "none")
    }

    @Test func whatIsNoSocketStaysAsItIs() throws {
        var settings = Settings.staged([try Stage.refusingAddress()])
        settings.listeners = [.init(bind: .unix(path: "/dev/null"))]
        let failure = try Self.failure(settings, threads: 1)
        #expect(failure.hasPrefix("cannot listen on unix:/dev/null: the path names a file that"))
    }

    @Test func anAddressOfAnotherMachineIsNamed() throws {
        var settings = Settings.staged([try Stage.refusingAddress()])
        settings.listeners[0].bind = try #require(BindAddress(parsing: "192.0.2.1:80"))
        let failure = try Self.failure(settings, threads: 1)
        #expect(failure == "cannot listen on 192.0.2.1:80: this machine does not have this address")
    }
}
