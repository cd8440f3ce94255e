/// The last events of a run, for a failing seed.
struct Trace {
    enum Kind: String {
        case connect, request, sends, slow, narrow, shuts, leaves, answered, cut, ended
        case asked, upload, reply, piece, closed, garbage, surplus, unasked, early, stall, down, up
        case turn, tick, wallStep, purge, ban, sweep, job, edit, drain
    }

    struct Entry {
        var step: Int
        var kind: Kind
        var a: Int
        var b: Int
    }

    static let limit = 512
    private var entries: [Entry] = []
    private var next = 0

    mutating func note(_ step: Int, _ kind: Kind, _ a: Int = 0, _ b: Int = 0) {
        let entry = Entry(step: step, kind: kind, a: a, b: b)
        if entries.count < Trace.limit { entries.append(entry) } else { entries[next] = entry }
        next = (next + 1) % Trace.limit
    }

    /// The last `steps` steps, a line each.
    func text(steps: Int) -> String {
        let ordered = entries.count < Trace.limit ? entries[...] : entries[next...] + entries[..<next]
        let first = (ordered.last?.step ?? 0) - steps
        return ordered.filter { $0.step > first }.map { "\($0.step)  \($0.kind) \($0.a) \($0.b)" }.joined(
            separator: "\n")
    }
}
