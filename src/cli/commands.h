// The commands that work on one message or file. Each returns its exit code and writes errors to stderr.
#pragma once

#include "cli/options.h"

namespace pixmilter::cli {

// One message from a file or stdin to stdout, changed or as it came. Starts a render worker only when
// something must be rendered. Exit codes as in DESIGN.md section 4.
int rewrite(const MessageOptions& options);

// What rewrite would do with a message and why: rules, references, parts, trees, times. As text, or as JSON.
int explain(const ExplainOptions& options);

// The same as a page: before and after, every picture, both trees.
int preview(const PreviewOptions& options);

// Reads the configuration and says what is wrong with it, and where asked with how Postfix uses the milter.
int check(const CheckOptions& options);

}  // namespace pixmilter::cli
