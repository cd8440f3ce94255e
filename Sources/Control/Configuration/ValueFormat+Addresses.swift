/// Forms of addresses, hosts, paths, methods and the other values that have a syntax of their own.

internal import Settings

extension ValueFormat where Value == BindAddress {
    static var bind: ValueFormat {
        ValueFormat(
            scalar: "bind address",
            allowed: "an IP address and port (0.0.0.0:8080, '[::]:8080' quoted) or unix:/path",
            schema: Schema.text(Pattern.bind), parse: { BindAddress(parsing: $0) },
            hint: Hint.bind,
            write: { .text($0.description) })
    }
}

extension ValueFormat where Value == ServerAddress {
    static var serverAddress: ValueFormat {
        ValueFormat(
            scalar: "server address", allowed: "host:port, '[IPv6]:port' or unix:/path",
            schema: Schema.text(Pattern.server), parse: { ServerAddress(parsing: $0) },
            hint: Hint.server,
            write: { .text($0.description) })
    }

    /// A name and a port, `cache.internal:6081`. Each address of the name is a server.
    static var dnsName: ValueFormat {
        ValueFormat(
            scalar: "name:port", allowed: "name:port", schema: Schema.text(Pattern.dnsName),
            parse: { text in
                guard case .host(let host, let port) = ServerAddress(parsing: text), HostName.isValid(host),
                    IPAddress(parsing: host) == nil
                else { return nil }
                return .dns(host, port: port, slots: 8)
            },
            write: { .text($0.description) })
    }
}

extension ValueFormat where Value == Peers.Member {
    static var peer: ValueFormat {
        let allowed = "an IP address, a range of them (10.0.0.0/8, 2001:db8::/32), or unix"
        return ValueFormat(
            scalar: "address range or `unix`", allowed: allowed, schema: Schema.text(Pattern.peer),
            parse: { text in
                text == "unix" ? .unix : (try? AddressRange(parsing: text)).map { .range($0) }
            },
            hint: { text in
                do throws(AddressRange.Invalid) {
                    _ = try AddressRange(parsing: text)
                    return ""
                } catch {
                    switch error {
                    case .notAnAddress: return Suggestion.text(for: text, among: ["unix"])
                    case .prefix(let limit): return "; the prefix length is a number up to \(limit)"
                    case .hostBits(let meant): return "; did you mean '\(meant)'?"
                    }
                }
            },
            write: { peer in
                switch peer {
                case .range(let range): .text(range.description)
                case .unix: "unix"
                }
            })
    }
}

enum Peers {
    /// One element of the list in the file.
    enum Member {
        case range(AddressRange)
        case unix
    }
}

extension ValueFormat where Value == PeerSet {
    static var peers: ValueFormat {
        ValueFormat<Peers.Member>.peer.list(of: "address ranges or `unix`").map(
            { members in
                var set: PeerSet = []
                for member in members {
                    switch member {
                    case .range(let range): set.ranges.append(range)
                    case .unix: set.includesUnix = true
                    }
                }
                return set
            },
            back: { set in set.ranges.map { .range($0) } + (set.includesUnix ? [.unix] : []) })
    }
}

extension ValueFormat where Value == HostPattern {
    static var hostPattern: ValueFormat {
        ValueFormat(
            scalar: "host", allowed: "a host without port (static.example.com, '*.example.com')",
            schema: Schema.scalar(Pattern.host) { HostPattern(parsing: $0) != nil },
            parse: { text in HostPattern(parsing: text) },
            hint: Hint.host,
            write: { .text($0.description) })
    }
}

extension ValueFormat where Value == [UInt8] {
    /// A prefix of the path as the bytes of a request line.
    static var pathPrefix: ValueFormat {
        ValueFormat(
            scalar: "path prefix",
            allowed: "a path as in a request line: '/' first, then visible ASCII, no '?' or '#'",
            schema: Schema.text(Pattern.path),
            parse: { isPathPrefix($0) ? Array($0.utf8) : nil },
            hint: Hint.path,
            write: { .text(String(decoding: $0, as: UTF8.self)) })
    }

    static func isPathPrefix(_ text: String) -> Bool {
        text.hasPrefix("/") && text.utf8.count <= 1024
            && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != 0x3f && $0 != 0x23 }
    }
}

extension ValueFormat where Value == Settings.Threads {
    static var threads: ValueFormat {
        let count = ValueFormat<Int>.count(1...256)
        return ValueFormat(
            scalar: "number or `auto`", allowed: "auto, or \(count.allowed)",
            schema: .object(["anyOf": .list([.object(["const": "auto"]), count.schema])]),
            parse: { text in
                if text == "auto" { return .auto }
                guard text.utf8.allSatisfy({ $0 &- 0x30 < 10 }), let number = Int(text),
                    (1...256).contains(number)
                else { return nil }
                return .count(number)
            },
            hint: { Suggestion.text(for: $0, among: ["auto"]) },
            write: { threads in
                switch threads {
                case .auto: "auto"
                case .count(let count): .number(count)
                }
            })
    }
}

extension ValueFormat where Value == Settings.Log.Access {
    static var accessLog: ValueFormat {
        ValueFormat(
            scalar: "`none`, `stdout`, `syslog` or a file",
            allowed: "none, stdout, syslog, or the path of a file ('/' in it)",
            schema: Schema.text("^(?:none|stdout|[^/]*/.*)$"),
            parse: { text in
                switch text {
                case "none": Settings.Log.Access.none
                case "stdout": .standardOutput
                case "syslog": .syslog
                default: text.utf8.contains(UInt8(ascii: "/")) ? .file(text) : nil
                }
            },
            hint: { Suggestion.text(for: $0, among: ["none", "stdout", "syslog", "./\($0)"]) },
            write: { access in
                switch access {
                case .none: "none"
                case .standardOutput: "stdout"
                case .syslog: "syslog"
                case .file(let path): .text(path)
                }
            })
    }
}

extension ValueFormat where Value == Settings.Log.Format {
    static var logFormat: ValueFormat {
        ValueFormat(
            scalar: "`json`, `combined`, `combined+cache` or a template",
            allowed: "json, combined, combined+cache, or a template ('%' in it)",
            schema: .object(["enum": .list(["json", "combined", "combined+cache"])]),
            parse: { text in
                switch text {
                case "json": .json
                case "combined": .combined
                case "combined+cache": .combinedCache
                default: text.utf8.contains(UInt8(ascii: "%")) ? .template(text) : nil
                }
            },
            hint: { Suggestion.text(for: $0, among: ["json", "combined", "combined+cache"]) },
            write: { format in
                switch format {
                case .json: "json"
                case .combined: "combined"
                case .combinedCache: "combined+cache"
                case .template(let text): .text(text)
                }
            })
    }
}

extension ValueFormat where Value == Settings.ForwardedFields {
    private enum Word: String, CaseIterable { case xForwarded = "x-forwarded", forwarded, via }

    static var forwardedFields: ValueFormat {
        func field(_ word: Word) -> Settings.ForwardedFields {
            switch word {
            case .xForwarded: .xForwarded
            case .forwarded: .forwarded
            case .via: .via
            }
        }
        return ValueFormat<Word>.choice.list(of: "`x-forwarded`, `forwarded`, `via`", atMost: 3).map(
            { words in Settings.ForwardedFields(words.map(field)) },
            back: { fields in Word.allCases.filter { fields.contains(field($0)) } })
    }
}

extension ValueFormat where Value == String {
    /// A path. A relative path starts at the folder of the configuration file.
    static var path: ValueFormat {
        var format = ValueFormat.text("path", allowed: "a path")
        format.read = { [read = format.read] node, reader in read(node, &reader).map { reader.resolve($0) } }
        return format
    }

    /// A file below a `files` folder, as the path of a request for it.
    static var sitePage: ValueFormat {
        ValueFormat(
            scalar: "path of a file", allowed: "the path of a file below 'files', such as /index.html",
            schema: Schema.text(
                "^/(?:[^\\u0000-\\u0020\\u007f?#]*[^\\u0000-\\u0020\\u007f?#/])$"),
            parse: { text in
                let isValid =
                    text.hasPrefix("/") && !text.hasSuffix("/")
                    && text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7f && $0 != 0x3f && $0 != 0x23 }
                return isValid ? text : nil
            },
            hint: { text in
                text.hasPrefix("/") || text.isEmpty || text.contains(" ") ? "" : "; did you mean '/\(text)'?"
            },
            write: { .text($0) })
    }

    static var absolutePath: ValueFormat {
        text(
            "absolute path", allowed: "an absolute path, such as /run/larder", pattern: "/\(Pattern.line)|/"
        ) { $0.hasPrefix("/") }
    }

    static var hostName: ValueFormat {
        text("host name", allowed: "a host name", pattern: Pattern.hostName) { HostName.isValid($0) }
    }

    /// A method that a route may allow to all clients.
    static var method: ValueFormat {
        let refused = ["CONNECT": "Larder opens no tunnels", "TRACE": "Larder never passes it on"]
        return ValueFormat(
            scalar: "method", allowed: "a method in capitals, such as GET",
            schema: Schema.scalar("^(?=.{1,32}$)\(Pattern.token)$") { Naming.isToken($0) },
            parse: { Naming.isToken($0) && $0.utf8.count <= 32 ? $0 : nil },
            hint: { Suggestion.text(for: $0, among: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]) },
            write: { .text($0) }
        ).checked { name in
            if let why = refused[name.uppercased()] { return "found '\(name)'; not allowed: \(why)" }
            if CacheManagement.isMethod(name) {
                return "found '\(name)'; not allowed here: 'purge' lists the clients that may send methods "
                    + "that manage a cache"
            }
            let common = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
            guard common.contains(name.uppercased()), !common.contains(name) else { return nil }
            return "found '\(name)'; allowed: a method in capitals; did you mean '\(name.uppercased())'?"
        }
    }
}
