/// Mistakes in configuration files, and the exact messages about them.

import Configuration
import Testing

@Suite struct MistakeTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var name: String
        var text: String
        var messages: [String]
        var testDescription: String { name }

        init(_ name: String, _ text: String, _ messages: String...) {
            self.name = name
            self.text = text
            self.messages = messages
        }
    }

    static let keys =
        "listeners, admin, threads, cache, routes, upstreams, trustedProxies, forwarded, cdnId, "
        + "limits, process, log"
    private static let peers = "an IP address, a range of them (10.0.0.0/8, 2001:db8::/32), or unix"
    static let base = Fixture.listeners + Fixture.routes + Fixture.upstreams

    static let documents: [Row] = [
        Row("an empty file", "", "larder.yaml:1: error: found nothing; allowed: a map with the keys \(keys)"),
        Row("a list", "- a", "larder.yaml:1: error: found a list; allowed: a map with the keys \(keys)"),
        Row(
            "no YAML", "listeners: [\n",
            "larder.yaml:1: error: not valid YAML: did not find expected node content, while parsing a flow "
                + "node, from line 2 on"),
        Row(
            "a tab", "cache:\n\tmemory: 1",
            "larder.yaml:2: error: not valid YAML: found a tab in column 1; indent lines with spaces"),
        Row(
            "two documents", "---\na: 1\n---\nb: 2",
            "larder.yaml:3: error: found a second document ('---'); allowed: one document a file"),
        Row(
            "nothing required is there", "threads: 2",
            "larder.yaml:1: error: the key 'listeners' is missing; allowed: a list of listeners, at least 1",
            "larder.yaml:1: error: the key 'routes' is missing; allowed: a list of routes, at least 1",
            "larder.yaml:1: error: the key 'upstreams' is missing; allowed: a map from names to upstreams"),
        Row(
            "an unknown key", base + "threds: 4",
            "larder.yaml:4: error: threds: unknown key; allowed: \(keys); did you mean 'threads'?"),
        Row(
            "an unknown key unlike any", base + "x-y: 4",
            "larder.yaml:4: error: x-y: unknown key; allowed: \(keys)"),
        Row(
            "an unknown key inside", base + "cache:\n  memorymax: 1GiB",
            "larder.yaml:5: error: cache.memorymax: unknown key; allowed: memory, memoryMax, policies; "
                + "did you mean 'memoryMax'?"),
        Row(
            "keys given twice",
            base + "threads: 1\nlimits:\n  keepAlive: 1s\n  drain: 1s\n  'keepAlive': 2s\nthreads: 2",
            "larder.yaml:9: error: threads: the key appears twice; first on line 4",
            "larder.yaml:8: error: limits.keepAlive: the key appears twice; first on line 6"),
        Row(
            "keys given twice, with other line breaks",
            (base + "limits:\n  keepAlive: 1s\n  keepAlive: 2s").replacing("\n", with: "\r\n"),
            "larder.yaml:6: error: limits.keepAlive: the key appears twice; first on line 5"),
        Row(
            "keys given twice, with the line breaks of old",
            (base + "threads: 1\nthreads: 2").replacing("\n", with: "\r"),
            "larder.yaml:5: error: threads: the key appears twice; first on line 4"),
        Row(
            "an upstream given twice",
            Fixture.listeners + Fixture.routes
                + "upstreams:\n  app: { files: a }\n  app: { files: b }",
            "larder.yaml:5: error: upstreams.app: the key appears twice; first on line 4"),
        Row(
            "wrong types", base + "threads: [1]\ncache: 5\nlimits: { connections: { a: b }, drain: }",
            "larder.yaml:4: error: threads: found a list; allowed: auto, or a whole number from 1 to 256",
            "larder.yaml:5: error: cache: found '5'; allowed: a map with the keys memory, memoryMax, "
                + "policies",
            "larder.yaml:6: error: limits.connections: found a map; allowed: a whole number from 1 to "
                + "10000000",
            "larder.yaml:6: error: limits.drain: found nothing; allowed: a duration from 0s to 7d, such as "
                + "30s "
                + "(ms, s, m, h, d)"),
    ]

    static let values: [Row] = [
        Row(
            "threads", base + "threads: 0",
            "larder.yaml:4: error: threads: found '0'; allowed: auto, or a whole number from 1 to 256"),
        Row(
            "sizes",
            base
                + "cache: { memory: 64MB }\nlimits: { requestHead: 64KiB, buffers: lots, requestBody: nine }",
            "larder.yaml:4: error: cache.memory: found '64MB'; allowed: a size from 4MiB to 512GiB, such as "
                + "256MiB; "
                + "did you mean '64MiB'?",
            "larder.yaml:5: error: limits.requestHead: found '64KiB'; allowed: a size from 1KiB to 60KiB, "
                + "such as 16KiB",
            "larder.yaml:5: error: limits.buffers: found 'lots'; allowed: a size from 1MiB to 1TiB, such as "
                + "256MiB",
            "larder.yaml:5: error: limits.requestBody: found 'nine'; allowed: a size from 0B to 1TiB, such "
                + "as 64KiB, "
                + "or none; did you mean 'none'?"),
        Row(
            "durations", base + "limits: { headTimeout: 10, keepAlive: 0s }",
            "larder.yaml:4: error: limits.headTimeout: found '10'; allowed: a duration from 1ms to 7d, such "
                + "as 30s "
                + "(ms, s, m, h, d); did you mean '10s'?",
            "larder.yaml:4: error: limits.keepAlive: found '0s'; allowed: a duration from 1ms to 7d, such "
                + "as 30s "
                + "(ms, s, m, h, d)"),
        Row(
            "requestHeaders", base + "limits: { requestHeaders: 129 }",
            "larder.yaml:4: error: limits.requestHeaders: found '129'; allowed: a whole number from 1 to "
                + "128"),
        Row(
            "memoryMax below memory", base + "cache:\n  memory: 64MiB\n  memoryMax: 32MiB",
            "larder.yaml:6: error: cache.memoryMax: found '32MiB'; allowed: at least 'memory', which is 64MiB"
        ),
        Row(
            "binds",
            "listeners:\n  - bind: 8080\n  - bind: localhost:80\n  - bind: 1.2.3.4:70000\n"
                + Fixture.routes + Fixture.upstreams,
            "larder.yaml:2: error: listeners[0].bind: found '8080'; allowed: an IP address and port "
                + "(0.0.0.0:8080, "
                + "'[::]:8080' quoted) or unix:/path; did you mean '0.0.0.0:8080'?",
            "larder.yaml:3: error: listeners[1].bind: found 'localhost:80'; allowed: an IP address and port "
                + "(0.0.0.0:8080, '[::]:8080' quoted) or unix:/path; did you mean '127.0.0.1:80'?",
            "larder.yaml:4: error: listeners[2].bind: found '1.2.3.4:70000'; allowed: an IP address and port "
                + "(0.0.0.0:8080, '[::]:8080' quoted) or unix:/path"),
        Row(
            "a bind that is part of another",
            "listeners: [{ bind: '0.0.0.0:80' }, { bind: '127.0.0.1:80' }]\n" + Fixture.routes
                + Fixture.upstreams,
            "larder.yaml:1: error: listeners[1].bind: found '127.0.0.1:80', which overlaps with "
                + "'0.0.0.0:80' of listeners[0].bind; allowed: addresses that do not overlap"),
        Row(
            "a bind twice",
            "listeners: [{ bind: '[::]:80' }, { bind: '[0:0::0]:80' }]\n" + Fixture.routes
                + Fixture.upstreams,
            "larder.yaml:1: error: listeners[1].bind: found '[::]:80', which listeners[0].bind has too; "
                + "allowed: addresses that differ"),
        Row(
            "trusted proxies", base + "trustedProxies: [10.0.0.1/8, proxy, 10.0.0.0/40, Unix]",
            "larder.yaml:4: error: trustedProxies[0]: found '10.0.0.1/8'; allowed: \(peers); did you mean "
                + "'10.0.0.0/8'?",
            "larder.yaml:4: error: trustedProxies[1]: found 'proxy'; allowed: \(peers)",
            "larder.yaml:4: error: trustedProxies[2]: found '10.0.0.0/40'; allowed: \(peers); the prefix "
                + "length is a number up to 32",
            "larder.yaml:4: error: trustedProxies[3]: found 'Unix'; allowed: \(peers); did you mean 'unix'?"),
        Row(
            "lists that are too long",
            base + "trustedProxies: [\(Array(repeating: "127.0.0.1", count: 1025).joined(separator: ", "))]\n"
                + "forwarded: [via, via, via, via]",
            "larder.yaml:4: error: trustedProxies: found a list of 1025; allowed: a list of address ranges "
                + "or unix, at most 1024",
            "larder.yaml:5: error: forwarded: found a list of 4; allowed: a list of x-forwarded, forwarded, "
                + "via, at most 3"),
        Row(
            "forwarded", base + "forwarded: [x-forward]",
            "larder.yaml:4: error: forwarded[0]: found 'x-forward'; allowed: x-forwarded, forwarded, via; "
                + "did you mean 'x-forwarded'?"),
        Row(
            "the access log", base + "log: { access: stdot, format: jsn }",
            "larder.yaml:4: error: log.access: found 'stdot'; allowed: none, stdout, syslog, or the path of "
                + "a file "
                + "('/' in it); did you mean 'stdout'?",
            "larder.yaml:4: error: log.format: found 'jsn'; allowed: json, combined, combined+cache, or a "
                + "template ('%' in it); "
                + "did you mean 'json'?"),
        Row(
            "a run folder", base + "process: { runFolder: run }",
            "larder.yaml:4: error: process.runFolder: found 'run'; allowed: an absolute path, such as "
                + "/run/larder"
        ),
    ]

    static let unbuilt: [Row] = [
        Row(
            "TLS of a listener",
            "listeners: [{ bind: 0.0.0.0:443, tls: { certificates: [a.pem] } }]\n" + Fixture.routes
                + Fixture.upstreams,
            "larder.yaml:1: error: listeners[0].tls: not built yet: a listener cannot speak TLS yet"),
        Row(
            "the PROXY protocol",
            "listeners: [{ bind: 0.0.0.0:443, proxyProtocol: true }]\n" + Fixture.routes + Fixture.upstreams,
            "larder.yaml:1: error: listeners[0].proxyProtocol: not built yet: a listener cannot read the "
                + "PROXY protocol "
                + "yet"),
        Row(
            "TLS of an upstream",
            Fixture.listeners + Fixture.routes
                + "upstreams: { app: { servers: [a:443], tls: { verify: true } } }",
            "larder.yaml:3: error: upstreams.app.tls: not built yet: Larder cannot speak TLS to servers yet"),
        Row(
            "servers by DNS",
            Fixture.listeners + Fixture.routes
                + "upstreams: { app: { servers: [{ dns: cache.internal:6081, slots: 8 }, { srv: "
                + "_http._tcp.a }] } }",
            "larder.yaml:3: error: upstreams.app.servers[0].dns: not built yet: servers cannot be found by "
                + "DNS yet; name "
                + "their addresses",
            "larder.yaml:3: error: upstreams.app.servers[1].srv: not built yet: servers cannot be found by "
                + "DNS yet; name "
                + "their addresses"),
        Row(
            "syslog and templates", base + "log: { access: syslog, format: '%h %s' }",
            "larder.yaml:4: error: log.access: not built yet: the access log cannot go to syslog yet",
            "larder.yaml:4: error: log.format: not built yet: the access log has no templates yet"),
    ]

    @Test(arguments: documents + values + unbuilt)
    func aMistakeIsReported(_ row: Row) {
        #expect(Fixture.mistakes(row.text) == row.messages)
    }
}
