// Runs the steps as benchmarks of the package `benchmark`: time and throughput with their spread.

import Benchmark
import Steps

/// A class, because the closures of the benchmark library cannot capture noncopyable values.
final class Box {
    private var steps: Steps

    init() throws { steps = try Steps() }

    func run(_ step: Step, _ count: Int) -> Int { steps.run(step, count) }
}

let benchmarks: @Sendable () -> Void = {
    for step in Step.allCases {
        let configuration = Benchmark.Configuration(
            metrics: [.wallClock, .cpuTotal, .throughput], scalingFactor: .kilo,
            maxDuration: .seconds(2), maxIterations: 5_000)
        Benchmark(step.rawValue, configuration: configuration) { benchmark in
            let box = try Box()
            // Fill the store, for `insert`.
            blackHole(box.run(.insert, 60_000))
            benchmark.startMeasurement()
            blackHole(box.run(step, benchmark.scaledIterations.count))
            benchmark.stopMeasurement()
        }
    }
}
