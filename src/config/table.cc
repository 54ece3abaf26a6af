#include "config/table.h"

#include <algorithm>

#include "config/units.h"

namespace pixmilter::config {

const toml::node* Table::find(std::string_view key) {
  known_.emplace_back(key);
  return table_.get(key);
}

void Table::string(std::string_view key, std::string& out) {
  read(key, out, [](const toml::node& node) -> Result<std::string> {
    if (const auto* text = node.as_string()) return text->get();
    return Error{"a string is expected"};
  });
}

void Table::boolean(std::string_view key, bool& out) {
  read(key, out, [](const toml::node& node) -> Result<bool> {
    if (const auto* truth = node.as_boolean()) return truth->get();
    return Error{"true or false is expected"};
  });
}

void Table::number(std::string_view key, std::uint64_t& out, std::uint64_t lowest, std::uint64_t highest) {
  read(key, out, [&](const toml::node& node) -> Result<std::uint64_t> {
    const auto* integer = node.as_integer();
    if (integer == nullptr || integer->get() < 0 || static_cast<std::uint64_t>(integer->get()) < lowest ||
        static_cast<std::uint64_t>(integer->get()) > highest)
      return Error{"an integer from " + std::to_string(lowest) + " to " + std::to_string(highest) +
                   " is expected"};
    return static_cast<std::uint64_t>(integer->get());
  });
}

void Table::number(std::string_view key, std::uint32_t& out, std::uint32_t lowest, std::uint32_t highest) {
  std::uint64_t wide = out;
  number(key, wide, std::uint64_t{lowest}, std::uint64_t{highest});
  out = static_cast<std::uint32_t>(wide);
}

void Table::real(std::string_view key, double& out, double lowest, double highest) {
  read(key, out, [&](const toml::node& node) -> Result<double> {
    const auto value = node.value<double>();
    if (!node.is_number() || !value || !(*value >= lowest && *value <= highest))
      return Error{"a number from " + std::to_string(lowest) + " to " + std::to_string(highest) +
                   " is expected"};
    return *value;
  });
}

void Table::duration(std::string_view key, std::chrono::milliseconds& out) {
  read(key, out, [](const toml::node& node) -> Result<std::chrono::milliseconds> {
    const auto* text = node.as_string();
    return text == nullptr ? Error{"a duration such as \"30s\" is expected"} : parse_duration(text->get());
  });
}

void Table::size(std::string_view key, std::uint64_t& out) {
  read(key, out, [](const toml::node& node) -> Result<std::uint64_t> {
    const auto* text = node.as_string();
    return text == nullptr ? Error{"a size such as \"512M\" is expected"} : parse_size(text->get());
  });
}

const toml::table& Table::table(std::string_view key) {
  static const toml::table empty;
  const toml::node* node = find(key);
  if (node == nullptr) return empty;
  if (const toml::table* found = node->as_table()) return *found;
  complain(*node, key, "a table is expected");
  return empty;
}

std::vector<const toml::table*> Table::tables(std::string_view key) {
  std::vector<const toml::table*> out;
  const toml::node* node = find(key);
  if (node == nullptr) return out;
  const toml::array* array = node->as_array();
  bool fine = array != nullptr;
  if (array != nullptr) {
    for (const toml::node& element : *array) {
      if (const toml::table* table = element.as_table())
        out.push_back(table);
      else
        fine = false;
    }
  }
  if (!fine) complain(*node, key, "[[" + full(key) + "]] tables are expected");
  return out;
}

std::string Table::full(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

void Table::complain(const toml::node& node, std::string_view key, std::string_view text) {
  const toml::source_position& at = node.source().begin;
  problems_.push_back({file_, at.line, at.column, full(key) + ": " + std::string(text)});
}

void Table::finish() {
  for (const auto& [key, node] : table_) {
    if (std::find(known_.begin(), known_.end(), key.str()) != known_.end()) continue;
    std::string text = full(key.str()) + ": unknown key";
    if (const std::string_view near = nearest(key.str()); !near.empty())
      text.append("; did you mean \"").append(near).append("\"?");
    const toml::source_position& at = key.source().begin;
    problems_.push_back({file_, at.line, at.column, std::move(text)});
  }
}

// The known key with the fewest edits between, if they are few.
std::string_view Table::nearest(std::string_view key) const {
  std::string_view best;
  std::size_t fewest = std::max<std::size_t>(2, key.size() / 3) + 1;
  for (const std::string& known : known_) {
    const std::size_t edits = edit_distance(key, known);
    if (edits < fewest) {
      fewest = edits;
      best = known;
    }
  }
  return best;
}

}  // namespace pixmilter::config
