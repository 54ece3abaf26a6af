#include "config/warnings.h"

#include <algorithm>
#include <set>
#include <utility>

namespace pixmilter::config {
namespace {

template <class T>
bool has_all(const std::vector<T>& of, const std::vector<T>& in) {
  return std::all_of(of.begin(), of.end(),
                     [&](const T& one) { return std::find(in.begin(), in.end(), one) != in.end(); });
}

bool is_of_everything(const Condition& condition) {
  return std::any_of(condition.patterns.begin(), condition.patterns.end(),
                     [](const Pattern& pattern) { return pattern.matches_everything(); });
}

// Whether the condition holds for every message: an MTA always tells sender and recipient.
bool always_holds(const Condition& condition) {
  return (condition.key == Key::from || condition.key == Key::rcpt) && is_of_everything(condition);
}

// Whether a holds wherever b does, as far as their values tell.
bool covers(const Condition& a, const Condition& b) {
  if (a.key != b.key || a.header != b.header || a.truth != b.truth) return false;
  if (is_of_everything(a) && !b.patterns.empty() && b.nets.empty()) return true;
  return has_all(b.patterns, a.patterns) && has_all(b.nets, a.nets) && has_all(b.comparisons, a.comparisons);
}

bool is_covered(const Condition& condition, const std::vector<Condition>& by) {
  return std::any_of(by.begin(), by.end(), [&](const Condition& other) { return covers(condition, other); });
}

bool match_covers(const Conditions& a, const Conditions& b) {
  if (!a.unless.empty() && a.unless != b.unless) return false;
  return std::all_of(a.match.begin(), a.match.end(),
                     [&](const Condition& one) { return always_holds(one) || is_covered(one, b.match); });
}

// What holds for outgoing mail alone.
bool implies_outgoing(const Conditions& conditions) {
  return !speaks_of_client(conditions) ||
         std::any_of(conditions.match.begin(), conditions.match.end(), [](const Condition& condition) {
           return condition.key == Key::user ||
                  ((condition.key == Key::local || condition.key == Key::authenticated) &&
                   condition.truth.value_or(true));
         });
}

bool always_before(const Rule& earlier, const Rule& later) {
  return match_covers(earlier.conditions, later.conditions) &&
         (speaks_of_client(earlier.conditions) || implies_outgoing(later.conditions));
}

bool means_attachments(const ImageRule& rule) {
  return std::any_of(rule.conditions.match.begin(), rule.conditions.match.end(),
                     [](const Condition& condition) {
                       return condition.key == Key::attachment && condition.truth.value_or(true);
                     });
}

bool always_before(const ImageRule& earlier, const ImageRule& later) {
  return match_covers(earlier.conditions, later.conditions) &&
         (means_attachments(earlier) || !means_attachments(later));
}

// Where unless holds whenever match does.
bool contradicts_itself(const Conditions& conditions) {
  return !conditions.unless.empty() &&
         std::all_of(conditions.unless.begin(), conditions.unless.end(), [&](const Condition& one) {
           return always_holds(one) || is_covered(one, conditions.match);
         });
}

class Warner {
 public:
  explicit Warner(const std::string& file) : file_(file) {}

  void look_at(const Settings& settings) {
    look_at_fetch(settings);
    for (std::size_t i = 0; i < settings.rules.size(); ++i) {
      const Rule& rule = settings.rules[i];
      look_at_map_files(rule.conditions, rule.line);
      look_at_order(settings.rules, i, "rule \"" + rule.name + "\"",
                    [](const Rule& earlier) { return "rule \"" + earlier.name + "\""; });
      for (std::size_t j = 0; j < rule.images.size(); ++j) {
        look_at_map_files(rule.images[j].conditions, rule.images[j].line);
        look_at_order(rule.images, j, "this image rule", [](const ImageRule&) { return std::string("one"); });
      }
    }
  }
  std::vector<Problem> take() { return std::move(out_); }

 private:
  // URLs that are listed where no sources name them, and the other way round.
  void look_at_fetch(const Settings& settings) {
    const bool listed = !settings.fetch.allow.empty();
    bool wanted = settings.defaults.sources.http;
    for (const Rule& rule : settings.rules) {
      if (rule.action != MessageAction::rewrite || !rule.policy.sources.http) continue;
      wanted = true;
      if (!listed && !settings.defaults.sources.http)
        warn(rule.line,
             "rule \"" + rule.name + "\": its sources name \"http\", but [fetch] allow lists nothing");
    }
    if (!listed && settings.defaults.sources.http)
      warn(1, "[defaults] sources name \"http\", but [fetch] allow lists nothing");
    if (listed && !wanted)
      warn(1, "[fetch] allow lists URLs, but neither [defaults] nor a rule has \"http\" among its sources");
  }

  void warn(std::uint32_t line, std::string text) { out_.push_back({file_, line, 1, std::move(text)}); }

  template <class R, class Name>
  void look_at_order(const std::vector<R>& rules, std::size_t index, const std::string& what, Name name_of) {
    const R& rule = rules[index];
    if (contradicts_itself(rule.conditions))
      return warn(rule.line, what + " can never match: its unless holds whenever its match does");
    for (std::size_t i = 0; i < index; ++i)
      if (always_before(rules[i], rule))
        return warn(rule.line, what + " can never match: " + name_of(rules[i]) + " in line " +
                                   std::to_string(rules[i].line) + " always does before it");
  }

  void look_at_map_files(const Conditions& conditions, std::uint32_t line) {
    for (const std::vector<Condition>* list : {&conditions.match, &conditions.unless})
      for (const Condition& condition : *list)
        for (const Pattern& pattern : condition.patterns) {
          const MapFile* map = pattern.map_file();
          if (map != nullptr && condition.key == Key::ip) look_at_addresses(*map, line);
          if (map == nullptr || !told_.insert(map->path()).second) continue;
          if (const std::string problem = map->problem(); !problem.empty())
            warn(line, "map file " + problem + "; it matches nothing");
          else if (map->size() == 0)
            warn(line, "map file " + map->path() + " is empty; it matches nothing");
        }
  }

  void look_at_addresses(const MapFile& map, std::uint32_t line) {
    const MapFile::Line odd = map.no_address();
    if (odd.number == 0 || !told_of_addresses_.insert(map.path()).second) return;
    out_.push_back({map.path(), static_cast<std::uint32_t>(odd.number), 1,
                    "\"" + odd.text.substr(0, 60) + "\" is neither an address nor a block; ip in line " +
                        std::to_string(line) + " of " + file_ + " never matches it"});
  }

  const std::string& file_;
  std::set<std::string> told_;               // map files
  std::set<std::string> told_of_addresses_;  // map files
  std::vector<Problem> out_;
};

}  // namespace

std::vector<Problem> warnings(const Settings& settings, const std::string& file) {
  Warner warner(file);
  warner.look_at(settings);
  std::vector<Problem> out = warner.take();
  std::stable_sort(out.begin(), out.end(), [&](const Problem& a, const Problem& b) {
    return std::pair(a.file != file, a.line) < std::pair(b.file != file, b.line);
  });
  return out;
}

}  // namespace pixmilter::config
