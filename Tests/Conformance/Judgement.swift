// Compares the outcome of a step with the expected one.

import DataPlaneHarness

struct Judgement {
    private(set) var faults: [String] = []
    private let expected: Expectation
    private let placeholders: Placeholders

    init(_ expected: Expectation, _ placeholders: Placeholders) {
        self.expected = expected
        self.placeholders = placeholders
    }

    private mutating func note(_ what: String, expected: Any, got: Any) {
        faults.append("\(what): expected \(expected), got \(got)")
    }

    /// The client's answer.
    /// - Parameters:
    /// - status, body: of the response that the answer should come from; nil: any.
    mutating func judge(_ answer: Message, interim: [Int], status: Int?, body: String?) {
        if let status = expected.status ?? status, answer.status != status {
            note("status", expected: status, got: answer.status)
        }
        if answer.isWhole != expected.isWhole {
            note("the whole body", expected: expected.isWhole, got: answer.isWhole)
        }
        switch expected.body {
        case .fetched, .kept, .step:
            if answer.text != body { note("body", expected: body ?? "none", got: answer.text) }
        case .text(let text): if answer.text != text { note("body", expected: text, got: answer.text) }
        case .empty: if !answer.body.isEmpty { note("body", expected: "none", got: answer.text) }
        case .any: break
        }
        if interim != expected.interim { note("interim answers", expected: expected.interim, got: interim) }
        if let age = expected.age, answer["age"] != "\(age)" {
            note("Age", expected: age, got: answer["age"] ?? "none")
        }
        judge(fields: expected.present, absent: expected.absent, of: answer, "the answer")
        judgeMembers(of: answer)
    }

    /// The requests that reached the origin.
    mutating func judge(asked: [Message]) {
        let requests = asked.map { "\($0.start) \($0.fields.map { "\($0.name): \($0.value)" })" }
        if case .unasked = expected.origin {
            if !asked.isEmpty { note("the origin", expected: "unasked", got: requests) }
            return
        }
        if case .askedAtLeastOnce = expected.origin, !asked.isEmpty { return }
        guard asked.count == 1 else {
            note("the origin", expected: "asked once", got: requests)
            return
        }
        judge(fields: expected.sent, absent: expected.withheld, of: asked[0], "the origin's request")
    }

    private mutating func judge(fields: [String], absent: [String], of message: Message, _ what: String) {
        for field in fields.map(placeholders.filled) {
            let parts = field.split(separator: ":", maxSplits: 1).map { $0.trimmingPrefix(" ") }
            let value = message[String(parts[0])]
            if parts.count == 1 ? value == nil : value ?? "" != parts[1] {
                note(
                    "\(parts[0]) of \(what)", expected: parts.count == 1 ? "any" : parts[1],
                    got: value ?? "none")
            }
        }
        for name in absent {
            if let value = message[name] { note("\(name) of \(what)", expected: "none", got: value) }
        }
    }

    private mutating func judgeMembers(of answer: Message) {
        guard !expected.members.isEmpty || !expected.absentMembers.isEmpty else { return }
        // Larder's member is the last in the list.
        let status = answer["cache-status"] ?? ""
        let own = status.split(separator: ",").last.map { $0.trimmingPrefix(" ") } ?? ""
        let members = own.split(separator: ";").map { $0.trimmingPrefix(" ") }
        for member in expected.members where !members.dropFirst().contains(where: { $0 == member }) {
            note("Cache-Status", expected: member, got: status)
        }
        for key in expected.absentMembers
        where members.contains(where: { $0 == key || $0.hasPrefix("\(key)=") }) {
            note("Cache-Status", expected: "no \(key)", got: status)
        }
    }
}
