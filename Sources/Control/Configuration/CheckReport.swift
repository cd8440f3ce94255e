/// The output of `larder check --json`.
public enum CheckReport {
    /// `{"valid": …, "startable": …, "problems": […], "configuration": {…}}`. An invalid configuration is
    /// left out.
    /// - Parameter isStartable: can this machine start Larder with the configuration? nil: not tried.
    public static func json(settings: Document?, problems: [Problem], isStartable: Bool? = nil) -> String {
        var entries: [Document.Entry] = [.init("valid", .flag(settings != nil))]
        if let isStartable { entries.append(.init("startable", .flag(isStartable))) }
        entries += [
            .init(
                "problems",
                .list(
                    problems.map { problem in
                        var entries: [Document.Entry] = [
                            .init("kind", .text(problem.kind.rawValue)), .init("file", .text(problem.file)),
                        ]
                        if let line = problem.line { entries.append(.init("line", .number(line))) }
                        return .map(
                            entries + [
                                .init("path", .text(problem.path)), .init("message", .text(problem.message)),
                            ])
                    }))
        ]
        if let settings { entries.append(.init("configuration", settings)) }
        return Document.map(entries).json
    }
}
