internal import Bytes
public import Kernel
internal import SystemPackage

/// A file of the site that answers for others: the fallback of a single-page application, or the page that
/// goes with 404.
public struct SitePage: Sendable, Equatable {
    /// Below the root, a NUL behind it.
    let name: [UInt8]

    /// - Parameter path: as a request asks for it, such as `/404.html`.
    /// - Returns: nil for what is no path of a visible file.
    public init?(_ path: String) {
        var name = ByteBuffer(capacity: 64)
        let result = FilePath.resolve(Array(path.utf8).span, into: &name)
        guard result == .name(isFolder: false) else { return nil }
        self.name = name.span.copied
    }

    /// Why it cannot be sent as things are; nil: it can.
    public func problem(in root: borrowing Directory) -> String? {
        do {
            let file = try LinkWalk.open(name.span, below: root)
            return try file.status().kind == .regular ? nil : "it is no regular file"
        } catch .improperLink {
            return "it leads out of the folder, or to a hidden file"
        } catch {
            return "\(error)"
        }
    }
}
