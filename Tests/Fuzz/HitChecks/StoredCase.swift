/// A record of a `HitCase` as the store holds it.
import Bytes
import Caching

extension HitCase.Record {
    func headBytes(bodyCount: Int) -> [UInt8] {
        var text = "HTTP/1.1 \(status) Some Reason\r\nDate: Fri, 15 Jan 2027 08:00:00 GMT\r\n"
        for line in lines { text += line + "\r\n" }
        if coding != .identity { text += "Content-Encoding: \(coding.name)\r\n" }
        if !vary.isEmpty { text += "Vary: \(vary)\r\n" }
        if status != 204 { text += "Content-Length: \(bodyCount)\r\n" }
        return Array(text.utf8)
    }

    func body(behind headCount: Int, limit: Int) -> [UInt8] {
        if status == 204 { return [] }
        let count = max(isCountedFromLimit ? limit - headCount + bodyCount : bodyCount, 0)
        return (0..<count).map { UInt8(ascii: "a") + UInt8(($0 * 7 + Int(coding.rawValue)) % 26) }
    }

    func facts(_ rules: Rules, varies: Bool, at now: Times) -> EntryFacts {
        var flags = flags
        if varies { flags.insert(.varies) } else { flags.remove(.varies) }
        return EntryFacts(
            received: Times(
                wallMilliseconds: now.wallMilliseconds - residenceMilliseconds,
                bootMilliseconds: now.bootMilliseconds - residenceMilliseconds),
            initialAgeMilliseconds: initialAgeMilliseconds,
            freshForMilliseconds: UInt64(max(Int64(residenceMilliseconds) + leftMilliseconds, 0)),
            status: status, coding: coding, flags: flags,
            fingerprint: isForeign ? ~rules.fingerprint : rules.fingerprint,
            staleWhileRevalidateSeconds: staleWhileRevalidateSeconds,
            staleIfErrorSeconds: staleIfErrorSeconds)
    }
}

extension HitCase {
    /// Is an answer of the general way to this one that the short way has to give as well? It may decline
    /// more, but not the common case: one record, fresh, in a coding that nothing better could replace.
    func mustBePlain(_ verdict: RequestVerdict, _ rules: Rules) -> Bool {
        guard verdict.isPlain, records.count == 1, purges.isEmpty else { return false }
        let record = records[0]
        let preferred = rules.compression.choose(accepted: verdict.codings) ?? .identity
        return record.leftMilliseconds > 0 && !record.isForeign && verdict.codings.contains(record.coding)
            && record.flags.isDisjoint(with: [.alwaysRevalidate, .codedForUnstated])
            && (record.coding == preferred || !record.flags.contains(.compressible))
    }
}
