/// Selects the parameters of a query that a policy lists (`key.query: only`), in the order of that list.
///
/// Each parameter is searched once in the sorted names. So the work grows with the query, not with the
/// product of query and list.

internal import Bytes
internal import HTTP

struct ListedQuery: Sendable {
    /// The names in bytewise order, and the position of each in the policy's list.
    private let names: [[UInt8]]
    private let places: [Int]

    /// - Parameter list: of equal names, the first one counts.
    init(_ list: [String]) {
        var first: [[UInt8]: Int] = [:]
        for (place, name) in list.enumerated() where first[Array(name.utf8)] == nil {
            first[Array(name.utf8)] = place
        }
        let sorted = first.sorted { $0.key.lexicographicallyPrecedes($1.key) }
        names = sorted.map(\.key)
        places = sorted.map(\.value)
    }

    /// Maximum number of listed parameters that are sorted without an allocation.
    private static var shortLimit: Int { 64 }

    /// Appends `?` and the listed parameters, or nothing if there are none. Parameters of one name keep their
    /// order.
    func append(_ query: Span<UInt8>, to key: inout ByteBuffer) {
        var parameters = InlineArray<64, Slice>(repeating: .empty)
        var places = InlineArray<64, Int32>(repeating: 0)
        var count = 0
        var position = 0
        while let parameter = KeyedQuery.next(in: query, from: &position) {
            guard let place = place(of: KeyedQuery.name(of: query.extracting(parameter))) else { continue }
            guard count < Self.shortLimit else { return appendLong(query, to: &key) }
            var slot = count
            while slot > 0, places[slot &- 1] > place {
                parameters[slot] = parameters[slot &- 1]
                places[slot] = places[slot &- 1]
                slot &-= 1
            }
            parameters[slot] = Slice(parameter)
            places[slot] = Int32(place)
            count &+= 1
        }
        for index in 0..<count {
            key.append(index == 0 ? UInt8(ascii: "?") : UInt8(ascii: "&"))
            key.append(query.slice(parameters[index]))
        }
    }

    /// As `append`, for any number of parameters.
    @inline(never)
    private func appendLong(_ query: Span<UInt8>, to key: inout ByteBuffer) {
        var listed: [(place: Int, slice: Slice)] = []
        var position = 0
        while let parameter = KeyedQuery.next(in: query, from: &position) {
            guard let place = place(of: KeyedQuery.name(of: query.extracting(parameter))) else { continue }
            listed.append((place, Slice(parameter)))
        }
        listed.sort { ($0.place, $0.slice.start) < ($1.place, $1.slice.start) }
        for (index, parameter) in listed.enumerated() {
            key.append(index == 0 ? UInt8(ascii: "?") : UInt8(ascii: "&"))
            key.append(query.slice(parameter.slice))
        }
    }

    /// The position of a name in the policy's list.
    private func place(of name: Span<UInt8>) -> Int? {
        let names = names.span
        var (low, high) = (0, names.count)
        while low < high {
            let middle = (low &+ high) &>> 1
            if names[middle].span.precedes(name) { low = middle &+ 1 } else { high = middle }
        }
        guard low < names.count, name.equals(names[low].span) else { return nil }
        return places[low]
    }
}
