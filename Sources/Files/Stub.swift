public import Kernel
public import SystemPackage
public final class FilesOrigin: Sendable {
    public init(root: String, cacheControl: String) throws(Errno) {}
    public func connect() throws(Errno) -> Socket { throw .notSupported }
}
