// Poller, event counter, ticker, signals, clocks and descriptor limits: see events.h.
#include "CKernel.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

int larder_poller(void) {
    int fd = epoll_create1(EPOLL_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int larder_poller_add(int poller, int fd, uint64_t token, int watch) {
    struct epoll_event event = {.data.u64 = token};
    switch (watch) {
    case LARDER_WATCH_STREAM: event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET; break;
    case LARDER_WATCH_READABLE: event.events = EPOLLIN; break;
    case LARDER_WATCH_LISTENER: event.events = EPOLLIN | EPOLLEXCLUSIVE; break;
    default: return -EINVAL;
    }
    return epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

int larder_poller_remove(int poller, int fd) {
    return epoll_ctl(poller, EPOLL_CTL_DEL, fd, NULL) < 0 ? -errno : 0;
}

size_t larder_event_stride(void) { return sizeof(struct epoll_event); }
size_t larder_event_token_offset(void) { return offsetof(struct epoll_event, data); }

int larder_event_counter(void) {
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int larder_event_signal(int fd) {
    uint64_t one = 1;
    for (;;) {
        if (write(fd, &one, sizeof one) == sizeof one) return 0;
        if (errno != EINTR) return -errno;
    }
}

int64_t larder_event_drain(int fd) {
    uint64_t count = 0;
    for (;;) {
        if (read(fd, &count, sizeof count) == sizeof count) {
            return count > INT64_MAX ? INT64_MAX : (int64_t)count;
        }
        if (errno != EINTR) return -errno;
    }
}

int larder_ticker(uint32_t milliseconds) {
    int fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    if (fd < 0) return -errno;
    struct timespec interval = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    struct itimerspec both = {interval, interval};
    if (timerfd_settime(fd, 0, &both, NULL) < 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

int larder_signal_receiver(uint64_t mask) {
    sigset_t set;
    sigemptyset(&set);
    for (int number = 1; number <= 64; number++) {
        if (mask >> (number - 1) & 1) sigaddset(&set, number);
    }
    int error = pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (error) return -error;
    int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int larder_signal_next(int fd) {
    struct signalfd_siginfo info;
    for (;;) {
        ssize_t n = read(fd, &info, sizeof info);
        if (n == sizeof info) return (int)info.ssi_signo;
        if (n >= 0) return -EIO;
        if (errno != EINTR) return -errno;
    }
}

static struct timespec clock_now(int clock) {
    static const clockid_t ids[] = {CLOCK_MONOTONIC, CLOCK_MONOTONIC_COARSE, CLOCK_REALTIME,
                                    CLOCK_REALTIME_COARSE, CLOCK_BOOTTIME};
    struct timespec now = {0, 0};
    // Cannot fail: the ids exist since Linux 2.6.39.
    clock_gettime(ids[clock], &now);
    return now;
}

uint64_t larder_clock_milliseconds(int clock) {
    struct timespec now = clock_now(clock);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t larder_clock_microseconds(int clock) {
    struct timespec now = clock_now(clock);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

int64_t larder_descriptor_limit(uint64_t wanted) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
    limit.rlim_cur = wanted ? wanted : limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
    return (int64_t)limit.rlim_cur;
}

int64_t larder_descriptor_limit_current(void) {
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) < 0 ? -errno : (int64_t)limit.rlim_cur;
}

struct thread_start {
    void *argument;
    void (*body)(void *argument);
    char name[16];
};

static void *run_thread(void *raw) {
    struct thread_start start = *(struct thread_start *)raw;
    free(raw);
    pthread_setname_np(pthread_self(), start.name);
    void *stack = larder_take_crash_stack();
    start.body(start.argument);
    larder_give_crash_stack(stack);
    return NULL;
}

int larder_thread_start(uint64_t *thread, const char *name, void *argument, void (*body)(void *argument)) {
    struct thread_start *start = calloc(1, sizeof *start);
    if (!start) return -ENOMEM;
    start->argument = argument;
    start->body = body;
    strncpy(start->name, name, sizeof start->name - 1);
    pthread_t id;
    int error = pthread_create(&id, NULL, run_thread, start);
    if (error) {
        free(start);
        return -error;
    }
    *thread = (uint64_t)id;
    return 0;
}

int larder_thread_join(uint64_t thread) { return -pthread_join((pthread_t)thread, NULL); }
int larder_thread_join_within(uint64_t thread, uint32_t milliseconds) {
    struct timespec end = clock_now(LARDER_MONOTONIC);
    end.tv_sec += milliseconds / 1000;
    end.tv_nsec += milliseconds % 1000 * 1000000;
    if (end.tv_nsec >= 1000000000) {
        end.tv_sec++;
        end.tv_nsec -= 1000000000;
    }
    return -pthread_clockjoin_np((pthread_t)thread, NULL, CLOCK_MONOTONIC, &end);
}
int larder_thread_detach(uint64_t thread) { return -pthread_detach((pthread_t)thread); }

int larder_thread_yield_to_others(void) {
    // Linux counts niceness by thread, and id 0 is the caller.
    return setpriority(PRIO_PROCESS, 0, 10) < 0 ? -errno : 0;
}
