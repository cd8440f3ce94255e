// epoll, eventfd, timerfd, signalfd, clocks, limits and thread names. A result or -errno; no state.
#ifndef LARDER_CKERNEL_EVENTS_H
#define LARDER_CKERNEL_EVENTS_H
#include <stddef.h>
#include <stdint.h>

enum {
    LARDER_WATCH_STREAM = 0,    // in, out, peer's half-close; edge-triggered
    LARDER_WATCH_READABLE = 1,  // in; level-triggered
    LARDER_WATCH_LISTENER = 2   // in; level-triggered, wakes one of several pollers
};

int larder_poller(void);
int larder_poller_add(int poller, int fd, uint64_t token, int watch);
int larder_poller_remove(int poller, int fd);
/// Bytes of one event, and where its 64-bit token lies; its 32-bit flags are at 0.
size_t larder_event_stride(void);
size_t larder_event_token_offset(void);

int larder_event_counter(void);
int larder_event_signal(int fd);
/// The count since the last drain, of a counter or a ticker; or -EAGAIN.
int64_t larder_event_drain(int fd);

/// A descriptor that becomes readable every so many milliseconds of time since boot.
int larder_ticker(uint32_t milliseconds);

/// Blocks the signals of `mask` (bit n - 1 for signal n) in the calling thread; a descriptor that receives
/// them.
int larder_signal_receiver(uint64_t mask);
/// The next signal's number, or -EAGAIN.
int larder_signal_next(int fd);

enum { LARDER_MONOTONIC, LARDER_MONOTONIC_COARSE, LARDER_WALL, LARDER_WALL_COARSE, LARDER_BOOT };
uint64_t larder_clock_milliseconds(int clock);
uint64_t larder_clock_microseconds(int clock);

/// The soft limit of open descriptors after setting it: to `wanted`, or to the hard limit if that is 0.
int64_t larder_descriptor_limit(uint64_t wanted);
int64_t larder_descriptor_limit_current(void);

/// Starts a thread at the default stack size; `name` is cut to the kernel's 15 bytes.
int larder_thread_start(uint64_t *_Nonnull thread, const char *_Nonnull name, void *_Nonnull argument,
                        void (*_Nonnull body)(void *_Nonnull argument));
int larder_thread_join(uint64_t thread);
/// -ETIMEDOUT: it has not ended within the time, and can be joined again.
int larder_thread_join_within(uint64_t thread, uint32_t milliseconds);
int larder_thread_detach(uint64_t thread);
/// Lets every thread of ordinary priority go before the calling one.
int larder_thread_yield_to_others(void);
#endif
