/// `larder check --json`.
public enum Report {
    /// `{"valid": …, "problems": […], "configuration": {…}}`; no configuration where it is not valid.
    public static func json(settings: Tree?, problems: [Problem]) -> String {
        var entries: [Tree.Entry] = [
            .init("valid", .flag(settings != nil)),
            .init(
                "problems",
                .list(
                    problems.map { problem in
                        var entries: [Tree.Entry] = [
                            .init("kind", .text(problem.kind.rawValue)), .init("file", .text(problem.file)),
                        ]
                        if let line = problem.line { entries.append(.init("line", .number(line))) }
                        return .map(
                            entries + [
                                .init("path", .text(problem.path)), .init("message", .text(problem.message)),
                            ])
                    })),
        ]
        if let settings { entries.append(.init("configuration", settings)) }
        return Tree.map(entries).json
    }
}
