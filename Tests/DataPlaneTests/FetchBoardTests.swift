// Reservations between threads: a reservation handed to a thread that has ended goes on to another.

import Bytes
import Machines
import Loop
import Testing

@testable import DataPlane

struct FetchBoardTests {
    private static let key = Hash128(low: 77, high: 5)

    private static func waiter(_ thread: Int32, _ index: UInt64) -> Reservations.Waiter {
        Reservations.Waiter(thread: thread, token: index)
    }

    private static func calls(_ board: FetchBoard, _ thread: Int) -> [UInt64] {
        var batch: [WakeUp] = []
        board.mailboxes[thread].collect(into: &batch)
        return batch.map(\.exchange.token)
    }

    @Test func aWaiterOfAnEndedThreadIsPassedOver() throws {
        let board = try FetchBoard(threads: 2)
        #expect(board.ask(Self.key, Self.waiter(0, 1), now: 0) == .reserved)
        for index in 2...4 as ClosedRange<UInt64> {
            #expect(board.ask(Self.key, Self.waiter(index < 4 ? 1 : 0, index), now: 0) == .wait)
        }
        board.leave(1, now: 0)
        board.release(Self.key, .failed, now: 0)
        #expect(Self.calls(board, 0) == [4])
        // With no waiter left the key is free.
        board.leave(0, now: 0)
        board.release(Self.key, .failed, now: 0)
        #expect(board.ask(Self.key, nil, now: 0) == .reserved)
    }

    @Test func aThreadThatEndsHandsItsMailboxOn() throws {
        let board = try FetchBoard(threads: 2)
        #expect(board.ask(Self.key, Self.waiter(0, 1), now: 0) == .reserved)
        #expect(board.ask(Self.key, Self.waiter(1, 2), now: 0) == .wait)
        #expect(board.ask(Self.key, Self.waiter(0, 3), now: 0) == .wait)
        board.release(Self.key, .failed, now: 0)
        board.leave(1, now: 0)
        #expect(Self.calls(board, 0) == [3])
    }
}
