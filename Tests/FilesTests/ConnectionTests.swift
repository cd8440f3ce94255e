/// The connection to a folder: keep-alive, pipelining, requests in pieces, and files that change.

import Bytes
import Files
import Foundation
import Kernel
import SystemPackage
import Testing

private func request(_ target: String, _ more: String = "") -> String {
    "GET \(target) HTTP/1.1\r\nHost: x\r\n\(more)\r\n"
}

/// The answers on one connection, without their dates.
private func answers(_ site: Site, _ pieces: [String]) throws -> String {
    var client = Client(try site.origin.connect())
    for (index, piece) in pieces.enumerated() {
        if index > 0 { usleep(300) }
        client.send(piece)
    }
    let text = String(decoding: client.receiveAll(), as: UTF8.self)
    return text.split(separator: "\r\n", omittingEmptySubsequences: false).filter { !$0.hasPrefix("Date: ") }
        .joined(separator: "\r\n")
}

@Test func requestsMayBeCutAnywhereAndPipelined() throws {
    let site = try Site()
    let text =
        request("/a.txt", "X-A: b\r\n") + "POST /a.txt HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
        + "HEAD /sub/ HTTP/1.1\r\nHost: x\r\n\r\n" + request("/sub/deep/x.css", "Connection: close\r\n")
    let whole = try answers(site, [text])
    let parts = whole.components(separatedBy: "HTTP/1.1 ").dropFirst()
    #expect(parts.map { String($0.prefix(3)) } == ["200", "405", "200", "200"])
    #expect(whole.contains("0123456789HTTP/1.1") && whole.hasSuffix("a{}"))
    let bytes = Array(text.utf8)
    for cut in 1..<bytes.count {
        let pieces = [
            String(decoding: bytes[..<cut], as: UTF8.self), String(decoding: bytes[cut...], as: UTF8.self),
        ]
        #expect(try answers(site, pieces) == whole, "cut at \(cut)")
    }
    #expect(try answers(site, bytes.map { String(decoding: [$0], as: UTF8.self) }) == whole)
}

@Test func connectionsPersist() throws {
    let site = try Site(threads: 2)
    var client = Client(try site.origin.connect())
    let length = try site.ask("HEAD", "/a.txt").head.utf8.count + 4 - "Connection: close\r\n".utf8.count + 10
    for round in 1...50 {
        client.send(request("/a.txt"))
        #expect(client.receive(round * length).count == round * length)
    }
    client.send("GET /a.txt HTTP/1.0\r\n\r\n")
    #expect(String(decoding: client.receiveAll(), as: UTF8.self).hasSuffix("0123456789"))
}

@Test(arguments: [
    (
        "GET /a.txt HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + request("/a.txt"),
        ["200"]
    ),
    ("GET /a.txt HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n" + request("/a.txt"), ["200"]),
    ("GET /a.txt HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n", ["200"]),
    ("GET /a.txt HTTP/1.1\r\n\r\n", ["400"]), ("nonsense\r\n\r\n" + request("/a.txt"), ["400"]),
    ("GET /a.txt HTTP/1.1\r\nHost: x\r\nX: " + String(repeating: "y", count: 70_000) + "\r\n\r\n", ["431"]),
    ("GET /a.txt HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /a.txt HTTP/1.0\r\n\r\n", ["200", "200"]),
])
func aConnectionEndsWhenItShould(text: String, statuses: [String]) throws {
    let site = try Site()
    let parts = try answers(site, [text]).components(separatedBy: "HTTP/1.1 ").dropFirst()
    #expect(parts.map { String($0.prefix(3)) } == statuses)
    #expect(parts.last?.contains("Connection: close") == true)
}

@Test func largeFilesArriveWholeAtTheReadersPace() throws {
    let site = try Site()
    let answer = try site.ask("GET", "/big.bin")
    #expect(answer.body == Site.bigBytes)
    let part = try site.ask("GET", "/big.bin", "Range: bytes=65535-1299999")
    #expect(part.body == Array(Site.bigBytes[65_535...1_299_999]))
    // A client that does not read delays no other client and takes no memory.
    var slow = Client(try site.origin.connect())
    slow.send(String(repeating: request("/big.bin"), count: 3) + request("/a.txt", "Connection: close\r\n"))
    usleep(50_000)
    #expect(try site.ask("GET", "/a.txt").text == "0123456789")
    let all = slow.receiveAll()
    #expect(all.count > 3 * Site.bigSize && all.suffix(10) == Array("0123456789".utf8)[...])
}

@Test func aFileThatShrinksOrChangesUnderwayBreaksTheConnection() throws {
    for change in ["truncate", "touch"] {
        let site = try Site()
        var client = Client(try site.origin.connect())
        client.send(request("/big.bin"))
        _ = client.receive(1_000)
        usleep(20_000)
        if change == "truncate" {
            let file = try #require(FileHandle(forWritingAtPath: site.root + "/big.bin"))
            try file.truncate(atOffset: 500_000)
        } else {
            let past = [FileAttributeKey.modificationDate: Date(timeIntervalSince1970: 1_700_000_000)]
            try FileManager.default.setAttributes(past, ofItemAtPath: site.root + "/big.bin")
        }
        let answer = Answer(client.receiveAll())
        #expect(answer.status == 200 && answer["content-length"] == "\(Site.bigSize)")
        #expect(answer.body.count < Site.bigSize, "\(change)")
    }
}

@Test func aClientThatLeavesCostsNothing() throws {
    let site = try Site()
    for _ in 0..<300 {
        var client = Client(try site.origin.connect())
        client.send(request("/big.bin"))
    }
    #expect(try site.ask("GET", "/a.txt").status == 200)
}

@Test func stoppingClosesConnections() throws {
    let site = try Site(threads: 3)
    var client = Client(try site.origin.connect())
    client.send(request("/a.txt"))
    _ = client.receive(10)
    site.origin.stop()
    let text = String(decoding: client.receiveAll(), as: UTF8.self)
    #expect(text.hasSuffix("0123456789"))
}
