/// The keys of a row in a policy's decision table.

internal import Settings

extension Sections {
    static var decision: Section<PolicyDecision> {
        Section(
            PolicyDecision(name: ""),
            [
                Key("name", .text(), "A sentence that says what the row tests.", \.name, isRequired: true),
                Key("request", decisionRequest, "The first request.", \.request),
                Key("response", decisionResponse, "The origin's response to it.", \.response),
                Key(
                    "expect", decisionExpectation.format(), "The expected result for the response.",
                    optional: \.expect),
                Key("then", decisionFollowUp.format(), "A second request.", optional: \.then),
            ],
            constraints: [
                .init(
                    "anyOf",
                    .list([
                        .object(["required": .texts(["expect"])]), .object(["required": .texts(["then"])]),
                    ]))
            ]
        ) { decision, reader in
            if decision.expect == nil, decision.then == nil {
                reader.report("found neither 'expect' nor 'then'; allowed: at least one of them")
            }
        }
    }

    private static var headers: ValueFormat<[String]> {
        ValueFormat<String>.text(
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
                Key(
                    "headers", headers, "The fields, each as `Name: value`. Larder takes Host from the URL.",
                    \.headers),
            ])
    }

    static var decisionResponse: Section<PolicyDecision.Response> {
        Section(
            PolicyDecision.Response(),
            [
                Key("status", .count(200...599), "The status.", \.status),
                Key(
                    "headers", headers,
                    "The fields, each as `Name: value`. Larder takes Content-Length from `body`.",
                    \.headers),
                Key("body", .size(0...1 << 40), "The size of the body.", \.bodyBytes),
                Key("framing", .choice, "How the response marks the end of its body.", \.framing),
                Key(
                    "delay", .seconds(0...31_536_000), "The time from the request to this response.",
                    \.delaySeconds),
            ])
    }

    static var decisionExpectation: Section<PolicyDecision.Expectation> {
        Section(
            PolicyDecision.Expectation(stored: true),
            [
                Key("stored", .flag, "`true`: the response is stored.", \.stored, isRequired: true),
                Key(
                    "reason", .token, "The code of the reason why the response is not stored.",
                    optional: \.reason),
            ])
    }

    static var decisionFollowUp: Section<PolicyDecision.FollowUp> {
        Section(
            PolicyDecision.FollowUp(),
            [
                Key(
                    "after", .seconds(0...31_536_000),
                    "The time from the first response to the second request.",
                    \.afterSeconds),
                Key("request", decisionRequest, "The second request.", \.request),
                Key(
                    "expect", decisionAnswer.format(), "The expected answer to the second request.", \.expect,
                    isRequired: true),
            ])
    }

    static var decisionAnswer: Section<PolicyDecision.Answer> {
        Section(
            PolicyDecision.Answer(),
            [
                Key("served", .choice, "The source of the answer.", \.served, isRequired: true),
                Key("age", .count(0...Int(Int32.max)), "The `Age` of the answer.", optional: \.ageSeconds),
                Key(
                    "reason", .token, "The code of the reason for a bypass or a refresh.",
                    optional: \.reason),
            ])
    }
}
