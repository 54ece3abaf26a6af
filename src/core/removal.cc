#include "core/removal.h"

#include <algorithm>
#include <map>
#include <string>

#include "base/ascii.h"
#include "core/find.h"
#include "html/element_edits.h"

namespace pixmilter::core {
namespace {

using Kind = html::Fate::Kind;

// By Content-ID: the parts that rules take away or put a placeholder in the place of.
std::map<std::string, const Finding*> concerned_parts(const Work& work) {
  std::map<std::string, const Finding*> out;
  for (const Finding& finding : work.findings) {
    if (finding.html != Finding::kNone || finding.page > 0) continue;
    if (finding.decision != Decision::drop && finding.decision != Decision::placeholder) continue;
    const std::string& id = work.tree[finding.part].content_id;
    if (!id.empty()) out.emplace(id, &finding);
  }
  return out;
}

// A reference by cid: follows the part that it names.
void follow_parts(Work& work) {
  const std::map<std::string, const Finding*> parts = concerned_parts(work);
  if (parts.empty()) return;
  for (Finding& finding : work.findings) {
    if (finding.html == Finding::kNone || finding.place == html::Place::inline_svg) continue;
    std::string scratch;
    const std::string_view url =
        html::url(work.texts[finding.html].scan.references[finding.reference], scratch);
    if (!ascii::istarts_with(url, "cid:")) continue;
    const auto part = parts.find(content_id_of(url));
    if (part == parts.end()) continue;
    finding.silent = false;
    finding.decision = part->second->decision;
    finding.reason = part->second->reason;
  }
}

bool within(const html::Range& inner, const html::Range& outer) {
  return inner.begin >= outer.begin && inner.end <= outer.end;
}

void edit_text(Work& work, std::size_t index) {
  HtmlText& text = work.texts[index];
  std::vector<html::Fate> fates(text.scan.references.size());
  std::vector<Finding*> findings;
  for (Finding& finding : work.findings) {
    if (finding.html != index) continue;
    findings.push_back(&finding);
    if (finding.decision == Decision::drop) fates[finding.reference].kind = Kind::goes;
    if (finding.decision == Decision::placeholder) fates[finding.reference] = {Kind::told, finding.reason};
  }
  const bool multibyte = text.charset.kind == html::CharsetKind::multibyte;
  const std::string masked = multibyte ? html::masked(text.text, text.charset) : std::string();
  text.edits = html::element_edits(multibyte ? masked : text.text, text.scan.references, fates);
  for (Finding* finding : findings) {
    const html::Range& range = text.scan.references[finding->reference].range;
    const bool gone = std::any_of(text.edits.begin(), text.edits.end(), [&](const html::ElementEdit& edit) {
      return edit.range.size() > 0 && within(range, edit.range);
    });
    if (!gone || finding->decision == Decision::drop) continue;
    finding->decision = Decision::drop;
    finding->reason = "goes with its element";
    finding->picture = Finding::kNone;
    finding->silent = finding->failed = false;
  }
}

}  // namespace

void remove(Work& work) {
  const bool any = std::any_of(work.findings.begin(), work.findings.end(), [](const Finding& finding) {
    return finding.decision == Decision::drop || finding.decision == Decision::placeholder;
  });
  if (!any) return;
  follow_parts(work);
  for (std::size_t i = 0; i < work.texts.size(); ++i) edit_text(work, i);
}

}  // namespace pixmilter::core
