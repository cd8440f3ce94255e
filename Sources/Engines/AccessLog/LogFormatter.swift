import Bytes

/// Writes records as lines. Lives on the writer's thread.
struct LogFormatter {
    private let format: LogFormat
    private let routes: [[UInt8]]
    private let servers: [[UInt8]]
    private let reasons: [[UInt8]]
    private var second: UInt64 = 0
    private var iso = [UInt8]("1970-01-01T00:00:00.".utf8)
    private var common = [UInt8]("01/Jan/1970:00:00:00 +0000".utf8)

    init(_ options: AccessLog.Options) {
        format = options.format
        routes = options.routes.map { Array($0.utf8) }
        servers = options.servers.map { Array($0.utf8) }
        reasons = options.reasons.map { Array($0.utf8) }
    }

    /// Appends the line of one record of a batch, its line feed included.
    mutating func append(_ batch: borrowing Batch, _ index: Int, to out: inout ByteBuffer) {
        let entry = batch.entries[index]
        let text = batch.text.span
        renewDates(entry.record.wallMilliseconds / 1_000)
        switch format {
        case .json: appendJSON(entry, text, to: &out)
        case .template(let pieces):
            for piece in pieces {
                switch piece {
                case .text(let bytes): out.append(bytes.span)
                case .field(let field): append(field, entry, text, to: &out)
                }
            }
            out.append(0x0a as UInt8)
        }
    }

    private mutating func renewDates(_ now: UInt64) {
        guard now != second else { return }
        second = now
        // "Sun, 06 Nov 1994 08:49:37 GMT", put into another order.
        let date = HTTPDate.format(Int64(clamping: now))
        let names: StaticString = "JanFebMarAprMayJunJulAugSepOctNovDec"
        var month = 0
        for index in 0..<12 where date.span.extracting(8..<11).equals(Self.monthName(names, index).span) {
            month = index + 1
        }
        func digits(_ range: Range<Int>) -> [UInt8] { range.map { date[$0] } }
        let monthDigits = [UInt8(0x30 + month / 10), UInt8(0x30 + month % 10)]
        iso = digits(12..<16) + [0x2d] + monthDigits + [0x2d] + digits(5..<7) + [0x54] + digits(17..<25)
        iso.append(0x2e)
        common =
            digits(5..<7) + [0x2f] + digits(8..<11) + [0x2f] + digits(12..<16) + [0x3a] + digits(17..<25)
            + Array(" +0000".utf8)
    }

    private static func monthName(_ names: StaticString, _ index: Int) -> [UInt8] {
        (0..<3).map { names.byte(at: index * 3 + $0) }
    }

    private func appendTime(_ record: AccessRecord, to out: inout ByteBuffer) {
        out.append(iso.span)
        let millisecond = record.wallMilliseconds % 1_000
        if millisecond < 100 { out.append(0x30 as UInt8) }
        if millisecond < 10 { out.append(0x30 as UInt8) }
        out.append(decimal: millisecond)
        out.append(0x5a as UInt8)
    }

    // MARK: JSON

    /// Members that have no value are left out; the order never changes.
    private func appendJSON(_ entry: Entry, _ text: Span<UInt8>, to out: inout ByteBuffer) {
        let record = entry.record
        out.append("{\"time\":\"")
        appendTime(record, to: &out)
        out.append("\"")
        member(",\"client\":\"", text.extracting(entry.range(.client)), to: &out)
        member(",\"peer\":\"", text.extracting(entry.range(.peer)), to: &out)
        member(",\"method\":\"", text.extracting(entry.range(.method)), to: &out)
        member(",\"host\":\"", text.extracting(entry.range(.host)), to: &out)
        member(",\"target\":\"", text.extracting(entry.range(.target)), to: &out)
        out.append(",\"version\":\"")
        out.append(record.version.code)
        out.append("\",\"status\":")
        out.append(decimal: UInt64(record.status))
        out.append(",\"bytes\":")
        out.append(decimal: record.bytesSent)
        out.append(",\"duration_us\":")
        out.append(decimal: record.durationMicroseconds)
        out.append(",\"cache\":\"")
        out.append(record.cache.code)
        out.append("\"")
        if record.reasons[0] != 0 {
            member(",\"reason\":\"", reasonName(record, 0).span, to: &out)
            out.append(",\"reasons\":[\"")
            appendReasons(record, between: "\",\"", to: &out)
            out.append("\"]")
        }
        member(",\"cause\":\"", record.cause, to: &out)
        member(",\"rule\":\"", record.rule, to: &out)
        member(",\"found\":\"", text.extracting(entry.range(.found)), to: &out)
        member(",\"route\":\"", name(record.route, routes).span, to: &out)
        member(",\"server\":\"", name(record.server, servers).span, to: &out)
        member(",\"failed_server\":\"", name(record.failedServer, servers).span, to: &out)
        member(",\"choice\":\"", record.choice.code, to: &out)
        member(",\"referer\":\"", text.extracting(entry.range(.referer)), to: &out)
        member(",\"user_agent\":\"", text.extracting(entry.range(.userAgent)), to: &out)
        out.append("}\n")
    }

    private func member(_ opening: StaticString, _ value: Span<UInt8>, to out: inout ByteBuffer) {
        guard value.count > 0 else { return }
        out.append(opening)
        LogText.appendJSON(value, to: &out)
        out.append(0x22 as UInt8)
    }

    private func member(_ opening: StaticString, _ code: StaticString, to out: inout ByteBuffer) {
        guard code.utf8CodeUnitCount > 0 else { return }
        out.append(opening)
        out.append(code)
        out.append(0x22 as UInt8)
    }

    private func reasonNumber(_ record: AccessRecord, _ place: Int) -> Int {
        Int(record.reasons[place / 8] >> UInt64(place % 8 * 8) & 0xff)
    }

    private func reasonName(_ record: AccessRecord, _ place: Int) -> [UInt8] {
        let number = reasonNumber(record, place)
        return number == 0 ? [] : name(Int32(number), reasons)
    }

    private func appendReasons(
        _ record: AccessRecord, between separator: StaticString, to out: inout ByteBuffer
    ) {
        for place in 0..<16 where reasonNumber(record, place) != 0 {
            if place > 0 { out.append(separator) }
            out.append(reasonName(record, place).span)
        }
    }

    // MARK: Templates

    private func append(
        _ field: LogFormat.Field, _ entry: Entry, _ text: Span<UInt8>, to out: inout ByteBuffer
    ) {
        let record = entry.record
        switch field {
        case .time: appendTime(record, to: &out)
        case .timeLocal: out.append(common.span)
        case .client: value(text.extracting(entry.range(.client)), to: &out)
        case .peer:
            let isTold = !entry.range(.peer).isEmpty
            value(text.extracting(entry.range(isTold ? .peer : .client)), to: &out)
        case .method: value(text.extracting(entry.range(.method)), to: &out)
        case .target: value(text.extracting(entry.range(.target)), to: &out)
        case .host: value(text.extracting(entry.range(.host)), to: &out)
        case .version: out.append(record.version.code)
        case .status: out.append(decimal: UInt64(record.status))
        case .bytes: out.append(decimal: record.bytesSent)
        case .durationMicroseconds: out.append(decimal: record.durationMicroseconds)
        case .cache: out.append(record.cache.code)
        case .reason: value(reasonName(record, 0).span, to: &out)
        case .reasons:
            if record.reasons[0] == 0 {
                value("", to: &out)
            } else {
                appendReasons(record, between: ",", to: &out)
            }
        case .cause: value(record.cause, to: &out)
        case .rule: value(record.rule, to: &out)
        case .found: value(text.extracting(entry.range(.found)), to: &out)
        case .route: value(name(record.route, routes).span, to: &out)
        case .server: value(name(record.server, servers).span, to: &out)
        case .failedServer: value(name(record.failedServer, servers).span, to: &out)
        case .choice: value(record.choice.code, to: &out)
        case .referer: value(text.extracting(entry.range(.referer)), to: &out)
        case .userAgent: value(text.extracting(entry.range(.userAgent)), to: &out)
        }
    }

    private func value(_ text: Span<UInt8>, to out: inout ByteBuffer) {
        if text.count == 0 { out.append(0x2d as UInt8) } else { LogText.appendEscaped(text, to: &out) }
    }

    private func value(_ code: StaticString, to out: inout ByteBuffer) {
        if code.utf8CodeUnitCount == 0 { out.append(0x2d as UInt8) } else { out.append(code) }
    }

    /// The name behind an index; the index itself where a later configuration has more names than this one.
    private func name(_ index: Int32, _ names: [[UInt8]]) -> [UInt8] {
        if index < 0 { return [] }
        return Int(index) < names.count ? names[Int(index)] : Array("#\(index)".utf8)
    }
}
