/// Sizes and durations.

import Settings
import Testing

@Suite struct QuantityTests {
    @Test(arguments: [
        ("0", 0, "0B"), ("1", 1, "1B"), ("512B", 512, "512B"), ("1024", 1024, "1KiB"),
        ("64KiB", 65_536, "64KiB"),
        ("1536KiB", 1_572_864, "1536KiB"), ("256MiB", 268_435_456, "256MiB"), ("2GiB", 2_147_483_648, "2GiB"),
        ("1TiB", 1_099_511_627_776, "1TiB"), ("1024MiB", 1_073_741_824, "1GiB"),
    ])
    func aSizeIsRead(_ text: String, _ bytes: Int, _ canonical: String) {
        #expect(ByteCount.parse(text) == bytes)
        #expect(ByteCount.format(bytes) == canonical)
        #expect(ByteCount.parse(canonical) == bytes)
    }

    @Test(arguments: [
        "", "KiB", "64KB", "64kib", "64 KiB", "-1", "+1", "1.5MiB", "64KiBs", "99999999999999999999",
        "9000000TiB",
        "9223372036854775807KiB",
    ])
    func aMalformedSizeIsRefused(_ text: String) {
        #expect(ByteCount.parse(text) == nil)
    }

    @Test(arguments: [
        ("0s", 0, "0s"), ("500ms", 500, "500ms"), ("1000ms", 1000, "1s"), ("30s", 30_000, "30s"),
        ("90s", 90_000, "90s"),
        ("10m", 600_000, "10m"), ("60m", 3_600_000, "1h"), ("24h", 86_400_000, "1d"),
        ("7d", 604_800_000, "7d"),
    ])
    func aDurationIsRead(_ text: String, _ milliseconds: Int, _ canonical: String) {
        #expect(Milliseconds.parse(text) == milliseconds)
        #expect(Milliseconds.format(milliseconds) == canonical)
        #expect(Milliseconds.parse(canonical) == milliseconds)
    }

    @Test(arguments: ["", "30", "s", "30S", "1.5s", "-1s", "30 s", "1h30m", "5min", "9223372036854775807d"])
    func aMalformedDurationIsRefused(_ text: String) {
        #expect(Milliseconds.parse(text) == nil)
    }
}
