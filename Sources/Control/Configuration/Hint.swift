/// Guesses at the meaning of an address, a host or a path that is not allowed. Each function returns the end
/// of a message, or an empty text.

internal import Settings

enum Hint {
    private static func meant(_ text: some StringProtocol) -> String { "; did you mean '\(text)'?" }

    private static func isNumber(_ text: some StringProtocol) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { $0 &- 0x30 < 10 }
    }

    static func bind(_ text: String) -> String {
        var text = text
        if text.hasPrefix("/") { return meant("unix:\(text)") }
        if text.hasPrefix("unix:") { return "; the path of a socket begins with '/'" }
        text = withoutURL(text)
        // A port alone, or a port with a wildcard address: `8080`, `:8080`, `*:8080`.
        let port = text.drop { $0 == "*" }.drop { $0 == ":" }
        if isNumber(port), text.utf8.count - port.utf8.count <= 2, let bind = valid("0.0.0.0:\(port)") {
            return meant(bind)
        }
        if text == "localhost" { return meant("127.0.0.1:8080") }
        if text.hasPrefix("localhost:"), let bind = valid("127.0.0.1\(text.dropFirst(9))") {
            return meant(bind)
        }
        if let bind = valid(text) ?? valid(withBrackets(text)) ?? valid("\(withBrackets(text)):8080") {
            return meant(bind)
        }
        if case .host = ServerAddress(parsing: text) { return "; a name is not allowed here" }
        return ""
    }

    private static func valid(_ text: String) -> String? {
        BindAddress(parsing: text) == nil ? nil : text
    }

    static func server(_ text: String) -> String {
        if text.lowercased().hasPrefix("https://") { return "; for https use 'tls:' of the upstream" }
        if text.hasPrefix("/") { return meant("unix:\(text)") }
        if text.hasPrefix("unix:") { return "; the path of a socket begins with '/'" }
        let port = text.drop { $0 == ":" }
        if isNumber(port), text.utf8.count - port.utf8.count <= 1 {
            return ServerAddress(parsing: "127.0.0.1:\(port)").map { meant($0.description) } ?? ""
        }
        let host = withoutURL(text)
        let candidates = [host, withBrackets(host), "\(host):80", "\(withBrackets(host)):80"]
        return candidates.first { ServerAddress(parsing: $0) != nil }.map(meant) ?? ""
    }

    /// Without scheme, path, query and fragment.
    private static func withoutURL(_ text: String) -> String {
        var text = text[...]
        for scheme in ["http://", "https://"] where text.lowercased().hasPrefix(scheme) {
            text = text.dropFirst(scheme.count)
        }
        return String(text.prefix { $0 != "/" && $0 != "?" && $0 != "#" })
    }

    /// Puts the missing brackets around an IPv6 address, which may have a port.
    private static func withBrackets(_ text: String) -> String {
        guard !text.hasPrefix("["), let colon = text.lastIndex(of: ":") else { return text }
        let head = String(text[..<colon])
        let tail = text[text.index(after: colon)...]
        if isNumber(tail), tail.utf8.count >= 2, head.contains(":"), IPAddress(parsing: head) != nil {
            return "[\(head)]:\(tail)"
        }
        return IPAddress(parsing: text) == nil ? text : "[\(text)]"
    }

    static func host(_ text: String) -> String {
        if text == "*" || text == "*.*" { return "; leave 'host' out to match any host" }
        if !text.utf8.allSatisfy({ $0 < 0x80 }) { return "; write a host in its ASCII form, xn--…" }
        if let sign = text.first(where: { "^$()|\\~+?[".contains($0) && !text.hasPrefix("[") }) {
            return "; '\(sign)': Larder does not read regular expressions"
        }
        let hasPath = !text.contains("://") && text.contains("/")
        let bare = withoutURL(text)
        if hasPath, HostPattern(parsing: bare) != nil {
            return "; the path has its own key: 'host: \(bare)' and 'path: \(text.dropFirst(bare.count))'"
        }
        let withoutPort =
            bare.lastIndex(of: ":").map { colon in
                isNumber(bare[bare.index(after: colon)...]) ? String(bare[..<colon]) : bare
            } ?? bare
        var candidates = [bare, withoutPort, "[\(bare)]"]
        // `.example.com` and `*example.com` probably mean `*.example.com`.
        let domain = withoutPort.drop { $0 == "*" }.drop { $0 == "." }
        if domain.contains("."), domain.utf8.count < withoutPort.utf8.count {
            candidates.append("*.\(domain)")
        }
        if let candidate = candidates.first(where: { HostPattern(parsing: $0) != nil }) {
            return meant(candidate)
        }
        return text.contains("*") ? "; '*' is allowed only in front of a whole domain: '*.example.com'" : ""
    }

    static func path(_ text: String) -> String {
        if text == "*" { return "; leave 'path' out to match any path" }
        if text.lowercased().hasPrefix("http://") || text.lowercased().hasPrefix("https://") {
            let host = withoutURL(text)
            let path = text.drop { $0 != ":" }.dropFirst(3).dropFirst(host.count)
            return "; the host has its own key: 'host: \(host)' and 'path: \(path.isEmpty ? "/" : path)'"
        }
        if text.hasPrefix("/"), let end = text.firstIndex(where: { $0 == "?" || $0 == "#" }) {
            let why = text[end] == "?" ? "a path does not include the query" : "clients send no fragments"
            return "; \(why): '\(text[..<end])'"
        }
        if text.hasPrefix("^") || text.hasPrefix("~") {
            return "; Larder does not read regular expressions: a path is a prefix, such as '/assets/'"
        }
        if text.hasPrefix("*") { return "; '*' is not a wildcard: a path is a prefix, such as '/assets/'" }
        let encoded = text.utf8.map { byte -> String in
            if byte > 0x20, byte < 0x7f { return String(UnicodeScalar(byte)) }
            return "%" + (byte < 0x10 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }.joined()
        let path = encoded.hasPrefix("/") ? encoded : "/\(encoded)"
        return text.isEmpty || ValueFormat<[UInt8]>.isPathPrefix(path) == false ? "" : meant(path)
    }
}

/// Warnings about hosts and paths that are allowed but look like a pattern or an escape of another program.
/// Larder takes such characters literally. Each function returns the warning, or nil.
enum LiteralWarning {
    static func host(_ host: HostPattern) -> String? {
        host == .exact("_") ? "Larder takes '_' literally; leave 'host' out to match any host" : nil
    }

    static func path(_ path: [UInt8]) -> String? {
        let text = String(decoding: path, as: UTF8.self)
        let prefix = "a path is a prefix of the bytes that a client sends"
        if let star = text.firstIndex(of: "*") {
            let rest = text[star...]
            let isEnd = rest.allSatisfy { $0 == "*" || $0 == "." || $0 == "$" }
            let meant =
                isEnd
                ? "; did you mean '\(text[..<star])'?"
                : "; a route cannot match the end of a path"
            return "Larder takes '*' literally: \(prefix)\(meant)"
        }
        if let sign = text.first(where: { "^$|\\[]{}<>\"`".contains($0) }) {
            return "Larder takes '\(sign)' literally: \(prefix), not a regular expression"
        }
        if text.contains("%") {
            return "Larder does not decode '%': \(prefix), so '%41' and 'A' differ, and '%c3' and '%C3' too"
        }
        let isDotted = text.split(separator: "/").contains { $0 == "." || $0 == ".." }
        if isDotted || text.contains("//") {
            return "Larder takes '\(text.contains("//") ? "//" : "/../")' literally: \(prefix)"
        }
        return nil
    }
}
