internal import CKernel
internal import Glibc
public import SystemPackage

/// Users of this machine. To be asked before threads start: the C library answers in memory of its own.
public enum User {
    /// The effective id of this process.
    public static var current: UInt32 { geteuid() }

    /// nil: there is no such user.
    public static func id(named name: String) -> UInt32? {
        guard let entry = unsafe getpwnam(name) else { return nil }
        return unsafe entry.pointee.pw_uid
    }

    /// Makes this process the user's, groups and all, for good. Needs root.
    public static func become(_ name: String) throws(Errno) {
        // The name is read during the call.
        try check(unsafe name.withCString { unsafe larder_become_user($0) })
    }

    /// nil: the id has no name here.
    public static func name(of id: UInt32) -> String? {
        guard let entry = unsafe getpwuid(id), let name = unsafe entry.pointee.pw_name else { return nil }
        return unsafe String(cString: name)
    }
}
