// `steps-run STEP COUNT` runs one step so many times: for callgrind, which counts what one takes by the
// difference of two runs.

import Steps

@main
enum StepsRun {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 3, let step = Step(rawValue: arguments[1]), let count = Int(arguments[2]) else {
            print("usage: steps-run \(Step.allCases.map(\.rawValue).joined(separator: "|")) COUNT")
            return
        }
        var steps = try Steps()
        // Lookups need what `insert` fills; so that all runs begin alike, the store is filled in every one.
        print(steps.run(.insert, 60_000) &+ steps.run(step, count))
    }
}
