#include "mail/external_body.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "base/ascii.h"
#include "mail/content_type.h"
#include "mail/gmime_door.h"

namespace pixmilter::mail {
namespace {

// The parameters as they are written, each once, whatever the form: "name", "name*" and "name*0" are one.
Result<StrictContentType> read_parameters(const Part& part) {
  const auto field = std::find_if(part.fields.begin(), part.fields.end(), [](const HeaderField& one) {
    return ascii::iequals(one.name, "Content-Type");
  });
  if (field == part.fields.end()) return Error{"no Content-Type"};
  Result<StrictContentType> strict = read_content_type(field->raw_value);
  if (!strict) return strict.error();
  std::set<std::string> names;
  std::set<std::string> whole;
  for (const RawParameter& parameter : strict->parameters) {
    const std::string name = parameter.name.substr(0, parameter.name.find('*'));
    const bool section = parameter.name.find('*') != std::string::npos;
    if (!names.insert(parameter.name).second) return Error{"repeated parameter " + name};
    if (!section && !whole.insert(name).second) return Error{"repeated parameter " + name};
  }
  for (const std::string& name : names)
    if (const std::size_t star = name.find('*'); star != std::string::npos)
      if (whole.contains(name.substr(0, star))) return Error{"repeated parameter " + name.substr(0, star)};
  return strict;
}

std::string without_white_space(std::string_view text) {
  std::string out;
  std::copy_if(text.begin(), text.end(), std::back_inserter(out), [](char c) { return !ascii::is_space(c); });
  return out;
}

// Whether a value means what it says: nothing in it is encoded, and its charset is no question.
bool plain(std::string_view value) {
  return value.find("=?") == std::string_view::npos &&
         std::all_of(value.begin(), value.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// Decoded where it has to be; else as it is written, without the comment (RFC 2045) that may follow.
std::string parameter(const Part& part, const StrictContentType& written, std::string_view name) {
  for (const RawParameter& one : written.parameters)
    if (one.name == name && plain(one.value)) return one.value;
  const std::string* value = part.parameter(name);
  return value == nullptr ? std::string() : *value;
}

// The header that the body holds. What follows it, a phantom body, says nothing.
Result<Part> read_inner(const Message& message, const Part& part) {
  const HeaderBlock block = read_header(message.bytes(), part.body.begin, part.body.end);
  if (block.fields.empty()) return Error{"no header in the body"};
  if (block.malformed) return Error{"malformed header in the body"};
  for (const char* name : {"Content-Type", "Content-Disposition", "Content-ID"})
    if (std::count_if(block.fields.begin(), block.fields.end(),
                      [&](const HeaderField& field) { return ascii::iequals(field.name, name); }) > 1)
      return Error{"repeated " + std::string(name) + " in the body"};
  const std::size_t begin = block.fields.front().begin;
  std::string header = message.bytes().substr(begin, block.end - begin);
  if (!header.ends_with('\n')) header.append(message.eol());
  Result<GMimeNode> node = parse_with_gmime(header.append(message.eol()));
  if (!node) return node.error();
  Part inner;
  inner.fields = block.fields;
  inner.header = {begin, block.end};
  inner.type = node->type;
  inner.parameters = std::move(node->parameters);
  inner.disposition = node->disposition;
  inner.disposition_parameters = std::move(node->disposition_parameters);
  inner.filename = node->filename;
  inner.content_id = node->content_id;
  inner.description = node->description;
  return inner;
}

}  // namespace

Result<ExternalBody> read_external_body(const Message& message, const Part& part) {
  const Result<StrictContentType> written = read_parameters(part);
  if (!written) return written.error();
  if (part.encoding != Encoding::seven_bit && part.encoding != Encoding::eight_bit &&
      part.encoding != Encoding::binary)
    return Error{"message/external-body with an encoding of its own"};
  const auto said = [&](std::string_view name) { return parameter(part, *written, name); };
  ExternalBody out;
  out.access_type = ascii::to_lower(said("access-type"));
  out.site = said("site");
  out.expiration = said("expiration");
  out.url = without_white_space(said("url"));
  out.name = said("name");
  if (const std::string directory = said("directory"); !directory.empty())
    out.name = directory + (directory.ends_with('/') ? "" : "/") + out.name;
  Result<Part> inner = read_inner(message, part);
  if (!inner) return inner.error();
  out.inner = std::move(*inner);
  if (out.access_type == "local-file" && said("name").empty()) return Error{"local-file without a name"};
  if (out.access_type == "url" && out.url.empty()) return Error{"access type URL without a URL"};
  return out;
}

}  // namespace pixmilter::mail
