/// Wrong usage that ArgumentParser accepts, or refuses without a helpful message.

internal import ArgumentParser

enum Usage {
    /// The message that refuses these arguments, or nil if the command may run.
    /// - Parameter arguments: without the program's name.
    static func refusal(of arguments: [String]) -> String? {
        let words = arguments.prefix { !$0.hasPrefix("-") }
        let first = words.first == "help" ? words.dropFirst().first : words.first
        if let name = first, let instead = unbuilt[name] {
            return "'larder \(name)' is not built yet. \(instead)"
        }
        return repeated(in: arguments)
    }

    /// The commands that are not built yet. The text says how to do their work until then.
    static let unbuilt: [String: String] = [
        "cache": "'larder explain URL' says whether and why a response is stored.",
        "drain": "Send TERM to the process: it takes no more connections and ends when its requests end.",
        "limits": "The access log shows the answers with status 408, 413, 414 and 431.",
        "purge": "Restart Larder to empty the cache, or limit the time with 'store.maxAge' of the policy.",
        "reload": "Restart Larder: it reads its configuration only at the start. 'larder check' reads it "
            + "now.",
        "report": "The access log has the cache result, the reason and the duration of each request.",
        "servers": "Change 'upstreams' in the configuration file and restart Larder.",
        "simulate": "Run Larder and count the values of 'cache' in its access log.",
        "status": "The access log has each request. The notices on stderr have everything else.",
        "stop": "Send TERM to the process to let requests end, or INT to end at once.",
        "upgrade": "Send TERM, which lets requests end, and start the new program.",
    ]

    /// Options that have one value. ArgumentParser silently takes the last of several.
    private static let singleValueOptions: [String: String] = [
        "-c": "--config", "--config": "--config", "--files": "--files", "--memory": "--memory",
        "--threads": "--threads", "--access-log": "--access-log", "--policy": "--policy",
        "--schema": "--schema", "--reference": "--reference", "-X": "--method", "--method": "--method",
        "--request": "--request", "--response": "--response", "--at": "--at", "--timeout": "--timeout",
    ]

    private static func repeated(in arguments: [String]) -> String? {
        var seen: Set<String> = []
        for argument in arguments.prefix(while: { $0 != "--" }) {
            let name = String(argument.prefix { $0 != "=" })
            guard let option = singleValueOptions[name], !seen.insert(option).inserted else { continue }
            return "\(option) is given twice; allowed: once."
        }
        return nil
    }

    /// A guess at the meaning of arguments that no command accepts, or an empty text.
    static func hint(for arguments: [String]) -> String {
        guard let command = arguments.first, ["serve", "check"].contains(command),
            let file = arguments.dropFirst().first(where: { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") })
        else { return "" }
        return "Use -c to name a configuration file: larder \(command) -c \(file)"
    }
}
