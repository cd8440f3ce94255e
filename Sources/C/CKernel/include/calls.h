// The three system calls of nearly every request, inlined into their callers.
//
// The C library's recv and send are cancellation points (no thread here is ever cancelled), and its syscall()
// returns through memory. More than by their instructions these cost by their returns: behind a system call
// the processor has forgotten where it was called from, and mispredicts every return up to the loop.
#ifndef LARDER_CKERNEL_CALLS_H
#define LARDER_CKERNEL_CALLS_H
// The kernel's numbers alone: under _GNU_SOURCE the C library's headers are not what Swift's Glibc has seen.
#include <asm/unistd.h>
#include <stddef.h>
#include <stdint.h>

// EINTR, MSG_NOSIGNAL and MSG_MORE: part of Linux's user-space interface and the same on every architecture.
enum { LARDER_EINTR = 4, LARDER_NO_SIGNAL = 0x4000, LARDER_MORE = 0x8000 };

/// A result or -errno.
static inline __attribute__((always_inline)) int64_t larder_call(
    int64_t number, int64_t a, int64_t b, int64_t c, int64_t d, int64_t e, int64_t f) {
#if defined(__x86_64__)
    register int64_t r10 __asm__("r10") = d;
    register int64_t r8 __asm__("r8") = e;
    register int64_t r9 __asm__("r9") = f;
    int64_t result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
#elif defined(__aarch64__)
    register int64_t x8 __asm__("x8") = number;
    register int64_t x0 __asm__("x0") = a;
    register int64_t x1 __asm__("x1") = b;
    register int64_t x2 __asm__("x2") = c;
    register int64_t x3 __asm__("x3") = d;
    register int64_t x4 __asm__("x4") = e;
    register int64_t x5 __asm__("x5") = f;
    __asm__ volatile("svc 0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory");
    return x0;
#else
#error "a system call on this architecture"
#endif
}

/// recv: the bytes received, 0 at the end of the stream.
static inline int64_t larder_receive(int fd, void *_Nonnull into, size_t count) {
    for (;;) {
        int64_t n = larder_call(__NR_recvfrom, fd, (int64_t)into, (int64_t)count, 0, 0, 0);
        if (n != -LARDER_EINTR) return n;
    }
}

/// One send. `more` says that further bytes follow at once.
static inline int64_t larder_send1(int fd, const void *_Nullable a, size_t an, int more) {
    int64_t flags = more ? LARDER_NO_SIGNAL | LARDER_MORE : LARDER_NO_SIGNAL;
    for (;;) {
        int64_t n = larder_call(__NR_sendto, fd, (int64_t)a, (int64_t)an, flags, 0, 0);
        if (n != -LARDER_EINTR) return n;
    }
}

/// epoll_wait: fills `events` (larder_event_stride bytes each) and returns how many; 0 when the time is up or
/// a signal came.
static inline int larder_poller_wait(
    int poller, void *_Nonnull events, int capacity, int timeout_milliseconds) {
    // epoll_wait itself is not on every architecture.
    int64_t n = larder_call(__NR_epoll_pwait, poller, (int64_t)events, capacity, timeout_milliseconds, 0, 8);
    return n == -LARDER_EINTR ? 0 : (int)n;
}
#endif
