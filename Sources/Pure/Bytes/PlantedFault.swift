/// A decision that is made wrongly on purpose, so that the simulator can show that it would notice.
///
/// The hooks stand in the decisions that ship. In a debug build a task can plant one fault, for itself alone.
/// In a release build `isPlanted` is the constant `false`, and nothing is left of the hook.

public enum PlantedFault: String, Sendable, CaseIterable {
    // What may be served.
    case servesStale, servesAfterErrors, ignoresSoftPurges, ignoresClients, ignoresVary, forgetsAge
    case answersNotModified, answersHeadWithBody, shiftsRanges, confusesHosts
    // What may be stored, renewed, and for how long.
    case storesEverything, storesTruncated, stampsLate, skipsInvalidation, renewsBlindly
    // One fetch a key.
    case fetchesTwice, neverReleases, forgetsWaiters, wakesOne, remembersRefusals, keepsHitForMiss
    // Framing, and the ends of connections.
    case endsCutAnswers, keepsUnasked, resendsUploads, readsUploads, tellsOldClients
    case chunksForOldClients, forgetsPipelined
    // Figures.
    case miscounts, miscountsBodies

    #if DEBUG
        /// What this task has planted.
        @TaskLocal public static var planted: PlantedFault?
    #endif

    @inlinable @inline(__always)
    public static func isPlanted(_ fault: PlantedFault) -> Bool {
        #if DEBUG
            planted == fault
        #else
            false
        #endif
    }
}
