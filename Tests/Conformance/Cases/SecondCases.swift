// Lifetimes of about a second (RFC 9111 §4.2.3): Date names whole seconds, and the fraction must not use up
// `max-age=1`. A case begins at the beginning of a second.

extension Case {
    /// A response that arrives this many milliseconds into a second, and how long it is a hit.
    /// - Parameter milliseconds: nil: it is refused as `expired`.
    private static func lasts(
        _ name: String, in section: String = "RFC 9111 §4.2.3", at offset: UInt64, _ fields: String...,
        for milliseconds: UInt64?
    ) -> Case {
        var first = Step().after(milliseconds: offset)
        first = first.answered(200, fields: fields, body: nil)
        guard let milliseconds else {
            return Case(name, section, first.expect(.refused("expired")), get().expect(.miss))
        }
        return Case(
            name, section, first.expect(.stored),
            get().after(milliseconds: milliseconds - 1).expect(.hit(1)),
            get().after(milliseconds: 1).expect(.miss))
    }

    static let seconds: [Case] = [
        lasts("one second", at: 0, "Cache-Control: max-age=1", for: 1000),
        lasts("one second, from the middle of one", at: 500, "Cache-Control: max-age=1", for: 1000),
        lasts("one second, from the end of one", at: 999, "Cache-Control: max-age=1", for: 1000),
        lasts(
            "one second, of an answer of the second before", at: 0, "Cache-Control: max-age=1",
            "Date: {now-1}", for: 999),
        lasts(
            "one second, of an answer of the middle of the second before", at: 400,
            "Cache-Control: max-age=1", "Date: {now-1}", for: 599),
        lasts("one second, by a clock ahead", at: 700, "Cache-Control: max-age=1", "Date: {now+1}", for: 1000),
        lasts("one second, two seconds ago", at: 0, "Cache-Control: max-age=1", "Date: {now-2}", for: nil),
        lasts(
            "one shared second", in: "RFC 9111 §5.2.2.10", at: 999, "Cache-Control: s-maxage=1, max-age=0",
            for: 1000),
        lasts(
            "one shared second, never served stale", in: "RFC 9111 §5.2.2.10", at: 999,
            "Cache-Control: s-maxage=1, stale-while-revalidate=60", for: 1000),
        lasts(
            "one targeted second", in: "RFC 9213 §2.1", at: 999, "Cache-Control: no-store",
            "CDN-Cache-Control: max-age=1", for: 1000),
        lasts("Expires in a second", in: "RFC 9111 §5.3", at: 999, "Date: {now}", "Expires: {now+1}", for: 1000),
        lasts(
            "two seconds, one of them in a tier", in: "RFC 9111 §5.1", at: 600, "Cache-Control: max-age=2",
            "Age: 1", for: 1000),
        lasts(
            "two seconds, one of them in a tier that keeps Date", in: "RFC 9111 §5.1", at: 600,
            "Cache-Control: max-age=2", "Age: 1", "Date: {now-1}", for: 1000),
        lasts(
            "one second, used up in a tier", in: "RFC 9111 §5.1", at: 0, "Cache-Control: max-age=1", "Age: 1",
            for: nil),
        Case(
            "one second, served while it is revalidated", "RFC 5861 §3",
            get().after(milliseconds: 999).answered("Cache-Control: max-age=1, stale-while-revalidate=60"),
            get().after(milliseconds: 999).expect(.hit(1).member("ttl=0")),
            get().after(milliseconds: 1).answered("Cache-Control: max-age=1").expect(.staleWhileRevalidating),
            get().expect(.hit(3).age(0))),
        Case(
            "a second that the answer took", "RFC 9111 §4.2.3",
            get().answered("Cache-Control: max-age=1").delayed(1).expect(.refused("expired")),
            get().answered("Cache-Control: max-age=2").delayed(1).expect(.stored),
            get().after(milliseconds: 999).expect(.hit(2)),
            get().after(milliseconds: 1).expect(.miss)),
    ]
}
