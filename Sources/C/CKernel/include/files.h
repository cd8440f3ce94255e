// Files: opening below a directory, status, positioned reads, appending. A result or -errno; no state.
#ifndef LARDER_CKERNEL_FILES_H
#define LARDER_CKERNEL_FILES_H
#include <stddef.h>
#include <stdint.h>

enum { LARDER_FILE_REGULAR = 1, LARDER_FILE_DIRECTORY = 2, LARDER_FILE_STREAM = 3, LARDER_FILE_OTHER = 0 };

struct larder_file_status {
    int64_t size;
    int64_t seconds;      // last modification, Unix time
    int64_t nanoseconds;
    uint64_t inode;
    uint64_t device;
    int32_t kind;
};

/// An O_PATH descriptor of a directory.
int larder_open_directory(const char *_Nonnull path);
/// Opens `path` for reading below `directory`. What leads out of it by `..` is -EXDEV; a symbolic link
/// anywhere in the path is -ELOOP. Never waits for a fifo or a device. -ENOSYS before Linux 5.6.
int larder_open_beneath(int directory, const char *_Nonnull path);
/// The text of the symbolic link at `path` below `directory`: its length, without a NUL; -EINVAL for what is
/// no link; -ENAMETOOLONG for a text of `capacity` bytes or more.
int64_t larder_read_link(int directory, const char *_Nonnull path, char *_Nonnull text, size_t capacity);
/// Creates or opens a log to be appended to, without waiting: writing to it may be -EAGAIN. A fifo is opened
/// for reading too, if that is allowed, so that a reader may come and go; if not, it is -ENXIO without one.
int larder_open_log(const char *_Nonnull path, uint32_t mode);
int larder_is_pipe(const char *_Nonnull path);
/// 1: the regular file at `path` does not end with a line break. 0: it does, is empty, or cannot be read.
int larder_ends_inside_line(const char *_Nonnull path);
int larder_file_status(int fd, struct larder_file_status *_Nonnull status);
int64_t larder_read_at(int fd, void *_Nonnull into, size_t count, int64_t offset);
int64_t larder_write(int fd, const void *_Nullable from, size_t count);
/// 1: can be read or, if `to_write`, written (or has failed: trying tells); 0: not within the time (-1: no
/// limit).
int larder_poll(int fd, int to_write, int timeout_milliseconds);
#endif
