import Bytes
import Glibc
import Kernel
import Store

/// A process that uses a store on descriptor 3, for tests that need several processes. Exit code 0: all was
/// right; 9: it read something wrong; 3: bad usage. Bodies can be checked: they follow from key and version.
@main
struct StorePeer {
    static func main() {
        let arguments = CommandLine.arguments
        guard arguments.count >= 3, let store = try? Store.attach(to: 3, bans: Proof.bans),
            var thread = store.row()
        else {
            exit(3)
        }
        switch arguments[1] {
        case "work":
            let numbers = arguments[2...].compactMap { Int($0) }
            guard numbers.count == 4 else { exit(3) }
            work(&thread, peer: numbers[0], peers: numbers[1], keys: numbers[2], operations: numbers[3])
        case "pause":
            guard let key = Int(arguments[2]) else { exit(3) }
            if !readsAcrossStop(&thread, key: key) {
                fail("key \(key) is missing or changed under its reader")
            }
        case "stop":
            guard let moment = StoreThread.Moment(rawValue: arguments[2]) else { exit(3) }
            thread.beginTurn()
            thread.stop(at: moment, key: Proof.key(1 << 40))
            raise(SIGSTOP)
            // Keeps the row until here: a handle ends with its last use.
            thread.endTurn()
        default: exit(3)
        }
        exit(0)
    }

    /// Reads all keys and writes its own (every `peers`th), checking that bodies are whole, that a version
    /// never goes back, and that its own writes and invalidations hold. `operations` 0: until killed.
    static func work(_ thread: inout StoreThread, peer: Int, peers: Int, keys: Int, operations: Int) {
        var random = SystemRandomNumberGenerator()
        var seen = [UInt64](repeating: 0, count: keys)
        var done = 0
        while operations == 0 || done < operations {
            thread.beginTurn()
            for _ in 0..<16 {
                done += 1
                let choice = Int.random(in: 0..<100, using: &random)
                // Squaring makes low keys hot.
                let fraction = Double.random(in: 0..<1, using: &random)
                let id = Int(fraction * fraction * Double(keys))
                if choice < 60 {
                    read(thread, id, &seen)
                } else {
                    let own = id / peers * peers + peer
                    guard own < keys else { continue }
                    switch choice {
                    case ..<94: write(&thread, own, &seen)
                    case ..<97: invalidate(&thread, own, &seen)
                    case 97: renew(&thread, own, &seen)
                    case 98: ban(thread, own, &seen)
                    default: outdate(thread, own)
                    }
                }
            }
            thread.endTurn()
            if done % 512 == 0 { _ = thread.sweep(limit: 400) }
        }
    }

    static func read(_ thread: borrowing StoreThread, _ id: Int, _ seen: inout [UInt64]) {
        let key = Proof.key(id)
        let hash = thread.hash(key.span)
        guard let view = thread.lookup(key: key.span, hash: hash, ranking: { _, _ in 1 }) else { return }
        let version = Proof.version(of: view.body, id: id)
        guard let version, version >= seen[id], view.facts.words.0 == version else {
            fail("key \(id): read version \(version ?? 0), had seen \(seen[id]), \(view.body.count) bytes")
        }
        seen[id] = version
    }

    static func write(_ thread: inout StoreThread, _ id: Int, _ seen: inout [UInt64]) {
        let key = Proof.key(id)
        let hash = thread.hash(key.span)
        let version = Proof.now()
        let body = Proof.body(id: id, version: version)
        let head: [UInt8] = [1, 2, 3]
        let empty: [UInt8] = []
        let outcome = thread.insert(
            key: key.span, hash: hash, variant: .original(), facts: RecordFacts(version), vary: empty.span,
            head: head.span,
            body: body.span, expires: .max, now: 1, stamp: thread.stamp(hash))
        // This peer is the key's only writer: from now on no older version may be seen.
        if outcome == .stored { seen[id] = version }
        if outcome == .tooLarge { fail("too large") }
        read(thread, id, &seen)
    }

    static func invalidate(_ thread: inout StoreThread, _ id: Int, _ seen: inout [UInt64]) {
        let key = Proof.key(id)
        thread.invalidate(key: key.span, hash: thread.hash(key.span))
        seen[id] = Proof.now()
        read(thread, id, &seen)
    }

    static func ban(_ thread: borrowing StoreThread, _ id: Int, _ seen: inout [UInt64]) {
        thread.ban(Proof.key(id).span, soft: false)
        seen[id] = Proof.now()
        read(thread, id, &seen)
    }

    /// This peer is the key's only writer: a record that is still found is the one that was there.
    static func outdate(_ thread: borrowing StoreThread, _ id: Int) {
        let key = Proof.key(id)
        let hash = thread.hash(key.span)
        thread.ban(key.span, soft: true)
        guard let view = thread.lookup(key: key.span, hash: hash, ranking: { _, _ in 1 }) else { return }
        if !view.isOutdated { fail("key \(id): current after a soft ban") }
    }

    /// The same body under a new head: the same version.
    static func renew(_ thread: inout StoreThread, _ id: Int, _ seen: inout [UInt64]) {
        let key = Proof.key(id)
        let hash = thread.hash(key.span)
        let empty: [UInt8] = []
        guard let found = newest(thread, key, hash) else { return }
        var head = ByteBuffer(capacity: 64)
        _ = thread.renew(
            key: key.span, hash: hash, serial: found.serial, vary: empty.span, expires: .max, now: 1,
            stamp: thread.stamp(hash), head: &head
        ) { _, _, old, head in
            head.append(old.extracting(first: 8))
            head.append(1)
            return found.facts
        }
        read(thread, id, &seen)
    }

    private static func newest(
        _ thread: borrowing StoreThread, _ key: [UInt8], _ hash: Hash128
    ) -> (serial: UInt64, facts: RecordFacts)? {
        guard let view = thread.lookup(key: key.span, hash: hash, ranking: { _, _ in 1 }) else { return nil }
        return (view.serial, view.facts)
    }

    /// Stops in the middle of a body, and reads the rest when it is continued. Returns whether the body
    /// stayed the same.
    static func readsAcrossStop(_ thread: inout StoreThread, key id: Int) -> Bool {
        thread.beginTurn()
        let key = Proof.key(id)
        let hash = thread.hash(key.span)
        guard let view = thread.lookup(key: key.span, hash: hash, ranking: { _, _ in 1 }) else {
            return false
        }
        let before = view.body.copied
        raise(SIGSTOP)
        return view.body.equals(before.span) && Proof.version(of: view.body, id: id) != nil
    }

    static func fail(_ text: String) -> Never {
        let line = "StorePeer \(ProcessID.current): \(text)\n"
        _ = unsafe line.withCString { unsafe Glibc.write(2, $0, strlen($0)) }
        exit(9)
    }
}

/// Bodies that follow from key and version: the version, then a stream that only this pair gives.
enum Proof {
    /// A ban is a prefix of keys.
    static let bans = BanRules(matches: { ban, key, _ in key.hasPrefix(ban) })

    static func key(_ id: Int) -> [UInt8] { Array("http://proof.example/\(id)".utf8) }

    static func now() -> UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    static func body(id: Int, version: UInt64) -> [UInt8] {
        var state = mix(UInt64(id) &* 0x9e37_79b9_7f4a_7c15 ^ version)
        let count = 8 + Int(state % 6000)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: version >> UInt64(shift * 8))) }
        while bytes.count < count {
            state = mix(state)
            bytes.append(UInt8(truncatingIfNeeded: state))
        }
        return bytes
    }

    /// The version of a complete body that belongs to `id`; nil for any other bytes.
    static func version(of body: Span<UInt8>, id: Int) -> UInt64? {
        guard body.count >= 8 else { return nil }
        var version: UInt64 = 0
        for index in 0..<8 { version |= UInt64(body[index]) << UInt64(index * 8) }
        let expected = Proof.body(id: id, version: version)
        return body.equals(expected.span) ? version : nil
    }

    private static func mix(_ value: UInt64) -> UInt64 {
        var z = value &+ 0x9e37_79b9_7f4a_7c15
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        return z ^ (z >> 27)
    }
}
