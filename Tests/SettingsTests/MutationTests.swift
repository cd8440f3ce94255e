/// Whatever a file holds, reading it ends with settings or with messages that name the file. It never traps.

import Configuration
import Settings
import SeededRandom
import Testing

@Suite struct MutationTests {
    @Test(arguments: [1, 2, 3, 4])
    func aMutatedFileGivesSettingsOrMessages(_ seed: UInt64) {
        var generator = SeededRandom(seed: seed)
        let original = Array(EffectiveTests.full.utf8)
        let pieces = ["'", "\"", "[", "]", "{", "}", ":", "- ", "&a ", "*a", "\n", "  ", "!!x ", "0", "-", "\u{E000}", "|", "#"]
        var accepted = 0
        for round in 0..<250 {
            var bytes = original
            for _ in 0...Int.random(in: 0..<3, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes.remove(at: place)
                case 1: bytes.insert(contentsOf: pieces.randomElement(using: &generator)!.utf8, at: place)
                case 2:
                    let end = min(bytes.count, place + Int.random(in: 0..<60, using: &generator))
                    bytes.insert(contentsOf: bytes[place..<end], at: Int.random(in: 0..<bytes.count, using: &generator))
                default: bytes[place] = UInt8.random(in: 0x20..<0x7f, using: &generator)
                }
            }
            do throws(ConfigurationError) {
                let loaded = try ConfigurationFile.read(
                    bytes, file: "larder.yaml", folder: "/etc/larder",
                    files: .memory(["/etc/larder/policies/slow.yaml": "{}"]))
                accepted += 1
                #expect(!loaded.settings.routes.isEmpty)
            } catch {
                #expect(!error.problems.isEmpty, "seed \(seed), round \(round)")
                #expect(error.problems.allSatisfy { !$0.file.isEmpty && !$0.message.isEmpty })
            }
        }
        // Some mutations fall into names and comments; most do not. Both outcomes occurred.
        #expect((1..<250).contains(accepted))
    }
}
