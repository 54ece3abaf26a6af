#include "core/policy.h"

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

std::vector<std::string> protected_parts(const mail::MimeTree& tree) {
  std::vector<std::string> reasons(tree.size());
  for (std::size_t i = 0; i < tree.size(); ++i) {
    const std::size_t parent = tree[i].parent;
    reasons[i] =
        parent != mail::Part::kNone && !reasons[parent].empty() ? reasons[parent] : protection(tree[i]);
  }
  return reasons;
}

bool has_inline_pgp(const mail::Message& message, const mail::MimeTree& tree) {
  for (const mail::Part& part : tree.parts()) {
    if (!part.type.starts_with("text/")) continue;
    const std::string_view raw = std::string_view(message.bytes()).substr(part.body.begin, part.body.size());
    std::string decoded;
    std::string_view text = raw;
    if (part.encoding == mail::Encoding::base64 || part.encoding == mail::Encoding::quoted_printable)
      text = decoded = mail::decoded_body(message, part);
    for (const std::string_view mark :
         {"-----BEGIN PGP MESSAGE-----", "-----BEGIN PGP SIGNED MESSAGE-----"}) {
      if (text.find(mark) != std::string_view::npos) return true;
    }
  }
  return false;
}

}  // namespace pixmilter::core
