// The process itself: its arguments, its signals, its end. A result or -errno where it can fail.
#ifndef LARDER_CKERNEL_PROCESS_H
#define LARDER_CKERNEL_PROCESS_H
#include <stddef.h>
#include <stdint.h>

/// The arguments that the program was started with, its name first, NULL behind the last: as the kernel
/// handed them over, and not as /proc has them, which may not be mounted.
char *_Nullable *_Nonnull larder_arguments(int *_Nonnull count);

/// Opens /dev/null in the place of standard streams that are closed, so that nothing else gets their numbers.
void larder_fill_standard_streams(void);

/// Ignores the signals of `mask` (bit n - 1 for signal n) that would end the process.
void larder_ignore_signals(uint64_t mask);

/// From here on a crash (SEGV, BUS, ILL, TRAP, FPE, ABRT, SYS), and each of these signals sent from outside,
/// ends the process at once, with a message of a few lines on standard error that begins with `name`.
void larder_end_at_crash(const char *_Nonnull name);

/// Gives the calling thread a stack of its own for the message of a stack overflow, and takes it back at the
/// thread's end. NULL: it has none.
void *_Nullable larder_take_crash_stack(void);
void larder_give_crash_stack(void *_Nullable memory);

/// Ends the process at once: no destructors, no handlers, whatever other threads do.
_Noreturn void larder_leave(int code);

/// The first system call that Larder cannot do without and that is refused here: its name, and the error in
/// *error. NULL: all may be made.
const char *_Nullable larder_refused_call(int *_Nonnull error);

/// Writes a few lines without ever waiting for a reader: the count written, or -errno; -EAGAIN: no room.
int64_t larder_write_soon(int fd, const void *_Nullable from, size_t count);
#endif
