/// HTTP dates: the three forms and no others, compared with a plain walk over the calendar.
import Bytes
import Testing

struct HTTPDateTests {
    /// 2026-01-01 00:00:00 GMT.
    static let now: Int64 = 1_767_225_600

    func parse(_ text: String, now: Int64 = Self.now) -> Int64? { HTTPDate.parse(text.utf8.span, now: now) }

    func format(_ seconds: Int64) -> String {
        var buffer = ByteBuffer(capacity: 0)
        HTTPDate.append(seconds, to: &buffer)
        return buffer.span.string
    }

    @Test(
        arguments: [
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777), ("Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777),
            ("Sun Nov  6 08:49:37 1994", 784_111_777),
            ("Sun Nov 06 08:49:37 1994", 784_111_777), ("Sun Nov 16 08:49:37 1994", 784_975_777),
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Wed, 31 Dec 1969 23:59:59 GMT", -1), ("Thu, 29 Feb 2024 12:00:00 GMT", 1_709_208_000),
            ("Tue, 29 Feb 2000 00:00:00 GMT", 951_782_400),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799),
            ("Sat, 01 Jan 0000 00:00:00 GMT", -62_167_219_200),
            // A leap second counts as the first second of the next minute. A wrong weekday changes nothing.
            ("Sat, 31 Dec 2016 23:59:60 GMT", 1_483_228_800), ("Mon, 06 Nov 1994 08:49:37 GMT", 784_111_777),
        ] as [(String, Int64)])
    func anHTTPDateIsRead(_ text: String, _ seconds: Int64) { #expect(parse(text) == seconds) }

    @Test(arguments: [
        "", "0", "-1", "now", "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 Nov 1994 08:49:37 gmt",
        "Sun, 06 Nov 1994 08:49:37", "sun, 06 Nov 1994 08:49:37 GMT",
        "SUN, 06 Nov 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 8:49:37 GMT", "Sun,  06 Nov 1994 08:49:37 GMT", "Sun 06 Nov 1994 08:49:37 GMT",
        "Sun, 06-Nov-1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT ", " Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 31 Nov 1994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
        "Wed, 29 Feb 2023 00:00:00 GMT",
        "Thu, 29 Feb 1900 00:00:00 GMT", "Sun, 06 Nov 1994 08:49:37 +0000", "Sun, 06 Nov 1994 08.49.37 GMT",
        "Xxx, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Now 1994 08:49:37 GMT", "Sun, +6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 -8:49:37 GMT",
        "Sunday, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06-Nov-94 08:49:37 GMT", "Sunday, 6-Nov-94 08:49:37 GMT", "Sunday, 06-Nov-1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 UTC",
        "Sunday, 06-Nov-94 08:49:37 GMT ", "Sunday,06-Nov-94 08:49:37 GMT", "Funday, 06-Nov-94 08:49:37 GMT",
        "Sunday, 31-Nov-94 08:49:37 GMT",
        "Sun Nov 6 08:49:37 1994", "Sun Nov  6 08:49:37 1994 GMT", "Sun Nov  6 08:49:37 94",
        "Sun Nov   6 8:49:37 1994", "Sun Nov  0 08:49:37 1994",
        "Sun, Nov 6 08:49:37 1994", "sun Nov  6 08:49:37 1994", "1994-11-06T08:49:37Z", "784111777",
        "Sunday, 06-Nov-94 08:49:3", ",", "Sunday,",
    ])
    func aMalformedDateIsRefused(_ text: String) { #expect(parse(text) == nil) }

    @Test func everyDayOfFourCenturiesIsReadAndWritten() {
        // A calendar that counts days from Thursday 1970-01-01.
        let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        var (year, month, day) = (1970, 1, 1)
        for count in 0..<146_097 {
            let second = Int64(count) * 86_400 + Int64(count % 86_400)
            let pad = { (n: Int) in n < 10 ? "0\(n)" : "\(n)" }
            let time = count % 86_400
            let clock = "\(pad(time / 3_600)):\(pad(time / 60 % 60)):\(pad(time % 60))"
            let text = "\(days[count % 7]), \(pad(day)) \(months[month - 1]) \(year) \(clock) GMT"
            let asctime =
                "\(days[count % 7]) \(months[month - 1]) \(day < 10 ? " " : "")\(day) \(clock) \(year)"
            guard format(second) == text, parse(text) == second, parse(asctime) == second else {
                Issue.record("\(text): \(format(second)), \(String(describing: parse(text)))")
                return
            }
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            let length = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
            day += 1
            if day > length { (day, month) = (1, month + 1) }
            if month > 12 { (month, year) = (1, year + 1) }
        }
    }

    @Test func twoDigitYearsFallWithinFiftyYears() throws {
        let now = try #require(parse("Fri, 15 May 2026 12:00:00 GMT"))
        #expect(parse("Friday, 15-May-26 12:00:00 GMT", now: now) == now)
        #expect(parse("Friday, 15-May-76 12:00:00 GMT", now: now) == parse("Fri, 15 May 2076 12:00:00 GMT"))
        #expect(parse("Friday, 15-May-76 12:00:01 GMT", now: now) == parse("Sat, 15 May 1976 12:00:01 GMT"))
        #expect(parse("Friday, 31-Dec-75 23:59:59 GMT", now: now) == parse("Tue, 31 Dec 2075 23:59:59 GMT"))
        #expect(parse("Friday, 01-Jan-77 00:00:00 GMT", now: now) == parse("Sat, 01 Jan 1977 00:00:00 GMT"))
        #expect(parse("Friday, 01-Jan-00 00:00:00 GMT", now: now) == parse("Sat, 01 Jan 2000 00:00:00 GMT"))
        let late = try #require(parse("Fri, 15 May 2099 12:00:00 GMT"))
        #expect(parse("Friday, 01-Jan-10 00:00:00 GMT", now: late) == parse("Wed, 01 Jan 2110 00:00:00 GMT"))
        // The rule for two-digit years decides whether a leap day exists.
        #expect(parse("Friday, 29-Feb-00 00:00:00 GMT", now: now) == parse("Tue, 29 Feb 2000 00:00:00 GMT"))
        #expect(parse("Friday, 29-Feb-00 00:00:00 GMT", now: late) == nil)
        for extreme in [Int64.min, .max] { _ = parse("Friday, 29-Feb-00 00:00:00 GMT", now: extreme) }
    }

    @Test func yearsBeyondFourDigitsAreNotWritten() {
        #expect(format(.max) == "Fri, 31 Dec 9999 23:59:59 GMT")
        #expect(format(.min) == "Sat, 01 Jan 0000 00:00:00 GMT")
        #expect(format(-1) == "Wed, 31 Dec 1969 23:59:59 GMT")
    }

    @Test func theCachedDateFollowsTheClock() {
        var cached = CachedHTTPDate()
        for second in [0, 0, 1, 784_111_777, 784_111_777, 784_111_776, -1, 0] as [Int64] {
            var buffer = ByteBuffer(capacity: 29)
            cached.append(now: second, to: &buffer)
            let written = buffer.span.string
            #expect(written == format(second))
        }
    }
}
