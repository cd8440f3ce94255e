/// A decision that is made wrongly on purpose, so that the simulator can show that it would notice.
///
/// The hooks stand in the decisions that ship. In a debug build a task can plant one fault for itself; in a
/// release build the question is the constant `false`, and its branch is not compiled.

public enum PlantedFault: String, Sendable, CaseIterable {
    case servesStale

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
