/// How Larder divides its descriptors, and the limit that its notice asks for.

import Settings
import Testing

@Suite struct DescriptorPlanTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let limit: Int
        let threads: Int
        var isSeparate = true
        let connections: Int
        let perThread: Int
        let clients: Int
        var testDescription: String {
            "\(limit) for \(threads) \(isSeparate ? "tables" : "threads of one table"), \(connections)"
        }
    }

    static let table: [Case] = [
        Case(limit: 1_024, threads: 1, connections: 20_000, perThread: 741, clients: 741),
        Case(limit: 1_024, threads: 2, connections: 20_000, perThread: 739, clients: 1_478),
        Case(limit: 1_024, threads: 2, isSeparate: false, connections: 20_000, perThread: 369, clients: 738),
        Case(limit: 1_024, threads: 2, connections: 100, perThread: 739, clients: 100),
        Case(limit: 1_048_576, threads: 4, connections: 20_000, perThread: 786_399, clients: 20_000),
        // No limit, and limits that leave hardly any descriptors, or none.
        Case(limit: .max, threads: 2, connections: 20_000, perThread: 805_306_339, clients: 20_000),
        Case(limit: 40, threads: 1, connections: 20_000, perThread: 3, clients: 3),
        Case(limit: 3, threads: 8, connections: 20_000, perThread: 1, clients: 8),
    ]

    private static func plan(_ row: Case, limit: Int? = nil) -> DescriptorPlan {
        DescriptorPlan(
            limit: limit ?? row.limit, threads: row.threads, tablesAreSeparate: row.isSeparate,
            connections: row.connections, listeners: row.threads)
    }

    @Test(arguments: table) func clientsLeaveRoomForOrigins(_ row: Case) {
        let plan = Self.plan(row)
        #expect(plan.clientsPerThread == row.perThread)
        #expect(plan.clients == row.clients)
    }

    /// The limit that the notice asks for is enough.
    @Test(arguments: table) func theRequestedLimitIsEnough(_ row: Case) {
        let plan = Self.plan(row, limit: Self.plan(row).wanted)
        #expect(plan.clients == row.connections)
        #expect(plan.clientsPerThread >= row.connections / row.threads)
    }
}
