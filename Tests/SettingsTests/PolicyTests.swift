/// Policy files: settings, `extends`, decision tables, and their mistakes.

import Configuration
import Settings
import Testing

@Suite struct PolicyTests {
    private static let text =
        Fixture.listeners + "routes: [{ upstream: app, policy: mine }]\n" + Fixture.upstreams

    private static func policy(_ files: [String: String]) throws -> Policy {
        try Fixture.read(text, policies: files).settings.policies[0]
    }

    @Test func everyValueArrives() throws {
        let policy = try Self.policy([
            "mine": """
            description: For a test.
            store: { statuses: [200, 500], maxBody: 128KiB, maxHead: 8KiB, maxAge: 1h, minAge: 2s,
                     heuristic: 10%, noCache: revalidate, reading: rfc, cookies: strip,
                     authorization: explicit, vary: any }
            key: { query: { only: [no, on] } }
            serve: { clientRefresh: ignore, stale: never, cacheStatus: brief }
            compress: { types: [Text/*], minBody: 1KiB, codings: [zstd] }
            """
        ])
        var expected = Policy(name: "mine")
        expected.description = "For a test."
        expected.store.statuses = [200, 500]
        expected.store.maxBodyBytes = 128 << 10
        expected.store.maxHeadBytes = 8 << 10
        expected.store.maxAgeSeconds = 3600
        expected.store.minAgeSeconds = 2
        expected.store.heuristicPercent = 10
        expected.store.noCache = .revalidate
        expected.store.reading = .rfc
        expected.store.cookies = .strip
        expected.store.authorization = .explicit
        expected.store.vary = .any
        expected.query = .only(["no", "on"])
        expected.serve.clientRefresh = .ignore
        expected.serve.stale = .never
        expected.serve.cacheStatus = .brief
        expected.compress.types = ["text/*"]
        expected.compress.minBodyBytes = 1024
        expected.compress.codings = [.zstd]
        #expect(policy == expected)
    }

    @Test func anEmptyMapIsTheDefault() throws {
        #expect(try Self.policy(["mine": "{}"]) == Policy(name: "mine"))
    }

    @Test func theDefaultPolicyNeedsNoFileAndYieldsToOne() throws {
        let text = Fixture.listeners + Fixture.routes + Fixture.upstreams
        #expect(try Fixture.read(text).settings.policies[0].store.maxAgeSeconds == 600)
        let files = ["pessimistic": "store: { maxAge: 5s }"]
        #expect(try Fixture.read(text, policies: files).settings.policies[0].store.maxAgeSeconds == 5)
    }

    @Test func anyStatus() throws {
        let policy = try Self.policy(["mine": "store: { statuses: any }"])
        #expect(policy.store.statuses == .any)
        let shown = try Fixture.read(Self.text, policies: ["mine": "store: { statuses: any }"]).policies[0]
        #expect(shown.document.yaml.contains("\n  statuses: any\n"))
    }

    @Test func decisionsAreTyped() throws {
        let loaded = try Fixture.read(
            Self.text,
            policies: [
                "mine": """
                decisions:
                  - name: a cookie makes it private
                    response: { status: 404, headers: ['Cache-Control: max-age=60', 'Set-Cookie: id=1'],
                                body: 2KiB, framing: chunked, delay: 3s }
                    expect: { stored: false, reason: set-cookie }
                  - name: then
                    request: { method: HEAD, url: 'https://a.com/', headers: ['Cookie: a=1'] }
                    then: { after: 1m, request: { url: 'http://b.com/' }, expect: { served: hit, age: 60 } }
                """
            ])
        var first = PolicyDecision(name: "a cookie makes it private")
        first.response.status = 404
        first.response.headers = ["Cache-Control: max-age=60", "Set-Cookie: id=1"]
        first.response.bodyBytes = 2048
        first.response.framing = .chunked
        first.response.delaySeconds = 3
        first.expect = PolicyDecision.Expectation(stored: false, reason: "set-cookie")
        var second = PolicyDecision(name: "then")
        second.request.method = "HEAD"
        second.request.url = "https://a.com/"
        second.request.headers = ["Cookie: a=1"]
        var then = PolicyDecision.FollowUp()
        then.afterSeconds = 60
        then.request.url = "http://b.com/"
        then.expect = PolicyDecision.Answer(.hit, ageSeconds: 60)
        second.then = then
        #expect(loaded.policies.map(\.policy.name) == ["mine"])
        #expect(loaded.policies[0].decisions == [first, second])

        // What is printed reads back as the same.
        let again = try Fixture.read(Self.text, policies: ["mine": loaded.policies[0].document.yaml])
        #expect(again.policies.map(\.policy) == loaded.policies.map(\.policy))
        #expect(again.policies.map(\.decisions) == loaded.policies.map(\.decisions))
    }

    @Test func outcomesAreCompared() {
        var decision = PolicyDecision(name: "")
        decision.expect = PolicyDecision.Expectation(stored: false, reason: "vary")
        typealias Outcome = PolicyDecision.Outcome
        #expect(decision.differences(from: Outcome(stored: false, reason: "vary")).isEmpty)
        #expect(
            decision.differences(from: Outcome(stored: true)).map(\.description) == [
                "stored: expected false, found true", "reason: expected vary, found none",
            ])
        decision.expect = PolicyDecision.Expectation(stored: true)
        decision.then = PolicyDecision.FollowUp()
        decision.then?.expect = PolicyDecision.Answer(.hit, ageSeconds: 5)
        let hit = PolicyDecision.Answer(.hit, ageSeconds: 5)
        #expect(decision.differences(from: Outcome(stored: true, then: hit)).isEmpty)
        #expect(
            decision.differences(from: Outcome(stored: true, then: PolicyDecision.Answer(.stale)))
                .map(\.description) == [
                    "then.served: expected hit, found stale", "then.age: expected 5 s, found none",
                ])
        #expect(decision.differences(from: Outcome(stored: true)).count == 2)
    }

    @Test func onlyTheUsedAreReadUnlessAllAreAskedFor() throws {
        let files = ["mine": "{}", "broken": "stre: {}"]
        #expect(try Fixture.read(Self.text, policies: files).policies.map(\.policy.name) == ["mine"])
        #expect(throws: ConfigurationError.self) {
            try Fixture.read(Self.text, policies: files, everyPolicy: true)
        }
        let whole = try Fixture.read(Self.text, policies: ["mine": "{}", "other": "{}"], everyPolicy: true)
        #expect(
            whole.policies.map(\.policy.name) == [
                "microcache", "mine", "other", "pessimistic", "rfc9111", "static-assets", "varnish-offload",
            ])
    }

    /// Who puts a policy there takes it for read and tested.
    @Test(arguments: [
        ("assets.yml", "; did you mean 'assets.yaml'?"), ("my.v2.YAML", "; did you mean 'my.v2.yaml'?"),
        ("my policy.yaml", ""), ("-x.yaml", ""), ("my policy.yml", ""),
        ("README", nil), ("notes.txt", nil), (".hidden.yaml", nil), ("mine.yaml~", nil), ("#mine.yaml#", nil),
        ("mine.yaml.orig", nil),
    ])
    func filesThatCannotBePolicies(_ name: String, _ hint: String?) {
        let files = FileSource.memory(["/etc/larder/policies/\(name)": "stre: {}"])
        var problems: [String] = []
        do {
            _ = try ConfigurationFile.policies(
                inFolder: "/etc/larder/policies", shownFolder: "policies", files: files)
        } catch { problems = error.problems.map(\.description) }
        let message =
            "policies/\(name): error: found '\(name)'; allowed: a policy file, NAME.yaml, where NAME is a "
                + "name "
            + "of at most 64 letters, digits, '.', '_' and '-', a letter or digit first"
        #expect(problems == (hint.map { [message + $0] } ?? []))
    }

    /// `check` reads the whole folder, serving what it uses; a name that no policy has is refused by both:
    /// the file may be meant to take a shipped policy's place.
    @Test func servingLooksForFilesThatCannotBePolicies() throws {
        let files = ["mine": "{}", "other": "stre: {}"]
        #expect(try Fixture.notes(Self.text, policies: files) == [])
        #expect(throws: ConfigurationError.self) {
            try Fixture.read(Self.text, policies: files, everyPolicy: true)
        }
        let misnamed = Fixture.mistakes(Self.text, policies: ["mine": "{}", "my policy": "{}"])
        #expect(misnamed.count == 1)
        #expect(
            misnamed[0].hasPrefix("cache-policies/my policy.yaml: error: found 'my policy.yaml'; allowed: "))
    }

    static let file = "cache-policies/mine.yaml"
    static let mistakes: [(String, [String])] = [
        (
            "stores: {}",
            [
                "\(file):1: error: stores: unknown key; allowed: description, extends, store, key, serve, "
                    + "compress, "
                    + "decisions; did you mean 'store'?"
            ]
        ),
        (
            "store:\n  statuses: [200, 206]",
            [
                "\(file):2: error: store.statuses[1]: found '206'; allowed: a status whose responses depend "
                    + "on the key alone (never 206, 304, 400, 401, 406-408, 411-417, 421, 425, 426, "
                    + "428, 429, 431, 511)"
            ]
        ),
        (
            "store: { maxAge: 1500ms }",
            ["\(file):1: error: store.maxAge: found '1500ms'; allowed: a duration of whole seconds"]
        ),
        (
            "store: { maxAge: 1s, minAge: 2s }",
            [
                "\(file):1: error: store.minAge: found '2s'; allowed: at most 'maxAge', which is "
                    + "1s"
            ]
        ),
        (
            "store: { vary: Accept }",
            ["\(file):1: error: store.vary: found 'Accept'; allowed: a list of field names, or any"]
        ),
        (
            "store: { vary: ['*'] }",
            [
                "\(file):1: error: store.vary[0]: found '*'; allowed: a field name; of all fields: "
                    + "'vary: any'"
            ]
        ),
        (
            "store: { cookies: public }",
            [
                "\(file):1: error: store.cookies: found 'public'; allowed: public-only, strip, never; "
                    + "did you mean 'public-only'?"
            ]
        ),
        (
            "key: { query: sorted }",
            [
                "\(file):1: error: key.query: found 'sorted'; allowed: keep, sort, ignore, or { only: "
                    + "[parameters] }; did you mean 'sort'?"
            ]
        ),
        (
            "compress: { types: [html], codings: [br, br] }",
            [
                "\(file):1: error: compress.types[0]: found 'html'; allowed: a media type, such as text/* "
                    + "or application/json",
                "\(file):1: error: compress.codings: found a coding twice; allowed: each once",
            ]
        ),
        (
            "decisions: [{ name: x }]",
            [
                "\(file):1: error: decisions[0]: found neither 'expect' nor 'then'; allowed: at least one "
                    + "of them"
            ]
        ),
        (
            "decisions: [{ name: x, then: { after: 30s } }]",
            [
                "\(file):1: error: decisions[0].then: the key 'expect' is missing; allowed: a map with the "
                    + "keys served, age, "
                    + "reason"
            ]
        ),
        (
            "store: { statuses: [\(Array(repeating: "200", count: 65).joined(separator: ", "))] }",
            [
                "\(file):1: error: store.statuses: found a list of 65; allowed: a list of statuses, at most "
                    + "64"
            ]
        ),
        (
            "decisions: [{ name: x, response: { headers: [a] }, expect: { stored: maybe } }]",
            [
                "\(file):1: error: decisions[0].response.headers[0]: found 'a'; allowed: a field line, such "
                    + "as 'Cache-Control: "
                    + "max-age=60'",
                "\(file):1: error: decisions[0].expect.stored: found 'maybe'; allowed: true or false",
            ]
        ),
        (
            "extends: mine",
            [
                "\(file):1: error: extends: found 'mine', which extends this policy; allowed: a policy "
                    + "that does "
                    + "not"
            ]
        ),
        (
            "extends: yours",
            [
                "\(file):1: error: extends: found 'yours', but there is no such policy; allowed: a policy of "
                    + "cache-policies (mine), or a shipped policy (microcache, pessimistic, rfc9111, "
                    + "static-assets, varnish-offload)"
            ]
        ),
        (
            "store: { statuses: all }",
            ["\(file):1: error: store.statuses: found 'all'; allowed: a list of statuses, or any"]
        ),
        (
            "store: { statuses: 200, vary: anny }",
            [
                "\(file):1: error: store.statuses: found '200'; allowed: a list of statuses, or any",
                "\(file):1: error: store.vary: found 'anny'; allowed: a list of field names, or any; did you "
                    + "mean 'any'?",
            ]
        ),
        (
            "store: { statuses: [any] }",
            [
                "\(file):1: error: store.statuses[0]: found 'any'; allowed: a whole number from 200 to 599"
            ]
        ),
    ]

    @Test(arguments: mistakes)
    func messages(_ policy: String, _ messages: [String]) {
        #expect(Fixture.mistakes(Self.text, policies: ["mine": policy]) == messages)
    }

    /// What a store cannot hold is lowered, and the note says what would hold it.
    @Test(arguments: [
        ("64MiB", "65536", nil, 65_536),
        (
            "64MiB", "65537",
            "lowered from 65537B to 64KiB, half a segment of a store of 64MiB; 'cache.memory: 65MiB' allows "
                + "it",
            65_536
        ),
        (
            "4MiB", "256KiB",
            "lowered from 256KiB to 64KiB, half a segment of a store of 4MiB; 'cache.memory: 256MiB' allows "
                + "it",
            65_536
        ),
        ("256MiB", "256KiB", nil, 256 << 10),
        (
            "256MiB", "512KiB",
            "lowered from 512KiB to 256KiB, half a segment of a store of 256MiB; 'cache.memory: 512MiB' "
                + "allows it",
            256 << 10
        ),
        ("2GiB", "2MiB", nil, 2 << 20),
        (
            "512GiB", "10MiB",
            "lowered from 10MiB to 2MiB, half a segment of a store of 512GiB; no store accepts more than "
                + "2MiB",
            2 << 20
        ),
    ])
    func bodiesThatTheStoreCannotHold(
        _ memory: String, _ maxBody: String, _ note: String?, _ bytes: Int
    ) throws {
        let text = "cache: { memory: \(memory), memoryMax: 1TiB }\n" + Self.text
        let loaded = try Fixture.read(text, policies: ["mine": "store: { maxBody: \(maxBody) }"])
        let place = "cache-policies/mine.yaml:1: note: store.maxBody: "
        #expect(loaded.notes.map(\.description) == (note.map { [place + $0] } ?? []))
        #expect(loaded.settings.policies[0].store.maxBodyBytes == bytes)
        #expect(loaded.policies.map(loaded.effective).map(\.policy.store.maxBodyBytes) == [bytes])
    }

    @Test func compressIsInEffect() throws {
        let notes = try Fixture.read(Self.text, policies: ["mine": "compress: { minBody: 1KiB }"]).notes
        #expect(notes.isEmpty)
    }
}
