/// Which part of the query is in the key, and so reaches the origin: the policy's `key.query`.

internal import Bytes
internal import HTTP
internal import Settings

enum KeyedQuery: Sendable {
    case keep, sort, ignore
    /// The parameters with these names, in this order.
    case only(ListedQuery)

    init(_ query: Policy.Query) {
        switch query {
        case .keep: self = .keep
        case .sort: self = .sort
        case .ignore: self = .ignore
        case .only(let names): self = .only(ListedQuery(names))
        }
    }

    var isIgnored: Bool { if case .ignore = self { true } else { false } }

    /// Maximum number of parameters that `sort` sorts; a query with more parameters is kept as it is.
    static var sortLimit: Int { 64 }

    /// Appends `?` and the keyed query, or nothing if it is empty.
    func append(_ query: Span<UInt8>, to key: inout ByteBuffer) {
        switch self {
        case .ignore: return
        case .keep:
            key.append(UInt8(ascii: "?"))
            key.append(query)
        case .sort: Self.appendSorted(query, to: &key)
        case .only(let names): names.append(query, to: &key)
        }
    }

    /// Sorts by name. Parameters of one name keep their order, which may have a meaning for the origin.
    private static func appendSorted(_ query: Span<UInt8>, to key: inout ByteBuffer) {
        var parameters = InlineArray<64, Slice>(repeating: .empty)
        var count = 0
        var position = 0
        while let parameter = next(in: query, from: &position) {
            guard count < sortLimit else {
                key.append(UInt8(ascii: "?"))
                key.append(query)
                return
            }
            var slot = count
            let name = name(of: query.extracting(parameter))
            while slot > 0, name.precedes(Self.name(of: query.slice(parameters[slot &- 1]))) {
                parameters[slot] = parameters[slot &- 1]
                slot &-= 1
            }
            parameters[slot] = Slice(parameter)
            count &+= 1
        }
        for index in 0..<count {
            key.append(index == 0 ? UInt8(ascii: "?") : UInt8(ascii: "&"))
            key.append(query.slice(parameters[index]))
        }
    }

    /// The next non-empty parameter; `&` separates parameters.
    static func next(in query: Span<UInt8>, from position: inout Int) -> Range<Int>? {
        while position < query.count {
            let start = position
            let end = query.firstIndex(of: UInt8(ascii: "&"), from: start) ?? query.count
            position = end &+ 1
            if end > start { return start..<end }
        }
        return nil
    }

    @_lifetime(copy parameter)
    static func name(of parameter: Span<UInt8>) -> Span<UInt8> {
        parameter.extracting(first: parameter.firstIndex(of: UInt8(ascii: "=")) ?? parameter.count)
    }
}

extension Span<UInt8> {
    /// Is `self` before `other` in bytewise order?
    func precedes(_ other: borrowing Span<UInt8>) -> Bool {
        for index in 0..<Swift.min(count, other.count) where self[index] != other[index] {
            return self[index] < other[index]
        }
        return count < other.count
    }
}
