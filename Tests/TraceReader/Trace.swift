import CZlib
import Glibc

/// The request traces of Tests/Traces. Its README names their origin.
public struct Trace: Sendable {
    /// Object and its size in bytes; the same object always has the same size.
    public var requests: [(id: Int, size: Int)] = []

    /// The sum of the sizes of all objects, each counted once.
    public var footprint: Int {
        var sizes: [Int: Int] = [:]
        for request in requests { sizes[request.id] = request.size }
        return sizes.values.reduce(0, +)
    }

    /// A day of NASA's web server: GET 200 up to 64 KiB. A URL has the size of its first response, plus
    /// `overhead`.
    public static func nasa(overhead: Int) -> Trace {
        var trace = Trace()
        var known: [String: (id: Int, size: Int)] = [:]
        for line in lines(of: "nasa-1995-08-01.clf.gz") {
            let parts = line.split(separator: "\"", omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            let request = parts[1].split(separator: " ")
            let answer = parts[2].split(separator: " ")
            guard request.count >= 2, request[0] == "GET", answer.count == 2, answer[0] == "200" else {
                continue
            }
            let size = Int(answer[1]) ?? 0
            guard size <= 65536 else { continue }
            let url = String(request[1])
            let object = known[url] ?? (known.count, size + overhead)
            known[url] = object
            trace.requests.append(object)
        }
        return trace
    }

    /// A web cache's object ids, each object of `size` bytes.
    public static func web07(size: Int) -> Trace {
        Trace(requests: lines(of: "web07.ids.gz").compactMap { Int($0).map { ($0, size) } })
    }

    private static func lines(of name: String) -> [Substring] {
        var directory = #filePath.split(separator: "/").dropLast(2)
        directory += ["Traces", Substring(name)]
        let path = "/" + directory.joined(separator: "/")
        guard let file = unsafe gzopen(path, "r") else { fatalError("cannot open \(path)") }
        defer { unsafe gzclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe gzread(file, &chunk, UInt32(chunk.count))
            precondition(count >= 0, "cannot read \(path)")
            if count == 0 { break }
            bytes += chunk[..<Int(count)]
        }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    }
}
