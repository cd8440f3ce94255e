// The whole table.

extension Case {
    static let all: [Case] = [
        freshness, freshnessSyntax, expires, dates, age, pragma, targeted, requestDirectives,
        responseDirectives,
        staleOnError, staleWhileRevalidating, revalidation, headUpdates, updates, entityTags,
        modificationDates,
        unstoredConditions, bareNotModified, seconds,
        conditions, ranges, parts, statuses, heuristicStatuses, heuristics, headers, varySelection, vary,
        methods,
        credentials, cookies, keys, invalidation, groups, storage, interim, cacheStatus,
    ].flatMap(\.self)
}
