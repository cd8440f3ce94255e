// A conformance case as data: requests to one URL of the case's own, the origin's response to each if it is
// asked, and the expected outcome under the policies `pessimistic` and `rfc9111`.
//
//     Case("s-maxage overrides max-age", "RFC 9111 §5.2.2.10",
//         get().answered("Cache-Control: max-age=60, s-maxage=10"),          // step 1: a miss, unless it says otherwise
//         get().after(9).expect(.hit.age(9)),                                // step 2
//         get().after(1).expect(.miss))
//
// Steps count from 1. In fields and paths these are replaced:
//     {path}               the case's own path
//     {now} {now-60}       an HTTP date by the steered clock, when the message is written
//     {start} {start-60}   the same of the moment when the case began
//     {rfc850+60} {asctime+60}   dates from now on in the two obsolete forms

struct Case: Sendable {
    let name: String
    /// `RFC nnnn §x.y`, or `caching-rules` for matters that HTTP leaves to the cache.
    let section: String
    let steps: [Step]

    init(_ name: String, _ section: String, _ steps: Step...) { self.init(name, section, steps: steps) }

    init(_ name: String, _ section: String, steps: [Step]) {
        self.name = name
        self.section = section
        self.steps = steps
    }
}

/// A policy that every case runs under.
enum Law: String, Sendable, CaseIterable {
    case pessimistic, rfc9111
}

/// The origin's response, if it is asked.
struct Answer: Sendable {
    enum Framing: Sendable {
        case length, chunked, close
        /// Chunked, with this trailer field.
        case trailer(String)
    }

    enum Fault: Sendable {
        case none
        /// Closes the connection without a response.
        case silent
        /// Closes the connection one byte before the end of the body.
        case truncated
    }

    var status = 200
    var fields: [String] = []
    /// nil: a body that names the case and the step.
    var body: String?
    var framing = Framing.length
    var fault = Fault.none
    /// Heads of interim responses that come first.
    var interim: [String] = []
    /// The HTTP/1 version of the response. With 1.0 the origin closes the connection.
    var minorVersion = 1
    /// A Date of now, where `fields` has none.
    var isDated = true
    /// Fields of the 304 to a request with a condition; nil: that request gets the response as well.
    var notModified: [String]?
    /// The delay of the response, by the steered clock.
    var delaySeconds: UInt64 = 0

    var hasBody: Bool { status != 204 && status != 304 }
}

struct Step: Sendable {
    var method = "GET"
    /// Appended to the case's own path.
    var suffix = ""
    /// The whole target, where it is not below the case's path.
    var target: String?
    var host = "example.com"
    var minorVersion = 1
    var fields: [String] = []
    var body = ""
    /// The time that passes before the request, on both clocks.
    var advanceMilliseconds: UInt64 = 0
    /// The jump of the wall clock alone, before that.
    var wallJumpSeconds: Int64 = 0
    var answer = Answer()
    var expectations: [Law: Expectation] = [:]

    func expectation(_ law: Law) -> Expectation { expectations[law] ?? .miss }

    private func with(_ change: (inout Step) -> Void) -> Step {
        var copy = self
        change(&copy)
        return copy
    }

    // MARK: The request

    func at(_ suffix: String) -> Step { with { $0.suffix = suffix } }
    func to(_ target: String) -> Step { with { $0.target = target } }
    func of(host: String) -> Step { with { $0.host = host } }
    func after(_ seconds: UInt64) -> Step { with { $0.advanceMilliseconds = seconds * 1000 } }
    func after(milliseconds: UInt64) -> Step { with { $0.advanceMilliseconds = milliseconds } }
    func wallSet(by seconds: Int64) -> Step { with { $0.wallJumpSeconds = seconds } }
    func with(body: String) -> Step { with { $0.body = body } }
    var http10: Step { with { $0.minorVersion = 0 } }

    // MARK: The origin

    func answered(_ fields: String..., body: String? = nil) -> Step {
        answered(200, fields: fields, body: body)
    }
    func answered(_ status: Int, _ fields: String..., body: String? = nil) -> Step {
        answered(status, fields: fields, body: body)
    }

    func answered(_ status: Int, fields: [String], body: String?) -> Step {
        with {
            $0.answer.status = status
            $0.answer.fields = fields
            $0.answer.body = body
        }
    }

    /// A 304 with these fields to a request with If-None-Match or If-Modified-Since.
    func orNotModified(_ fields: String...) -> Step { with { $0.answer.notModified = fields } }
    func framed(_ framing: Answer.Framing) -> Step { with { $0.answer.framing = framing } }
    func failing(_ fault: Answer.Fault) -> Step { with { $0.answer.fault = fault } }
    func delayed(_ seconds: UInt64) -> Step { with { $0.answer.delaySeconds = seconds } }
    func announcing(_ heads: String...) -> Step { with { $0.answer.interim = heads } }
    var answeredByHTTP10: Step { with { $0.answer.minorVersion = 0 } }
    var undated: Step { with { $0.answer.isDated = false } }

    // MARK: The expected outcome

    func expect(_ both: Expectation) -> Step { expect(both, rfc: both) }

    /// - Parameter rfc: the outcome under `rfc9111`, where it differs from `pessimistic`.
    func expect(_ pessimistic: Expectation, rfc: Expectation) -> Step {
        with { $0.expectations = [.pessimistic: pessimistic, .rfc9111: rfc] }
    }
}

func get(_ fields: String...) -> Step { Step(fields: fields) }

func head(_ fields: String...) -> Step { Step(method: "HEAD", fields: fields) }

func send(_ method: String, _ fields: String...) -> Step { Step(method: method, fields: fields) }
