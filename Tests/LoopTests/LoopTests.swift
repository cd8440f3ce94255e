/// Doorbells and mailboxes, used between threads.

import Kernel
import Loop
import SystemPackage
import Testing

@Suite struct DoorbellTests {
    @Test func ringsBeforeTheAnswerCountAsOne() throws {
        let bell = try Doorbell()
        var poller = try Poller()
        try bell.attach(to: poller, token: 5)
        let silent = poller.wait(timeoutMilliseconds: 0)
        #expect(silent == 0)
        for _ in 0..<1000 { bell.ring() }
        let rung = poller.wait(timeoutMilliseconds: 0)
        try #require(rung == 1)
        #expect(poller[0].token == 5 && poller[0].readable)
        bell.answer()
        let answered = poller.wait(timeoutMilliseconds: 0)
        #expect(answered == 0)
        bell.ring()
        let again = poller.wait(timeoutMilliseconds: 0)
        #expect(again == 1)
    }

    @Test func aRingEndsAnotherThreadsWait() throws {
        let bell = try Doorbell()
        var poller = try Poller()
        try bell.attach(to: poller, token: 1)
        let thread = try Thread.spawn(name: "ringer", seed: bell) { $0.ring() }
        let count = poller.wait(timeoutMilliseconds: 10_000)
        #expect(count == 1)
        thread.join()
    }
}

@Suite struct MailboxTests {
    @Test func aClosedMailboxTakesNoMessage() throws {
        let mailbox = Mailbox<Int>(doorbell: try Doorbell())
        #expect(mailbox.post(1) && mailbox.post(2))
        #expect(mailbox.close() == [1, 2])
        #expect(!mailbox.post(3) && mailbox.close() == [])
        var batch: [Int] = []
        mailbox.collect(into: &batch)
        #expect(batch == [])
    }

    @Test func messagesOfEachThreadArriveInOrder() throws {
        let (threads, each) = (4, 5000)
        let mailbox = Mailbox<Int>(doorbell: try Doorbell())
        var poller = try Poller()
        try mailbox.doorbell.attach(to: poller, token: 1)
        for thread in 0..<threads {
            _ = try Thread.spawn(name: "helper", seed: mailbox) { mailbox in
                for number in 0..<each { mailbox.post(thread * each + number) }
            }
        }
        var next = (0..<threads).map { $0 * each }
        var batch: [Int] = []
        var received = 0
        // No ring is lost: the loop waits for each batch.
        while received < threads * each {
            let count = poller.wait(timeoutMilliseconds: 10_000)
            try #require(count == 1)
            mailbox.doorbell.answer()
            mailbox.collect(into: &batch)
            for message in batch {
                try #require(message == next[message / each])
                next[message / each] += 1
            }
            received += batch.count
        }
        mailbox.collect(into: &batch)
        #expect(batch.isEmpty)
    }
}
