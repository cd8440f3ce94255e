/// A policy file, key by key.

internal import Settings

/// A policy file as it is written.
struct PolicyDraft: Equatable {
    var policy: Policy
    var extends: String?
    var decisions: [PolicyDecision] = []
}

extension Sections {
    /// - Parameter base: what the file starts from.
    static func policy(from base: Policy) -> Section<PolicyDraft> {
        Section(
            PolicyDraft(policy: base),
            [
                Key(
                    "description", .text(), "What it is for.", standard: "none",
                    get: { $0.policy.description.isEmpty ? nil : $0.policy.description },
                    set: { $0.policy.description = $1 }),
                Key(
                    "extends", .name, "The policy that this one starts from.", optional: \.extends,
                    standard: "the default policy"),
                Key("store", policyStore(from: base.store), "What may be stored.", \.policy.store),
                Key("key", policyKey(from: base.query), "What tells stored answers apart.", \.policy.query),
                Key("serve", policyServe(from: base.serve), "How stored answers are served.", \.policy.serve),
                Key(
                    "compress", policyCompress(from: base.compress), "What is compressed on the way out.",
                    \.policy.compress),
                Key(
                    "decisions", decision.form().list(of: "decisions", atMost: 4096),
                    "Exchanges and what the policy makes of them, run by `larder policy test`.",
                    standard: "none",
                    get: { $0.decisions.isEmpty ? nil : $0.decisions }, set: { $0.decisions = $1 }),
            ])
    }

    static func policyStore(from base: Policy.Store) -> Section<Policy.Store> {
        Section(
            base,
            [
                Key(
                    "statuses", .statuses,
                    "Statuses that may be stored; `any`: all that do not depend on more than the key. From "
                        + "400 on for 10 s at most.", \.statuses),
                Key(
                    "maxBody", .size(0...1 << 40),
                    "The largest body. More than half a segment of the store is lowered to that, with a "
                        + "note.",
                    \.maxBodyBytes),
                Key("maxHead", .size(256...16 << 10), "The largest head.", \.maxHeadBytes),
                Key(
                    "maxAge", .seconds(1...31_536_000),
                    "The longest that an answer is fresh, whatever the origin says.", \.maxAgeSeconds),
                Key(
                    "minAge", .seconds(1...31_536_000),
                    "Answers that are fresh for less (age in whole seconds) are not stored.",
                    \.minAgeSeconds),
                Key(
                    "heuristic", .percent(0...100),
                    "The share of Date − Last-Modified that is a lifetime where the origin states none; not "
                        + "for URLs with a query, unless `reading: rfc`.",
                    \.heuristicPercent),
                Key(
                    "noCache", .choice,
                    "`revalidate`: store what says `no-cache` and what is not fresh, if it has a "
                        + "validator, and ask the origin before each use.", \.noCache),
                Key(
                    "reading", .choice,
                    "How malformed or repeated fields are read; `rfc`: as RFC 9111 lets a cache.", \.reading),
                Key(
                    "cookies", .choice,
                    "Requests with cookies: `public-only` uses the store where the answer says `public` or "
                        + "`s-maxage`, `strip` keeps cookies from the origin, `never` passes.", \.cookies),
                Key(
                    "authorization", .choice,
                    "`explicit`: store what RFC 9111 §3.5 allows of answers to credentials.",
                    \.authorization),
                Key(
                    "vary", .vary,
                    "The fields that `Vary` may name; `any`: all but `*` and those that Larder writes "
                        + "itself, such as `X-Forwarded-For`. At most 8 answers a key.", \.vary),
            ]
        ) { store, reading in
            if store.minAgeSeconds > store.maxAgeSeconds {
                reading.report(
                    at: reading.path(of: "minAge"),
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
                    "The query as it came, sorted by name, left out, or these parameters of it. Where an "
                        + "answer may be stored, the origin is sent what is keyed.",
                    \.self)
            ])
    }

    static func policyServe(from base: Policy.Serve) -> Section<Policy.Serve> {
        Section(
            base,
            [
                Key(
                    "clientRefresh", .choice,
                    "`no-cache` and its kin in requests: revalidate, or take no notice.",
                    \.clientRefresh),
                Key(
                    "stale", .choice,
                    "Stale answers: where the origin says so (RFC 5861), or never; `rfc`: also where "
                        + "the client does (`max-stale`).", \.stale),
                Key(
                    "cacheStatus", .choice,
                    "The `Cache-Status` field: `brief` without reasons, `debug` with the key.",
                    \.cacheStatus),
            ])
    }

    static func policyCompress(from base: Policy.Compress) -> Section<Policy.Compress> {
        Section(
            base,
            [
                Key(
                    "answers", .choice,
                    "`shareable`: what is stored, and what a shared cache may plainly keep; `all`: private "
                        + "answers too, with weakened ETags; `none`: bodies keep the origin's coding.",
                    \.answers),
                Key(
                    "types", Form<String>.mediaType.list(of: "media types", atMost: 256),
                    "Media types; `text/*` is all of a kind.",
                    \.types),
                Key("minBody", .size(0...1 << 30), "Smaller bodies stay as they are.", \.minBodyBytes),
                Key(
                    "codings",
                    Form<Policy.Compress.Coding>.choice.list(of: "`br`, `gzip`, `zstd`", atMost: 3).checked {
                        codings in
                        Set(codings).count == codings.count ? nil : "found a coding twice; allowed: each once"
                    }.described(with: [.init("uniqueItems", .flag(true))]), "In order of preference.",
                    \.codings),
            ])
    }
}
