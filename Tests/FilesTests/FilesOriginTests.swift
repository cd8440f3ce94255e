/// A folder as an origin: types, validators, ranges, indexes, and that no path leads out of the root.

import Bytes
import Files
import Foundation
import Kernel
import SystemPackage
import Testing

@Suite struct FilesOriginTests {
    let site: Site
    init() throws { site = try Site() }

    @Test(arguments: [
        ("/", "text/html; charset=utf-8", "<h1>home</h1>"),
        ("/index.html", "text/html; charset=utf-8", "<h1>home</h1>"),
        ("/a.txt", "text/plain; charset=utf-8", "0123456789"),
        ("/a.txt?v=1", "text/plain; charset=utf-8", "0123456789"),
        ("/sub/", "text/html; charset=utf-8", "<h1>sub</h1>"),
        ("/sub/deep/x.css", "text/css; charset=utf-8", "a{}"),
        ("/%61.txt", "text/plain; charset=utf-8", "0123456789"),
        ("/%C3%BC.txt", "text/plain; charset=utf-8", "umlaut"),
        ("/with%20space/b.js", "text/javascript; charset=utf-8", "1"),
        ("/percent%2541.txt", "text/plain; charset=utf-8", "percent"),
        ("/README", "application/octet-stream", "no extension"),
        ("/x.TXT", "text/plain; charset=utf-8", "upper"),
        ("/in.txt", "text/plain; charset=utf-8", "0123456789"),
        ("/sub/up.txt", "text/plain; charset=utf-8", "0123456789"),
        ("/subLink/", "text/html; charset=utf-8", "<h1>sub</h1>"),
        ("/-dash/c.json", "application/json", "{}"),
        ("/empty.txt", "text/plain; charset=utf-8", ""),
        ("http://x/a.txt", "text/plain; charset=utf-8", "0123456789"),
        // Dot segments (RFC 3986 §6.2.2.3), escaped or not. The segment before `..` need not exist.
        ("/./a.txt", "text/plain; charset=utf-8", "0123456789"),
        ("/x/../a.txt", "text/plain; charset=utf-8", "0123456789"),
        ("/sub/../a.txt", "text/plain; charset=utf-8", "0123456789"),
        ("/sub/deep/../../a.txt", "text/plain; charset=utf-8", "0123456789"),
        ("/sub/./deep/./x.css", "text/css; charset=utf-8", "a{}"),
        ("/%2e/a.txt", "text/plain; charset=utf-8", "0123456789"),
        ("/sub/%2E%2e/a.txt", "text/plain; charset=utf-8", "0123456789"),
        ("/sub/.%2e/a.txt", "text/plain; charset=utf-8", "0123456789"),
        ("/.git/../a.txt", "text/plain; charset=utf-8", "0123456789"),
        ("/x//../../a.txt", "text/plain; charset=utf-8", "0123456789"),
        ("/.", "text/html; charset=utf-8", "<h1>home</h1>"),
        ("/sub/..", "text/html; charset=utf-8", "<h1>home</h1>"),
        ("/sub/../", "text/html; charset=utf-8", "<h1>home</h1>"),
        ("/sub/.", "text/html; charset=utf-8", "<h1>sub</h1>"),
        ("/sub/deep/..", "text/html; charset=utf-8", "<h1>sub</h1>"),
        ("/./a.txt?x=/../..", "text/plain; charset=utf-8", "0123456789"),
        // The only hidden name that is served (RFC 8615).
        ("/.well-known/security.txt", "text/plain; charset=utf-8", "contact"),
        ("/%2ewell-known/security.txt", "text/plain; charset=utf-8", "contact"),
        ("/x/../.well-known/security.txt", "text/plain; charset=utf-8", "contact"),
        ("/toContact.txt", "text/plain; charset=utf-8", "contact"),
        // Links within the root. Kubernetes publishes a volume through `..data`.
        ("/volume.txt", "text/plain; charset=utf-8", "volume"),
        ("/around.txt", "text/plain; charset=utf-8", "0123456789"),
        ("/toFolder/x.css", "text/css; charset=utf-8", "a{}"),
        ("/here/here/a.txt", "text/plain; charset=utf-8", "0123456789"),
        ("http://x", "text/html; charset=utf-8", "<h1>home</h1>"),
    ])
    func aFileIsServed(target: String, type: String, body: String) throws {
        let answer = try site.ask("GET", target)
        #expect(answer.status == 200)
        #expect(answer["content-type"] == type)
        #expect(answer.text == body)
        #expect(answer["content-length"] == "\(body.utf8.count)")
        #expect(answer["cache-control"] == "public, max-age=60")
        #expect(answer["accept-ranges"] == "bytes")
        #expect(answer["date"] != nil && answer["last-modified"] != nil)
        #expect(answer["etag"]?.hasPrefix("\"") == true)
        let head = try site.ask("HEAD", target)
        #expect(head.body.isEmpty && head.status == 200 && head["content-length"] == "\(body.utf8.count)")
        #expect(head["etag"] == answer["etag"])
    }

    /// Nothing outside the root, nothing hidden, and only regular files are served.
    @Test(arguments: [
        ("/../outside.txt", 404), ("/sub/../../outside.txt", 404), ("/sub/../../root/a.txt", 404),
        ("/../a.txt", 404), ("/../../../../etc/passwd", 404), ("/./../a.txt", 404), ("/../root/a.txt", 404),
        ("/sub/..%2f..%2foutside.txt", 400), ("/%2e%2e%2foutside.txt", 400), ("/%2e%2e%5coutside.txt", 400),
        ("/..;/outside.txt", 404), ("/sub/..;/..;/outside.txt", 404), ("/.../a.txt", 404), ("/..x/a.txt", 404),
        ("/%252e%252e/outside.txt", 404), ("/%c0%ae%c0%ae/outside.txt", 404), ("/..%00/a.txt", 400),
        ("/%2e%2e/outside.txt", 404), ("/%2E%2E/%2e%2e/etc/passwd", 404), ("/.%2e/outside.txt", 404),
        ("/..%2foutside.txt", 400), ("/sub%2fdeep%2fx.css", 400), ("/sub%2Fx", 400),
        ("/..%5coutside.txt", 400),
        ("/a.txt%00", 400), ("/%00", 400), ("/a%00.txt", 400), ("/a.txt%0a", 400), ("/%7f", 400),
        ("/%", 400), ("/%4", 400), ("/%zz", 400), ("/a.txt%2", 400),
        ("/out.txt", 404), ("/sub/twice.txt", 404), ("/passwd", 404), ("/absolute.txt", 404),
        ("/parent/outside.txt", 404),
        ("/parent/", 404), ("/parent/root/a.txt", 404), ("/loop", 404), ("/dangling", 404),
        ("/process/etc/passwd", 404),
        ("/.secret", 404), ("/.git/config", 404), ("/%2egit/config", 404), ("/..", 404),
        ("/x/../.secret", 404), ("/sub/../.git/config", 404), ("/.git/./config", 404),
        ("/.well-known/x", 404), ("/.well-known/", 404), ("/.well-known/.token", 404),
        ("/.well-known/../.secret", 404), ("/sub/.well-known/x", 404), ("/.Well-known/security.txt", 404),
        ("/toSecret.txt", 404), ("/sub/toSecret.txt", 404), ("/toGit/config", 404), ("/toGit", 404),
        ("/toConfig", 404), ("/toHiddenLink", 404), ("/toToken", 404), ("/..data/volume.txt", 404),
        ("/..2026/volume.txt", 404), ("/backAndForth", 404), ("//", 404), ("//a.txt", 404), ("/sub//index.html", 404),
        ("//etc/passwd", 404), ("//example.com/..", 404), ("/fifo", 404), ("/nothing", 404),
        ("/nothing/", 404),
        ("/a.txt/", 404), ("/a.txt/x", 404), ("/empty/", 404),
        ("/" + String(repeating: "x", count: 300), 404),
        ("/" + String(repeating: "x/", count: 3_000), 404),
    ])
    func noPathLeadsOutOfTheRoot(target: String, status: Int) throws {
        let answer = try site.ask("GET", target)
        #expect(answer.status == status)
        #expect(
            !answer.text.contains("SECRET") && !answer.text.contains("root:") && !answer.text.contains("0123")
        )
        // No file of the site: a file that is put there must be seen at once.
        #expect(answer["cache-control"] == "no-store")
        #expect(answer["content-length"] == "\(answer.body.count)" && answer["date"] != nil)
    }

    @Test(arguments: [
        ("/sub", "/sub/"), ("/sub?a=b", "/sub/?a=b"), ("/sub?", "/sub/?"), ("/sub/deep", "/sub/deep/"),
        ("/with%20space", "/with%20space/"), ("/empty", "/empty/"), ("/subLink", "/subLink/"),
        ("/x/../sub", "/sub/"), ("/./sub/./deep", "/sub/deep/"), ("/.well-known", "/.well-known/"),
        ("/%73ub", "/sub/"), ("/with%20%73pace?q", "/with%20space/?q"),
        // Never to another host.
        ("//example.com/../../sub", "/sub/"), ("/x//example.com/../../../sub", "/sub/"),
    ])
    func aFolderRedirectsToItsSlash(target: String, location: String) throws {
        let answer = try site.ask("GET", target)
        #expect(answer.status == 301 && answer["location"] == location)
        #expect(answer["cache-control"] == "public, max-age=60" && answer["content-length"] == "0")
    }

    @Test(arguments: ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"])
    func otherMethodsAreRefused(method: String) throws {
        let answer = try site.ask(method, "/a.txt", "X-Body: none")
        #expect(
            answer.status == 405 && answer["allow"] == "GET, HEAD" && answer["cache-control"] == "no-store")
    }

    /// The parser knows these methods and refuses them.
    @Test func traceAndConnectAreRefused() throws {
        #expect(try site.ask("TRACE", "/a.txt").status == 501)
        #expect(try site.ask("CONNECT", "x:80").status == 501)
    }

    @Test func anUnreadableFileIsForbidden() throws {
        guard geteuid() != 0 else { return }
        try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: site.root + "/a.txt")
        #expect(try site.ask("GET", "/a.txt").status == 403)
    }

    @Test(
        arguments: [
            ("bytes=0-3", 206, "0123", "bytes 0-3/10"), ("bytes=4-", 206, "456789", "bytes 4-9/10"),
            ("bytes=-3", 206, "789", "bytes 7-9/10"), ("bytes=9-9", 206, "9", "bytes 9-9/10"),
            ("bytes=0-99999999999999999999", 206, "0123456789", "bytes 0-9/10"),
            ("Bytes=1-1", 206, "1", "bytes 1-1/10"),
            ("bytes=-100", 206, "0123456789", "bytes 0-9/10"), ("bytes=10-", 416, nil, "bytes */10"),
            ("bytes=99999999999999999999-", 416, nil, "bytes */10"), ("bytes=-0", 416, nil, "bytes */10"),
            ("bytes=0-1,3-4", 200, "0123456789", nil), ("bytes=3-2", 200, "0123456789", nil),
            ("bytes=", 200, "0123456789", nil),
            ("bytes=-", 200, "0123456789", nil), ("bytes=a-b", 200, "0123456789", nil),
            ("lines=0-1", 200, "0123456789", nil),
            ("bytes=1", 200, "0123456789", nil), ("bytes=1--2", 200, "0123456789", nil),
        ] as [(String, Int, String?, String?)])
    func aRangeIsCut(range: String, status: Int, body: String?, contentRange: String?) throws {
        let answer = try site.ask("GET", "/a.txt", "Range: \(range)")
        #expect(answer.status == status && answer["content-range"] == contentRange)
        if let body { #expect(answer.text == body && answer["content-length"] == "\(body.utf8.count)") }
        #expect(try site.ask("HEAD", "/a.txt", "Range: \(range)").status == 200)
    }

    @Test func anEmptyFileHasNoRange() throws {
        for range in ["bytes=0-", "bytes=-1", "bytes=0-0"] {
            #expect(try site.ask("GET", "/empty.txt", "Range: \(range)").status == 416)
        }
    }

    @Test func preconditionsAreEvaluatedInOrder() throws {
        let past = [FileAttributeKey.modificationDate: Date(timeIntervalSince1970: 1_700_000_000)]
        try FileManager.default.setAttributes(past, ofItemAtPath: site.root + "/a.txt")
        let plain = try site.ask("GET", "/a.txt")
        let tag = try #require(plain["etag"])
        let date = try #require(plain["last-modified"])
        #expect(date == "Tue, 14 Nov 2023 22:13:20 GMT")
        let earlier = "Tue, 14 Nov 2023 22:13:19 GMT"
        let later = "Tue, 14 Nov 2023 22:13:21 GMT"
        let cases: [(fields: [String], status: Int)] = [
            (["If-None-Match: \(tag)"], 304), (["If-None-Match: W/\(tag)"], 304), (["If-None-Match: *"], 304),
            (["If-None-Match: \"a\", \(tag)"], 304),
            (["If-None-Match: \"a\"", "If-None-Match: \(tag)"], 304),
            (["If-None-Match: \"a\""], 200), (["If-Modified-Since: \(date)"], 304),
            (["If-Modified-Since: \(later)"], 304),
            (["If-Modified-Since: \(earlier)"], 200), (["If-Modified-Since: yesterday"], 200),
            (["If-None-Match: \"a\"", "If-Modified-Since: \(date)"], 200),
            (["If-Match: \(tag)"], 200), (["If-Match: *"], 200), (["If-Match: W/\(tag)"], 412),
            (["If-Match: \"a\""], 412),
            (["If-Match: \"a\"", "If-None-Match: \(tag)"], 412),
            (["If-Match: \(tag)", "If-None-Match: \(tag)"], 304),
            (["If-Match: \(tag)", "If-Unmodified-Since: \(earlier)"], 200),
            (["If-Unmodified-Since: \(earlier)"], 412), (["If-Unmodified-Since: \(date)"], 200),
            (["If-Unmodified-Since: nonsense"], 200), (["If-None-Match: \(tag)", "Range: bytes=0-1"], 304),
            (["Range: bytes=0-1", "If-Range: \(tag)"], 206),
            (["Range: bytes=0-1", "If-Range: W/\(tag)"], 200),
            (["Range: bytes=0-1", "If-Range: \"a\""], 200), (["Range: bytes=0-1", "If-Range: \(date)"], 206),
            (["Range: bytes=0-1", "If-Range: \(later)"], 200),
            (["Range: bytes=0-1", "If-Range: \(earlier)"], 200),
            (["Range: bytes=0-1", "Range: bytes=2-3"], 200),
        ]
        for (fields, status) in cases {
            let text = fields.joined(separator: "\r\n")
            let answer = try site.ask("GET", "/a.txt", text)
            #expect(answer.status == status, "\(fields)")
            if status == 304 {
                #expect(
                    answer.body.isEmpty && answer["etag"] == tag && answer["cache-control"] != nil
                        && answer["date"] != nil)
                #expect(answer["content-length"] == nil && answer["content-type"] == nil)
            }
        }
        // Preconditions have no meaning for a file that does not exist.
        #expect(try site.ask("GET", "/nothing", "If-None-Match: *").status == 404)
        #expect(try site.ask("GET", "/nothing", "If-Match: \"a\"").status == 404)
    }

    @Test func theTagFollowsTheFile() throws {
        let before = try site.ask("GET", "/a.txt")["etag"]
        usleep(20_000)
        try "9876543210".write(toFile: site.root + "/a.txt", atomically: false, encoding: .utf8)
        let answer = try site.ask("GET", "/a.txt")
        #expect(answer.text == "9876543210" && answer["etag"] != before)
        let future = [FileAttributeKey.modificationDate: Date(timeIntervalSinceNow: 86_400)]
        try FileManager.default.setAttributes(future, ofItemAtPath: site.root + "/a.txt")
        let fromTheFuture = try site.ask("GET", "/a.txt")
        #expect(fromTheFuture["last-modified"] == fromTheFuture["date"])
    }

    @Test func cacheControlIsConfigured() throws {
        #expect(try Site(cacheControl: "no-cache").ask("GET", "/a.txt")["cache-control"] == "no-cache")
        #expect(try Site(cacheControl: nil).ask("GET", "/a.txt")["cache-control"] == nil)
    }

    @Test func aMissingRootIsAnError() {
        #expect(throws: Errno.noSuchFileOrDirectory) { _ = try Directory.open(site.base + "/nowhere") }
        #expect(throws: Errno.notDirectory) { _ = try Directory.open(site.root + "/a.txt") }
    }
}
