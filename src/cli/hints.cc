#include "cli/hints.h"

namespace pixmilter::cli {
namespace {

struct Hint {
  std::string_view reason;  // how it begins
  std::string_view text;
};

constexpr Hint kHints[] = {
    {"not outgoing",
     "it was not handed in on this host, and its client has not authenticated and is not loopback; only a "
     "rule "
     "that names the client (ip, local, authenticated, user, hostname, daemon_name) means such mail"},
    {"DKIM-signed",
     "any change would break the signature; a rule with match = { dkim_signed = true } rewrites such mail "
     "all the "
     "same. A milter that signs goes after pixmilter"},
    {"ARC-sealed",
     "any change would break the seal; a rule with match = { dkim_signed = true } rewrites such mail all the "
     "same"},
    {"null sender", "bounces and other automatic answers are never touched"},
    {"report", "delivery reports (multipart/report) are never touched"},
    {"inline PGP", "signed or encrypted text is never touched"},
    {"already rewritten", "its X-Pixmilter header says so"},
    {"ambiguous", "two mail programs could read it in two ways; such mail is never touched"},
    {"mode off", "the configuration says mode = \"off\""},
};

}  // namespace

std::string_view hint(std::string_view reason) {
  for (const Hint& one : kHints)
    if (reason.starts_with(one.reason)) return one.text;
  return {};
}

}  // namespace pixmilter::cli
