/// `larder serve` without a file.

import Configuration
import Settings
import Testing

@Suite struct FlagTests {
    private static func load(_ change: (inout FlagSettings) -> Void) throws(ConfigurationError) -> Settings {
        var flags = FlagSettings()
        change(&flags)
        return try flags.load(folder: "/srv", files: .memory([:])).settings
    }

    @Test(arguments: [
        ("http://127.0.0.1:3000", "127.0.0.1:3000"), ("http://app.internal", "app.internal:80"),
        ("HTTP://[::1]/", "[::1]:80"), ("http://[::1]:81/", "[::1]:81"), ("127.0.0.1:3000", "127.0.0.1:3000"),
        ("unix:/run/app.sock", "unix:/run/app.sock"),
    ])
    func anUpstreamIsReadFromAFlag(_ url: String, _ address: String) throws {
        let settings = try Self.load { $0.upstreams = [url] }
        #expect(settings.listeners.map(\.bind.description) == ["127.0.0.1:8080"])
        #expect(settings.routes.map(\.policy) == [0])
        #expect(settings.policies.map(\.name) == ["pessimistic"])
        guard case .servers(let servers) = settings.upstreams[0].origin else {
            Issue.record("no servers")
            return
        }
        #expect(servers.map(\.address.description) == [address])
    }

    @Test func everyFlagIsRead() throws {
        let settings = try Self.load {
            $0.listen = ["[::]:80", "127.0.0.1:0"]
            $0.files = "public"
            $0.memory = "8MiB"
            $0.threads = "2"
            $0.accessLog = "none"
        }
        #expect(settings.listeners.map(\.bind.description) == ["[::]:80", "127.0.0.1:0"])
        let files = Upstream.Files(root: "/srv/public", cacheControl: "public, max-age=60")
        #expect(settings.upstreams[0].origin == .files(files))
        #expect(settings.cache.memoryBytes == 8 << 20)
        #expect(settings.cache.memoryMaxBytes == 16 << 20)
        #expect(settings.threads == .count(2))
        #expect(settings.log.access == .none)
    }

    @Test func severalServersAreOneUpstream() throws {
        let settings = try Self.load { $0.upstreams = ["http://a", "b:81", "unix:/c"] }
        guard settings.upstreams.count == 1, case .servers(let servers) = settings.upstreams[0].origin else {
            Issue.record("not one upstream of servers")
            return
        }
        #expect(servers.map(\.name) == ["a:80", "b:81", "unix:/c"])
    }

    @Test(arguments: [
        (
            ["127.0.0.1:80", "127.0.0.1:80"], ["a:80"],
            "--listen: error: found '127.0.0.1:80' twice; allowed: each address once"
        ),
        (
            ["127.0.0.1:0", "127.0.0.1:0"], ["http://a", "a:80"],
            "--upstream: error: found 'a:80' twice; allowed: each server once"
        ),
    ])
    func aRepeatedValueIsRefused(_ listen: [String], _ upstreams: [String], _ message: String) {
        do {
            _ = try Self.load {
                $0.listen = listen
                $0.upstreams = upstreams
            }
            Issue.record("accepted")
        } catch {
            #expect(error.problems.map(\.description) == [message])
        }
    }

    @Test func mistakesInFlagsAreReported() {
        #expect(throws: ConfigurationError.self) { try Self.load { $0.upstreams = [] } }
        do {
            _ = try Self.load {
                $0.listen = ["80"]
                $0.upstreams = ["https://a"]
                $0.memory = "1XB"
                $0.threads = "0"
                $0.accessLog = "syslog"
            }
            Issue.record("accepted")
        } catch {
            #expect(
                error.problems.map(\.description) == [
                    "--listen: error: found '80'; allowed: an IP address and port (0.0.0.0:8080, "
                        + "'[::]:8080' quoted) or "
                        + "unix:/path; did you mean '0.0.0.0:80'?",
                    "--memory: error: found '1XB'; allowed: a size from 4MiB to 512GiB, such as 256MiB",
                    "--threads: error: found '0'; allowed: auto, or a whole number from 1 to 256",
                    "--access-log: error: not built yet: the access log cannot go to syslog yet",
                    "--upstream: error: not built yet: Larder cannot speak TLS to servers yet",
                ])
        }
        do {
            _ = try Self.load { $0.upstreams = ["http://a/path"] }
            Issue.record("accepted")
        } catch {
            #expect(
                error.problems.map(\.description) == [
                    "--upstream: error: found 'http://a/path'; allowed: http://host:port without path, "
                        + "query or user"
                ])
        }
    }
}
