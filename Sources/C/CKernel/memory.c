// Shared memory, child processes and randomness: see memory.h.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "memory.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int larder_memfd_sealed(const char *name, uint64_t size) {
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) return -errno;
    const int seals = F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
    if (ftruncate(fd, (off_t)size) < 0 || fcntl(fd, F_ADD_SEALS, seals) < 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

int larder_allocate(int fd, uint64_t offset, uint64_t length) {
    while (fallocate(fd, 0, (off_t)offset, (off_t)length) < 0)
        if (errno != EINTR) return -errno;
    return 0;
}

int64_t larder_sealed_size(int fd) {
    struct stat status;
    int seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0) return -errno;
    if (!(seals & F_SEAL_SHRINK)) return -EINVAL;
    if (fstat(fd, &status) < 0) return -errno;
    return status.st_size;
}

void *larder_map_shared(int fd, size_t size, int *error) {
    void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (base == MAP_FAILED) {
        *error = -errno;
        return NULL;
    }
    madvise(base, size, MADV_HUGEPAGE);
    // A crash dump of a worker need not hold the whole cache.
    madvise(base, size, MADV_DONTDUMP);
    return base;
}

int larder_duplicate(int fd) {
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    return copy < 0 ? -errno : copy;
}

int larder_close(int fd) { return close(fd) < 0 ? -errno : 0; }

int larder_random(void *into, size_t count) {
    return getrandom(into, count, 0) == (ssize_t)count ? 0 : -errno;
}

int larder_process_id(void) { return getpid(); }

int larder_spawn(const char *path, char *const *arguments, char *const *environment, const int *descriptors,
                 const int *numbers, int count) {
    static char *const empty[] = {NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid = 0;
    int error = posix_spawn_file_actions_init(&actions);
    if (error) return -error;
    // dup2 of a descriptor onto itself clears close-on-exec in posix_spawn, so equal numbers work too.
    for (int i = 0; i < count && !error; i++)
        error = posix_spawn_file_actions_adddup2(&actions, descriptors[i], numbers[i]);
    if (!error) error = posix_spawn(&pid, path, &actions, NULL, arguments, environment ? environment : empty);
    posix_spawn_file_actions_destroy(&actions);
    return error ? -error : (int)pid;
}

int larder_pidfd_open(int pid) {
    long fd = syscall(SYS_pidfd_open, pid, 0);
    return fd < 0 ? -errno : (int)fd;
}

int larder_signal(int pid, int signal) { return kill(pid, signal) < 0 ? -errno : 0; }

int larder_wait(int pid, int block) {
    int status = 0;
    pid_t result;
    do result = waitpid(pid, &status, block ? 0 : WNOHANG);
    while (result < 0 && errno == EINTR);
    if (result < 0) return -errno;
    if (result == 0) return LARDER_RUNNING;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

int larder_unmap(void *base, size_t size) { return munmap(base, size) < 0 ? -errno : 0; }
