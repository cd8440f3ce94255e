/// HTTP dates (RFC 9110 §5.6.7): the three forms that a recipient must read, and the one that a sender
/// writes.
///
///     Sun, 06 Nov 1994 08:49:37 GMT      IMF-fixdate
///     Sunday, 06-Nov-94 08:49:37 GMT     RFC 850; the century by the 50-year rule
///     Sun Nov  6 08:49:37 1994           asctime
///
/// The parser accepts exactly these forms, with this case, these blanks and these lengths. The weekday must
/// be the name of a day, but is not compared with the date. Second 60 is read as the first second of the next
/// minute.

/// A day of the proleptic Gregorian calendar, counted from 1970-01-01.
enum CivilDay {
    /// Days from 1970-01-01 to this date. Years are counted from March, so that a leap day is the last day of
    /// its year.
    static func days(year: Int, month: Int, day: Int) -> Int {
        let marchYear = month <= 2 ? year - 1 : year
        let era = (marchYear >= 0 ? marchYear : marchYear - 399) / 400
        let yearOfEra = marchYear - era * 400
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    static func date(days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (
            yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        )
    }

    static func length(month: Int, year: Int) -> Int {
        if month == 2 { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28 }
        return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31
    }
}

public enum HTTPDate {
    /// Bytes of an IMF-fixdate.
    public static var length: Int { 29 }
    /// The seconds that `append` can write: the years 0 to 9999.
    public static var range: ClosedRange<Int64> { -62_167_219_200...253_402_300_799 }

    static let dayNames: StaticString = "SunMonTueWedThuFriSat"
    static let monthNames: StaticString = "JanFebMarAprMayJunJulAugSepOctNovDec"

    /// Unix seconds; nil if the text has none of the three forms.
    /// - Parameter now: Unix seconds. An RFC 850 date more than 50 years after `now` is read as one century
    ///   earlier.
    public static func parse(_ text: Span<UInt8>, now: Int64) -> Int64? {
        if text.count == 29 { return parseFixdate(text) }
        if text.count == 24 { return parseAsctime(text) }
        return parseRFC850(text, now: now)
    }

    /// Appends the IMF-fixdate of a time in Unix seconds. A time outside `range` is written as the nearest
    /// end of `range`.
    public static func append(_ unixSeconds: Int64, to buffer: inout ByteBuffer) {
        let text = format(unixSeconds)
        buffer.append(text.span)
    }

    /// The IMF-fixdate of a time in Unix seconds. A time outside `range` becomes the nearest end of `range`.
    public static func format(_ unixSeconds: Int64) -> InlineArray<29, UInt8> {
        let seconds = Int(min(max(unixSeconds, range.lowerBound), range.upperBound))
        let days = (seconds >= 0 ? seconds : seconds - 86_399) / 86_400
        let time = seconds - days * 86_400
        let date = CivilDay.date(days: days)
        // 1970-01-01 was a Thursday.
        let weekday = ((days % 7) + 11) % 7
        var out = InlineArray<29, UInt8>(repeating: 0x20)
        for index in 0..<3 {
            out[index] = dayNames.byte(at: weekday * 3 + index)
            out[8 + index] = monthNames.byte(at: (date.month - 1) * 3 + index)
        }
        out[3] = 0x2c
        putPair(&out, 5, date.day)
        putPair(&out, 12, date.year / 100)
        putPair(&out, 14, date.year % 100)
        putPair(&out, 17, time / 3_600)
        out[19] = 0x3a
        putPair(&out, 20, time / 60 % 60)
        out[22] = 0x3a
        putPair(&out, 23, time % 60)
        out[26] = 0x47
        out[27] = 0x4d
        out[28] = 0x54
        return out
    }

    private static func putPair(_ out: inout InlineArray<29, UInt8>, _ index: Int, _ value: Int) {
        out[index] = 0x30 &+ UInt8(truncatingIfNeeded: value / 10)
        out[index + 1] = 0x30 &+ UInt8(truncatingIfNeeded: value % 10)
    }

    // MARK: The three forms

    private static func parseFixdate(_ text: Span<UInt8>) -> Int64? {
        guard name(text, 0, dayNames) != nil, text[3] == 0x2c, text[4] == 0x20, text[7] == 0x20,
            text[11] == 0x20,
            text[16] == 0x20, text.extracting(25..<29).equals(" GMT"), let day = pair(text, 5),
            let month = name(text, 8, monthNames), let century = pair(text, 12), let year = pair(text, 14),
            let time = timeOfDay(text, 17)
        else { return nil }
        return instant(year: century * 100 + year, month: month + 1, day: day, time: time)
    }

    private static func parseAsctime(_ text: Span<UInt8>) -> Int64? {
        guard name(text, 0, dayNames) != nil, text[3] == 0x20, let month = name(text, 4, monthNames),
            text[7] == 0x20,
            let day = text[8] == 0x20 ? digit(text, 9) : pair(text, 8), text[10] == 0x20,
            let time = timeOfDay(text, 11),
            text[19] == 0x20, let century = pair(text, 20), let year = pair(text, 22)
        else { return nil }
        return instant(year: century * 100 + year, month: month + 1, day: day, time: time)
    }

    private static func parseRFC850(_ text: Span<UInt8>, now: Int64) -> Int64? {
        guard let comma = text.firstIndex(of: 0x2c), isLongDayName(text.extracting(0..<comma)),
            text.count == comma + 24
        else { return nil }
        let rest = text.extracting((comma + 1)..<text.count)
        guard rest[0] == 0x20, let day = pair(rest, 1), rest[3] == 0x2d,
            let month = name(rest, 4, monthNames),
            rest[7] == 0x2d, let twoDigits = pair(rest, 8), rest[10] == 0x20, let time = timeOfDay(rest, 11),
            rest.extracting(19..<23).equals(" GMT")
        else { return nil }
        // The latest year with these two digits whose date is at most 50 years ahead of `now`, to the second.
        let seconds = Int(min(max(now, range.lowerBound), range.upperBound))
        let days = (seconds >= 0 ? seconds : seconds - 86_399) / 86_400
        let today = CivilDay.date(days: days)
        let latest = today.year + 50
        var year = latest - (latest - twoDigits) % 100
        let limit =
            CivilDay.days(year: latest, month: today.month, day: today.day) * 86_400 + seconds - days * 86_400
        if year == latest, CivilDay.days(year: year, month: month + 1, day: day) * 86_400 + time > limit {
            year -= 100
        }
        return instant(year: year, month: month + 1, day: day, time: time)
    }

    private static func isLongDayName(_ text: Span<UInt8>) -> Bool {
        text.equals("Sunday") || text.equals("Monday") || text.equals("Tuesday") || text.equals("Wednesday")
            || text.equals("Thursday") || text.equals("Friday") || text.equals("Saturday")
    }

    private static func instant(year: Int, month: Int, day: Int, time: Int) -> Int64? {
        guard day >= 1, day <= CivilDay.length(month: month, year: year) else { return nil }
        return Int64(CivilDay.days(year: year, month: month, day: day) * 86_400 + time)
    }

    /// `hh:mm:ss` at `index`, as seconds of the day.
    private static func timeOfDay(_ text: Span<UInt8>, _ index: Int) -> Int? {
        guard let hour = pair(text, index), hour < 24, text[index + 2] == 0x3a,
            let minute = pair(text, index + 3),
            minute < 60, text[index + 5] == 0x3a, let second = pair(text, index + 6), second <= 60
        else { return nil }
        return hour * 3_600 + minute * 60 + second
    }

    private static func digit(_ text: Span<UInt8>, _ index: Int) -> Int? {
        ASCII.isDigit(text[index]) ? Int(text[index] &- 0x30) : nil
    }

    private static func pair(_ text: Span<UInt8>, _ index: Int) -> Int? {
        guard let tens = digit(text, index), let ones = digit(text, index + 1) else { return nil }
        return tens * 10 + ones
    }

    /// The position of the three-letter name at `index` in a row of such names.
    private static func name(_ text: Span<UInt8>, _ index: Int, _ names: StaticString) -> Int? {
        for position in 0..<(names.utf8CodeUnitCount / 3)
        where text[index] == names.byte(at: position * 3)
            && text[index + 1] == names.byte(at: position * 3 + 1)
            && text[index + 2] == names.byte(at: position * 3 + 2)
        {
            return position
        }
        return nil
    }
}

/// The text of the current date, formatted only when the second changes. Each thread has one.
public struct CachedHTTPDate: Sendable {
    @usableFromInline var second: Int64
    @usableFromInline var text: InlineArray<29, UInt8>

    public init() {
        second = 0
        text = HTTPDate.format(0)
    }

    /// Appends the IMF-fixdate of `now`, in Unix seconds.
    @inlinable
    public mutating func append(now: Int64, to buffer: inout ByteBuffer) {
        if now != second { renew(now) }
        buffer.append(text.span)
    }

    @usableFromInline
    mutating func renew(_ now: Int64) {
        second = now
        text = HTTPDate.format(now)
    }
}
