// The short way of a hit and the general way give the same answers.

import Caching
import Foundation
import FuzzChecks
import HitChecks
import SeededRandom
import Settings
import Testing

struct PlainHitTests {
    /// Every coding with every Accept-Encoding, every flag that tells for whom an answer is coded, on both
    /// sides of the end of freshness, with and without a variant.
    @Test func codingsAreAnsweredAlike() {
        var check = HitCheck()
        var plain = 0
        for coding in HitCase.codings {
            for flags in flagSets {
                for accepted in HitCase.acceptEncodings {
                    for left in [60_000, 1, 0, -1] as [Int64] {
                        for variant in [nil, .identity, .gzip, .br] as [Codings?] {
                            var hitCase = HitCase()
                            hitCase.records[0].coding = coding
                            hitCase.records[0].flags = flags
                            hitCase.records[0].leftMilliseconds = left
                            if let variant, variant != coding {
                                hitCase.records.append(hitCase.records[0])
                                hitCase.records[1].isDerived = true
                                hitCase.records[1].coding = variant
                            } else if variant != nil {
                                continue
                            }
                            if let accepted { hitCase.lines = ["Accept-Encoding: \(accepted)"] }
                            let result = check.check(hitCase)
                            #expect(result.breach == nil, "\(hitCase)")
                            if result.outcome == .plain { plain += 1 }
                        }
                    }
                }
            }
        }
        #expect(plain > 1_000)
    }

    private var flagSets: [EntryFacts.Flags] {
        let flags: [EntryFacts.Flags] = [
            .compressible, .undoable, .codedForAll, .codedForUnstated, .alwaysRevalidate,
        ]
        return (0..<32).map { set in
            EntryFacts.Flags(flags.indices.filter { set >> $0 & 1 == 1 }.map { flags[$0] })
        }
    }

    /// Every age and time left, in every form of Cache-Status, under every shipped policy, over connections
    /// that go on and that end.
    @Test func agesAreToldAlike() {
        var check = HitCheck()
        var plain = 0
        for policy in check.policies.indices {
            for form in Policy.CacheStatus.allCases {
                for residence in HitCase.residences {
                    for left in HitCase.left {
                        for (version, isClosing) in [(1, false), (1, true), (0, false)] {
                            var hitCase = HitCase()
                            hitCase.policy = policy
                            hitCase.cacheStatus = form
                            hitCase.records[0].residenceMilliseconds = residence
                            hitCase.records[0].leftMilliseconds = left
                            hitCase.minorVersion = version
                            hitCase.isClosing = isClosing
                            let result = check.check(hitCase)
                            #expect(result.breach == nil, "\(hitCase)")
                            if result.outcome == .plain { plain += 1 }
                        }
                    }
                }
            }
        }
        #expect(plain > 2_000)
    }

    /// All else that a store may hold and a client may ask.
    @Test(arguments: 1...4) func whateverIsStoredAndAsked(seed: UInt64) {
        var check = HitCheck()
        var random = SeededRandom(seed: seed)
        var outcomes: [HitCheck.Outcome: Int] = [:]
        for number in 0..<5_000 {
            let bytes = (0..<96).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            var choices = Choices(bytes.span)
            let hitCase = HitCase(&choices, policies: check.policies.count)
            let result = check.check(hitCase)
            #expect(result.breach == nil, "seed \(seed), case \(number): \(hitCase)")
            outcomes[result.outcome, default: 0] += 1
        }
        for outcome in [HitCheck.Outcome.plain, .general, .unanswered] {
            #expect(outcomes[outcome, default: 0] > 150, "\(outcomes)")
        }
    }

    @Test func theFuzzersCorpus() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(
            path: "../Fuzz/corpus/Hit")
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        #expect(!files.isEmpty)
        var check = HitCheck()
        replay(files.map { $0.path() }) { check.check(bytes: $0) }
    }
}
