#include "cli/explain_text.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>

#include "base/ascii.h"
#include "cli/hints.h"

namespace pixmilter::cli {
namespace {

// For terminals: control characters of a message could do anything there.
std::string harmless(std::string_view text) {
  std::string out;
  for (const char c : text) out.push_back(static_cast<unsigned char>(c) < ' ' || c == 0x7F ? '?' : c);
  return out;
}

std::string size(std::uint64_t bytes) {
  std::array<char, 32> text{};
  if (bytes < 1000)
    std::snprintf(text.data(), text.size(), "%llu B", static_cast<unsigned long long>(bytes));
  else if (bytes < 1'000'000)
    std::snprintf(text.data(), text.size(), "%.1f kB", static_cast<double>(bytes) / 1e3);
  else
    std::snprintf(text.data(), text.size(), "%.1f MB", static_cast<double>(bytes) / 1e6);
  return text.data();
}

std::string dimensions(std::uint32_t width, std::uint32_t height) {
  return width == 0 || height == 0 ? "" : std::to_string(width) + "x" + std::to_string(height);
}

// Characters as a terminal counts them: one for each UTF-8 sequence.
std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

// Rows of cells in columns as wide as their widest cell, and lines between them that are in no column.
class Grid {
 public:
  void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  void line(std::string text) { lines_[rows_.size()] += text + "\n"; }  // indented by itself
  std::string text(std::string_view indent) const {
    std::vector<std::size_t> widths;
    for (const auto& cells : rows_)
      for (std::size_t i = 0; i < cells.size(); ++i) {
        if (i == widths.size()) widths.push_back(0);
        widths[i] = std::max(widths[i], columns(cells[i]));
      }
    std::string out;
    for (std::size_t row = 0; row < rows_.size(); ++row) {
      const std::vector<std::string>& cells = rows_[row];
      std::string line(indent);
      for (std::size_t i = 0; i < cells.size(); ++i) {
        line += cells[i];
        if (i + 1 < cells.size()) line.append(widths[i] - columns(cells[i]) + 2, ' ');
      }
      while (!line.empty() && line.back() == ' ') line.pop_back();
      out += line + "\n";
      if (const auto below = lines_.find(row + 1); below != lines_.end()) out += below->second;
    }
    return out;
  }

 private:
  std::vector<std::vector<std::string>> rows_;
  std::map<std::size_t, std::string> lines_;  // below so many rows
};

class Writer {
 public:
  Writer(const Explanation& explanation, bool coloured) : e_(explanation), coloured_(coloured) {}

  std::string text() {
    heading("Message");
    message();
    heading("Rules");
    rules();
    heading("Pictures");
    pictures();
    if (!e_.report.before.empty()) {
      heading(e_.report.after.empty() ? "Parts" : "Parts before");
      parts(e_.report.before);
    }
    if (!e_.report.after.empty()) {
      heading("Parts after");
      parts(e_.report.after);
    }
    return std::move(out_);
  }

 private:
  std::string paint(std::string_view text, const char* code) const {
    return coloured_ ? "\033[" + std::string(code) + "m" + std::string(text) + "\033[0m" : std::string(text);
  }
  void heading(std::string_view text) {
    if (!out_.empty()) out_ += "\n";
    out_ += paint(text, "1") + "\n";
  }

  void message() {
    const mail::Envelope& envelope = e_.envelope;
    std::string client = envelope.local ? "this host" : envelope.client_address;
    if (!envelope.authenticated_user.empty()) client += ", authenticated as " + envelope.authenticated_user;
    std::string recipients;
    for (const std::string& recipient : envelope.recipients)
      recipients.append(recipients.empty() ? "" : ", ").append("<" + recipient + ">");
    Grid grid;
    grid.row({"from", envelope.sender_known ? harmless("<" + envelope.sender + ">") : "not told (--from)"});
    grid.row({"to", recipients.empty() ? "not told (--rcpt)" : harmless(recipients)});
    grid.row({"by", harmless(client)});
    grid.row({"size", size(e_.outcome.bytes_before) + (e_.outcome.bytes_after != e_.outcome.bytes_before
                                                           ? " -> " + size(e_.outcome.bytes_after)
                                                           : "")});
    if (uses_assets()) grid.row({"assets", harmless(e_.report.asset_root)});
    grid.row({"outcome", paint(harmless(e_.outcome.summary), "1")});
    if (e_.outcome.verdict != core::Verdict::accept)
      grid.row({"verdict", verdict() + ": " + harmless(e_.outcome.reply)});
    std::array<char, 64> times{};
    std::snprintf(times.data(), times.size(), "%.1f ms, %.1f ms of it rendering", e_.report.total_ms,
                  e_.report.render_ms);
    grid.row({"time", times.data()});
    out_ += grid.text("  ");
  }

  bool uses_assets() const {
    return !e_.report.asset_root.empty() &&
           std::any_of(e_.outcome.findings.begin(), e_.outcome.findings.end(), [](const core::Finding& one) {
             return one.source == core::Source::asset || one.source == core::Source::file;
           });
  }

  std::string verdict() const {
    switch (e_.outcome.verdict) {
      case core::Verdict::accept:
        return "accept";
      case core::Verdict::reject:
        return "reject";
      case core::Verdict::tempfail:
        return "tempfail";
      case core::Verdict::quarantine:
        return "quarantine";
    }
    return "?";
  }

  void rules() {
    for (const core::RecipientPlan& plan : e_.report.plan.recipients) {
      out_ += "  " + (plan.recipient.empty() ? "the message" : harmless("<" + plan.recipient + ">")) + ": ";
      out_ += plan.rule == nullptr
                  ? "no rule, the defaults"
                  : "rule \"" + plan.rule_name + "\", line " + std::to_string(plan.rule->line);
      out_ += ": " + std::string(config::name(plan.action)) + (plan.why.empty() ? "" : " (" + plan.why + ")");
      if (plan.mode != config::Mode::enforce) out_ += ", mode " + std::string(config::name(plan.mode));
      out_ += "\n";
      Grid grid;
      for (const core::RuleTrace& trace : plan.trace) {
        grid.row({trace.matched ? paint("yes", "32") : paint("no ", "31"),
                  "rule \"" + trace.rule->name + "\"", trace.note});
        for (const core::ConditionTrace& condition : trace.conditions)
          grid.row(
              {"", (condition.holds ? paint("  yes", "32") : paint("  no ", "31")) + "  " + condition.text});
      }
      out_ += grid.text("    ");
    }
    for (const core::Forced& forced : e_.report.plan.forced) out_ += "  " + for_all(forced) + "\n";
  }

  static std::string for_all(const core::Forced& forced) {
    return forced.what + " for all, because of " + harmless("<" + forced.recipient + ">") + " (" +
           forced.rule_name + ")";
  }

  // Nothing was looked at, or there was nothing to be seen.
  void no_pictures() {
    const std::string_view summary = e_.outcome.summary;
    const bool looked = summary.ends_with("nothing to do") || e_.report.skipped > 0 ||
                        summary.find("max_message_bytes") != std::string_view::npos;
    std::string_view more = kWhereWeLook;
    if (looked) {
      const bool guarded = std::any_of(e_.report.before.begin(), e_.report.before.end(),
                                       [](const core::PartLine& line) { return !line.note.empty(); });
      out_ += "  none were found" + std::string(guarded ? " outside of what is never touched" : "") + "\n";
    } else {
      const std::string_view reason = summary.substr(summary.find(": ") + 2);
      out_ += "  not looked for: " + harmless(reason) + "\n";
      more = hint(reason);
    }
    if (!more.empty()) out_ += wrapped(more);
  }

  // Under a line, in words.
  std::string wrapped(std::string_view text) const {
    constexpr std::size_t kWidth = 90;
    std::string out;
    while (!text.empty()) {
      std::size_t end = text.size() <= kWidth ? text.size() : text.rfind(' ', kWidth);
      if (end == std::string_view::npos) end = text.size();
      out += "    " + std::string(text.substr(0, end)) + "\n";
      text.remove_prefix(std::min(text.size(), end + 1));
    }
    return out;
  }

  void pictures() {
    if (e_.outcome.findings.empty())
      no_pictures();
    else
      found_pictures();
    if (e_.report.skipped > 0)
      out_ += "  " + std::to_string(e_.report.skipped) +
              " more left alone: the sender has marked them data-pixmilter=\"skip\" or "
              "moz-do-not-send=\"true\"\n";
  }

  // The image rules that were asked, up to the one that speaks.
  void image_rules(const core::Finding& finding, Grid& grid) const {
    for (const core::ImageRuleTrace& trace : finding.trace) {
      grid.line("      " + (trace.matched ? paint("yes", "32") : paint("no ", "31")) + "  image rule, line " +
                std::to_string(trace.rule->line) + ": " + std::string(config::name(trace.rule->plan.action)) +
                (trace.note.empty() ? "" : ", " + trace.note));
      for (const core::ConditionTrace& condition : trace.conditions)
        grid.line("        " + (condition.holds ? paint("yes", "32") : paint("no ", "31")) + "  " +
                  condition.text);
    }
  }

  void found_pictures() {
    Grid grid;
    for (const core::Finding& finding : e_.outcome.findings) {
      const bool reference = finding.html != core::Finding::kNone;
      std::string before(finding.format == image::Format::unknown ? "" : image::name(finding.format));
      if (finding.bytes_before > 0)
        before += " " + dimensions(finding.width_before, finding.height_before) +
                  (finding.width_before > 0 ? " " : "") + size(finding.bytes_before);
      std::string what(core::name(finding.decision));
      std::string detail = finding.reason;
      if (finding.new_format != image::Format::unknown && finding.decision != core::Decision::keep)
        detail = std::string(image::name(finding.new_format)) + " " +
                 dimensions(finding.width, finding.height) + " " + size(finding.bytes_after) + " " +
                 finding.new_name + (finding.hurried ? ", in haste: the deadline was near" : "");
      const char* code = finding.failed ? "31" : finding.decision == core::Decision::keep ? "33" : "32";
      grid.row({"part " + (finding.part_number.empty() ? "1" : finding.part_number),
                reference          ? std::string(html::name(finding.place))
                : finding.external ? "external body"
                                   : "part",
                harmless(finding.label), ascii::trim(before).empty() ? "-" : std::string(ascii::trim(before)),
                paint(what, code), harmless(detail)});
      if (!finding.note.empty()) grid.line("      " + finding.note);
      image_rules(finding, grid);
      for (const core::Forced& forced : finding.forced) grid.line("      " + for_all(forced));
    }
    out_ += grid.text("  ");
  }

  void parts(const std::vector<core::PartLine>& lines) {
    Grid grid;
    for (const core::PartLine& line : lines)
      grid.row({line.number, std::string(line.depth * 2, ' ') + harmless(line.type), line.encoding,
                line.disposition + (line.name.empty() ? "" : " " + harmless(line.name)), size(line.bytes),
                line.note.empty() ? "" : "never touched: " + line.note});
    out_ += grid.text("  ");
  }

  const Explanation& e_;
  const bool coloured_;
  std::string out_;
};

}  // namespace

std::string explained_as_text(const Explanation& explanation, bool coloured) {
  return Writer(explanation, coloured).text();
}

}  // namespace pixmilter::cli
