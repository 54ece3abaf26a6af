// Table: one TOML table being read, key by key, with a place for every complaint.
//
// Used inside this folder only: toml++ types stand here.
#pragma once

#include <toml++/toml.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "config/load.h"

namespace pixmilter::config {

// Reads keys into values that hold their defaults: a key that is not there, or is wrong, leaves its value as
// it is. Borrows all it is given.
class Table {
 public:
  Table(const toml::table& table, std::string path, const std::string& file, std::vector<Problem>& problems)
      : table_(table), path_(std::move(path)), file_(file), problems_(problems) {}

  // Reads a key by parse(node) -> Result<T>; an Error becomes a complaint at the node's place.
  template <class T, class Parse>
  void read(std::string_view key, T& out, Parse parse) {
    const toml::node* node = find(key);
    if (node == nullptr) return;
    Result<T> value = parse(*node);
    if (value)
      out = std::move(*value);
    else
      complain(*node, key, value.error().text);
  }

  template <class E>
  using Choices = std::initializer_list<std::pair<std::string_view, E>>;

  void string(std::string_view key, std::string& out);
  void boolean(std::string_view key, bool& out);
  void number(std::string_view key, std::uint64_t& out, std::uint64_t lowest, std::uint64_t highest);
  void number(std::string_view key, std::uint32_t& out, std::uint32_t lowest, std::uint32_t highest);
  void real(std::string_view key, double& out, double lowest, double highest);
  void duration(std::string_view key, std::chrono::milliseconds& out);
  void size(std::string_view key, std::uint64_t& out);
  template <class E>
  void choice(std::string_view key, E& out, Choices<E> choices) {
    read(key, out, [&](const toml::node& node) -> Result<E> { return chosen<E>(node, choices); });
  }
  template <class E>
  static Result<E> chosen(const toml::node& node, Choices<E> choices) {
    const auto* text = node.as_string();
    std::string expected;
    for (const auto& [name, value] : choices) {
      if (text != nullptr && text->get() == name) return value;
      expected.append(expected.empty() ? "\"" : ", \"").append(name).append("\"");
    }
    return Error{"one of " + expected + " is expected"};
  }

  // The node behind a key, which counts as known from here on; nullptr where there is none.
  const toml::node* find(std::string_view key);
  // The table behind a key; an empty one where there is none or something else.
  const toml::table& table(std::string_view key);
  // The tables of an array of tables.
  std::vector<const toml::table*> tables(std::string_view key);

  void complain(const toml::node& node, std::string_view key, std::string_view text);
  std::string full(std::string_view key) const;
  const std::string& file() const { return file_; }
  std::vector<Problem>& problems() { return problems_; }
  std::uint32_t line() const { return table_.source().begin.line; }

  // After all keys were read: complains of the ones that nobody asked for.
  void finish();

 private:
  std::string_view nearest(std::string_view key) const;

  const toml::table& table_;
  std::string path_;
  const std::string& file_;
  std::vector<Problem>& problems_;
  std::vector<std::string> known_;
};

}  // namespace pixmilter::config
