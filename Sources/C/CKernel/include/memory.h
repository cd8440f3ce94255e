// Shared memory and child processes: what Glibc's Swift module leaves out.
// Every function returns a result or -errno; none keeps state.
#ifndef LARDER_CKERNEL_MEMORY_H
#define LARDER_CKERNEL_MEMORY_H
#include <stddef.h>
#include <stdint.h>

/// A new memfd of exactly `size` bytes, close-on-exec, sealed against growing, shrinking and further sealing.
int larder_memfd_sealed(const char *_Nonnull name, uint64_t size);
/// Allocates the pages of a range, so that touching them later never raises SIGBUS.
int larder_allocate(int fd, uint64_t offset, uint64_t length);
/// The size of what `fd` refers to, when it is sealed against shrinking; -EINVAL when it is not.
int64_t larder_sealed_size(int fd);
/// A shared, writable mapping of `size` bytes, or NULL with *error set. Asks for huge pages, best effort.
void *_Nullable larder_map_shared(int fd, size_t size, int *_Nonnull error);
int larder_unmap(void *_Nonnull base, size_t size);
/// A duplicate of `fd`, close-on-exec.
int larder_duplicate(int fd);
int larder_close(int fd);
int larder_random(void *_Nonnull into, size_t count);
int larder_process_id(void);

/// Starts `path`; descriptors[i] becomes descriptor numbers[i] of the child, others close on exec.
int larder_spawn(const char *_Nonnull path, char *_Nullable const *_Nonnull arguments,
                 char *_Nullable const *_Nullable environment, const int *_Nullable descriptors,
                 const int *_Nullable numbers, int count);
int larder_pidfd_open(int pid);
int larder_signal(int pid, int signal);
/// Waits for `pid`. 0..255: exit code; 256 + n: killed by signal n; LARDER_RUNNING with `block` 0 while it
/// lives.
int larder_wait(int pid, int block);
enum { LARDER_RUNNING = 1 << 20 };

/// Tells the processor that this is a spin loop.
static inline void larder_relax(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield");
#endif
}
#endif
