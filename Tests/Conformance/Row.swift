// Cases of one shape: a response, and how long it is served without asking the origin again.

/// The special properties of the exchange that `Case.lives` begins with.
struct Opening: Sendable {
    /// Fields of all requests.
    var asking: [String] = []
    var status = 200
    /// The Age at receipt.
    var age = 0
    var isDated = true
    /// The reason for which policies do not store it, where they do not.
    var reason: String?

    static func asking(_ fields: String...) -> Opening { Opening(asking: fields) }
    static func status(_ status: Int) -> Opening { Opening(status: status) }
    static func age(_ seconds: Int) -> Opening { Opening(age: seconds) }
    static var undated: Opening { Opening(isDated: false) }
    static func because(_ reason: String) -> Opening { Opening(reason: reason) }

    func because(_ reason: String) -> Opening {
        var copy = self
        copy.reason = reason
        return copy
    }
}

extension Case {
    /// Fetches a response with these fields, then asks at the last second of each lifetime and at the first
    /// second after it.
    /// - Parameter seconds: how long it is a hit from its receipt; nil: it is not stored.
    static func lives(
        _ name: String, _ section: String, _ fields: String..., for seconds: Int?,
        _ opening: Opening = Opening()
    ) -> Case {
        lives(name, section, fields: fields, pessimistic: seconds, rfc: seconds, opening)
    }

    /// The same where the policies differ.
    static func lives(
        _ name: String, _ section: String, _ fields: String..., pessimistic: Int?, rfc: Int?,
        _ opening: Opening = Opening()
    ) -> Case {
        lives(name, section, fields: fields, pessimistic: pessimistic, rfc: rfc, opening)
    }

    /// A response that is stale at once but has a validator: `pessimistic` refuses it; `rfc9111` keeps it and
    /// revalidates it by this condition.
    static func staleAtOnce(
        _ name: String, _ section: String, _ fields: String..., because reason: String, asks condition: String
    ) -> Case {
        Case(
            name, section,
            Step().answered(200, fields: fields, body: nil).expect(.refused(reason), rfc: .stored),
            get().after(1).expect(
                .miss.withholds("If-None-Match", "If-Modified-Since"), rfc: .miss.sends(condition)))
    }

    private static func lives(
        _ name: String, _ section: String, fields: [String], pessimistic: Int?, rfc: Int?, _ opening: Opening
    ) -> Case {
        func fetched(_ lifetime: Int?) -> Expectation {
            if lifetime != nil { return .stored }
            return opening.reason.map { .refused($0) } ?? Expectation.miss.lacking("stored")
        }
        var first = Step(fields: opening.asking).answered(opening.status, fields: fields, body: nil)
        first.answer.isDated = opening.isDated
        var steps = [first.expect(fetched(pessimistic), rfc: fetched(rfc))]
        var passed = 0
        let boundaries = Set([pessimistic, rfc].compactMap(\.self).flatMap { [$0 - 1, $0] })
        for moment in boundaries.isEmpty ? [1] : boundaries.sorted() {
            func asked(_ lifetime: Int?) -> Expectation {
                moment < lifetime ?? 0 ? .hit(1).age(moment + opening.age) : .miss
            }
            steps.append(
                Step(fields: opening.asking).after(UInt64(moment - passed)).expect(
                    asked(pessimistic), rfc: asked(rfc)))
            passed = moment
        }
        return Case(name, section, steps: steps)
    }
}
