// Stand-in until Bytes has HTTPDate.
internal import Bytes

enum HTTPDate {
    private static var months: StaticString { "JanFebMarAprMayJunJulAugSepOctNovDec" }
    private static var days: StaticString { "ThuFriSatSunMonTueWed" }

    static func parse(_ text: Span<UInt8>, now: Int64) -> Int64? {
        guard text.count == 29 else { return nil }
        func number(_ start: Int, _ count: Int) -> Int64? {
            text.extracting(start..<(start + count)).decimalSaturating().map { Int64(clamping: $0) }
        }
        guard let day = number(5, 2), let year = number(12, 4), let hour = number(17, 2),
            let minute = number(20, 2),
            let second = number(23, 2)
        else { return nil }
        for month in 0..<12 {
            var same = true
            for index in 0..<3 where text[8 + index] != months.byte(at: month * 3 + index) { same = false }
            if same {
                let m = Int64(month + 1)
                let y = m <= 2 ? year - 1 : year
                let era = y / 400
                let yoe = y - era * 400
                let doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + day - 1
                let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy
                return (era * 146_097 + doe - 719_468) * 86_400 + hour * 3600 + minute * 60 + second
            }
        }
        return nil
    }

    static func append(_ seconds: Int64, to buffer: inout ByteBuffer) {
        let z = seconds / 86_400 + 719_468
        let rest = seconds % 86_400
        let era = z / 146_097
        let doe = z - era * 146_097
        let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100)
        let mp = (5 * doy + 2) / 153
        let day = doy - (153 * mp + 2) / 5 + 1
        let month = mp < 10 ? mp + 3 : mp - 9
        let year = yoe + era * 400 + (month <= 2 ? 1 : 0)
        func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
        func pick(_ text: StaticString, _ index: Int64) -> String {
            String(decoding: (0..<3).map { text.byte(at: Int(index) * 3 + $0) }, as: UTF8.self)
        }
        buffer.append(
            pick(days, (seconds / 86_400) % 7) + ", \(two(day)) " + pick(months, month - 1) + " \(year) ")
        buffer.append("\(two(rest / 3600)):\(two(rest / 60 % 60)):\(two(rest % 60)) GMT")
    }
}
