// Ranges cut from a stored 200 (RFC 9110 §14), and partial responses, which are never stored.

extension Case {
    /// Ten bytes with a tag and a date, requested with these fields.
    private static func asking(
        _ name: String, _ section: String, _ fields: String..., stored: [String] = ["ETag: \"a\""],
        method: String = "GET", status: Int = 200, expect: Expectation
    ) -> Case {
        Case(
            name, section,
            Step().answered(
                status,
                fields: ["Cache-Control: max-age=9", "Last-Modified: Thu, 01 Jan 2015 00:00:00 GMT"] + stored,
                body: "0123456789"),
            Step(method: method, fields: fields).after(1).expect(expect))
    }

    private static let unsatisfiable = Expectation(.unasked, .any, status: 416).has(
        "Content-Range: bytes */10")

    static let ranges: [Case] = [
        asking(
            "the first bytes", "RFC 9110 §14.1.2", "Range: bytes=0-4",
            expect: .part("01234", "0-4/10").age(1).has("Content-Length: 5", "ETag: \"a\"")),
        asking("bytes in the middle", "RFC 9110 §14.1.2", "Range: bytes=3-5", expect: .part("345", "3-5/10")),
        asking("one byte", "RFC 9110 §14.1.2", "Range: bytes=0-0", expect: .part("0", "0-0/10")),
        asking("the last byte", "RFC 9110 §14.1.2", "Range: bytes=9-9", expect: .part("9", "9-9/10")),
        asking("an open range", "RFC 9110 §14.1.2", "Range: bytes=5-", expect: .part("56789", "5-9/10")),
        asking(
            "an open range of all", "RFC 9110 §14.1.2", "Range: bytes=0-",
            expect: .part("0123456789", "0-9/10")),
        asking("a suffix", "RFC 9110 §14.1.2", "Range: bytes=-3", expect: .part("789", "7-9/10")),
        asking(
            "a suffix longer than the body", "RFC 9110 §14.1.2", "Range: bytes=-100",
            expect: .part("0123456789", "0-9/10")),
        asking(
            "an end behind the body's", "RFC 9110 §14.1.2", "Range: bytes=5-100",
            expect: .part("56789", "5-9/10")),
        asking(
            "an end of forty digits", "RFC 9110 §14.1.2",
            "Range: bytes=5-\(String(repeating: "9", count: 40))",
            expect: .part("56789", "5-9/10")),
        asking(
            "a unit in another case", "RFC 9110 §14.1", "Range: Bytes=0-4", expect: .part("01234", "0-4/10")),
        asking("a start behind the body", "RFC 9110 §15.5.17", "Range: bytes=10-", expect: unsatisfiable),
        asking("a range behind the body", "RFC 9110 §15.5.17", "Range: bytes=20-30", expect: unsatisfiable),
        asking("a suffix of nothing", "RFC 9110 §14.1.2", "Range: bytes=-0", expect: unsatisfiable),
        asking("several ranges", "RFC 9110 §14.2", "Range: bytes=0-1,3-4", expect: .hit),
        asking(
            "several ranges, none of them there", "RFC 9110 §14.2", "Range: bytes=20-21,30-31", expect: .hit),
        asking("a range backwards", "RFC 9110 §14.1.2", "Range: bytes=5-2", expect: .hit),
        asking("a malformed range", "RFC 9110 §14.2", "Range: bytes=a-b", expect: .hit),
        asking("a range without a number", "RFC 9110 §14.2", "Range: bytes=-", expect: .hit),
        asking("a range without a unit", "RFC 9110 §14.2", "Range: 0-4", expect: .hit),
        asking("another unit", "RFC 9110 §14.2", "Range: lines=0-4", expect: .hit),
        asking("a range that is negative", "RFC 9110 §14.1.2", "Range: bytes=--5", expect: .hit),
        asking(
            "a HEAD means the whole", "RFC 9110 §14.2", "Range: bytes=0-4", method: "HEAD",
            expect: .headHit.has("Content-Length: 10")),
        asking(
            "a range, of a 404", "RFC 9110 §14.2", "Range: bytes=0-4", status: 404,
            expect: .hit.status(404)),
        asking(
            "a tag overrides a range", "RFC 9110 §13.2.2", "Range: bytes=0-4", "If-None-Match: \"a\"",
            expect: .notModified),
        asking(
            "another tag and a range", "RFC 9110 §13.2.2", "Range: bytes=0-4", "If-None-Match: \"b\"",
            expect: .part("01234", "0-4/10")),
        asking(
            "If-Range with the tag", "RFC 9110 §13.1.5", "Range: bytes=0-4", "If-Range: \"a\"",
            expect: .part("01234", "0-4/10")),
        asking(
            "If-Range with another tag", "RFC 9110 §13.1.5", "Range: bytes=0-4", "If-Range: \"b\"",
            expect: .hit),
        asking(
            "If-Range with a weak tag", "RFC 9110 §13.1.5", "Range: bytes=0-4", "If-Range: W/\"a\"",
            expect: .hit),
        asking(
            "If-Range with the weak tag", "RFC 9110 §13.1.5", "Range: bytes=0-4", "If-Range: W/\"a\"",
            stored: ["ETag: W/\"a\""], expect: .hit),
        asking(
            "If-Range with the date", "RFC 9110 §13.1.5", "Range: bytes=0-4",
            "If-Range: Thu, 01 Jan 2015 00:00:00 GMT", stored: [], expect: .part("01234", "0-4/10")),
        asking(
            "If-Range with a later date", "RFC 9110 §13.1.5", "Range: bytes=0-4",
            "If-Range: Fri, 02 Jan 2015 00:00:00 GMT", stored: [], expect: .hit),
        asking(
            "If-Range with another tag, behind the body", "RFC 9110 §13.1.5", "Range: bytes=20-",
            "If-Range: \"b\"",
            expect: .hit),
        asking("If-Range without a range", "RFC 9110 §13.1.5", "If-Range: \"a\"", expect: .hit),
        Case(
            "a part has the fields of the whole", "RFC 9110 §15.3.7",
            get().answered(
                "Cache-Control: max-age=60", "ETag: \"a\"", "Expires: {now+60}", "Content-Location: /here",
                "Vary: Accept-Encoding", "Content-Type: application/pdf", body: "0123456789"),
            get("Range: bytes=0-4").after(1).expect(
                .part("01234", "0-4/10").age(1).has(
                    "Date: {start}", "Cache-Control: max-age=60", "ETag: \"a\"",
                    "Expires: {start+60}", "Content-Location: /here", "Vary: Accept-Encoding",
                    "Content-Type: application/pdf"))),
        Case(
            "a part leaves the entry whole", "RFC 9111 §3.3",
            get().answered("Cache-Control: max-age=60", body: "0123456789"),
            get("Range: bytes=0-4").after(1).expect(.part("01234", "0-4/10")),
            get().expect(.hit(1).age(1))),
        Case(
            "a range of a chunked response", "RFC 9110 §14.2",
            get().answered("Cache-Control: max-age=60", body: "0123456789").framed(.chunked),
            get("Range: bytes=0-4").after(1).expect(.part("01234", "0-4/10"))),
    ]

    static let parts: [Case] = [
        Case(
            "a range on a miss passes", "caching-rules",
            get("Range: bytes=0-4").answered(
                206, "Cache-Control: max-age=60", "Content-Range: bytes 0-4/10",
                body: "01234"
            ).expect(.refused("range").sends("Range: bytes=0-4").has("Content-Range: bytes 0-4/10")),
            get("Range: bytes=0-4").expect(.miss.sends("Range: bytes=0-4")),
            get().expect(.miss.withholds("Range"))),
        Case(
            "a range on a miss, answered by the whole", "caching-rules",
            get("Range: bytes=0-4").answered("Cache-Control: max-age=60", body: "0123456789").expect(
                .refused("range")),
            get().expect(.miss)),
        Case(
            "an unrequested partial response", "RFC 9111 §3.3",
            get().answered(206, "Cache-Control: max-age=60", "Content-Range: bytes 0-4/10", body: "01234")
                .expect(
                    .refused("status")),
            get().expect(.miss)),
        Case(
            "several parts", "RFC 9111 §3.3",
            get("Range: bytes=0-1,3-4").answered(
                206, "Cache-Control: max-age=60",
                "Content-Type: multipart/byteranges; boundary=x"
            ).expect(.refused("range")),
            get().expect(.miss)),
        .lives(
            "Content-Range on a 200", "RFC 9110 §14.4", "Cache-Control: max-age=60",
            "Content-Range: bytes 0-4/10",
            pessimistic: nil, rfc: 60, .because("range")),
        .lives(
            "a 416 is not kept", "RFC 9110 §15.5.17", "Cache-Control: max-age=60",
            "Content-Range: bytes */10",
            for: nil, .status(416)),
        .lives(
            "Accept-Ranges", "RFC 9110 §14.3", "Cache-Control: max-age=60", "Accept-Ranges: bytes", for: 60),
    ]
}
