// Opening below a directory, reading at an offset, waiting for one descriptor: see files.h.
#include "CKernel.h"
#include "files.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int larder_open_directory(const char *path) {
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int larder_open_beneath(int directory, const char *path) {
    struct open_how how = {
        .flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
    };
    // A rename anywhere during the walk makes the kernel unsure whether ".." stayed below: -EAGAIN, worth a
    // few tries.
    for (int attempt = 0;; attempt++) {
        long fd = syscall(SYS_openat2, directory, path, &how, sizeof how);
        if (fd >= 0) return (int)fd;
        if ((errno != EAGAIN && errno != EINTR) || attempt >= 16) return -errno;
    }
}

int64_t larder_read_link(int directory, const char *path, char *text, size_t capacity) {
    ssize_t n = readlinkat(directory, path, text, capacity);
    if (n < 0) return -errno;
    return (size_t)n < capacity ? n : -ENAMETOOLONG;
}

int larder_is_pipe(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISFIFO(status.st_mode);
}

int larder_open_log(const char *path, uint32_t mode) {
    const int flags = O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    int fd;
    if (larder_is_pipe(path)) {
        do fd = open(path, O_RDWR | flags);
        while (fd < 0 && errno == EINTR);
        if (fd >= 0 || errno != EACCES) return fd < 0 ? -errno : fd;
    }
    do fd = open(path, O_WRONLY | O_CREAT | flags, (mode_t)mode);
    while (fd < 0 && errno == EINTR);
    return fd < 0 ? -errno : fd;
}

int larder_ends_inside_line(const char *path) {
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) return 0;
    struct stat status;
    char last = '\n';
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0
        && pread(fd, &last, 1, status.st_size - 1) != 1)
        last = '\n';
    close(fd);
    return last != '\n';
}

int larder_file_status(int fd, struct larder_file_status *status) {
    struct stat s;
    if (fstat(fd, &s) < 0) return -errno;
    status->size = s.st_size;
    status->seconds = s.st_mtim.tv_sec;
    status->nanoseconds = s.st_mtim.tv_nsec;
    status->inode = s.st_ino;
    status->device = s.st_dev;
    status->kind = S_ISREG(s.st_mode) ? LARDER_FILE_REGULAR
        : S_ISDIR(s.st_mode) ? LARDER_FILE_DIRECTORY
        : S_ISFIFO(s.st_mode) || S_ISSOCK(s.st_mode) || S_ISCHR(s.st_mode) ? LARDER_FILE_STREAM
        : LARDER_FILE_OTHER;
    return 0;
}

int64_t larder_read_at(int fd, void *into, size_t count, int64_t offset) {
    ssize_t n;
    do n = pread(fd, into, count, offset);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

int64_t larder_write(int fd, const void *from, size_t count) {
    ssize_t n;
    do n = write(fd, from, count);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

int larder_poll(int fd, int to_write, int timeout_milliseconds) {
    struct pollfd p = { .fd = fd, .events = to_write ? POLLOUT : POLLIN };
    return poll(&p, 1, timeout_milliseconds) > 0;
}
