/// A stored entry that an exchange may renew, or fall back on.
struct Renewal: BitwiseCopyable, Equatable {
    let serial: UInt64
    /// The fetch is sent with the entry's validators.
    var isConditional: Bool
    /// The entry may answer where the origin fails.
    let mayIfError: Bool
    /// A 304 is of no use, as one was before: what is stored instead says so (`EntryFacts`).
    let isFetchedWhole: Bool
}
