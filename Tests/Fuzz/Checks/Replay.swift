/// Runs a check over files: a crash that a fuzzer found, or a whole corpus.
import Foundation

/// Runs `check` on each file.
public func replay(_ paths: some Sequence<String>, _ check: (Span<UInt8>) -> Void) {
    for path in paths {
        guard let data = FileManager.default.contents(atPath: path) else { fatalError("cannot read \(path)") }
        check([UInt8](data).span)
    }
}
