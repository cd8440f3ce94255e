/// The keys of a policy file.

internal import Settings

/// The content of a policy file.
struct PolicyDraft: Equatable {
    var policy: Policy
    var extends: String?
    var decisions: [PolicyDecision] = []
}

extension Sections {
    /// - Parameter base: the policy that the file extends, or the default policy.
    static func policy(from base: Policy) -> Section<PolicyDraft> {
        Section(
            PolicyDraft(policy: base),
            [
                Key(
                    "description", .text(), "The purpose of the policy.", defaultText: "none",
                    get: { $0.policy.description.isEmpty ? nil : $0.policy.description },
                    set: { $0.policy.description = $1 }),
                Key(
                    "extends", .name,
                    "The policy whose values this policy takes over, except for the keys in this file.",
                    optional: \.extends, defaultText: "the default policy"),
                Key(
                    "store", policyStore(from: base.store), "The responses that may be stored.",
                    \.policy.store),
                Key(
                    "key", policyKey(from: base.query),
                    "The part of the request that belongs to the key of a stored response.", \.policy.query),
                Key(
                    "serve", policyServe(from: base.serve), "How Larder serves stored responses.",
                    \.policy.serve),
                Key(
                    "compress", policyCompress(from: base.compress), "The answers that Larder compresses.",
                    \.policy.compress),
                Key(
                    "decisions", decision.format().list(of: "decisions", atMost: 4096),
                    "The tests of the policy: exchanges and their expected results. `larder policy test` "
                        + "runs them.",
                    defaultText: "none",
                    get: { $0.decisions.isEmpty ? nil : $0.decisions }, set: { $0.decisions = $1 }),
            ])
    }

    static func policyStore(from base: Policy.Store) -> Section<Policy.Store> {
        Section(
            base,
            [
                Key(
                    "statuses", .statuses,
                    "The statuses that may be stored. `any`: all statuses whose responses depend on the key "
                        + "alone. Responses from status 400 on are fresh for 10 s at most.", \.statuses),
                Key(
                    "maxBody", .size(0...1 << 40),
                    "The largest body. A value above half a segment of the store is lowered to that half, "
                        + "with a note.",
                    \.maxBodyBytes),
                Key("maxHead", .size(256...16 << 10), "The largest head.", \.maxHeadBytes),
                Key(
                    "maxAge", .seconds(1...31_536_000),
                    "The longest time that a response is fresh, even if the origin allows more.",
                    \.maxAgeSeconds),
                Key(
                    "minAge", .seconds(1...31_536_000),
                    "A response that stays fresh for less than this is not stored. Its age counts in whole "
                        + "seconds.",
                    \.minAgeSeconds),
                Key(
                    "heuristic", .percent(0...100),
                    "The lifetime of a response that states none, as a percentage of Date − Last-Modified. "
                        + "URLs with a query get no such lifetime, unless `reading` is `rfc`.",
                    \.heuristicPercent),
                Key(
                    "noCache", .choice,
                    "Responses with `no-cache`, and responses that are not fresh. `refuse`: do not store "
                        + "them. `revalidate`: store those that have a validator, and ask the origin before "
                        + "each use.", \.noCache),
                Key(
                    "reading", .choice,
                    "How Larder reads malformed and repeated fields. `strict`: each has the worst meaning "
                        + "that it can have. `rfc`: as RFC 9111 permits a cache to read them.", \.reading),
                Key(
                    "cookies", .choice,
                    "Requests with cookies. `public-only`: use the store if the response says `public` or "
                        + "`s-maxage`. `strip`: remove the cookies and use the store. `never`: do not use "
                        + "the store.", \.cookies),
                Key(
                    "authorization", .choice,
                    "Requests with `Authorization`. `never`: do not use the store. `explicit`: use it for "
                        + "the responses that RFC 9111 §3.5 allows.",
                    \.authorization),
                Key(
                    "vary", .vary,
                    "The fields that `Vary` may name. `any`: all except `*` and the fields that Larder "
                        + "writes itself, such as `X-Forwarded-For`. A key has at most 8 stored responses.",
                    \.vary),
            ]
        ) { store, reader in
            if store.minAgeSeconds > store.maxAgeSeconds {
                reader.report(
                    at: reader.path(of: "minAge"),
                    "found '\(Milliseconds.format(store.minAgeSeconds * 1000))'; allowed: at most 'maxAge', "
                        + "which is \(Milliseconds.format(store.maxAgeSeconds * 1000))")
            }
        }
    }

    static func policyKey(from base: Policy.Query) -> Section<Policy.Query> {
        Section(
            base,
            [
                Key(
                    "query", .query,
                    "The part of the query that belongs to the key. `keep`: the query as it came. `sort`: "
                        + "the query, sorted by name. `ignore`: nothing. `only`: these parameters. If the "
                        + "response may be stored, the origin gets only this part of the query.",
                    \.self)
            ])
    }

    static func policyServe(from base: Policy.Serve) -> Section<Policy.Serve> {
        Section(
            base,
            [
                Key(
                    "clientRefresh", .choice,
                    "Requests that ask for a fresher answer (`no-cache`, `max-age`, `min-fresh`, `Pragma`). "
                        + "`revalidate`: ask the origin. `ignore`: serve the stored response.",
                    \.clientRefresh),
                Key(
                    "stale", .choice,
                    "Stale answers. `origin-directed`: if the origin allows them (RFC 5861). `rfc`: also if "
                        + "the client allows them (`max-stale`). `never`: not at all.", \.stale),
                Key(
                    "cacheStatus", .choice,
                    "The `Cache-Status` field of answers. `none`: no field. `brief`: without reasons. "
                        + "`full`: with reasons. `debug`: with reasons and the key.",
                    \.cacheStatus),
            ])
    }

    static func policyCompress(from base: Policy.Compress) -> Section<Policy.Compress> {
        Section(
            base,
            [
                Key(
                    "answers", .choice,
                    "The answers to compress. `shareable`: stored responses, and responses that a shared "
                        + "cache may plainly keep. `all`: private answers too, with weak ETags. `none`: no "
                        + "answers; bodies keep the coding of the origin.",
                    \.answers),
                Key(
                    "types", ValueFormat<String>.mediaType.list(of: "media types", atMost: 256),
                    "The media types to compress. `text/*`: all text types.",
                    \.types),
                Key(
                    "minBody", .size(0...1 << 30),
                    "The smallest body to compress.", \.minBodyBytes),
                Key(
                    "codings",
                    ValueFormat<Policy.Compress.Coding>.choice.list(of: "`br`, `gzip`, `zstd`", atMost: 3)
                        .checked {
                            codings in
                            Set(codings).count == codings.count
                                ? nil : "found a coding twice; allowed: each once"
                        }.described(with: [.init("uniqueItems", .flag(true))]),
                    "The codings that Larder uses, in order of preference.",
                    \.codings),
            ])
    }
}
