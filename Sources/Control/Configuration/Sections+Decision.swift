/// The rows of a policy's decision table, key by key.

internal import Settings

extension Sections {
    static var decision: Section<PolicyDecision> {
        Section(
            PolicyDecision(name: ""),
            [
                Key("name", .text(), "What it shows.", \.name, isRequired: true),
                Key("request", decisionRequest, "The first request.", \.request),
                Key("response", decisionResponse, "The origin's answer to it.", \.response),
                Key("expect", decisionExpectation.form(), "What becomes of the answer.", optional: \.expect),
                Key("then", decisionFollowUp.form(), "A second request.", optional: \.then),
            ],
            constraints: [
                .init(
                    "anyOf",
                    .list([
                        .object(["required": .texts(["expect"])]), .object(["required": .texts(["then"])]),
                    ]))
            ]
        ) { decision, reading in
            if decision.expect == nil, decision.then == nil {
                reading.report("found neither 'expect' nor 'then'; allowed: one of them at least")
            }
        }
    }

    private static var headers: Form<[String]> {
        Form<String>.text(
            "field line", allowed: "a field line, such as 'Cache-Control: max-age=60'",
            pattern: "\(Pattern.token):[^\\u0000-\\u001f\\u007f]*"
        ) { line in
            guard let colon = line.firstIndex(of: ":") else { return false }
            return Naming.isToken(String(line[..<colon]))
        }.list(of: "field lines", atMost: 128)
    }

    static var decisionRequest: Section<PolicyDecision.Request> {
        Section(
            PolicyDecision.Request(),
            [
                Key("method", .token, "The method.", \.method),
                Key(
                    "url",
                    .text(
                        "URL", allowed: "a URL that begins with http:// or https://",
                        pattern: "https?://[^\\u0000-\\u001f\\u007f]*"
                    ) {
                        $0.hasPrefix("http://") || $0.hasPrefix("https://")
                    }, "The URL.", \.url),
                Key("headers", headers, "`Name: value` lines; Host is written from the URL.", \.headers),
            ])
    }

    static var decisionResponse: Section<PolicyDecision.Response> {
        Section(
            PolicyDecision.Response(),
            [
                Key("status", .count(200...599), "The status.", \.status),
                Key(
                    "headers", headers, "`Name: value` lines; Content-Length is written from `body`.",
                    \.headers),
                Key("body", .size(0...1 << 40), "The body's size.", \.bodyBytes),
                Key("framing", .choice, "How the body's end is told.", \.framing),
                Key("delay", .seconds(0...31_536_000), "From the request to this answer.", \.delaySeconds),
            ])
    }

    static var decisionExpectation: Section<PolicyDecision.Expectation> {
        Section(
            PolicyDecision.Expectation(stored: true),
            [
                Key("stored", .flag, "Is the answer stored?", \.stored, isRequired: true),
                Key("reason", .token, "The reason code of why not.", optional: \.reason),
            ])
    }

    static var decisionFollowUp: Section<PolicyDecision.FollowUp> {
        Section(
            PolicyDecision.FollowUp(),
            [
                Key(
                    "after", .seconds(0...31_536_000), "From the first answer to the second request.",
                    \.afterSeconds),
                Key("request", decisionRequest, "The second request.", \.request),
                Key(
                    "expect", decisionAnswer.form(), "What it is answered with.", \.expect, isRequired: true),
            ])
    }

    static var decisionAnswer: Section<PolicyDecision.Answer> {
        Section(
            PolicyDecision.Answer(),
            [
                Key("served", .choice, "Where the answer comes from.", \.served, isRequired: true),
                Key("age", .count(0...Int(Int32.max)), "Its Age.", optional: \.ageSeconds),
                Key("reason", .token, "The reason code of a bypass or a refresh.", optional: \.reason),
            ])
    }
}
