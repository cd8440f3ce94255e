/// What a configuration comes to: defaults, all values, and that what is printed reads back as the same.

import Configuration
import Settings
import Testing

@Suite struct EffectiveTests {
    static let full = """
        listeners:
          - bind: 0.0.0.0:8080
          - { bind: '[::1]:0', proxyProtocol: false }
          - bind: unix:/run/larder.sock
        admin: { bind: 127.0.0.1:9900 }
        threads: 3
        cache: { memory: 64MiB, memoryMax: 1GiB, policies: policies }
        routes:
          - { name: 01, host: Static.Example.com, path: /assets/, policy: none, upstream: assets,
              methods: { allow: [GET, REPORT], purge: [10.0.0.0/8, unix] } }
          - { host: '*.example.com', policy: slow, upstream: site, methods: { purge: [] } }
          - { upstream: assets }
        upstreams:
          assets:
            balance: least-requests
            boundedLoad: none
            servers:
              - 10.0.0.11:8080
              - { name: big one, address: '[2001:DB8::1]:8080', weight: 2, maxConnections: 256 }
              - unix:/run/app.sock
              - app.internal:80
            connections: { reuse: never, idle: 0, idleTimeout: 5s }
            timeouts: { connect: 1s, response: 2s, idle: 3s, tunnel: 4h }
            retries: 0
            health: { path: /healthz, interval: 1s, rise: 1, fall: 5 }
          site:
            { files: ./public, cacheControl: "public, max-age=60", fallback: /index.html, notFound: /404.html }
        trustedProxies: [127.0.0.0/8, unix, '::1']
        forwarded: [via, forwarded]
        limits: { requestHead: 8KiB, requestHeaders: 64, requestBody: 1MiB, connections: 10, buffers: 2MiB,
                  headTimeout: 1s, keepAlive: 2s, drain: 0s }
        process: { user: larder, runFolder: /run/larder }
        log: { access: logs/access.log, format: combined }
        """

    static func read(_ text: String) throws -> LoadedConfiguration {
        let policies = ["/etc/larder/policies/slow.yaml": "store: { maxAge: 1h }"]
        return try ConfigurationFile.read(
            Array(text.utf8), file: "larder.yaml", folder: "/etc/larder", files: .memory(policies))
    }

    @Test func defaultsAreThoseOfTheTypes() throws {
        let settings = try Fixture.read(Fixture.listeners + Fixture.routes + Fixture.upstreams).settings
        var expected = Settings()
        expected.listeners = [Settings.Listener(bind: .tcp(IPAddress(ipv4: 0x7f00_0001), port: 8080))]
        expected.cache.policyFolder = nil
        expected.policies = [Policy(name: "pessimistic")]
        expected.policies[0].description = "Store only what the origin plainly marks as cacheable."
        expected.upstreams = [
            Upstream(name: "app", origin: .servers([Upstream.Server(.host("127.0.0.1", port: 3000))]))
        ]
        expected.routes = [Route(name: "*", policy: 0, upstream: 0)]
        #expect(settings == expected)
    }

    @Test func everyValueArrives() throws {
        let settings = try Self.read(Self.full).settings
        #expect(
            settings.listeners.map(\.bind.description) == [
                "0.0.0.0:8080", "[::1]:0", "unix:/run/larder.sock",
            ])
        #expect(settings.admin?.bind.description == "127.0.0.1:9900")
        #expect(settings.threads == .count(3))
        #expect(settings.cache.memoryBytes == 64 << 20)
        #expect(settings.cache.memoryMaxBytes == 1 << 30)
        #expect(settings.cache.policyFolder == "/etc/larder/policies")
        #expect(settings.cache.segmentBytes == 128 << 10)
        #expect(settings.routes.map(\.name) == ["01", "*.example.com", "*"])
        #expect(settings.routes.map(\.policy) == [nil, 0, 1])
        #expect(settings.routes.map(\.upstream) == [0, 1, 0])
        #expect(settings.routes[0].host == .exact("static.example.com"))
        #expect(settings.routes[0].path == Array("/assets/".utf8))
        #expect(settings.policies.map(\.name) == ["slow", "pessimistic"])
        #expect(settings.policies.map(\.store.maxAgeSeconds) == [3600, 600])
        #expect(settings.trustedProxies.ranges.map(\.description) == ["127.0.0.0/8", "::1"])
        #expect(settings.trustedProxies.includesUnix)
        #expect(settings.routes[0].methods.allow == ["GET", "REPORT"])
        #expect(settings.routes[0].methods.purge?.ranges.map(\.description) == ["10.0.0.0/8"])
        #expect(settings.routes[0].methods.purge?.includesUnix == true)
        #expect(settings.routes[1].methods.purge?.isEmpty == true)
        #expect(settings.forwarded == [.via, .forwarded])
        #expect(settings.process.user == "larder")
        #expect(settings.process.runFolder == "/run/larder")
        #expect(settings.log.access == .file("/etc/larder/logs/access.log"))
        #expect(settings.log.format == .combined)
    }

    @Test func everyValueOfLimitsAndUpstreamsArrives() throws {
        let settings = try Self.read(Self.full).settings
        var limits = Settings.Limits()
        limits.requestHeadBytes = 8192
        limits.requestHeaders = 64
        limits.requestBodyBytes = 1 << 20
        limits.connections = 10
        limits.bufferBytes = 2 << 20
        limits.headTimeoutMilliseconds = 1000
        limits.keepAliveMilliseconds = 2000
        limits.drainMilliseconds = 0
        #expect(settings.limits == limits)

        var big = Upstream.Server(.host("2001:db8::1", port: 8080))
        big.name = "big one"
        big.weight = 2
        big.maxConnections = 256
        var assets = Upstream(
            name: "assets",
            origin: .servers([
                Upstream.Server(.host("10.0.0.11", port: 8080)), big,
                Upstream.Server(.unix(path: "/run/app.sock")),
                Upstream.Server(.host("app.internal", port: 80)),
            ]))
        assets.balance = .leastRequests
        assets.boundedLoadPercent = nil
        assets.connections.reuse = .never
        assets.connections.idle = 0
        assets.connections.idleTimeoutMilliseconds = 5000
        assets.timeouts.connectMilliseconds = 1000
        assets.timeouts.responseMilliseconds = 2000
        assets.timeouts.idleMilliseconds = 3000
        assets.timeouts.tunnelMilliseconds = 14_400_000
        assets.retries = 0
        var health = Upstream.Health()
        health.path = "/healthz"
        health.intervalMilliseconds = 1000
        health.rise = 1
        health.fall = 5
        assets.health = health
        var files = Upstream.Files(root: "/etc/larder/public", cacheControl: "public, max-age=60")
        files.fallback = "/index.html"
        files.notFound = "/404.html"
        #expect(settings.upstreams == [assets, Upstream(name: "site", origin: .files(files))])
    }

    @Test(arguments: [full, Fixture.listeners + Fixture.routes + Fixture.upstreams])
    func whatIsPrintedReadsBackAsTheSame(_ text: String) throws {
        let loaded = try Self.read(text)
        let printed = loaded.document.yaml
        let again = try ConfigurationFile.read(
            Array(printed.utf8), file: "printed.yaml", folder: "/elsewhere",
            files: .memory(["/etc/larder/policies/slow.yaml": "store: { maxAge: 1h }"]))
        #expect(again.settings == loaded.settings)
        #expect(again.document.yaml == printed)
        // JSON is YAML too.
        let fromJSON = try ConfigurationFile.read(
            Array(loaded.document.json.utf8), file: "printed.json", folder: "/elsewhere",
            files: .memory(["/etc/larder/policies/slow.yaml": "store: { maxAge: 1h }"]))
        #expect(fromJSON.settings == loaded.settings)
    }

    /// What is not said is printed as what is done, and can be said.
    @Test(arguments: [
        ("files: x", "    cacheControl: none\n"),
        ("files: x, cacheControl: none", "    cacheControl: none\n"),
        ("files: x, cacheControl: no-cache", "    cacheControl: no-cache\n"),
        ("servers: [a:1], balance: round-robin", "    boundedLoad: none\n"),
        ("servers: [a:1], balance: least-requests, boundedLoad: none", "    boundedLoad: none\n"),
        ("servers: [a:1], boundedLoad: none", "    boundedLoad: none\n"),
    ])
    func whatIsInEffectIsPrinted(_ upstream: String, _ line: String) throws {
        let loaded = try Fixture.read(
            Fixture.listeners + Fixture.routes + "upstreams: { app: { \(upstream) } }")
        let printed = loaded.document.yaml
        #expect(printed.contains(line))
        #expect(try Fixture.read(printed).settings == loaded.settings)
        switch loaded.settings.upstreams[0].origin {
        case .files(let files):
            #expect(files.cacheControl == (line.contains("no-cache") ? "no-cache" : nil))
        case .servers: #expect(loaded.settings.upstreams[0].boundedLoadPercent == nil)
        }
    }

    @Test func whatIsPrintedIsComplete() throws {
        let text = try Fixture.read(Fixture.listeners + Fixture.routes + Fixture.upstreams).document.yaml
        #expect(
            text == """
                listeners:
                  - bind: 127.0.0.1:8080
                    proxyProtocol: false
                threads: auto
                cache:
                  policies: none
                routes:
                  - name: '*'
                    policy: pessimistic
                    upstream: app
                upstreams:
                  app:
                    servers:
                      - name: 127.0.0.1:3000
                        address: 127.0.0.1:3000
                        weight: 1
                        maxConnections: none
                    balance: url-hash
                    boundedLoad: 150%
                    connections:
                      reuse: safe
                      idle: 64
                      idleTimeout: 30s
                    timeouts:
                      connect: 2s
                      response: 30s
                      idle: 30s
                      tunnel: 1h
                    retries: 2
                trustedProxies: []
                forwarded: [x-forwarded]
                limits:
                  requestHead: 16KiB
                  requestHeaders: 100
                  requestBody: none
                  connections: 20000
                  headTimeout: 10s
                  keepAlive: 1m
                  drain: 30s
                process: {}
                log:
                  access: stdout
                  format: json

                """)
    }

    @Test(arguments: [
        ("yes", "'yes'"), ("01", "'01'"), ("1.5", "'1.5'"), ("0x1F", "'0x1F'"), ("a b", "'a b'"), ("", "''"),
        ("it's", "'it''s'"), ("a: b", "'a: b'"), ("[::]:80", "'[::]:80'"), ("*", "'*'"), ("~", "'~'"),
        ("a\nb", "\"a\\nb\""),
        ("127.0.0.1:80", "127.0.0.1:80"), ("12:30", "'12:30'"), ("64KiB", "64KiB"), ("/a/b", "/a/b"),
        ("a:", "'a:'"),
        ("text/*", "text/*"), ("ü", "'ü'"), ("null", "'null'"), ("\u{7f}", "\"\\u007f\""),
    ])
    func quotes(_ text: String, _ yaml: String) {
        #expect(Document.text(text).yaml == yaml + "\n")
    }
}
