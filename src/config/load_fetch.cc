#include "config/load_fetch.h"

namespace pixmilter::config {
namespace {

// The path of a file that is read later: a relative one would depend on where the milter was started.
Result<std::string> parse_path(const toml::node& node) {
  const auto* text = node.as_string();
  if (text == nullptr || (!text->get().empty() && !text->get().starts_with('/')) ||
      text->get().find('\0') != std::string::npos)
    return Error{"an absolute path, or \"\", is expected"};
  return text->get();
}

}  // namespace

void read_fetch(Table& table, Fetch& fetch) {
  if (const toml::node* allow = table.find("allow")) {
    const toml::array* list = allow->as_array();
    if (list == nullptr) table.complain(*allow, "allow", "a list of URLs is expected");
    if (list != nullptr && !list->empty()) fetch.line = allow->source().begin.line;
    for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
      const toml::node& element = (*list)[i];
      const auto* text = element.as_string();
      Result<UrlPattern> pattern = UrlPattern::parse(text == nullptr ? std::string_view() : text->get());
      if (pattern)
        fetch.allow.push_back(*std::move(pattern));
      else
        table.complain(element, "allow", pattern.error().text);
    }
  }
  table.boolean("allow_private", fetch.allow_private);
  table.duration("timeout", fetch.timeout);
  table.size("max_bytes", fetch.max_bytes);
  table.size("max_total", fetch.max_total);
  table.number("max_redirects", fetch.max_redirects, 0, 10);
  table.number("max_concurrent", fetch.max_concurrent, 1, 256);
  table.read("ca_file", fetch.ca_file, parse_path);
  table.read("headers_file", fetch.headers_file, parse_path);
}

}  // namespace pixmilter::config
