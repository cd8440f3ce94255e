/// Sizes and durations as text: what the configuration accepts, and the one canonical form it prints.

/// A number of bytes: `65536`, `512B`, `64KiB`, `256MiB`, `1GiB`, `1TiB`. Integers with binary units only,
/// because `KB` can mean 1000 or 1024 bytes.
public enum ByteCount {
    public static var units: [(name: String, scale: Int)] {
        [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)]
    }

    /// Nil for any other text, and for a number that does not fit an `Int`.
    public static func parse(_ text: String) -> Int? {
        guard let (number, name) = Quantity.split(text) else { return nil }
        if name.isEmpty { return number }
        guard let unit = units.first(where: { $0.name == name }) else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: unit.scale)
        return overflow ? nil : product
    }

    /// The text in the largest unit that divides the number.
    public static func format(_ bytes: Int) -> String {
        for unit in units where bytes != 0 && bytes % unit.scale == 0 {
            return "\(bytes / unit.scale)\(unit.name)"
        }
        return "\(bytes)B"
    }
}

/// A duration: `500ms`, `30s`, `10m`, `1h`, `7d`. An integer with a unit; a number without a unit would be
/// ambiguous.
public enum Milliseconds {
    public static var units: [(name: String, scale: Int)] {
        [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)]
    }

    /// Nil for any other text, and for a number that does not fit an `Int`.
    public static func parse(_ text: String) -> Int? {
        guard let (number, name) = Quantity.split(text), let unit = units.first(where: { $0.name == name })
        else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: unit.scale)
        return overflow ? nil : product
    }

    /// The text in the largest unit that divides the number.
    public static func format(_ milliseconds: Int) -> String {
        for unit in units where milliseconds != 0 && milliseconds % unit.scale == 0 {
            return "\(milliseconds / unit.scale)\(unit.name)"
        }
        return "\(milliseconds / 1000)s"
    }
}

enum Quantity {
    /// Splits a text into its decimal digits and the rest.
    static func split(_ text: String) -> (number: Int, unit: String)? {
        let digits = text.utf8.prefix { $0 &- 0x30 < 10 }
        guard !digits.isEmpty, let number = Int(String(digits) ?? "") else { return nil }
        return (number, String(text.dropFirst(digits.count)))
    }
}
