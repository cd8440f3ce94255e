// Cases that fail today because what they ask for is not built yet. A case that passes must go from here: the tests see
// to it.

enum Pending {
    static func names(_ law: Law) -> Set<String> {
        switch law {
        case .pessimistic: both.union(pessimistic)
        case .rfc9111: both.union(rfc9111)
        }
    }

    private static let both: Set<String> = [
        "a blank in a group's name",
        "a group",
        "one of several groups",
        "parameters mean nothing",
        "several groups at once",
    ]

    private static let pessimistic: Set<String> = []

    private static let rfc9111: Set<String> = []
}
