import Bytes
import Files
import Foundation
import Kernel
import SystemPackage
import Testing

/// A folder with every kind of file that a file origin may meet, and an origin that serves it.
final class Site: Sendable {
    let base: String
    var root: String { base + "/root" }
    let origin: FilesOrigin
    static let bigSize = 1_500_001

    init(
        cacheControl: String? = "public, max-age=60", fallback: String? = nil, notFound: String? = nil,
        threads: Int = 1
    ) throws {
        base = NSTemporaryDirectory() + "larder-files-\(UUID().uuidString)"
        let root = base + "/root"
        let files = FileManager.default
        let folders = [
            "", "/sub/deep", "/empty", "/.git", "/with space", "/-dash", "/.well-known", "/sub/.well-known",
            "/..2026",
        ]
        for folder in folders {
            try files.createDirectory(atPath: root + folder, withIntermediateDirectories: true)
        }
        let texts = [
            "/index.html": "<h1>home</h1>", "/a.txt": "0123456789", "/sub/index.html": "<h1>sub</h1>",
            "/sub/deep/x.css": "a{}", "/.secret": "SECRET", "/.git/config": "SECRET", "/empty.txt": "",
            "/ü.txt": "umlaut",
            "/with space/b.js": "1", "/percent%41.txt": "percent", "/README": "no extension",
            "/x.TXT": "upper",
            "/-dash/c.json": "{}", "/.well-known/security.txt": "contact", "/.well-known/.token": "SECRET",
            "/sub/.well-known/x": "SECRET", "/..2026/volume.txt": "volume", "/404.html": "<h1>lost</h1>",
        ]
        for (name, text) in texts { try text.write(toFile: root + name, atomically: false, encoding: .utf8) }
        try "SECRET".write(toFile: base + "/outside.txt", atomically: false, encoding: .utf8)
        try Data(Self.bigBytes).write(to: URL(fileURLWithPath: root + "/big.bin"))
        let links = [
            "/in.txt": "a.txt", "/sub/up.txt": "../a.txt", "/out.txt": "../outside.txt",
            "/passwd": "/etc/passwd",
            "/absolute.txt": root + "/a.txt", "/parent": "..", "/loop": "loop", "/dangling": "nowhere",
            "/sub/twice.txt": "../../outside.txt", "/process": "/proc/self/root", "/subLink": "sub",
            "/toSecret.txt": ".secret", "/sub/toSecret.txt": "../.secret", "/toGit": ".git",
            "/toConfig": "toGit/config", "/.hiddenLink": "a.txt", "/toHiddenLink": ".hiddenLink",
            "/toToken": ".well-known/.token", "/toContact.txt": ".well-known/security.txt",
            "/..data": "..2026", "/volume.txt": "..data/volume.txt", "/around.txt": "sub/../././a.txt",
            "/toFolder": "subLink/deep", "/here": ".", "/backAndForth": "sub/../../root/a.txt",
        ]
        for (name, target) in links {
            try files.createSymbolicLink(atPath: root + name, withDestinationPath: target)
        }
        _ = unsafe mkfifo(root + "/fifo", 0o600)
        origin = try FilesOrigin(
            root: Directory.open(root), cacheControl: cacheControl,
            fallback: fallback.flatMap { SitePage($0) }, notFound: notFound.flatMap { SitePage($0) },
            threads: threads)
    }

    static let bigBytes: [UInt8] = (0..<bigSize).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }

    deinit {
        origin.stop()
        try? FileManager.default.removeItem(atPath: base)
    }

    /// One request on a connection of its own.
    func ask(_ method: String, _ target: String, _ fields: String...) throws -> Answer {
        let lines = ["\(method) \(target) HTTP/1.1", "Host: x"] + fields + ["Connection: close", "", ""]
        var client = Client(try origin.connect())
        client.send(lines.joined(separator: "\r\n"))
        let bytes = client.receiveAll()
        return Answer(bytes)
    }
}

/// The proxy's end of a connection, for tests: calls block.
struct Client: ~Copyable {
    let socket: Socket
    private var buffer = ByteBuffer(capacity: 1 << 16)

    init(_ socket: consuming Socket) { self.socket = socket }

    mutating func send(_ text: String) {
        var rest = ArraySlice(text.utf8)
        while !rest.isEmpty {
            let run = Array(rest)
            switch socket.send(run.span) {
            case .bytes(let n): rest = rest.dropFirst(n)
            case .wouldBlock: usleep(200)
            case .endOfStream, .failed: return
            }
        }
    }

    /// Reads until the other end closes, for five seconds at most.
    mutating func receiveAll() -> [UInt8] {
        var waits = 0
        while waits < 25_000 {
            switch socket.receive(into: &buffer, atMost: 1 << 16) {
            case .bytes: continue
            case .wouldBlock:
                usleep(200)
                waits += 1
            case .endOfStream, .failed: return buffer.span.copied
            }
        }
        Issue.record("the other end did not close: \(buffer.span.string.prefix(300))")
        return buffer.span.copied
    }

    /// Reads until there are `count` bytes, for five seconds at most.
    mutating func receive(_ count: Int) -> [UInt8] {
        var waits = 0
        while buffer.count < count, waits < 25_000 {
            switch socket.receive(into: &buffer, atMost: count - buffer.count) {
            case .bytes: continue
            case .wouldBlock:
                usleep(200)
                waits += 1
            case .endOfStream, .failed: return buffer.span.copied
            }
        }
        return buffer.span.copied
    }
}

struct Answer {
    var status = 0
    var head = ""
    var body: [UInt8] = []
    var text: String { String(decoding: body, as: UTF8.self) }

    init(_ bytes: [UInt8]) {
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return }
        head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
        body = Array(bytes[end.upperBound...])
        status = Int(head.split(separator: " ")[1]) ?? 0
    }

    /// The value of a field that occurs once; nil if it does not occur.
    subscript(_ name: String) -> String? {
        let values = head.split(separator: "\r\n").filter {
            $0.lowercased().hasPrefix(name.lowercased() + ": ")
        }
        return values.count == 1
            ? String(values[0].dropFirst(name.count + 2)) : values.isEmpty ? nil : "TWICE"
    }
}
