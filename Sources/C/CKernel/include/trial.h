// What a start of Larder needs, tried without serving.
#ifndef LARDER_TRIAL_H
#define LARDER_TRIAL_H
#include "sockets.h"

/// A socket that has the address of a TCP listener and does not listen: nobody can connect to it.
int larder_claim_port(const struct larder_address *_Nonnull address);
/// Makes this process a user's for good: groups, group and user. 0 or -errno; -ENOENT: no such user.
int larder_become_user(const char *_Nonnull name);
/// May this process write to, or make entries in, what the path names? 0 or -errno.
int larder_may_write(const char *_Nonnull path);
#endif
