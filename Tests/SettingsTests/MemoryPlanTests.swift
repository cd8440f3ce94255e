/// How much memory the cache and the buffers get, by the limits of the machine or the container.

import Settings
import Testing

@Suite struct MemoryPlanTests {
    struct Case: CustomTestStringConvertible, Sendable {
        /// In MiB, like all numbers below.
        let limit: Int?
        var threads = 2
        var connections = 20_000
        var cache: Int?
        var cacheMax: Int?
        var buffers: Int?
        /// nil: refused.
        let expected: (cache: Int, buffers: Int)?
        var hasNote = false
        var testDescription: String {
            "\(limit.map { "\($0)" } ?? "no limit"), \(threads) threads, cache \(cache ?? 0), "
                + "buffers \(buffers ?? 0)"
        }
    }

    static let table: [Case] = [
        // Nothing is known, or memory is plentiful: the defaults.
        Case(limit: nil, expected: (256, 256)),
        Case(limit: 24_000, expected: (256, 256)),
        Case(limit: 24_000, cache: 8_000, buffers: 1_000, expected: (8_000, 1_000)),
        // Small machines and containers with defaults: all memory, connections included, stays below the
        // limit.
        Case(limit: 1_024, expected: (256, 256)),
        Case(limit: 512, expected: (176, 88), hasNote: true),
        Case(limit: 256, expected: (80, 40), hasNote: true),
        Case(limit: 128, expected: (32, 16), hasNote: true),
        Case(limit: 64, expected: (8, 4), hasNote: true),
        Case(limit: 512, connections: 1_000, expected: (236, 118), hasNote: true),
        Case(limit: 512, threads: 16, expected: (148, 74), hasNote: true),
        // Hardly any memory: the minimum, and a note that it may not be enough.
        Case(limit: 40, expected: (4, 2), hasNote: true),
        // A configured size holds, and the other makes room for it.
        Case(limit: 512, cache: 300, expected: (300, 26), hasNote: true),
        Case(limit: 512, buffers: 64, expected: (192, 64), hasNote: true),
        Case(limit: 512, cache: 64, buffers: 32, expected: (64, 32)),
        Case(limit: 1_024, cacheMax: 100, expected: (100, 256)),
        // Both configured: buffers are lowered where the rest does not fit beside them.
        Case(limit: 512, cache: 256, buffers: 256, expected: (256, 96), hasNote: true),
        Case(limit: 512, cache: 500, buffers: 8, expected: (500, 2), hasNote: true),
        // One size alone is more than the limit.
        Case(limit: 512, cache: 257, buffers: 256, expected: nil),
        Case(limit: 512, cache: 513, expected: nil),
        Case(limit: 512, buffers: 510, expected: nil),
        Case(limit: 512, cache: 512, expected: nil),
    ]

    private static func plan(_ row: Case) throws -> MemoryPlan {
        try MemoryPlan(
            limit: row.limit.map { $0 << 20 }, threads: row.threads, connections: row.connections,
            cache: row.cache.map { $0 << 20 }, cacheMax: row.cacheMax.map { $0 << 20 },
            buffers: row.buffers.map { $0 << 20 })
    }

    @Test(arguments: table) func memoryIsDivided(_ row: Case) throws {
        guard let expected = row.expected else {
            #expect(throws: MemoryPlan.Refusal.self) { _ = try Self.plan(row) }
            return
        }
        let plan = try Self.plan(row)
        #expect(plan.cacheBytes >> 20 == expected.cache)
        #expect(plan.bufferBytes >> 20 == expected.buffers)
        #expect((plan.note != nil) == row.hasNote, "\(plan.note ?? "")")
    }

    @Test func aRefusalNamesNumbersAndKeys() throws {
        let row = Case(limit: 400, cache: 256, buffers: 256, expected: nil)
        let refusal = #expect(throws: MemoryPlan.Refusal.self) { _ = try Self.plan(row) }
        #expect(
            refusal?.description
                == "cache.memory (256MiB) and limits.buffers (256MiB) are more than this process may use, "
                + "400MiB by the machine's memory and its control groups; lower them, or leave them out")
    }

    @Test func aNoteNamesNumbersAndKeys() throws {
        let lowered = try Self.plan(Case(limit: 512, cache: 256, buffers: 256, expected: nil))
        #expect(
            lowered.note
                == "this process may use 512MiB of memory: cache.memory is 256MiB, limits.buffers 96MiB "
                + "instead of 256MiB, which does not fit")
        let tight = try Self.plan(Case(limit: 40, expected: nil))
        #expect(tight.note?.contains("too much: the kernel may end this process") == true)
    }

    /// A smaller store has smaller segments, and policies are lowered to fit.
    @Test func policiesAreLoweredToASmallerStore() throws {
        var settings = Settings()
        settings.policies = [Policy(name: "a")]
        settings.policies[0].store.maxBodyBytes = 256 << 10
        let fitting = try settings.fitting(memoryLimit: 128 << 20, threads: 2).settings
        #expect(fitting.cache.memoryBytes == 32 << 20 && fitting.cache.memoryMaxBytes == 64 << 20)
        #expect(fitting.limits.bufferBytes == 16 << 20)
        #expect(fitting.policies[0].store.maxBodyBytes == fitting.cache.largestBodyBytes)
    }
}
