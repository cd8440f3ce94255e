/// Wrong usage that ArgumentParser takes, or refuses without saying why.

internal import ArgumentParser

enum Usage {
    /// Why these arguments are not run; nil: they are.
    /// - Parameter arguments: without the program's name.
    static func refusal(of arguments: [String]) -> String? {
        let words = arguments.prefix { !$0.hasPrefix("-") }
        let first = words.first == "help" ? words.dropFirst().first : words.first
        if let name = first, let instead = unbuilt[name] {
            return "'larder \(name)' is not built yet. \(instead)"
        }
        return repeated(in: arguments)
    }

    /// Commands of the plan, and what does their work until they are there.
    static let unbuilt: [String: String] = [
        "cache": "'larder explain URL' says whether and why an answer is stored.",
        "drain": "Send TERM to the process: it takes no more connections, and ends when its requests have.",
        "limits": "The access log says which answers were 408, 413, 414 and 431.",
        "purge": "Restart Larder to empty the cache, or bound the time by the policy's 'store.maxAge'.",
        "reload":
            "Restart Larder: it reads its configuration at the start only ('larder check' reads it now).",
        "report": "The access log has each request's cache, reason and duration.",
        "servers": "Change 'upstreams' in the configuration file, and restart Larder.",
        "simulate": "Run Larder, and count 'cache' in its access log.",
        "status": "The access log has each request; the notices on stderr tell the rest.",
        "stop": "Send TERM to the process to let requests end, or INT to end at once.",
        "upgrade": "Restart Larder with the new program: TERM lets requests end.",
    ]

    /// Options that have one value. ArgumentParser would take the last and say nothing.
    private static let single: [String: String] = [
        "-c": "--config", "--config": "--config", "--files": "--files", "--memory": "--memory",
        "--threads": "--threads", "--access-log": "--access-log", "--policy": "--policy",
        "--schema": "--schema", "--reference": "--reference", "-X": "--method", "--method": "--method",
        "--request": "--request", "--response": "--response", "--at": "--at", "--timeout": "--timeout",
    ]

    private static func repeated(in arguments: [String]) -> String? {
        var seen: Set<String> = []
        for argument in arguments.prefix(while: { $0 != "--" }) {
            let name = String(argument.prefix { $0 != "=" })
            guard let option = single[name], !seen.insert(option).inserted else { continue }
            return "\(option) is given twice; allowed: once."
        }
        return nil
    }

    /// What was probably meant by arguments that no command takes; empty: who knows.
    static func hint(for arguments: [String]) -> String {
        guard let command = arguments.first, ["serve", "check"].contains(command),
            let file = arguments.dropFirst().first(where: { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") })
        else { return "" }
        return "A configuration file is named with -c: larder \(command) -c \(file)"
    }
}
