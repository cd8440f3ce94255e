// What the kernel, or a filter of system calls, has to let Larder do: see process.h.
#include "CKernel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

/// Errors of a filter (seccomp) or of a kernel without the call; others mean that the call was made.
static int is_refusal(long result) {
    return result < 0 && (errno == EPERM || errno == ENOSYS || errno == EACCES);
}

#define TRY(name, call)                                                                                      \
    if (is_refusal((long)(call))) {                                                                          \
        *error = errno;                                                                                      \
        refused = name;                                                                                      \
        goto end;                                                                                            \
    }

static const char *refused_memory_call(int *error) {
    const char *refused = NULL;
    char bytes[8];
    void *map = MAP_FAILED;
    int fd;
    TRY("memfd_create", fd = memfd_create("larder-probe", MFD_CLOEXEC | MFD_ALLOW_SEALING))
    if (fd < 0) return NULL;
    TRY("ftruncate", ftruncate(fd, 4096))
    TRY("fallocate", fallocate(fd, 0, 0, 4096))
    TRY("fcntl", fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK))
    TRY("getrandom", getrandom(bytes, sizeof bytes, 0))
    map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    TRY("mmap", map == MAP_FAILED ? -1 : 0)
end:
    if (map != MAP_FAILED) munmap(map, 4096);
    if (fd >= 0) close(fd);
    return refused;
}

static const char *refused_socket_call(int *error) {
    const char *refused = NULL;
    char byte = 0;
    int value = 0;
    socklen_t length = sizeof value;
    struct sockaddr_storage address;
    socklen_t address_length = sizeof address;
    struct iovec run = {&byte, 1};
    struct msghdr message = {.msg_iov = &run, .msg_iovlen = 1};
    int pair[2] = {-1, -1};
    // A unit may be confined to the internet's families: then these calls are tried by the listeners alone.
    TRY("socketpair", socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair))
    if (pair[0] < 0) return NULL;
    TRY("sendto", send(pair[0], &byte, 1, MSG_NOSIGNAL))
    TRY("sendmsg", sendmsg(pair[0], &message, MSG_NOSIGNAL))
    TRY("recvfrom", recv(pair[1], &byte, 1, 0))
    TRY("getsockopt", getsockopt(pair[0], SOL_SOCKET, SO_ERROR, &value, &length))
    TRY("setsockopt", setsockopt(pair[0], SOL_SOCKET, SO_REUSEADDR, &value, sizeof value))
    TRY("getsockname", getsockname(pair[0], (struct sockaddr *)&address, &address_length))
    // Refused with EINVAL where it is allowed: nobody listens.
    TRY("accept4", accept4(pair[0], NULL, NULL, SOCK_CLOEXEC))
    TRY("shutdown", shutdown(pair[0], SHUT_WR))
end:
    if (pair[0] >= 0) close(pair[0]);
    if (pair[1] >= 0) close(pair[1]);
    return refused;
}

const char *larder_refused_call(int *error) {
    const char *refused = NULL;
    uint64_t one = 1;
    struct epoll_event event = {.events = EPOLLIN};
    struct itimerspec never = {{0, 0}, {0, 0}};
    struct pollfd p = {.events = POLLIN};
    sigset_t none;
    sigemptyset(&none);
    int poller = -1, counter = -1, timer = -1, receiver = -1;
    TRY("epoll_create1", poller = epoll_create1(EPOLL_CLOEXEC))
    TRY("eventfd2", counter = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC))
    TRY("timerfd_create", timer = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC))
    TRY("signalfd4", receiver = signalfd(-1, &none, SFD_NONBLOCK | SFD_CLOEXEC))
    // Out of descriptors, say: what opens next tells it.
    if (poller < 0 || counter < 0 || timer < 0) goto end;
    TRY("timerfd_settime", timerfd_settime(timer, 0, &never, NULL))
    TRY("epoll_ctl", epoll_ctl(poller, EPOLL_CTL_ADD, counter, &event))
    TRY("epoll_pwait", epoll_pwait(poller, &event, 1, 0, NULL))
    TRY("write", write(counter, &one, sizeof one))
    TRY("read", read(counter, &one, sizeof one))
    p.fd = counter;
    TRY("poll", poll(&p, 1, 0))
    refused = refused_memory_call(error);
    if (!refused) refused = refused_socket_call(error);
end:
    if (poller >= 0) close(poller);
    if (counter >= 0) close(counter);
    if (timer >= 0) close(timer);
    if (receiver >= 0) close(receiver);
    return refused;
}
