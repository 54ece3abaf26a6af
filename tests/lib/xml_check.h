// A check that text is well-formed XML, for tests of what writes XML: small, and as strict as they need.
#pragma once

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>
#include <vector>

namespace pixmilter::tests {

// Why text is no well-formed XML, or an empty string. As strict as needed here: one root, nested tags,
// quoted attributes each once, no references but the five of XML and numbers.
inline std::string xml_error(std::string_view text) {
  std::vector<std::string> open;
  bool root_seen = false;
  const auto check_data = [](std::string_view data) {
    for (std::size_t i = 0; i < data.size(); ++i) {
      if (data[i] == '<' || (static_cast<unsigned char>(data[i]) < ' ' && !std::isspace(data[i])))
        return false;
      if (data[i] != '&') continue;
      const std::string_view name = data.substr(i, data.find(';', i) - i);
      if (name != "&amp" && name != "&lt" && name != "&gt" && name != "&quot" && !name.starts_with("&#"))
        return false;
    }
    return true;
  };
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] != '<') {
      const std::size_t end = std::min(text.find('<', at), text.size());
      if (!check_data(text.substr(at, end - at))) return "data: " + std::string(text.substr(at, end - at));
      at = end;
      continue;
    }
    const bool closing = text.substr(at).starts_with("</");
    std::size_t end = at + (closing ? 2 : 1);
    const std::size_t name_begin = end;
    while (end < text.size() && !std::isspace(text[end]) && text[end] != '>' && text[end] != '/') ++end;
    const std::string name(text.substr(name_begin, end - name_begin));
    if (name.empty() || !std::isalpha(name[0])) return "name: " + name;
    std::vector<std::string> attributes;
    while (end < text.size() && text[end] == ' ') {
      const std::size_t equals = text.find("=\"", ++end);
      if (equals == std::string_view::npos) return "attribute";
      const std::string attribute(text.substr(end, equals - end));
      for (const std::string& other : attributes)
        if (other == attribute) return "twice: " + attribute;
      if (attribute.find_first_of(" <>\"'&/") != std::string::npos) return "attribute name: " + attribute;
      attributes.push_back(attribute);
      end = text.find('"', equals + 2);
      if (end == std::string_view::npos || !check_data(text.substr(equals + 2, end - equals - 2)))
        return "value of " + attribute;
      ++end;
    }
    const bool empty = text.substr(end).starts_with("/>");
    if (empty) ++end;
    if (end >= text.size() || text[end] != '>') return "end of tag " + name;
    if (closing) {
      if (open.empty() || open.back() != name) return "closed: " + name;
      open.pop_back();
    } else if (!empty) {
      if (open.empty() && root_seen) return "second root";
      root_seen = true;
      open.push_back(name);
    }
    at = end + 1;
  }
  return open.empty() && root_seen ? "" : "not closed";
}

}  // namespace pixmilter::tests
