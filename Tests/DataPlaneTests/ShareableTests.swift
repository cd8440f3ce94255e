// Which answers are compressed: stored ones, and those that are plainly for every client. All others keep the
// origin's bytes and tag.

import DataPlaneHarness
import Settings
import Testing

struct ShareableTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var asks: [String] = []
        var answer: [String] = []
        var method = "GET"
        var target = "/page"
        var type = "text/html"
        var status = 200
        var policy: Policy.Compress.Answers = .shareable
        let isCompressed: Bool

        var testDescription: String {
            "\(method) \(target) \(asks) -> \(status) \(type) \(answer), \(policy.rawValue)"
        }
    }

    private static let cookie = ["Cookie: sid=1"]
    private static let basic = ["Authorization: Basic eDp5"]
    private static let modified = "Last-Modified: Thu, 01 Jan 2015 00:00:00 GMT"

    static let rows: [Row] = [
        // Stored.
        Row(answer: ["Cache-Control: max-age=60"], isCompressed: true),
        Row(asks: cookie, answer: ["Cache-Control: public, max-age=60"], isCompressed: true),
        Row(answer: ["Cache-Control: max-age=60"], status: 404, isCompressed: true),
        // Not stored, and plainly for every client.
        Row(answer: ["Cache-Control: public"], isCompressed: true),
        Row(asks: cookie, answer: ["Cache-Control: public"], isCompressed: true),
        Row(answer: ["Cache-Control: max-age=60", "Age: 99"], isCompressed: true),
        Row(answer: ["Cache-Control: max-age=60", "Vary: Accept-Language"], isCompressed: true),
        Row(answer: ["Cache-Control: max-age=60"], status: 302, isCompressed: true),
        Row(answer: [modified], target: "/a.css", type: "text/css", isCompressed: true),
        Row(answer: [modified], target: "/a.js?v=1", type: "text/javascript", isCompressed: true),
        // No field says that other clients may have it.
        Row(isCompressed: false),
        Row(answer: [modified], isCompressed: false),
        Row(target: "/a.css", type: "text/css", isCompressed: false),
        Row(asks: cookie, answer: [modified], target: "/a.css", type: "text/css", isCompressed: false),
        Row(answer: ["Cache-Control: max-age=0"], isCompressed: false),
        Row(answer: ["Expires: 0"], isCompressed: false),
        // For one client.
        Row(answer: ["Cache-Control: private, max-age=60"], isCompressed: false),
        Row(answer: ["Cache-Control: no-store"], isCompressed: false),
        Row(answer: ["Cache-Control: public, no-store"], isCompressed: false),
        Row(answer: ["Cache-Control: no-cache"], isCompressed: false),
        Row(answer: ["Cache-Control: max-age=60", "Pragma: no-cache"], isCompressed: false),
        Row(answer: ["Cache-Control: max-age=60", "Set-Cookie: a=b"], isCompressed: false),
        Row(answer: ["Cache-Control: max-age=60", "Vary: Cookie"], isCompressed: false),
        Row(answer: ["Cache-Control: max-age=60", "Vary: *"], isCompressed: false),
        Row(answer: ["CDN-Cache-Control: no-store", "Cache-Control: public"], isCompressed: false),
        Row(asks: cookie, answer: ["Cache-Control: max-age=60"], isCompressed: false),
        Row(asks: basic, answer: ["Cache-Control: max-age=60"], isCompressed: false),
        Row(asks: basic, answer: ["Cache-Control: public, max-age=60"], isCompressed: false),
        Row(asks: ["Cache-Control: no-store"], answer: ["Cache-Control: max-age=60"], isCompressed: false),
        Row(answer: ["Cache-Control: max-age=60"], method: "POST", isCompressed: false),
        Row(answer: ["Cache-Control: max-age=60"], method: "OPTIONS", isCompressed: false),
        Row(status: 500, isCompressed: false),
        Row(answer: ["Cache-Control: no-store"], type: "application/json", isCompressed: false),
        // Compressed because the policy says so.
        Row(answer: ["Cache-Control: no-store"], policy: .all, isCompressed: true),
        Row(answer: ["Cache-Control: private"], method: "POST", policy: .all, isCompressed: true),
        Row(answer: ["Cache-Control: max-age=60"], policy: .none, isCompressed: false),
        Row(answer: ["Cache-Control: public"], policy: .none, isCompressed: false),
    ]

    @Test(arguments: rows)
    func onlyShareableAnswersAreCompressed(_ row: Row) throws {
        let page = CompressionTests.page
        let lines = row.answer.map { "\($0)\r\n" }.joined()
        let origin = try ScriptedOrigin(answering: { request in
            "HTTP/1.1 \(row.status) Status\r\nContent-Type: \(row.type)\r\nETag: \"v1\"\r\n\(lines)"
                + "Content-Length: \(page.utf8.count)\r\n\r\n" + (request.method == "HEAD" ? "" : page)
        })
        try withStage(origin, settings: { $0.policies[0].compress.answers = row.policy }) { stage in
            for method in row.method == "GET" ? ["HEAD", "GET", "GET", "HEAD"] : [row.method] {
                let client = try stage.client()
                try client.send(request(method, row.target, ["Accept-Encoding: gzip"] + row.asks))
                let answer = try client.receiveAnswer(toHead: method == "HEAD")
                #expect(answer["content-encoding"] == (row.isCompressed ? "gzip" : nil), "\(method)")
                #expect(answer["etag"] == (row.isCompressed ? "W/\"v1\"" : "\"v1\""), "\(method)")
                guard method != "HEAD" else { continue }
                #expect(row.isCompressed ? inflated(answer.body) == page : answer.text == page)
            }
        }
    }

    /// Without a length, a response to HEAD does not show which coding GET would get: Larder sends GET.
    @Test(arguments: [
        (100, "Content-Length"), (100, "chunked"), (20_000, "Content-Length"), (20_000, "chunked"),
        (100_000, "Content-Length"), (100_000, "chunked"),
    ])
    func headAnnouncesTheCodingOfGet(count: Int, framing: String) throws {
        let body = String(repeating: "text ", count: count / 5)
        for (control, target) in [("max-age=60", "/"), ("no-store", "/"), ("public", "/")] {
            let head =
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nETag: \"v1\"\r\n"
                + "Cache-Control: \(control)\r\n"
            let origin = try ScriptedOrigin(answering: { request in
                if request.method == "HEAD" { return head + "\r\n" }
                return framing == "chunked"
                    ? head + "Transfer-Encoding: chunked\r\n\r\n"
                        + "\(String(body.utf8.count, radix: 16))\r\n\(body)\r\n0\r\n\r\n"
                    : head + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
            })
            try withStage(origin) { stage in
                for field in ["Accept-Encoding: gzip", "Accept-Encoding: identity"] {
                    let head = try stage.ask("HEAD", target, field)
                    let get = try stage.ask("GET", target, field)
                    if control == "public", count == 100 { continue }
                    for name in ["content-encoding", "etag", "vary"] {
                        #expect(head[name] == get[name], "\(control) \(name)")
                    }
                }
            }
        }
    }
}
