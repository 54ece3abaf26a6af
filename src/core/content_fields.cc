#include "core/content_fields.h"

#include <algorithm>

#include "base/ascii.h"
#include "image/format.h"
#include "mail/part_writer.h"

namespace pixmilter::core {

using Kind = mail::HeaderChange::Kind;

bool is_content_field(const mail::HeaderField& field) { return ascii::istarts_with(field.name, "Content-"); }

bool has_field(const mail::Part& part, std::string_view name) {
  return std::any_of(part.fields.begin(), part.fields.end(),
                     [&](const mail::HeaderField& field) { return ascii::iequals(field.name, name); });
}

bool tells_of_old_bytes(std::string_view name) {
  return ascii::iequals(name, "Content-MD5") || ascii::iequals(name, "Content-Length");
}

std::string type_value(const Picture& picture, const std::string& name) {
  return mail::structured_value(image::media_type(picture.result.format), {{"name", name}}, 14);
}

std::string disposition_value(std::string_view disposition, const mail::Parameters& said,
                              const std::string& name) {
  mail::Parameters parameters;
  bool named = false;
  for (const auto& [key, value] : said) {
    if (key == "size") continue;
    named = named || key == "filename";
    parameters.emplace_back(key, key == "filename" ? name : value);
  }
  if (!named) parameters.emplace_back("filename", name);
  return mail::structured_value(disposition, parameters, 21);
}

std::string body_with(const Picture& picture, const mail::Message& message, const mail::Part& part) {
  std::string encoded;
  picture.append_lines(message.eol(), encoded);
  const std::string_view body = std::string_view(message.bytes()).substr(part.body.begin, part.body.size());
  if (part.parent != mail::Part::kNone && !body.ends_with('\n') && !encoded.empty())
    encoded.resize(encoded.size() - message.eol().size());
  return encoded;
}

void MessageFields::replace(std::string_view name, std::string value) {
  changes_.push_back({Kind::replace, std::string(name), 1, std::move(value)});
}

void MessageFields::append(std::string_view name, std::string value) {
  changes_.push_back({Kind::append, std::string(name), 0, std::move(value)});
}

void MessageFields::remove(const mail::HeaderField& field) {
  removals_.push_back({Kind::remove, std::string(field.name), occurrence(field), {}});
}

void MessageFields::finish() {
  changes_.insert(changes_.end(), removals_.rbegin(), removals_.rend());
  removals_.clear();
  if (message_.count("MIME-Version") == 0) append("MIME-Version", " 1.0");
}

int MessageFields::occurrence(const mail::HeaderField& wanted) const {
  int index = 0;
  for (const mail::HeaderField& field : message_.fields()) {
    if (ascii::iequals(field.name, wanted.name)) ++index;
    if (field.begin == wanted.begin) break;
  }
  return index;
}

}  // namespace pixmilter::core
