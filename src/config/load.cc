#include "config/load.h"

#include <toml++/toml.h>

#include <algorithm>
#include <fstream>
#include <initializer_list>
#include <sstream>

#include "base/ascii.h"
#include "config/units.h"

namespace pixmilter::config {
namespace {

// One table of the file: reads its keys into settings and remembers which it knows.
class Table {
 public:
  Table(const toml::table& table, std::string path, const std::string& file, std::vector<Problem>& problems)
      : table_(table), path_(std::move(path)), file_(file), problems_(problems) {}

  // Reads a key that is there by parse(node) -> Result<T>; the error gets the node's place and the key.
  template <class T, class Parse>
  void read(std::string_view key, T& out, Parse parse) {
    known_.push_back(key);
    const toml::node* node = table_.get(key);
    if (node == nullptr) return;
    Result<T> value = parse(*node);
    if (value)
      out = std::move(*value);
    else
      complain(node->source(), full(key) + ": " + value.error().text);
  }

  void string(std::string_view key, std::string& out) {
    read(key, out, [](const toml::node& node) -> Result<std::string> {
      if (const auto* text = node.as_string()) return text->get();
      return Error{"a string is expected"};
    });
  }

  void word(std::string_view key, std::uint32_t& out, std::uint64_t lowest, std::uint64_t highest) {
    std::uint64_t wide = out;
    number(key, wide, lowest, highest);
    out = static_cast<std::uint32_t>(wide);
  }

  void number(std::string_view key, std::uint64_t& out, std::uint64_t lowest, std::uint64_t highest) {
    read(key, out, [&](const toml::node& node) -> Result<std::uint64_t> {
      const auto* integer = node.as_integer();
      if (integer == nullptr || integer->get() < 0 || static_cast<std::uint64_t>(integer->get()) < lowest ||
          static_cast<std::uint64_t>(integer->get()) > highest)
        return Error{"an integer from " + std::to_string(lowest) + " to " + std::to_string(highest) +
                     " is expected"};
      return static_cast<std::uint64_t>(integer->get());
    });
  }

  void duration(std::string_view key, std::chrono::milliseconds& out) {
    read(key, out, [](const toml::node& node) -> Result<std::chrono::milliseconds> {
      const auto* text = node.as_string();
      return text == nullptr ? Error{"a duration such as \"30s\" is expected"} : parse_duration(text->get());
    });
  }

  void size(std::string_view key, std::uint64_t& out) {
    read(key, out, [](const toml::node& node) -> Result<std::uint64_t> {
      const auto* text = node.as_string();
      return text == nullptr ? Error{"a size such as \"512M\" is expected"} : parse_size(text->get());
    });
  }

  template <class E>
  void choice(std::string_view key, E& out, std::initializer_list<std::pair<std::string_view, E>> choices) {
    read(key, out, [&](const toml::node& node) -> Result<E> {
      const auto* text = node.as_string();
      std::string expected;
      for (const auto& [name, value] : choices) {
        if (text != nullptr && text->get() == name) return value;
        expected.append(expected.empty() ? "\"" : ", \"").append(name).append("\"");
      }
      return Error{"one of " + expected + " is expected"};
    });
  }

  // The table behind a key; an empty one where there is none.
  const toml::table& table(std::string_view key) {
    static const toml::table empty;
    known_.push_back(key);
    const toml::node* node = table_.get(key);
    if (node == nullptr) return empty;
    if (const toml::table* found = node->as_table()) return *found;
    complain(node->source(), full(key) + ": a table [" + full(key) + "] is expected");
    return empty;
  }

  // After all keys were read: the ones that nobody asked for.
  void finish() {
    for (const auto& [key, node] : table_) {
      if (std::find(known_.begin(), known_.end(), key.str()) != known_.end()) continue;
      std::string text = full(key.str()) + ": unknown key";
      if (const std::string_view near = nearest(key.str()); !near.empty())
        text.append("; did you mean \"").append(near).append("\"?");
      complain(key.source(), std::move(text));
    }
  }

 private:
  std::string full(std::string_view key) const {
    return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
  }

  void complain(const toml::source_region& where, std::string text) {
    problems_.push_back({file_, where.begin.line, where.begin.column, std::move(text)});
  }

  // The known key with the fewest edits between, if they are few.
  std::string_view nearest(std::string_view key) const {
    std::string_view best;
    std::size_t fewest = std::max<std::size_t>(2, key.size() / 3) + 1;
    for (const std::string_view known : known_) {
      const std::size_t edits = edit_distance(key, known);
      if (edits < fewest) {
        fewest = edits;
        best = known;
      }
    }
    return best;
  }

  const toml::table& table_;
  std::string path_;
  const std::string& file_;
  std::vector<Problem>& problems_;
  std::vector<std::string_view> known_;
};

// "0660" as chmod takes it.
Result<std::uint32_t> parse_mode(const toml::node& node) {
  const auto* text = node.as_string();
  const Error expected{"permission bits such as \"0660\" are expected"};
  if (text == nullptr || text->get().empty() || text->get().size() > 4) return expected;
  std::uint32_t mode = 0;
  for (const char c : text->get()) {
    if (c < '0' || c > '7') return expected;
    mode = mode * 8 + static_cast<std::uint32_t>(c - '0');
  }
  if (mode > 0777) return expected;
  return mode;
}

void read_settings(const toml::table& root_table, const std::string& file, Settings& settings,
                   std::vector<Problem>& problems) {
  Table root(root_table, "", file, problems);
  root.choice("mode", settings.mode,
              {{"enforce", Mode::enforce}, {"audit", Mode::audit}, {"off", Mode::off}});
  {
    Table milter(root.table("milter"), "milter", file, problems);
    milter.read("socket", settings.milter.socket, [](const toml::node& node) -> Result<std::string> {
      const auto* text = node.as_string();
      if (text == nullptr) return Error{"a string is expected"};
      if (Status valid = check_socket(text->get()); !valid) return valid.error();
      return text->get();
    });
    milter.read("socket_mode", settings.milter.socket_mode, parse_mode);
    milter.string("socket_group", settings.milter.socket_group);
    milter.duration("deadline", settings.milter.deadline);
    milter.finish();
  }
  {
    Table render(root.table("render"), "render", file, problems);
    render.word("workers", settings.render.workers, 0, 1024);
    render.duration("timeout", settings.render.timeout);
    render.size("memory", settings.render.memory);
    render.number("max_pixels", settings.render.max_pixels, 1, 1'000'000'000);
    render.word("max_frames", settings.render.max_frames, 1, 10'000);
    render.finish();
  }
  root.finish();
}

}  // namespace

std::string Problem::text() const {
  std::string place = file;
  if (line > 0) place += ":" + std::to_string(line) + ":" + std::to_string(column);
  return place + ": " + message;
}

Loaded load_text(std::string_view text, const std::string& name) {
  Loaded loaded;
  try {
    const toml::table table = toml::parse(text, name);
    read_settings(table, name, loaded.settings, loaded.problems);
  } catch (const toml::parse_error& error) {
    const toml::source_position& at = error.source().begin;
    loaded.problems.push_back({name, at.line, at.column, std::string(error.description())});
  }
  std::stable_sort(loaded.problems.begin(), loaded.problems.end(), [](const Problem& a, const Problem& b) {
    return std::pair(a.line, a.column) < std::pair(b.line, b.column);
  });
  return loaded;
}

Loaded load_file(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) {
    Loaded loaded;
    // An empty file reads as nothing, which sets failbit on the output.
    if (file && file.peek() == std::ifstream::traits_type::eof() && errno == 0) return load_text("", path);
    loaded.problems.push_back(
        {path, 0, 0, std::string("cannot be read: ") + std::strerror(errno == 0 ? EIO : errno)});
    return loaded;
  }
  return load_text(text.str(), path);
}

}  // namespace pixmilter::config
