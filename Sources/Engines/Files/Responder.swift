import Bytes
import HTTP
import Kernel
import SystemPackage

/// What all threads of an origin share; never changes.
final class FilesRoot: Sendable {
    let directory: Directory
    /// The Cache-Control of files; empty for none.
    let cacheControl: [UInt8]
    /// Answers for pages that are not there.
    let fallback: SitePage?
    /// The body of a 404.
    let notFound: SitePage?

    init(
        directory: consuming Directory, cacheControl: String, fallback: SitePage?, notFound: SitePage?
    ) {
        self.directory = directory
        self.cacheControl = Array(cacheControl.utf8)
        self.fallback = fallback
        self.notFound = notFound
    }
}

/// A file on its way out, behind the head that announced it.
struct FileBody: ~Copyable {
    let file: Descriptor
    /// As it was when the head was written: if it has changed by the end, the answer is broken off.
    let status: FileStatus
    var range: Range<Int64>
}

/// Turns one request into one answer. One per thread, its buffers reused.
struct Responder: ~Copyable {
    /// What becomes of the connection after the head in `output`.
    struct Answer: ~Copyable {
        var body: FileBody?
        /// Bytes of the request's body that are still to come, and to be thrown away.
        var unreadBody: UInt64 = 0
        var closes = false
    }

    enum Outcome: ~Copyable {
        case needMore
        case answered(Answer, headLength: Int)
    }

    private static let limits = HeadLimits(head: 65_535, fields: FieldTable.capacity)
    /// A longer request body costs the connection instead.
    private static let longestUnreadBody: UInt64 = 1 << 20

    private let root: FilesRoot
    private var head = RequestHead()
    private var path = ByteBuffer(capacity: 4_096)
    private var etag = ByteBuffer(capacity: 64)
    private var date = CachedHTTPDate()
    private var now: Int64 = 0

    init(root: FilesRoot) { self.root = root }

    /// Answers the request at the front of `input`: the head, and a short body, are appended to `output`.
    mutating func answer(
        _ input: borrowing ByteBuffer, scan: inout HeadScan, output: inout ByteBuffer
    ) -> Outcome {
        now = Int64(Clock.coarseWallMilliseconds() / 1_000)
        switch head.parse(input.span, limits: Self.limits, scan: &scan) {
        case .needMore: return .needMore
        case .refused(let refusal):
            head.method = .other
            head.minorVersion = 1
            let answer = brief(refusal.status, closes: true, to: &output)
            return .answered(answer, headLength: input.count)
        case .complete(let n):
            var closes = !head.keepAlive
            var unread: UInt64 = 0
            switch head.framing {
            case .none: break
            case .length(let count) where count <= Self.longestUnreadBody && !head.expectsContinue:
                unread = count
            case .length, .chunked, .untilClose: closes = true
            }
            var answer = answer(input, closes: closes, to: &output)
            answer.unreadBody = unread
            return .answered(answer, headLength: n)
        }
    }

    private mutating func answer(
        _ input: borrowing ByteBuffer, closes: Bool, to output: inout ByteBuffer
    ) -> Answer {
        guard head.method == .get || head.method == .head, head.form != .asterisk else {
            return brief(405, closes: closes, to: &output)
        }
        let bytes = input.span
        let isFolder: Bool
        switch FilePath.resolve(bytes.slice(head.path), into: &path) {
        case .name(let folder): isFolder = folder
        case .hidden: return missing(input, mayFallBack: false, closes: closes, to: &output)
        case .malformed: return brief(400, closes: closes, to: &output)
        }
        do {
            let file = try LinkWalk.open(path.span, below: root.directory)
            let status = try file.status()
            switch status.kind {
            case .regular: return send(file, status, input, closes: closes, to: &output)
            case .directory where !isFolder: return redirect(input, closes: closes, to: &output)
            case .directory, .stream, .other:
                return missing(input, mayFallBack: false, closes: closes, to: &output)
            }
        } catch {
            let code = Self.status(for: error)
            guard code == 404 else { return brief(code, closes: closes, to: &output) }
            return missing(input, mayFallBack: error != .improperLink, closes: closes, to: &output)
        }
    }

    /// What leads out of the root is as if it weren't there.
    private static func status(for error: Errno) -> UInt16 {
        switch error {
        case .noSuchFileOrDirectory, .notDirectory, .tooManySymbolicLinkLevels, .improperLink,
            .fileNameTooLong,
            .noSuchAddressOrDevice:
            404
        case .permissionDenied, .notPermitted: 403
        case .tooManyOpenFiles, .tooManyOpenFilesInSystem, .noMemory, .resourceTemporarilyUnavailable: 503
        default: 500
        }
    }

    /// Where no file has the name: the fallback for a page, else 404.
    ///
    /// - Parameter mayFallBack: is the name one that a file could have?
    private mutating func missing(
        _ input: borrowing ByteBuffer, mayFallBack: Bool, closes: Bool, to output: inout ByteBuffer
    ) -> Answer {
        if mayFallBack, let page = root.fallback, MediaType.mayBePage(path.span), let file = open(page) {
            path.removeAll()
            path.append(page.name.span)
            return send(file.file, file.status, isFallback: true, input, closes: closes, to: &output)
        }
        guard let page = root.notFound, let file = open(page) else {
            return brief(404, closes: closes, to: &output)
        }
        begin(404, closes: closes, to: &output)
        output.append("Cache-Control: no-store\r\nContent-Type: ")
        output.append(MediaType.of(page.name.span))
        output.append("\r\nContent-Length: ")
        output.append(decimal: UInt64(file.range.count))
        output.append("\r\n\r\n")
        if head.method == .head || file.range.isEmpty { return Answer(closes: closes) }
        return Answer(body: file, closes: closes)
    }

    /// nil where it is gone, or no regular file any more.
    private func open(_ page: SitePage) -> FileBody? {
        guard let file = try? LinkWalk.open(page.name.span, below: root.directory),
            let status = try? file.status(), status.kind == .regular
        else { return nil }
        return FileBody(file: file, status: status, range: 0..<status.size)
    }

    // MARK: Answers

    /// - Parameter isFallback: the file stands in for another that may be put there at any moment: kept
    ///   copies are revalidated.
    private mutating func send(
        _ file: consuming Descriptor, _ status: FileStatus, isFallback: Bool = false,
        _ input: borrowing ByteBuffer, closes: Bool, to output: inout ByteBuffer
    ) -> Answer {
        writeTag(status)
        // A file from the future must not claim so (§8.8.2.1).
        let lastModified = min(status.modifiedSeconds, now)
        let verdict = Preconditions.judge(
            head, input.span,
            Preconditions.File(etag: etag.span, lastModified: lastModified, size: status.size, now: now))
        var range: Range<Int64> = 0..<status.size
        let code: UInt16
        switch verdict {
        case .whole: code = 200
        case .part(let part):
            code = 206
            range = part
        case .notModified:
            begin(304, closes: closes, to: &output)
            appendValidators(nil, to: &output)
            appendCacheControl(isFallback: isFallback, to: &output)
            output.append("\r\n")
            return Answer(closes: closes)
        case .failed: return brief(412, closes: closes, to: &output)
        case .unsatisfiable: return brief(416, closes: closes, size: status.size, to: &output)
        }
        begin(code, closes: closes, to: &output)
        output.append("Content-Type: ")
        output.append(MediaType.of(path.span))
        output.append("\r\nContent-Length: ")
        output.append(decimal: UInt64(range.count))
        output.append("\r\n")
        if code == 206 {
            output.append("Content-Range: bytes ")
            output.append(decimal: UInt64(range.lowerBound))
            output.append("-" as StaticString)
            output.append(decimal: UInt64(range.upperBound - 1))
            output.append("/" as StaticString)
            output.append(decimal: UInt64(status.size))
            output.append("\r\n")
        }
        output.append("Accept-Ranges: bytes\r\n")
        appendValidators(lastModified, to: &output)
        appendCacheControl(isFallback: isFallback, to: &output)
        output.append("\r\n")
        if head.method == .head || range.isEmpty { return Answer(closes: closes) }
        return Answer(body: FileBody(file: file, status: status, range: range), closes: closes)
    }

    /// To the same path with a slash behind it: the path as it was understood, without dot segments and empty
    /// ones, so that it cannot name another host.
    private mutating func redirect(
        _ input: borrowing ByteBuffer, closes: Bool, to output: inout ByteBuffer
    ) -> Answer {
        let bytes = input.span
        begin(301, closes: closes, to: &output)
        output.append("Location: /")
        FilePath.appendEncoded(path.span.extracting(0..<(path.count - 1)), to: &output)
        output.append("/" as StaticString)
        if head.hasQuery {
            output.append("?" as StaticString)
            output.append(bytes.slice(head.query))
        }
        output.append("\r\nContent-Length: 0\r\n")
        appendCacheControl(to: &output)
        output.append("\r\n")
        return Answer(closes: closes)
    }

    /// An answer of the origin's own: its reason phrase as plain text.
    private mutating func brief(
        _ code: UInt16, closes: Bool, size: Int64? = nil, to output: inout ByteBuffer
    ) -> Answer {
        begin(code, closes: closes, to: &output)
        if code == 405 { output.append("Allow: GET, HEAD\r\n") }
        if let size {
            output.append("Content-Range: bytes */")
            output.append(decimal: UInt64(size))
            output.append("\r\n")
        }
        // Never the site's: a file that was just put there has to be seen at once.
        output.append("Cache-Control: no-store\r\n")
        let text = StatusText.reason(code)
        output.append("Content-Type: text/plain; charset=utf-8\r\nContent-Length: ")
        output.append(decimal: UInt64(text.utf8CodeUnitCount + 1))
        output.append("\r\n\r\n")
        if head.method != .head {
            output.append(text)
            output.append(0x0a as UInt8)
        }
        return Answer(closes: closes)
    }

    // MARK: Parts of heads

    private mutating func begin(_ code: UInt16, closes: Bool, to output: inout ByteBuffer) {
        output.append("HTTP/1.1 ")
        output.append(decimal: UInt64(code))
        output.append(0x20 as UInt8)
        output.append(StatusText.reason(code))
        output.append("\r\nDate: ")
        date.append(now: now, to: &output)
        output.append("\r\n")
        if closes {
            output.append("Connection: close\r\n")
        } else if head.minorVersion == 0 {
            output.append("Connection: keep-alive\r\n")
        }
    }

    /// Strong: inode, size and the nanosecond of the last modification name one state of one file.
    private mutating func writeTag(_ status: FileStatus) {
        etag.removeAll()
        etag.append(0x22 as UInt8)
        etag.append(hexadecimal: status.inode)
        etag.append(0x2d as UInt8)
        etag.append(hexadecimal: UInt64(bitPattern: status.size))
        etag.append(0x2d as UInt8)
        etag.append(
            hexadecimal: UInt64(
                bitPattern: status.modifiedSeconds &* 1_000_000_000 &+ status.modifiedNanoseconds))
        etag.append(0x22 as UInt8)
    }

    private func appendValidators(_ lastModified: Int64?, to output: inout ByteBuffer) {
        output.append("ETag: ")
        output.append(etag.span)
        if let lastModified {
            output.append("\r\nLast-Modified: ")
            HTTPDate.append(lastModified, to: &output)
        }
        output.append("\r\n")
    }

    private func appendCacheControl(isFallback: Bool = false, to output: inout ByteBuffer) {
        if isFallback { return output.append("Cache-Control: no-cache\r\n") }
        let cacheControl = root.cacheControl
        guard !cacheControl.isEmpty else { return }
        output.append("Cache-Control: ")
        output.append(cacheControl.span)
        output.append("\r\n")
    }
}
