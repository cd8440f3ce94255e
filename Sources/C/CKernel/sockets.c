// Stream sockets and their addresses: see sockets.h.
#include "CKernel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/filter.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

_Static_assert(EINTR == LARDER_EINTR && MSG_NOSIGNAL == LARDER_NO_SIGNAL && MSG_MORE == LARDER_MORE,
               "the numbers of calls.h");

union any_address {
    struct sockaddr any;
    struct sockaddr_in ipv4;
    struct sockaddr_in6 ipv6;
    struct sockaddr_un unix_path;
    struct sockaddr_storage storage;
};

static void store64(uint8_t *to, uint64_t value) {
    for (int i = 7; i >= 0; i--, value >>= 8) to[i] = (uint8_t)value;
}

static uint64_t load64(const uint8_t *from) {
    uint64_t value = 0;
    for (int i = 0; i < 8; i++) value = value << 8 | from[i];
    return value;
}

/// The kernel's form. Returns its length, or 0 for an address without one.
static socklen_t encode(const struct larder_address *from, const char *path, union any_address *to) {
    memset(to, 0, sizeof *to);
    switch (from->kind) {
    case LARDER_IPV4:
        to->ipv4.sin_family = AF_INET;
        to->ipv4.sin_port = htons(from->port);
        to->ipv4.sin_addr.s_addr = htonl((uint32_t)from->low);
        return sizeof to->ipv4;
    case LARDER_IPV6:
        to->ipv6.sin6_family = AF_INET6;
        to->ipv6.sin6_port = htons(from->port);
        to->ipv6.sin6_scope_id = from->scope;
        store64(to->ipv6.sin6_addr.s6_addr, from->high);
        store64(to->ipv6.sin6_addr.s6_addr + 8, from->low);
        return sizeof to->ipv6;
    case LARDER_UNIX: {
        size_t length = path ? strlen(path) : 0;
        if (length == 0 || length >= sizeof to->unix_path.sun_path) return 0;
        to->unix_path.sun_family = AF_UNIX;
        memcpy(to->unix_path.sun_path, path, length + 1);
        return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
    }
    }
    return 0;
}

/// Fills only what the family needs: this runs for every accepted connection. `path` may be NULL.
static int decode(const union any_address *from, socklen_t length, struct larder_address *to, char *path) {
    *to = (struct larder_address){0};
    if (path) path[0] = 0;
    switch (from->any.sa_family) {
    case AF_INET:
        to->kind = LARDER_IPV4;
        to->port = ntohs(from->ipv4.sin_port);
        to->low = ntohl(from->ipv4.sin_addr.s_addr);
        return 0;
    case AF_INET6:
        to->port = ntohs(from->ipv6.sin6_port);
        to->high = load64(from->ipv6.sin6_addr.s6_addr);
        to->low = load64(from->ipv6.sin6_addr.s6_addr + 8);
        to->kind = LARDER_IPV6;
        if (to->high == 0 && to->low >> 32 == 0xffff) {
            to->kind = LARDER_IPV4;
            to->low &= 0xffffffff;
        } else {
            to->scope = from->ipv6.sin6_scope_id;
        }
        return 0;
    case AF_UNIX: {
        to->kind = LARDER_UNIX;
        size_t head = offsetof(struct sockaddr_un, sun_path);
        if (path && length > head) {
            size_t count = length - head;
            if (count > LARDER_PATH_CAPACITY) count = LARDER_PATH_CAPACITY;
            memcpy(path, from->unix_path.sun_path, count);
            path[count] = 0;
        }
        return 0;
    }
    }
    return -EAFNOSUPPORT;
}

static int stream_socket(int family) {
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return fd < 0 ? -errno : fd;
}

static int set_option(int fd, int level, int name, int value) {
    return setsockopt(fd, level, name, &value, sizeof value) < 0 ? -errno : 0;
}

static int fail(int fd, int error) {
    close(fd);
    return -error;
}

/// Removes a unix socket file that refuses connections; 0 when it is gone.
static int remove_stale(const char *path, const union any_address *address, socklen_t length) {
    struct stat status;
    if (lstat(path, &status) < 0) return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(status.st_mode)) return -EEXIST;
    int probe = stream_socket(AF_UNIX);
    if (probe < 0) return probe;
    int error = connect(probe, &address->any, length) < 0 ? errno : 0;
    close(probe);
    // Any other result (EAGAIN is a full queue) means that a process may listen there.
    if (error != ECONNREFUSED) return -EADDRINUSE;
    return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

int larder_claim_port(const struct larder_address *where) {
    union any_address address;
    socklen_t length = where->kind == LARDER_UNIX ? 0 : encode(where, NULL, &address);
    if (length == 0) return -EINVAL;
    int fd = stream_socket(address.any.sa_family);
    if (fd < 0) return fd;
    int result = set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (result == 0 && where->kind == LARDER_IPV6) result = set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    if (result < 0) return fail(fd, -result);
    return bind(fd, &address.any, length) < 0 ? fail(fd, errno) : fd;
}

int larder_listen(const struct larder_address *where, const char *path, int backlog, int reuse_port) {
    union any_address address;
    socklen_t length = encode(where, path, &address);
    if (length == 0) return -EINVAL;
    int fd = stream_socket(address.any.sa_family);
    if (fd < 0) return fd;
    int result = 0;
    if (where->kind != LARDER_UNIX) {
        result = set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
        if (result == 0 && reuse_port) result = set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
        if (result == 0) result = set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
        // One meaning on every host, whatever net.ipv6.bindv6only says: IPv4 has a listener of its own.
        if (result == 0 && where->kind == LARDER_IPV6) result = set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
        if (result < 0) return fail(fd, -result);
    }
    if (bind(fd, &address.any, length) < 0) {
        if (errno != EADDRINUSE || where->kind != LARDER_UNIX) return fail(fd, errno);
        result = remove_stale(path, &address, length);
        if (result < 0) return fail(fd, -result);
        if (bind(fd, &address.any, length) < 0) return fail(fd, errno);
    }
    if (listen(fd, backlog) < 0) return fail(fd, errno);
    return fd;
}

int larder_share_port(int fd) { return set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1); }

int larder_stop_handshakes(int fd) {
    int family = 0;
    socklen_t length = sizeof family;
    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &length) < 0) return -errno;
    // A unix listener whose reading side is shut refuses at once, and still hands out what is queued.
    if (family == AF_UNIX) return shutdown(fd, SHUT_RD) < 0 ? -errno : 0;
    // What is dropped has SYN in the flags, the 14th byte of a TCP header.
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x02, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
    };
    struct sock_fprog program = {.len = sizeof code / sizeof code[0], .filter = code};
    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0) return -errno;
    // A client that has finished its handshake is queued now, whether or not its first bytes have come.
    return set_option(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, 0);
}

int larder_has_input(int fd) {
    char byte;
    ssize_t n;
    do n = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    return n > 0;
}

int larder_connect(const struct larder_address *where, const char *path, int *in_progress) {
    union any_address address;
    socklen_t length = encode(where, path, &address);
    *in_progress = 0;
    if (length == 0) return -EINVAL;
    int fd = stream_socket(address.any.sa_family);
    if (fd < 0) return fd;
    if (where->kind != LARDER_UNIX) {
        int result = larder_no_delay(fd);
        if (result < 0) return fail(fd, -result);
    }
    if (connect(fd, &address.any, length) < 0) {
        // An interrupted connect goes on by itself: calling again would answer EALREADY.
        if (errno != EINPROGRESS && errno != EINTR) return fail(fd, errno);
        *in_progress = 1;
    }
    return fd;
}

int larder_accept(int fd, struct larder_address *peer) {
    union any_address address;
    for (;;) {
        socklen_t length = sizeof address;
        int accepted = accept4(fd, &address.any, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (accepted >= 0) {
            decode(&address, length, peer, NULL);
            return accepted;
        }
        if (errno != EINTR) return -errno;
    }
}

int larder_listen_privately(int backlog, uint8_t name[LARDER_PRIVATE_NAME]) {
    int fd = stream_socket(AF_UNIX);
    if (fd < 0) return fd;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    // An address of nothing but its family: the kernel chooses an abstract name, NUL and five digits
    // (unix(7), "Autobind").
    if (bind(fd, (struct sockaddr *)&address, sizeof address.sun_family) < 0) return fail(fd, errno);
    socklen_t length = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &length) < 0) return fail(fd, errno);
    if (length != offsetof(struct sockaddr_un, sun_path) + LARDER_PRIVATE_NAME) return fail(fd, EPROTO);
    if (listen(fd, backlog) < 0) return fail(fd, errno);
    memcpy(name, address.sun_path, LARDER_PRIVATE_NAME);
    return fd;
}

int larder_connect_privately(const uint8_t name[LARDER_PRIVATE_NAME]) {
    int fd = stream_socket(AF_UNIX);
    if (fd < 0) return fd;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, name, LARDER_PRIVATE_NAME);
    socklen_t length = offsetof(struct sockaddr_un, sun_path) + LARDER_PRIVATE_NAME;
    // A unix socket is connected at once, or not at all.
    if (connect(fd, (struct sockaddr *)&address, length) < 0) return fail(fd, errno);
    return fd;
}

int larder_socket_pair(int *first, int *second) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0) return -errno;
    *first = pair[0];
    *second = pair[1];
    return 0;
}

int larder_local_address(int fd, struct larder_address *to, char *path) {
    union any_address address;
    socklen_t length = sizeof address;
    if (getsockname(fd, &address.any, &length) < 0) return -errno;
    return decode(&address, length, to, path);
}

int larder_peer_address(int fd, struct larder_address *to, char *path) {
    union any_address address;
    socklen_t length = sizeof address;
    if (getpeername(fd, &address.any, &length) < 0) return -errno;
    return decode(&address, length, to, path);
}

enum { GATHER_LIMIT = 4096 };

int64_t larder_send4(int fd, const void *a, size_t an, const void *b, size_t bn, const void *c, size_t cn,
                     const void *d, size_t dn, int more) {
    // Small messages are gathered here: the copy and one send cost less than sendmsg of several runs.
    size_t total = an + bn + cn + dn;
    if (total <= GATHER_LIMIT) {
        char gathered[GATHER_LIMIT];
        char *end = gathered;
        if (an) end = mempcpy(end, a, an);
        if (bn) end = mempcpy(end, b, bn);
        if (cn) end = mempcpy(end, c, cn);
        if (dn) mempcpy(end, d, dn);
        return larder_send1(fd, gathered, total, more);
    }
    // sendmsg only reads what iov_base points at.
    struct iovec runs[4] = {{(void *)a, an}, {(void *)b, bn}, {(void *)c, cn}, {(void *)d, dn}};
    struct msghdr message = {.msg_iov = runs, .msg_iovlen = dn ? 4 : cn ? 3 : 2};
    for (;;) {
        int64_t n = larder_call(SYS_sendmsg, fd, (int64_t)&message,
                                more ? MSG_NOSIGNAL | MSG_MORE : MSG_NOSIGNAL, 0, 0, 0);
        if (n != -EINTR) return n;
    }
}

int larder_socket_error(int fd) {
    int error = 0;
    socklen_t length = sizeof error;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0 ? -errno : error;
}

int larder_delivery(int fd) {
    if (larder_socket_error(fd) != 0) return -1;
    unsigned char state = TCP_CLOSE;  // the first byte of struct tcp_info
    socklen_t length = sizeof state;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &state, &length) < 0) return 1;
    // Both sides are shut. The last acknowledgement, or a reset, is what closes the connection.
    return state == TCP_CLOSE || state == TCP_TIME_WAIT || state == TCP_FIN_WAIT2;
}

int larder_shutdown_write(int fd) { return shutdown(fd, SHUT_WR) < 0 ? -errno : 0; }

int larder_linger_reset(int fd) {
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    return setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger) < 0 ? -errno : 0;
}

int larder_defer_accept(int fd) { return set_option(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, 1); }

int larder_no_delay(int fd) { return set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1); }

int larder_peer_credentials(int fd, int *pid, uint32_t *uid, uint32_t *gid) {
    struct ucred credentials;
    socklen_t length = sizeof credentials;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) < 0) return -errno;
    // A socket of another family answers with length 0 or with "nobody": no process has id 0 here.
    if (length != sizeof credentials || credentials.pid == 0) return -ENOTCONN;
    *pid = credentials.pid;
    *uid = credentials.uid;
    *gid = credentials.gid;
    return 0;
}

int larder_close_descriptor(int fd) {
    // Linux frees the number even when close is interrupted: never again.
    return close(fd) < 0 ? -errno : 0;
}

int larder_duplicate_descriptor(int fd) {
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    return copy < 0 ? -errno : copy;
}

int larder_separate_descriptors(const int *kept, size_t count) {
    // By close_range and not by unshare, which containers forbid. What lies behind the last kept number is
    // not even copied.
    unsigned from = count ? (unsigned)kept[count - 1] + 1 : 3;
    if (syscall(SYS_close_range, from, ~0U, CLOSE_RANGE_UNSHARE) < 0) return -errno;
    from = 3;
    for (size_t i = 0; i < count; i++) {
        // Cannot fail: the table is this thread's own, and the range not empty.
        if ((unsigned)kept[i] > from) syscall(SYS_close_range, from, (unsigned)kept[i] - 1, 0);
        from = (unsigned)kept[i] + 1;
    }
    return 0;
}

int larder_format_ipv6(uint64_t high, uint64_t low, char *text) {
    uint8_t bytes[16];
    store64(bytes, high);
    store64(bytes + 8, low);
    if (!inet_ntop(AF_INET6, bytes, text, INET6_ADDRSTRLEN)) return -errno;
    return (int)strlen(text);
}

int larder_parse_ipv6(const char *text, uint64_t *high, uint64_t *low) {
    uint8_t bytes[16];
    if (inet_pton(AF_INET6, text, bytes) != 1) return -EINVAL;
    *high = load64(bytes);
    *low = load64(bytes + 8);
    return 0;
}

int larder_resolve(const char *host, void *context,
                   void (*found)(void *context, const struct larder_address *address)) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    int code = getaddrinfo(host, NULL, &hints, &list);
    if (code != 0) return code;
    for (struct addrinfo *entry = list; entry; entry = entry->ai_next) {
        struct larder_address address;
        union any_address any;
        if (entry->ai_addrlen > sizeof any) continue;
        memcpy(&any, entry->ai_addr, entry->ai_addrlen);
        if (decode(&any, entry->ai_addrlen, &address, NULL) == 0) found(context, &address);
    }
    freeaddrinfo(list);
    return 0;
}

const char *larder_resolve_error(int code) { return gai_strerror(code); }
