// The shipped policies (cache-policies/*.yaml) and the page of reasons (docs/reasons.md), compiled into the
// binary: their names work wherever it lies.
#pragma once

/// How many there are. Indexes below go from 0 to this, in the order of the names.
int larder_policy_count(void);

/// The name of the file without `.yaml`; ASCII, ends in a zero byte, lives as long as the program.
const char *larder_policy_name(int index);

/// The file's text; UTF-8, ends in a zero byte, lives as long as the program.
const char *larder_policy_text(int index);

/// The page of reasons; UTF-8, ends in a zero byte, lives as long as the program.
const char *larder_reasons_text(void);
