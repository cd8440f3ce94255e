/// What tells this machine, or container, from all others: the same after a restart of Larder.

internal import Foundation

enum Installation {
    /// The machine's id (systemd), the host's name (a container has one of its own), and the network
    /// namespace (containers that share both have one each). What cannot be read is left out.
    static var description: String {
        let files = FileManager.default
        let texts = ["/etc/machine-id", "/proc/sys/kernel/hostname"].map { path in
            files.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? ""
        }
        let network = try? files.destinationOfSymbolicLink(atPath: "/proc/self/ns/net")
        return (texts + [network ?? ""]).joined(separator: "\n")
    }
}
