import Eviction
import Testing
import TraceReader

/// The policy alone on real traces: at most one point worse than object-wise S3-FIFO.
@Suite struct TraceTests {
    @Test(arguments: [(0.01, 0.609), (0.05, 0.751), (0.20, 0.871)])
    func theHitRatioHoldsOnNASA(share: Double, s3fifo: Double) {
        let ratio = hitRatio(Trace.nasa(overhead: 300), share: share)
        print("NASA \(share): \(ratio)")
        #expect(ratio >= s3fifo - 0.01)
    }

    @Test(arguments: [(0.01, 0.437), (0.05, 0.542), (0.20, 0.624)])
    func theHitRatioHoldsOnWeb07(share: Double, s3fifo: Double) {
        let ratio = hitRatio(Trace.web07(size: 1024), share: share)
        print("web07 \(share): \(ratio)")
        #expect(ratio >= s3fifo - 0.01)
    }

    private func hitRatio(_ trace: Trace, share: Double) -> Double {
        let capacity = Int(Double(trace.footprint) * share)
        var cache = SegmentedCache(capacity: capacity, segmentBytes: capacity / 256)
        for request in trace.requests { cache.request(request.id, size: request.size) }
        return cache.hitRatio
    }
}
