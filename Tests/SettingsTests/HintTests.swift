/// What messages suggest in place of addresses, hosts and paths that are not allowed, and which characters
/// Larder allows and takes literally.

import Configuration
import Settings
import Testing

@Suite struct HintTests {
    /// The part of a message after the allowed values; nil: the value is accepted.
    private static func hint(_ text: String, at path: String, allowed: String) -> String? {
        let messages = Fixture.mistakes(text)
        guard let message = messages.first else { return nil }
        guard messages.count == 1, message.contains(" \(path): "), let end = message.firstRange(of: allowed)
        else {
            return "other messages: \(messages)"
        }
        return String(message[end.upperBound...])
    }

    @Test(arguments: [
        ("8080", "; did you mean '0.0.0.0:8080'?"), (":8080", "; did you mean '0.0.0.0:8080'?"),
        ("*:8080", "; did you mean '0.0.0.0:8080'?"), ("0.0.0.0", "; did you mean '0.0.0.0:8080'?"),
        ("localhost:80", "; did you mean '127.0.0.1:80'?"), ("localhost", "; did you mean '127.0.0.1:8080'?"),
        ("[::]", "; did you mean '[::]:8080'?"), ("::", "; did you mean '[::]:8080'?"),
        (":::8080", "; did you mean '[::]:8080'?"), ("::1:8080", "; did you mean '[::1]:8080'?"),
        ("http://0.0.0.0:80/", "; did you mean '0.0.0.0:80'?"),
        ("http://:80", "; did you mean '0.0.0.0:80'?"),
        ("/run/larder.sock", "; did you mean 'unix:/run/larder.sock'?"),
        ("unix:larder.sock", "; the path of a socket begins with '/'"),
        ("example.com:80", "; a name is not allowed here"), ("70000", ""), ("1.2.3.4:70000", ""), ("x", ""),
        ("[::]:80", nil), ("127.0.0.1:0", nil),
    ])
    func aWrongBindGetsAHint(_ bind: String, _ hint: String?) {
        let text = "listeners: [{ bind: '\(bind)' }]\n" + Fixture.routes + Fixture.upstreams
        #expect(Self.hint(text, at: "listeners[0].bind", allowed: " or unix:/path") == hint)
    }

    @Test(arguments: [
        ("app", "; did you mean 'app:80'?"), ("10.0.0.1", "; did you mean '10.0.0.1:80'?"),
        ("8080", "; did you mean '127.0.0.1:8080'?"), (":8080", "; did you mean '127.0.0.1:8080'?"),
        ("http://a/", "; did you mean 'a:80'?"), ("HTTP://a:81/x", "; did you mean 'a:81'?"),
        ("https://a", "; for https use 'tls:' of the upstream"), ("::1", "; did you mean '[::1]:80'?"),
        ("::1:3000", "; did you mean '[::1]:3000'?"),
        ("/run/app.sock", "; did you mean 'unix:/run/app.sock'?"),
        ("unix:app.sock", "; the path of a socket begins with '/'"), ("a:0", ""), ("a b", ""),
    ])
    func aWrongServerGetsAHint(_ server: String, _ hint: String?) {
        let text = Fixture.listeners + Fixture.routes + "upstreams: { app: { servers: ['\(server)'] } }\n"
        #expect(Self.hint(text, at: "upstreams.app.servers[0]", allowed: " or unix:/path") == hint)
    }

    private static func route(_ key: String, _ value: String) -> String {
        Fixture.listeners + "routes: [{ \(key): '\(value)', upstream: app }]\n" + Fixture.upstreams
    }

    @Test(arguments: [
        ("*", "; leave 'host' out to match any host"), ("*.*", "; leave 'host' out to match any host"),
        ("a.com:80", "; did you mean 'a.com'?"), ("*.a.com:80", "; did you mean '*.a.com'?"),
        ("http://a.com", "; did you mean 'a.com'?"), ("https://a.com:443/x", "; did you mean 'a.com'?"),
        ("a.com/x", "; the path has its own key: 'host: a.com' and 'path: /x'"),
        (".a.com", "; did you mean '*.a.com'?"), ("*a.com", "; did you mean '*.a.com'?"),
        ("www.*", "; '*' is allowed only in front of a whole domain: '*.example.com'"),
        ("a*.com", "; '*' is allowed only in front of a whole domain: '*.example.com'"),
        ("*.*.com", "; '*' is allowed only in front of a whole domain: '*.example.com'"),
        ("~^www", "; '~': Larder does not read regular expressions"),
        ("^a.com$", "; '^': Larder does not read regular expressions"),
        ("(a|b).com", "; '(': Larder does not read regular expressions"),
        ("2001:db8::1", "; did you mean '[2001:db8::1]'?"),
        ("[2001:db8::1]:80", "; did you mean '[2001:db8::1]'?"),
        ("bücher.example", "; write a host in its ASCII form, xn--…"), ("a..com", ""), ("a.com..", ""),
        ("a b", ""), ("A.com", nil), ("a.com.", nil), ("*.A.com.", nil), ("10.0.0.1", nil), ("[::1]", nil),
    ])
    func aWrongHostGetsAHint(_ host: String, _ hint: String?) {
        let allowed = "allowed: a host without port (static.example.com, '*.example.com')"
        #expect(Self.hint(Self.route("host", host), at: "routes[0].host", allowed: allowed) == hint)
    }

    /// Case and the final dot of an absolute name do not distinguish hosts.
    @Test(arguments: [("A.Com.", "a.com"), ("*.A.com.", "*.a.com"), ("A.com", "a.com")])
    func hostsHaveOneForm(_ host: String, _ form: String) throws {
        #expect(try Fixture.read(Self.route("host", host)).settings.routes[0].host.description == form)
        let twice =
            Fixture.listeners
            + "routes: [{ host: '\(host)', upstream: app }, { host: '\(form)', upstream: app }]\n"
            + Fixture.upstreams
        #expect(
            Fixture.mistakes(twice) == [
                "larder.yaml:2: error: routes[1]: found the same host and path as in routes[0]; allowed: "
                    + "routes that differ"
            ])
    }

    @Test(arguments: [
        ("*", "; leave 'path' out to match any path"), ("assets/", "; did you mean '/assets/'?"),
        ("/a?b", "; a path does not include the query: '/a'"), ("/a#b", "; clients send no fragments: '/a'"),
        ("^/x", "; Larder does not read regular expressions: a path is a prefix, such as '/assets/'"),
        ("~* \\.css$", "; Larder does not read regular expressions: a path is a prefix, such as '/assets/'"),
        ("*.css", "; '*' is not a wildcard: a path is a prefix, such as '/assets/'"),
        ("http://a.com/x", "; the host has its own key: 'host: a.com' and 'path: /x'"),
        ("/my files/", "; did you mean '/my%20files/'?"), ("/ä", "; did you mean '/%C3%A4'?"), ("", ""),
        ("/a", nil),
    ])
    func aWrongPathGetsAHint(_ path: String, _ hint: String?) {
        #expect(
            Self.hint(Self.route("path", path), at: "routes[0].path", allowed: "no '?' or '#'") == hint)
    }

    static let prefix = "a path is a prefix of the bytes that a client sends"
    static let escapes =
        "Larder does not decode '%': \(prefix), so '%41' and 'A' differ, and '%c3' and '%C3' too"

    @Test(arguments: [
        ("path", "/assets/*", "Larder takes '*' literally: \(prefix); did you mean '/assets/'?"),
        ("path", "/assets/**", "Larder takes '*' literally: \(prefix); did you mean '/assets/'?"),
        ("path", "/assets/.*", "Larder takes '*' literally: \(prefix); did you mean '/assets/.'?"),
        ("path", "/*.css", "Larder takes '*' literally: \(prefix); a route cannot match the end of a path"),
        ("path", "/a/*/b", "Larder takes '*' literally: \(prefix); a route cannot match the end of a path"),
        ("path", "/a$", "Larder takes '$' literally: \(prefix), not a regular expression"),
        ("path", "/a\\.css", "Larder takes '\\' literally: \(prefix), not a regular expression"),
        ("path", "/(a|b)", "Larder takes '|' literally: \(prefix), not a regular expression"),
        ("path", "/{id}/x", "Larder takes '{' literally: \(prefix), not a regular expression"),
        ("path", "/[0-9]", "Larder takes '[' literally: \(prefix), not a regular expression"),
        ("path", "/a%20b", escapes), ("path", "/%41", escapes),
        ("path", "//a", "Larder takes '//' literally: \(prefix)"),
        ("path", "/a/../b", "Larder takes '/../' literally: \(prefix)"),
        ("path", "/wiki/Foo_(bar)", nil), ("path", "/a+b;c=d,e", nil), ("path", "/.well-known/", nil),
        ("host", "_", "Larder takes '_' literally; leave 'host' out to match any host"),
        ("host", "a_b.com", nil),
    ])
    func aPatternThatIsTakenLiterallyGetsAWarning(_ key: String, _ value: String, _ warning: String?) throws {
        #expect(
            try Fixture.notes(Self.route(key, value))
                == (warning.map { ["larder.yaml:2: warning: routes[0].\(key): \($0)"] } ?? []))
    }
}
