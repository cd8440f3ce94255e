/// Pages that answer for other paths: the fallback of a single-page application, and the page of a 404.

import Bytes
import Files
import Foundation
import Kernel
import Testing

@Suite struct SitePageTests {
    /// Paths of pages that do not exist get the fallback. Subresources and hidden paths get 404.
    @Test(arguments: [
        ("/orders/17", 200), ("/orders/17/", 200), ("/orders/17?x=1", 200), ("/users/jane.doe", 200),
        ("/old.html", 200), ("/old.HTM", 200), ("/a.txt/x", 200), ("/empty/", 200), ("/v1.2", 200),
        ("/x/../orders", 200), ("/" + String(repeating: "x", count: 300), 200), ("/dangling", 200),
        ("/app.js", 404), ("/app.CSS", 404), ("/img/logo.svg", 404), ("/robots.txt", 404),
        ("/data.json", 404), ("/favicon.ico", 404), ("/.secret", 404), ("/.git/config", 404), ("/.env", 404),
        ("/../x", 404), ("/toSecret.txt", 404), ("/toGit", 404), ("/out.txt", 404), ("//x", 404),
        ("/fifo", 404), ("/.well-known/assetlinks.json", 404), ("/%", 400),
    ])
    func aMissingPageGetsTheFallback(target: String, status: Int) throws {
        let site = try Site(fallback: "/index.html")
        for method in ["GET", "HEAD"] {
            let answer = try site.ask(method, target)
            #expect(answer.status == status, "\(method)")
            let isPage = status == 200
            #expect(answer["cache-control"] == (isPage ? "no-cache" : "no-store"))
            guard isPage else { continue }
            #expect(answer["content-type"] == "text/html; charset=utf-8" && answer["content-length"] == "13")
            #expect(answer.text == (method == "GET" ? "<h1>home</h1>" : ""))
            let tag = try #require(answer["etag"])
            #expect(try site.ask(method, target, "If-None-Match: \(tag)").status == 304)
        }
    }

    @Test func otherMethodsGetNoFallback() throws {
        let site = try Site(fallback: "/index.html", notFound: "/404.html")
        for method in ["POST", "PUT", "DELETE"] { #expect(try site.ask(method, "/orders/17").status == 405) }
    }

    @Test func filesComeBeforeTheFallback() throws {
        let site = try Site(fallback: "/index.html")
        #expect(try site.ask("GET", "/README").text == "no extension")
        #expect(try site.ask("GET", "/sub").status == 301)
        #expect(try site.ask("GET", "/sub/").text == "<h1>sub</h1>")
        #expect(try site.ask("GET", "/news").text == "<h1>home</h1>")
        try "fresh".write(toFile: site.root + "/news", atomically: false, encoding: .utf8)
        #expect(try site.ask("GET", "/news").text == "fresh")
    }

    @Test(arguments: [
        "/nothing", "/nothing.js", "/.secret", "/toSecret.txt", "/../x", "//x", "/empty/", "/fifo",
        "/out.txt",
    ])
    func a404CarriesTheConfiguredPage(target: String) throws {
        let site = try Site(notFound: "/404.html")
        for method in ["GET", "HEAD"] {
            // Conditions and ranges have no meaning for a 404's page.
            let answer = try site.ask(method, target, "If-None-Match: *", "Range: bytes=0-1")
            #expect(answer.status == 404 && answer["content-type"] == "text/html; charset=utf-8")
            #expect(answer["content-length"] == "13" && answer["cache-control"] == "no-store")
            #expect(
                answer["etag"] == nil && answer["last-modified"] == nil && answer["accept-ranges"] == nil)
            #expect(answer.text == (method == "GET" ? "<h1>lost</h1>" : ""))
        }
        #expect(try site.ask("GET", "/404.html").status == 200)
    }

    @Test func theConnectionGoesOnAfterAPage() throws {
        let site = try Site(fallback: "/index.html", notFound: "/404.html")
        var client = Client(try site.origin.connect())
        for target in ["/orders/1", "/x.js", "/a.txt"] {
            client.send("GET \(target) HTTP/1.1\r\nHost: x\r\n\r\n")
        }
        client.send("GET / HTTP/1.0\r\n\r\n")
        let text = String(decoding: client.receiveAll(), as: UTF8.self)
        let statuses = text.components(separatedBy: "HTTP/1.1 ").dropFirst().map { String($0.prefix(3)) }
        #expect(statuses == ["200", "404", "200", "200"])
    }

    /// If the page was removed, the answer is the one without it.
    @Test func aRemovedPageIsLeftOut() throws {
        let site = try Site(fallback: "/index.html", notFound: "/404.html")
        try FileManager.default.removeItem(atPath: site.root + "/index.html")
        #expect(try site.ask("GET", "/orders/1").text == "<h1>lost</h1>")
        try FileManager.default.removeItem(atPath: site.root + "/404.html")
        let answer = try site.ask("GET", "/orders/1")
        #expect(answer.status == 404 && answer.text == "Not Found\n")
    }

    /// A new file is seen at once: no earlier answer for its path may be kept.
    @Test func aNewFileIsSeenAtOnce() throws {
        let site = try Site()
        #expect(try site.ask("GET", "/new.html")["cache-control"] == "no-store")
        try "new".write(toFile: site.root + "/new.html", atomically: false, encoding: .utf8)
        #expect(try site.ask("GET", "/new.html").text == "new")
    }

    @Test func aConfiguredPageMustBeAVisibleFile() throws {
        for path in ["/", "/sub/", "/.secret", "/../x", "/%", "//x", "/a%2fb", "/.git/config"] {
            #expect(SitePage(path) == nil, "\(path)")
        }
        #expect(SitePage("/sub/../404.html") == SitePage("/404.html"))
        let site = try Site()
        let root = try Directory.open(site.root)
        let problems: [(String, String?)] = [
            ("/404.html", nil), ("/in.txt", nil), ("/.well-known/security.txt", nil),
            ("/nothing.html", "No such file or directory"), ("/sub", "it is no regular file"),
            ("/fifo", "it is no regular file"),
            ("/toSecret.txt", "it leads out of the folder, or to a hidden file"),
            ("/out.txt", "it leads out of the folder, or to a hidden file"),
        ]
        for (path, problem) in problems {
            let page = try #require(SitePage(path))
            let found = page.problem(in: root)
            #expect(found == problem, "\(path)")
        }
    }
}
