/// A text that identifies this machine or container. It stays the same when Larder restarts.

internal import Foundation

enum Installation {
    /// The machine id (systemd), the host name (each container has its own), and the network namespace (it
    /// differs between containers that share both). A part that cannot be read stays empty.
    static var description: String {
        let files = FileManager.default
        let texts = ["/etc/machine-id", "/proc/sys/kernel/hostname"].map { path in
            files.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? ""
        }
        let network = try? files.destinationOfSymbolicLink(atPath: "/proc/self/ns/net")
        return (texts + [network ?? ""]).joined(separator: "\n")
    }
}
