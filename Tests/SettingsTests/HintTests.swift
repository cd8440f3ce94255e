/// What messages suggest in the place of addresses, hosts and paths that are not allowed, and what is allowed
/// and taken literally.

import Configuration
import Settings
import Testing

@Suite struct HintTests {
    /// The part of a message behind what is allowed; nil: accepted.
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
        ("example.com:80", "; names are not looked up"), ("70000", ""), ("1.2.3.4:70000", ""), ("x", ""),
        ("[::]:80", nil), ("127.0.0.1:0", nil),
    ])
    func binds(_ bind: String, _ hint: String?) {
        let text = "listeners: [{ bind: '\(bind)' }]\n" + Fixture.routes + Fixture.upstreams
        #expect(Self.hint(text, at: "listeners[0].bind", allowed: " or unix:/path") == hint)
    }

    @Test(arguments: [
        ("app", "; did you mean 'app:80'?"), ("10.0.0.1", "; did you mean '10.0.0.1:80'?"),
        ("8080", "; did you mean '127.0.0.1:8080'?"), (":8080", "; did you mean '127.0.0.1:8080'?"),
        ("http://a/", "; did you mean 'a:80'?"), ("HTTP://a:81/x", "; did you mean 'a:81'?"),
        ("https://a", "; https is 'tls:' of the upstream"), ("::1", "; did you mean '[::1]:80'?"),
        ("::1:3000", "; did you mean '[::1]:3000'?"),
        ("/run/app.sock", "; did you mean 'unix:/run/app.sock'?"),
        ("unix:app.sock", "; the path of a socket begins with '/'"), ("a:0", ""), ("a b", ""),
    ])
    func servers(_ server: String, _ hint: String?) {
        let text = Fixture.listeners + Fixture.routes + "upstreams: { app: { servers: ['\(server)'] } }\n"
        #expect(Self.hint(text, at: "upstreams.app.servers[0]", allowed: " or unix:/path") == hint)
    }

    private static func route(_ key: String, _ value: String) -> String {
        Fixture.listeners + "routes: [{ \(key): '\(value)', upstream: app }]\n" + Fixture.upstreams
    }

    @Test(arguments: [
        ("*", "; any host: leave 'host' out"), ("*.*", "; any host: leave 'host' out"),
        ("a.com:80", "; did you mean 'a.com'?"), ("*.a.com:80", "; did you mean '*.a.com'?"),
        ("http://a.com", "; did you mean 'a.com'?"), ("https://a.com:443/x", "; did you mean 'a.com'?"),
        ("a.com/x", "; the path is a key of its own: 'host: a.com' and 'path: /x'"),
        (".a.com", "; did you mean '*.a.com'?"), ("*a.com", "; did you mean '*.a.com'?"),
        ("www.*", "; '*' stands only in front of a whole domain: '*.example.com'"),
        ("a*.com", "; '*' stands only in front of a whole domain: '*.example.com'"),
        ("*.*.com", "; '*' stands only in front of a whole domain: '*.example.com'"),
        ("~^www", "; '~': regular expressions are not read"),
        ("^a.com$", "; '^': regular expressions are not read"),
        ("(a|b).com", "; '(': regular expressions are not read"),
        ("2001:db8::1", "; did you mean '[2001:db8::1]'?"),
        ("[2001:db8::1]:80", "; did you mean '[2001:db8::1]'?"),
        ("bücher.example", "; a host is written in its ASCII form, xn--…"), ("a..com", ""), ("a.com..", ""),
        ("a b", ""), ("A.com", nil), ("a.com.", nil), ("*.A.com.", nil), ("10.0.0.1", nil), ("[::1]", nil),
    ])
    func hosts(_ host: String, _ hint: String?) {
        let allowed = "allowed: a host without port (static.example.com, '*.example.com')"
        #expect(Self.hint(Self.route("host", host), at: "routes[0].host", allowed: allowed) == hint)
    }

    /// Case and the dot of an absolute name do not tell hosts apart.
    @Test(arguments: [("A.Com.", "a.com"), ("*.A.com.", "*.a.com"), ("A.com", "a.com")])
    func hostsInOneForm(_ host: String, _ form: String) throws {
        #expect(try Fixture.read(Self.route("host", host)).settings.routes[0].host.description == form)
        let twice =
            Fixture.listeners
            + "routes: [{ host: '\(host)', upstream: app }, { host: '\(form)', upstream: app }]\n"
            + Fixture.upstreams
        #expect(
            Fixture.mistakes(twice) == [
                "larder.yaml:2: error: routes[1]: found the host and path of routes[0]; allowed: routes that differ"
            ])
    }

    @Test(arguments: [
        ("*", "; any path: leave 'path' out"), ("assets/", "; did you mean '/assets/'?"),
        ("/a?b", "; a query is no part of a path: '/a'"), ("/a#b", "; a fragment is never sent: '/a'"),
        ("^/x", "; regular expressions are not read: a path is a prefix, such as '/assets/'"),
        ("~* \\.css$", "; regular expressions are not read: a path is a prefix, such as '/assets/'"),
        ("*.css", "; '*' is no wildcard: a path is a prefix, such as '/assets/'"),
        ("http://a.com/x", "; the host is a key of its own: 'host: a.com' and 'path: /x'"),
        ("/my files/", "; did you mean '/my%20files/'?"), ("/ä", "; did you mean '/%C3%A4'?"), ("", ""),
        ("/a", nil),
    ])
    func paths(_ path: String, _ hint: String?) {
        #expect(
            Self.hint(Self.route("path", path), at: "routes[0].path", allowed: "no '?' or '#'") == hint)
    }

    static let prefix = "a path is a prefix of the bytes that clients send"
    static let escapes =
        "percent signs are taken literally: \(prefix), so that '%41', 'A' and '%c3', '%C3' differ"

    @Test(arguments: [
        ("path", "/assets/*", "'*' is taken literally: \(prefix); did you mean '/assets/'?"),
        ("path", "/assets/**", "'*' is taken literally: \(prefix); did you mean '/assets/'?"),
        ("path", "/assets/.*", "'*' is taken literally: \(prefix); did you mean '/assets/.'?"),
        ("path", "/*.css", "'*' is taken literally: \(prefix); a path cannot be chosen by what comes after"),
        ("path", "/a/*/b", "'*' is taken literally: \(prefix); a path cannot be chosen by what comes after"),
        ("path", "/a$", "'$' is taken literally: \(prefix), no regular expression"),
        ("path", "/a\\.css", "'\\' is taken literally: \(prefix), no regular expression"),
        ("path", "/(a|b)", "'|' is taken literally: \(prefix), no regular expression"),
        ("path", "/{id}/x", "'{' is taken literally: \(prefix), no regular expression"),
        ("path", "/[0-9]", "'[' is taken literally: \(prefix), no regular expression"),
        ("path", "/a%20b", escapes), ("path", "/%41", escapes),
        ("path", "//a", "'//' is taken literally: \(prefix)"),
        ("path", "/a/../b", "'/../' is taken literally: \(prefix)"),
        ("path", "/wiki/Foo_(bar)", nil), ("path", "/a+b;c=d,e", nil), ("path", "/.well-known/", nil),
        ("host", "_", "'_' is taken literally, as a host; any host: leave 'host' out"),
        ("host", "a_b.com", nil),
    ])
    func literally(_ key: String, _ value: String, _ warning: String?) throws {
        #expect(
            try Fixture.notes(Self.route(key, value))
                == (warning.map { ["larder.yaml:2: warning: routes[0].\(key): \($0)"] } ?? []))
    }
}
