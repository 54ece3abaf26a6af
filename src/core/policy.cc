#include "core/policy.h"

#include <algorithm>

#include "base/ascii.h"

namespace pixmilter::core {
namespace {

// The media type alone, without a look at the grammar of what follows it.
std::string bare_type(std::string_view content_type) {
  return ascii::to_lower(ascii::trim(content_type.substr(0, content_type.find(';'))));
}

std::string protection(const mail::Part& part) {
  const std::string_view type = part.type;
  if (type == "multipart/signed") return "signed";
  if (type == "multipart/encrypted") return "encrypted";
  if (type == "application/pkcs7-mime" || type == "application/x-pkcs7-mime") return "S/MIME";
  if (type == "multipart/report") return "report";
  if (type.starts_with("message/") && type != "message/external-body") return "embedded message";
  if (type == "text/calendar") return "calendar";
  return {};
}

// RFC 4880 section 6.2: what encrypted and signed text begins with.
bool has_pgp_mark(std::string_view text) {
  constexpr std::string_view kBegin = "-----BEGIN PGP ";
  for (std::size_t at = 0; (at = text.find(kBegin, at)) != std::string_view::npos;) {
    at += kBegin.size();
    const std::string_view rest = text.substr(at);
    if (rest.starts_with("MESSAGE-----") || rest.starts_with("SIGNED MESSAGE-----")) return true;
  }
  return false;
}

}  // namespace

std::string untouched_reason(const mail::Message& headers, const mail::Envelope& envelope, const Plan& plan) {
  if (envelope.sender.empty() && envelope.sender_known) return "null sender";
  // The marks that said what to skip were taken out: a second pass would not know any more.
  for (const mail::HeaderField& field : headers.fields())
    if (ascii::iequals(field.name, "X-Pixmilter") &&
        field.raw_value.find(" skipped") != std::string_view::npos)
      return "already rewritten, with pictures skipped";
  if (!plan.signed_allowed) {
    if (headers.count("DKIM-Signature") > 0) return "DKIM-signed";
    if (headers.count("ARC-Seal") > 0) return "ARC-sealed";
  }
  if (const mail::HeaderField* field = headers.find("Content-Type")) {
    const std::string type = bare_type(field->raw_value);
    if (type == "multipart/report") return "report";
  }
  return {};
}

bool signature_covers(const mail::Message& headers, std::string_view name) {
  for (const mail::HeaderField& field : headers.fields()) {
    if (!ascii::iequals(field.name, "DKIM-Signature") && !ascii::iequals(field.name, "ARC-Message-Signature"))
      continue;
    std::string_view tags = field.raw_value;
    while (!tags.empty()) {
      const std::string_view tag = tags.substr(0, tags.find(';'));
      tags.remove_prefix(std::min(tag.size() + 1, tags.size()));
      const std::size_t equals = tag.find('=');
      if (equals == std::string_view::npos || ascii::trim(tag.substr(0, equals)) != "h") continue;
      std::string_view names = tag.substr(equals + 1);
      while (!names.empty()) {
        const std::string_view one = names.substr(0, names.find(':'));
        names.remove_prefix(std::min(one.size() + 1, names.size()));
        if (ascii::iequals(ascii::trim(one), name)) return true;
      }
    }
  }
  return false;
}

std::vector<std::string> protected_parts(const mail::MimeTree& tree) {
  std::vector<std::string> reasons(tree.size());
  for (std::size_t i = 0; i < tree.size(); ++i) {
    const std::size_t parent = tree[i].parent;
    reasons[i] =
        parent != mail::Part::kNone && !reasons[parent].empty() ? reasons[parent] : protection(tree[i]);
  }
  return reasons;
}

bool has_inline_pgp(const Work& work) {
  const std::string_view bytes = work.message.bytes();
  for (std::size_t i = 0; i < work.tree.size(); ++i) {
    const mail::Part& part = work.tree[i];
    if (!part.type.starts_with("text/")) continue;
    const auto scanned = std::find_if(work.texts.begin(), work.texts.end(),
                                      [&](const HtmlText& text) { return text.part == i && !text.recoded; });
    std::string decoded;
    std::string_view text = bytes.substr(part.body.begin, part.body.size());
    if (scanned != work.texts.end())
      text = scanned->text;
    else if (part.encoding == mail::Encoding::base64 || part.encoding == mail::Encoding::quoted_printable)
      text = decoded = mail::decoded_body(work.message, part);
    if (has_pgp_mark(text)) return true;
  }
  return false;
}

}  // namespace pixmilter::core
