/// The policies that are part of the program: the texts of `cache-policies/*.yaml`. A configuration can use
/// and extend them without files.

internal import CPolicies

enum ShippedPolicies {
    /// The names, sorted.
    static let names: [String] = (0..<larder_policy_count()).compactMap { index in
        // Safe: the function returns nil or a string constant of the program that ends with a zero byte.
        guard let name = unsafe larder_policy_name(index) else { return nil }
        return unsafe String(cString: name)
    }

    /// The text of the policy file, or nil for a name that is not shipped.
    static func text(_ name: String) -> String? {
        // Safe: as above.
        guard let index = names.firstIndex(of: name), let text = unsafe larder_policy_text(CInt(index)) else {
            return nil
        }
        return unsafe String(cString: text)
    }
}
