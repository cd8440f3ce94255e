/// Forms of the values that only policies have.

internal import Settings

extension ValueFormat where Value == String {
    static var mediaType: ValueFormat {
        text(
            "media type", allowed: "a media type, such as text/* or application/json",
            pattern: "(?!\\*/)\(Pattern.token)/\(Pattern.token)"
        ) { text in
            let parts = text.split(separator: "/", omittingEmptySubsequences: false)
            return parts.count == 2 && Naming.isToken(String(parts[0])) && parts[0] != "*"
                && Naming.isToken(String(parts[1]))
        }.map({ $0.lowercased() }, back: { $0 })
    }

    static var token: ValueFormat {
        text(
            "name", allowed: "a token (RFC 9110 §5.6.2): letters, digits, '-', '_' …", pattern: Pattern.token
        ) { Naming.isToken($0) }
    }
}

extension ValueFormat where Value == Policy.Statuses {
    static var statuses: ValueFormat {
        let status = ValueFormat<Int>.count(200...599).checked { status in
            Policy.Statuses.isForbidden(status)
                ? "found '\(status)'; allowed: a status whose responses depend on the key alone "
                    + "(never 206, 304, 400, 401, 406-408, 411-417, 421, 425, 426, 428, 429, 431, 511)" : nil
        }
        let refused = (200...599).filter { Policy.Statuses.isForbidden($0) }
        let allowed = status.described(with: [
            .init(
                "not",
                .object(["enum": .list(refused.map { .number($0) } + refused.map { .text("\($0)") })]))
        ])
        return allowed.list(of: "statuses", atMost: 64).orAny(
            to: { $0.map { .list($0) } ?? .any },
            from: { statuses in
                switch statuses {
                case .any: nil
                case .list(let list): list
                }
            })
    }
}

extension ValueFormat where Value == Policy.Vary {
    static var vary: ValueFormat {
        let name = ValueFormat<String>.text(
            "field name", allowed: "a field name; of all fields: 'vary: any'",
            pattern: "(?!\\*$)\(Pattern.token)"
        ) {
            Naming.isToken($0) && $0 != "*"
        }
        let names = name.list(of: "field names", atMost: 64).map({ $0.map { $0.lowercased() } }, back: { $0 })
        return names.orAny(
            to: { $0.map { .list($0) } ?? .any },
            from: { vary in
                switch vary {
                case .any: nil
                case .list(let list): list
                }
            })
    }
}

extension ValueFormat {
    /// This list, or the word `any`, for which `to` gets nil.
    fileprivate func orAny<Other>(
        to: @escaping (Value?) -> Other, from: @escaping (Other) -> Value?
    ) -> ValueFormat<Other> {
        let allowed = "\(allowed), or any"
        return ValueFormat<Other>(
            type: "\(type), or `any`", allowed: allowed,
            schema: .object(["anyOf": .list([.object(["const": "any"]), schema])]),
            read: { [read] node, reader in
                if case .text("any") = node.content { return to(nil) }
                guard case .list = node.content else {
                    var hint = ""
                    if case .text(let text) = node.content {
                        hint = Suggestion.text(for: text, among: ["any"])
                    }
                    reader.reportWrong(node, allowed: allowed, hint: hint)
                    return nil
                }
                return read(node, &reader).map(to)
            },
            write: { [write] value in from(value).map(write) ?? "any" })
    }
}

extension ValueFormat where Value == Policy.Query {
    private enum Word: String, CaseIterable { case keep, sort, ignore }

    static var query: ValueFormat {
        let only = Section<[String]>(
            [],
            [
                Key(
                    "only",
                    ValueFormat<String>.text("parameter", allowed: "a parameter's name").list(
                        of: "parameters", atLeast: 1, atMost: 64),
                    "The parameters that are kept.", \.self, isRequired: true)
            ]
        ).format()
        let allowed = "keep, sort, ignore, or { only: [parameters] }"
        return ValueFormat(
            type: "`keep`, `sort`, `ignore` or `{ only: […] }`", allowed: allowed,
            schema: .object(["anyOf": .list([ValueFormat<Word>.choice.schema, only.schema])]),
            read: { node, reader in
                switch node.content {
                case .entries: return only.read(node, &reader).map { .only($0) }
                case .text(let text):
                    switch Word(rawValue: text) {
                    case .keep: return .keep
                    case .sort: return .sort
                    case .ignore: return .ignore
                    case nil:
                        let hint = Suggestion.text(for: text, among: Word.allCases.map(\.rawValue))
                        reader.reportWrong(node, allowed: allowed, hint: hint)
                        return nil
                    }
                case .list, .nothing:
                    reader.reportWrong(node, allowed: allowed)
                    return nil
                }
            },
            write: { query in
                switch query {
                case .keep: "keep"
                case .sort: "sort"
                case .ignore: "ignore"
                case .only(let names): only.write(names)
                }
            })
    }
}
