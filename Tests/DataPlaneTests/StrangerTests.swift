// Who is told of as a proxy that nobody declared.

import Settings
import Testing

@testable import DataPlane

@Suite struct StrangerTests {
    @Test func eachIsToldOfOnceAndAFewInAll() {
        var strangers = Strangers()
        for round in 0..<20 {
            let peer = PeerSet.Peer.address(IPAddress(ipv4: UInt32(0x0a00_0000 + round)))
            let isNew = strangers.note(peer, field: "X-Forwarded-For")
            let isNewAgain = strangers.note(peer, field: "Forwarded")
            #expect(isNew == (round < Strangers.limit) && !isNewAgain)
            #expect(strangers.isFull == (round >= Strangers.limit - 1))
        }
        let told = strangers.take()
        let rest = strangers.take()
        #expect(told.count == Strangers.limit && rest.isEmpty)
        #expect(told[1].notice.contains("10.0.0.1 is not a trusted proxy, but sends X-Forwarded-For"))
        #expect(told[1].notice.contains("trustedProxies: [10.0.0.1]"))
    }

    @Test(arguments: [
        (PeerSet.Peer.unix, "trustedProxies: [unix]"),
        (.address(IPAddress(high: 0x2001_0db8_0000_0000, low: 1)), "trustedProxies: ['2001:db8::1']"),
    ])
    func theLineThatWouldTrustIt(peer: PeerSet.Peer, line: String) {
        #expect(Strangers.Stranger(peer: peer, field: "X-Real-IP").notice.contains(line))
    }
}
