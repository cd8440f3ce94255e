/// `extends`, and the policies that need no file.

import Configuration
import Settings
import Testing

@Suite struct ExtendsTests {
    private static func text(_ policy: String) -> String {
        Fixture.listeners + "routes: [{ upstream: app, policy: \(policy) }]\n" + Fixture.upstreams
    }

    private static func policy(_ files: [String: String]) throws -> Policy {
        try Fixture.read(text("mine"), policies: files).settings.policies[0]
    }

    @Test func mapsMergeAndListsReplace() throws {
        let policy = try Self.policy([
            "mine": "extends: middle\nstore: { minAge: 3s, vary: [X-Kind] }",
            "middle":
                "description: middle\nextends: pessimistic\nkey: { query: sort }\n"
                + "store: { maxAge: 1h, statuses: [200, 302], vary: [Origin] }",
        ])
        var expected = Policy(name: "mine")
        expected.store.minAgeSeconds = 3
        expected.store.maxAgeSeconds = 3600
        expected.store.statuses = [200, 302]
        expected.store.vary = .list(["x-kind"])
        expected.query = .sort
        #expect(policy == expected)
    }

    @Test(arguments: [1, 2, 30])
    func policiesExtendEachOtherAtAnyDepth(depth: Int) throws {
        var files = ["p0": "store: { maxAge: 77s, heuristic: 5% }"]
        for level in 1...depth { files["p\(level)"] = "extends: p\(level - 1)\nstore: { minAge: \(level)s }" }
        files["mine"] = "extends: p\(depth)"
        let store = try Self.policy(files).store
        #expect(store.maxAgeSeconds == 77 && store.heuristicPercent == 5 && store.minAgeSeconds == depth)
    }

    @Test func decisionsAreNotInherited() throws {
        let row = "decisions: [{ name: x, expect: { stored: true } }]"
        let files = ["mine": "extends: other", "other": row]
        let policies = try Fixture.read(Self.text("mine"), policies: files).policies
        #expect(policies.map(\.policy.name) == ["mine", "other"])
        #expect(policies.map(\.decisions.count) == [0, 1])
    }

    @Test(arguments: [
        (
            ["mine": "extends: other", "other": "\nextends: mine"],
            [
                "cache-policies/other.yaml:2: error: extends: found 'mine', which extends this policy; "
                    + "allowed: a policy that does not",
                "cache-policies/mine.yaml:1: error: extends: found 'other', which has mistakes",
            ]
        ),
        (
            ["mine": "extends: b", "b": "\nextends: c", "c": "\n\nextends: b"],
            [
                "cache-policies/c.yaml:3: error: extends: found 'b', which extends this policy; "
                    + "allowed: a policy that does not",
                "cache-policies/b.yaml:2: error: extends: found 'c', which has mistakes",
                "cache-policies/mine.yaml:1: error: extends: found 'b', which has mistakes",
            ]
        ),
        (
            ["mine": "extends: b", "b": "description: b\nextends: microcahe"],
            [
                "cache-policies/b.yaml:2: error: extends: found 'microcahe', but there is no such policy; "
                    + "allowed: a policy of cache-policies (b, mine), or a shipped policy (microcache, "
                    + "pessimistic, rfc9111, static-assets, varnish-offload); did you mean 'microcache'?",
                "cache-policies/mine.yaml:1: error: extends: found 'b', which has mistakes",
            ]
        ),
        (
            ["mine": "extends: ../secret"],
            [
                "cache-policies/mine.yaml:1: error: extends: found '../secret', but there is no such policy; "
                    + "allowed: a policy of cache-policies (mine), or a shipped policy (microcache, "
                    + "pessimistic, rfc9111, static-assets, varnish-offload)"
            ]
        ),
    ])
    func aMistakeOfAnExtendedPolicyIsReported(_ files: [String: String], _ messages: [String]) {
        #expect(Fixture.mistakes(Self.text("mine"), policies: files) == messages)
    }

    // MARK: Shipped policies

    @Test(arguments: ["pessimistic", "static-assets", "varnish-offload", "microcache", "rfc9111"])
    func shippedNamesNeedNoFile(name: String) throws {
        let loaded = try Fixture.read(Self.text(name))
        #expect(loaded.settings.policies.map(\.name) == [name])
        #expect(loaded.policies.map(\.isShipped) == [true])
        let mine = try Self.policy(["mine": "extends: \(name)"])
        var same = loaded.settings.policies[0]
        same.name = "mine"
        same.description = ""
        #expect(mine == same)
    }

    @Test func aFileReplacesAShippedPolicy() throws {
        let files = [
            "pessimistic": "extends: pessimistic\nstore: { maxAge: 5s }",
            "mine": "extends: pessimistic\nstore: { minAge: 2s }",
        ]
        let mine = try Self.policy(files)
        #expect(mine.store.maxAgeSeconds == 5 && mine.store.minAgeSeconds == 2)
        let loaded = try Fixture.read(Self.text("pessimistic"), policies: files)
        #expect(loaded.policies.map(\.file) == ["cache-policies/pessimistic.yaml"])
        #expect(loaded.settings.policies[0].store.maxAgeSeconds == 5)
    }

    @Test func shippedPoliciesAreWhollyInEffect() throws {
        for name in ["pessimistic", "rfc9111", "microcache"] {
            #expect(try Fixture.read(Self.text(name), everyPolicy: true).notes.map(\.description) == [])
        }
    }

    /// Every shipped policy works with every store. The note names a setting that its reader can change.
    @Test(arguments: [
        ("pessimistic", nil), ("varnish-offload", nil), ("microcache", "128KiB"), ("static-assets", "256KiB"),
        ("rfc9111", "256KiB"),
    ])
    func aShippedPolicyFitsEveryStore(_ name: String, _ lowered: String?) throws {
        #expect(try Fixture.notes(Self.text(name)) == [])
        for memory in ["4MiB", "64MiB"] {
            let loaded = try Fixture.read("cache:\n  memory: \(memory)\n" + Self.text(name))
            #expect(loaded.settings.policies[0].store.maxBodyBytes == 64 << 10)
            let allowing = lowered == "128KiB" ? "128MiB" : "256MiB"
            let note = lowered.map {
                "larder.yaml:2: note: cache.memory: store.maxBody of the shipped policy '\(name)' is "
                    + "lowered from "
                    + "\($0) to 64KiB, half a segment of a store of \(memory); 'cache.memory: \(allowing)' "
                    + "allows it"
            }
            #expect(loaded.notes.map(\.description) == (note.map { [$0] } ?? []))
        }
    }

    @Test func anOverlongChainIsRefused() {
        func files(_ count: Int) -> [String: String] {
            var files = ["mine": count == 1 ? "{}" : "extends: p2"]
            for level in 2..<(count + 1) where count > 1 {
                files["p\(level)"] = level == count ? "{}" : "extends: p\(level + 1)"
            }
            return files
        }
        let message =
            "found a chain of more than 32 policies that extend each other; allowed: at most 32"
        #expect(Fixture.mistakes(Self.text("mine"), policies: files(32)) == [])
        // The policies that start from it have a mistake too.
        for (count, last, number) in [
            (33, message, 1), (34, "found 'p2', which has mistakes", 33),
            (1000, "found 'p2', which has mistakes", 33),
        ] {
            let messages = Fixture.mistakes(Self.text("mine"), policies: files(count))
            #expect(messages.first?.hasSuffix(": error: extends: \(message)") == true)
            #expect(messages.last == "cache-policies/mine.yaml:1: error: extends: \(last)")
            #expect(messages.count == number)
        }
    }

    /// Read in another order, from the bottom up, the chain has the same length.
    @Test func anOverlongChainIsRefusedInAWholeFolder() throws {
        var files = ["a00": "{}"]
        for level in 1..<40 {
            files["a\(level < 10 ? "0" : "")\(level)"] = "extends: a\(level <= 10 ? "0" : "")\(level - 1)"
        }
        do {
            _ = try Fixture.read(Self.text("none"), policies: files, everyPolicy: true)
            Issue.record("accepted")
        } catch {
            #expect(
                error.problems.first?.description
                    == "cache-policies/a32.yaml:1: error: extends: found a chain of more than 32 policies "
                        + "that extend each other; allowed: at most 32")
        }
    }

    @Test func aPolicyFileIsReadAlone() throws {
        let files = FileSource.memory([
            "/a/mine.yaml": "extends: base\ndecisions:\n  - name: x\n    expect: { stored: true }\n",
            "/a/base.yaml": "extends: microcache", "/a/broken.yaml": "\nstor: {}", "/a/x.yml": "{}",
        ])
        func read(_ name: String) throws(ConfigurationError) -> LoadedPolicy {
            try ConfigurationFile.policy(path: "a/\(name)", folder: "/a", files: files)
        }
        let mine = try read("mine.yaml")
        #expect(mine.policy.name == "mine" && mine.policy.store.maxAgeSeconds == 5)
        #expect(mine.file == "a/mine.yaml" && mine.decisionLines == [3])
        func mistake(_ name: String) -> String? {
            do {
                _ = try read(name)
                return nil
            } catch { return error.problems.first?.description }
        }
        #expect(mistake("missing.yaml") == "a/missing.yaml: error: there is no such file")
        #expect(mistake("broken.yaml")?.hasPrefix("a/broken.yaml:2: error: stor: unknown key; ") == true)
        #expect(mistake("x.yml")?.hasPrefix("a/x.yml: error: found 'x.yml'; allowed: ") == true)
    }
}
