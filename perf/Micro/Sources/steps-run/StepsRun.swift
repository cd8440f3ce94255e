// `steps-run STEP COUNT` runs one step COUNT times, for callgrind: the difference of two runs is the cost of
// the additional steps.

import Steps

@main
enum StepsRun {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 3, let step = Step(rawValue: arguments[1]), let count = Int(arguments[2])
        else {
            print("usage: steps-run \(Step.allCases.map(\.rawValue).joined(separator: "|")) COUNT")
            return
        }
        var steps = try Steps()
        // Fill the store in every run: `lookup` needs its objects, and all runs then begin in the same way.
        print(steps.run(.insert, 60_000) &+ steps.run(step, count))
    }
}
