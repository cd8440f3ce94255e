// All cases under one policy: one server, one origin, one client with a kept connection, one steered clock.
// Each case has a path of its own, so that no case sees another's entries and a failing case does not spoil
// others.

import Kernel
import DataPlane
import DataPlaneHarness
import Settings

/// A case whose outcome differed from the expected one.
struct Failure: Sendable, CustomStringConvertible {
    let law: Law
    let name: String
    let section: String
    /// Counted from 1.
    let step: Int
    let request: String
    let faults: [String]
    let answer: String

    var description: String {
        var lines = ["\(name) (\(section)), \(law.rawValue), step \(step): \(request)"]
        lines += faults.map { "  \($0)" }
        lines.append("  came: \(answer)")
        return lines.joined(separator: "\n")
    }
}

struct Run {
    private static let startMilliseconds: UInt64 = 1_767_268_800_000  // 2026-01-01T12:00:00Z

    private let law: Law
    private let stage: Stage
    private let script: Script
    private var client: Peer

    /// Runs every case; returns those that failed.
    static func all(_ cases: [Case], under law: Law, policy: Policy) throws -> [Failure] {
        let clock = SteeredClock(wallMilliseconds: startMilliseconds, bootMilliseconds: 1_000_000)
        let script = Script(clock)
        let origin = try ScriptedOrigin(script.run)
        var failures: [Failure] = []
        try withStage(
            origin, memory: 32 << 20, clock: clock,
            settings: { settings in
                settings.policies = [policy]
                settings.upstreams[0].retries = 0
            }
        ) { stage in
            var run = Run(law: law, stage: stage, script: script, client: try stage.client())
            for (index, item) in cases.enumerated() {
                if let failure = try run.run(item, path: "/\(index)") { failures.append(failure) }
            }
        }
        return failures
    }

    /// The step and the reason of a failure; nil: the case passed.
    private mutating func run(_ item: Case, path: String) throws -> Failure? {
        // A case begins at a whole second: dates have no fractions, and an Age is rounded up.
        script.clock.advance(milliseconds: 999 - (script.clock.wallMilliseconds + 999) % 1000)
        let start = script.nowSeconds
        var last = 0
        for (index, step) in item.steps.enumerated() {
            let expected = step.expectation(law)
            move(step)
            script.prepare(
                step.answer, body: Self.body(of: step.answer, path, index), path: path, startSeconds: start)
            let placeholders = Placeholders(path: path, start: start, now: script.nowSeconds)
            let target = placeholders.filled(step.target ?? path + step.suffix)
            var faults: [String] = []
            var came = "nothing"
            do {
                let (interim, message) = try ask(step, target, placeholders)
                came = message.summary
                let source = Self.source(expected.body, step: index, last: last)
                var judgement = Judgement(expected, placeholders)
                judgement.judge(
                    message, interim: interim, status: source.map { item.steps[$0].answer.status },
                    body: source.map { Self.body(of: item.steps[$0].answer, path, $0) })
                if judgement.faults.isEmpty, case .askedInBackground = expected.origin {
                    try script.waitForAnswer()
                    // Once this answer is back, Larder has processed what the origin sent before.
                    try stage.turn()
                }
                judgement.judge(asked: script.seen)
                faults = judgement.faults
            } catch {
                faults = ["\(error)"]
                client = try stage.client()
            }
            if !faults.isEmpty {
                return Failure(
                    law: law, name: item.name, section: item.section, step: index + 1,
                    request: "\(step.method) \(target) \(step.fields.map(placeholders.filled))",
                    faults: faults, answer: came)
            }
            if case .unasked = expected.origin {} else if step.answer.status != 304 { last = index }
        }
        return nil
    }

    private func move(_ step: Step) {
        if step.wallJumpSeconds != 0 {
            let now = Int64(script.clock.wallMilliseconds)
            script.clock.setWall(milliseconds: UInt64(now + step.wallJumpSeconds * 1000))
        }
        script.clock.advance(milliseconds: step.advanceMilliseconds)
    }

    private static func body(of answer: Answer, _ path: String, _ index: Int) -> String {
        answer.hasBody ? answer.body ?? "answer \(index + 1) of \(path)" : ""
    }

    /// The index of the step whose response is expected.
    private static func source(_ body: Expectation.Body, step: Int, last: Int) -> Int? {
        switch body {
        case .fetched: step
        case .kept: last
        case .step(let number): number - 1
        case .text, .empty, .any: nil
        }
    }

    private mutating func ask(
        _ step: Step, _ target: String, _ placeholders: Placeholders
    ) throws -> (interim: [Int], answer: Message) {
        var text = "\(step.method) \(target) HTTP/1.\(step.minorVersion)\r\n"
        if !step.host.isEmpty { text += "Host: \(step.host)\r\n" }
        for field in step.fields { text += "\(placeholders.filled(field))\r\n" }
        if !step.body.isEmpty || ["POST", "PUT", "PATCH"].contains(step.method) {
            text += "Content-Length: \(step.body.utf8.count)\r\n"
        }
        try client.send(text + "\r\n" + step.body)
        var interim: [Int] = []
        while true {
            let message = try client.receiveAnswer(toHead: step.method == "HEAD")
            guard message.status >= 200 else {
                interim.append(message.status)
                continue
            }
            if message.closes || !message.isWhole || client.ended || step.minorVersion == 0 {
                client = try stage.client()
            }
            return (interim, message)
        }
    }
}

extension Message {
    /// One line of a failure's report.
    fileprivate var summary: String {
        "\(start) \(fields.map { "\($0.name): \($0.value)" }) \(text.prefix(200).debugDescription)"
            + (isWhole ? "" : " (cut)")
    }
}
