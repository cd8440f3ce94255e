/// The policies that Larder ships, from the binary itself: the texts of `cache-policies/*.yaml`, so that
/// their names can be used, and extended, without files.

internal import CPolicies

enum ShippedPolicies {
    /// In the order of the names.
    static let names: [String] = (0..<larder_policy_count()).compactMap { index in
        // Safe: a string of the program's own data that ends in a zero byte, or nil.
        guard let name = unsafe larder_policy_name(index) else { return nil }
        return unsafe String(cString: name)
    }

    /// The file's text; nil for a name that is not shipped.
    static func text(_ name: String) -> String? {
        // Safe: as above.
        guard let index = names.firstIndex(of: name), let text = unsafe larder_policy_text(CInt(index)) else {
            return nil
        }
        return unsafe String(cString: text)
    }
}
