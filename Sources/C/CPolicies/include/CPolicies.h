// The shipped policies (cache-policies/*.yaml) and the page of reasons (docs/reasons.md) as parts of the
// program: it needs no files to use them.
#pragma once

/// The number of policies. The indexes below are 0 ..< this number, in the order of the names.
int larder_policy_count(void);

/// The name of a policy: the name of its file without `.yaml`. ASCII, ends with a zero byte, lives as long as
/// the program. NULL for an index out of range.
const char *larder_policy_name(int index);

/// The text of a policy file. UTF-8, ends with a zero byte, lives as long as the program. NULL for an index
/// out of range.
const char *larder_policy_text(int index);

/// The page of reasons. UTF-8, ends with a zero byte, lives as long as the program.
const char *larder_reasons_text(void);
