import Bytes
import Kernel
import SystemPackage

/// Follows the symbolic links in a name below the root, by text: each link is replaced by what it says, until
/// none is left. What comes out is opened without following links, so a link that changes meanwhile leads to
/// an error and not to another file.
///
/// A link may not lead out of the root, be absolute, or pass through a hidden name: a file that is not served
/// under its own name is not served under another. One kind of hidden name may be passed through: `..data`
/// and its like (two dots and more), by which Kubernetes publishes the files of a volume.
enum LinkWalk {
    /// As many as the kernel follows.
    private static let mostLinks = 40

    /// Opens a file or directory. Only a name with links in it costs more than one system call.
    static func open(_ path: Span<UInt8>, below root: borrowing Directory) throws(Errno) -> Descriptor {
        do {
            return try root.open(beneath: path)
        } catch {
            guard error == .tooManySymbolicLinkLevels else { throw error }
        }
        let name = try resolve(path, below: root)
        return try root.open(beneath: name.span)
    }

    /// - Parameter path: relative, a NUL behind it; `FilePath` wrote it.
    /// - Returns: the name that it leads to, a NUL behind it.
    /// Throws `.improperLink` for what is not to be served, `.tooManySymbolicLinkLevels` for a circle, else
    /// what the kernel says.
    static func resolve(
        _ path: Span<UInt8>, below root: borrowing Directory
    ) throws(Errno) -> [UInt8] {
        var rest = segments(path.extracting(0..<(path.count - 1)).copied)
        var done: [[UInt8]] = []
        var links = 0
        while let segment = rest.popLast() {
            if segment == dot { continue }
            if segment == dotDot {
                guard done.popLast() != nil else { throw .improperLink }
                continue
            }
            guard !isHidden(segment, isFirst: done.isEmpty) else { throw .improperLink }
            done.append(segment)
            let path = name(done)
            guard let text = try root.linkText(beneath: path.span) else { continue }
            done.removeLast()
            links += 1
            guard links <= mostLinks else { throw .tooManySymbolicLinkLevels }
            guard text.first != slash else { throw .improperLink }
            rest += segments(text)
        }
        return name(done.isEmpty ? [dot] : done)
    }

    private static let slash = UInt8(ascii: "/")
    private static let dot = [UInt8(ascii: ".")]
    private static let dotDot = [UInt8(ascii: "."), UInt8(ascii: ".")]

    private static func name(_ segments: [[UInt8]]) -> [UInt8] {
        Array(segments.joined(separator: [slash])) + [0]
    }

    /// The last first.
    private static func segments(_ text: [UInt8]) -> [[UInt8]] {
        text.split(separator: slash).map { Array($0) }.reversed()
    }

    private static func isHidden(_ segment: [UInt8], isFirst: Bool) -> Bool {
        FilePath.isHidden(segment.span, isFirst: isFirst) && !segment.starts(with: dotDot)
    }
}
