// Arguments, standard streams, crashes: see process.h.
#include "CKernel.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

// MARK: Arguments

static int argument_count;
static char *no_arguments[] = {NULL};
static char **arguments = no_arguments;

// The C library calls constructors with what main gets. What libraries do to the environment or to /proc
// changes nothing of it.
__attribute__((constructor)) static void keep_arguments(int count, char **values) {
    argument_count = count;
    arguments = values;
}

char **larder_arguments(int *count) {
    *count = argument_count;
    return arguments;
}

void larder_fill_standard_streams(void) {
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF) continue;
        // The lowest free number is this one.
        int null = open("/dev/null", O_RDWR);
        if (null >= 0 && null != fd) close(null);
    }
}

_Noreturn void larder_leave(int code) { _exit(code); }

int64_t larder_write_soon(int fd, const void *from, size_t count) {
    struct stat status;
    int is_regular = fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
    size_t written = 0;
    while (written < count) {
        size_t run = count - written;
        if (!is_regular) {
            // What polls writable takes PIPE_BUF without waiting.
            struct pollfd p = {.fd = fd, .events = POLLOUT};
            if (poll(&p, 1, 0) == 0) return written ? (int64_t)written : -EAGAIN;
            if (run > 4096) run = 4096;
        }
        ssize_t n = write(fd, (const char *)from + written, run);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return written ? (int64_t)written : n < 0 ? -errno : -EIO;
        written += (size_t)n;
    }
    return (int64_t)written;
}

// MARK: Signals

void larder_ignore_signals(uint64_t mask) {
    for (int number = 1; number <= 64; number++) {
        if (!(mask >> (number - 1) & 1)) continue;
        struct sigaction now;
        // What a preloaded library (a profiler) handles stays so. 32 and 33 are the C library's own, and
        // refused.
        if (sigaction(number, NULL, &now) == 0 && now.sa_handler == SIG_DFL) signal(number, SIG_IGN);
    }
}

// MARK: Crashes
// All below `end_at_crash` runs in a signal handler: no allocation, no lock, no stdio.

enum { MODULE_CAPACITY = 64, FRAME_LIMIT = 24, CRASH_STACK = 64 * 1024 };

struct module {
    uintptr_t base, end;
    const char *name;
};

static struct module modules[MODULE_CAPACITY];
static int module_count;
static const char *program_name = "";
static int has_handlers;

struct message {
    char text[4000];
    size_t count;
};

static void add(struct message *m, const char *text) {
    while (*text && m->count < sizeof m->text) m->text[m->count++] = *text++;
}

static void add_number(struct message *m, uint64_t value, unsigned base) {
    char digits[24];
    int n = 0;
    do digits[n++] = "0123456789abcdef"[value % base];
    while ((value /= base) != 0);
    while (n > 0 && m->count < sizeof m->text) m->text[m->count++] = digits[--n];
}

/// `larder+0x1234`, to be looked up by addr2line or llvm-symbolizer; a bare address outside of all modules.
static void add_place(struct message *m, uintptr_t address) {
    for (int i = 0; i < module_count; i++) {
        if (address < modules[i].base || address >= modules[i].end) continue;
        add(m, modules[i].name);
        add(m, "+0x");
        add_number(m, address - modules[i].base, 16);
        return;
    }
    add(m, "0x");
    add_number(m, address, 16);
}

static const char *signal_name(int number) {
    switch (number) {
    case SIGSEGV: return "SIGSEGV (no such memory)";
    case SIGBUS: return "SIGBUS (memory that cannot be read or written)";
    case SIGILL: return "SIGILL (a broken invariant, or no such instruction)";
    case SIGTRAP: return "SIGTRAP (a broken invariant)";
    case SIGFPE: return "SIGFPE (arithmetic)";
    case SIGABRT: return "SIGABRT (given up)";
    case SIGSYS: return "SIGSYS (a forbidden system call)";
    default: return "a signal";
    }
}

static void registers(const ucontext_t *context, uintptr_t *pc, uintptr_t *frame, uintptr_t *stack) {
#if defined(__x86_64__)
    *pc = (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
    *frame = (uintptr_t)context->uc_mcontext.gregs[REG_RBP];
    *stack = (uintptr_t)context->uc_mcontext.gregs[REG_RSP];
#elif defined(__aarch64__)
    *pc = (uintptr_t)context->uc_mcontext.pc;
    *frame = (uintptr_t)context->uc_mcontext.regs[29];
    *stack = (uintptr_t)context->uc_mcontext.sp;
#else
    *pc = *frame = *stack = 0;
#endif
}

static void write_message(const struct message *m) { larder_write_soon(2, m->text, m->count); }

/// Return addresses by frame pointers, from the interrupted function outwards. A frame that cannot be read
/// ends the process as the crash would: the first lines are out by then.
static void write_frames(uintptr_t frame, uintptr_t stack) {
    struct message m = {.count = 0};
    for (int i = 0; i < FRAME_LIMIT; i++) {
        // Frames lie above the stack's end, aligned, each above the one before and not far.
        if (frame < stack || frame % sizeof(uintptr_t) != 0 || frame - stack > 1 << 20) break;
        uintptr_t next = ((const uintptr_t *)frame)[0];
        uintptr_t from = ((const uintptr_t *)frame)[1];
        if (from == 0) break;
        add(&m, "    ");
        add_place(&m, from);
        add(&m, "\n");
        if (next <= frame) break;
        stack = frame;
        frame = next;
    }
    write_message(&m);
}

static void end_at_crash(int number, siginfo_t *info, void *raw) {
    uintptr_t pc, frame, stack;
    registers(raw, &pc, &frame, &stack);
    struct message m = {.count = 0};
    add(&m, program_name);
    // Sent by a process (or by abort, from this one) or raised by the processor.
    int is_sent = info->si_code <= 0;
    if (is_sent && info->si_pid != getpid()) {
        add(&m, " ended by ");
        add(&m, signal_name(number));
        add(&m, ", sent by process ");
        add_number(&m, (uint64_t)info->si_pid, 10);
    } else {
        add(&m, " crashed: ");
        add(&m, signal_name(number));
        if (number == SIGSEGV || number == SIGBUS) {
            add(&m, " at address 0x");
            add_number(&m, (uintptr_t)info->si_addr, 16);
        }
        if (number == SIGSYS) {
            add(&m, ", number ");
            add_number(&m, (uint64_t)info->si_syscall, 10);
        }
    }
    add(&m, "; thread ");
    add_number(&m, (uint64_t)syscall(SYS_gettid), 10);
    add(&m, "\n    ");
    add_place(&m, pc);
    add(&m, "\n");
    write_message(&m);
    if (!is_sent || info->si_pid == getpid()) write_frames(frame, stack);
    // The disposition is the default again (SA_RESETHAND). A fault comes again when its instruction is
    // repeated, with its registers in the core dump. What was sent does not, nor does a trap, which lies
    // behind its instruction.
    int is_repeated = number == SIGSEGV || number == SIGBUS || number == SIGILL || number == SIGFPE;
    if (!is_sent && is_repeated) return;
    if (syscall(SYS_tgkill, getpid(), (int)syscall(SYS_gettid), number) < 0) _exit(128 + number);
}

static int note_module(struct dl_phdr_info *info, size_t size, void *context) {
    (void)size;
    (void)context;
    if (module_count == MODULE_CAPACITY) return 1;
    struct module *module = &modules[module_count];
    module->base = info->dlpi_addr;
    module->end = 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type != PT_LOAD) continue;
        uintptr_t end = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr + info->dlpi_phdr[i].p_memsz;
        if (end > module->end) module->end = end;
    }
    // The program itself has no name here.
    const char *name = info->dlpi_name && info->dlpi_name[0] ? info->dlpi_name : "larder";
    const char *slash = strrchr(name, '/');
    module->name = slash ? slash + 1 : name;
    module_count++;
    return 0;
}

void larder_end_at_crash(const char *name) {
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
    // The sanitizer's own reports say more.
    return;
#endif
#endif
    static char kept[64];
    strncpy(kept, name, sizeof kept - 1);
    program_name = kept;
    if (module_count == 0) dl_iterate_phdr(note_module, NULL);
    has_handlers = 1;
    larder_take_crash_stack();
    struct sigaction action = {.sa_sigaction = end_at_crash,
                               .sa_flags = SA_SIGINFO | SA_RESETHAND | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    const int numbers[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGABRT, SIGSYS};
    sigset_t unblocked;
    sigemptyset(&unblocked);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        sigaction(numbers[i], &action, NULL);
        sigaddset(&unblocked, numbers[i]);
    }
    // The mask is inherited, and some parents block all signals.
    pthread_sigmask(SIG_UNBLOCK, &unblocked, NULL);
}

void *larder_take_crash_stack(void) {
    void *memory = has_handlers ? malloc(CRASH_STACK) : NULL;
    stack_t stack = {.ss_sp = memory, .ss_size = CRASH_STACK};
    if (memory && sigaltstack(&stack, NULL) == 0) return memory;
    free(memory);
    return NULL;
}

void larder_give_crash_stack(void *memory) {
    if (!memory) return;
    stack_t none = {.ss_flags = SS_DISABLE};
    if (sigaltstack(&none, NULL) == 0) free(memory);
}
