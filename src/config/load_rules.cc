#include "config/load_rules.h"

#include <sstream>

#include "base/ascii.h"
#include "config/units.h"

namespace pixmilter::config {
namespace {

enum class ValueKind { text, net, number, bytes, truth, headers };

struct KeyKind {
  Key key;
  ValueKind kind;
};

constexpr KeyKind kMessageKeys[] = {{Key::ip, ValueKind::net},
                                    {Key::local, ValueKind::truth},
                                    {Key::authenticated, ValueKind::truth},
                                    {Key::user, ValueKind::text},
                                    {Key::from, ValueKind::text},
                                    {Key::from_mime, ValueKind::text},
                                    {Key::rcpt, ValueKind::text},
                                    {Key::rcpt_mime, ValueKind::text},
                                    {Key::header, ValueKind::headers},
                                    {Key::hostname, ValueKind::text},
                                    {Key::daemon_name, ValueKind::text},
                                    {Key::size, ValueKind::bytes},
                                    {Key::subject, ValueKind::text},
                                    {Key::list, ValueKind::truth},
                                    {Key::dkim_signed, ValueKind::truth}};

constexpr KeyKind kImageKeys[] = {{Key::source, ValueKind::text},       {Key::type, ValueKind::text},
                                  {Key::width, ValueKind::number},      {Key::height, ValueKind::number},
                                  {Key::megapixels, ValueKind::number}, {Key::bytes, ValueKind::bytes},
                                  {Key::frames, ValueKind::number},     {Key::alpha, ValueKind::truth},
                                  {Key::gps, ValueKind::truth},         {Key::attachment, ValueKind::truth}};

constexpr std::pair<std::string_view, bool Sources::*> kSources[] = {
    {"data", &Sources::data},   {"part", &Sources::part}, {"svg", &Sources::svg},
    {"asset", &Sources::asset}, {"file", &Sources::file}, {"http", &Sources::http}};

// Values that nothing could ever match. What a map file holds may change.
Status check_pattern(Key key, const std::string& text, const Pattern& pattern) {
  if (pattern.map_file() != nullptr) return Done{};
  if (key == Key::source) {
    std::string names;
    for (const auto& [name, member] : kSources) {
      if (pattern.matches(name)) return Done{};
      names.append(names.empty() ? "\"" : ", \"").append(name).append("\"");
    }
    return Error{"one of " + names + " is expected"};
  }
  if (key == Key::type && !text.starts_with("regexp:") && text.find_first_of("/*?") == std::string::npos)
    return Error{"a media type such as \"image/png\", \"image/*\" or \"application/x-npy\" is expected"};
  return Done{};
}

// RFC 5322 section 2.2.
bool is_field_name(std::string_view name) {
  for (const char c : name)
    if (c <= ' ' || c > '~' || c == ':') return false;
  return !name.empty();
}

// As it stands in the file, more or less: what a person reads in explain.
std::string written(const toml::node& node) {
  std::ostringstream out;
  node.visit([&](const auto& concrete) { out << concrete; });
  return out.str();
}

// One value of a key into its condition.
Status add_value(const toml::node& node, ValueKind kind, Condition& condition) {
  if (kind == ValueKind::truth) {
    const auto* truth = node.as_boolean();
    if (truth == nullptr) return Error{"true or false is expected"};
    condition.truth = truth->get();
    return Done{};
  }
  if (kind == ValueKind::number || kind == ValueKind::bytes) {
    std::string text;
    if (const auto* integer = node.as_integer())
      text = std::to_string(integer->get());
    else if (const auto* string = node.as_string())
      text = string->get();
    Result<Comparison> comparison = Comparison::parse(text, kind == ValueKind::bytes);
    if (!comparison) return comparison.error();
    condition.comparisons.push_back(*comparison);
    return Done{};
  }
  const auto* text = node.as_string();
  if (text == nullptr) return Error{"a string is expected"};
  // A map file has its own lines with addresses and blocks; an expression looks at the address as text.
  if (kind == ValueKind::net && !text->get().starts_with('/') && !text->get().starts_with("regexp:")) {
    Result<Net> net = Net::parse(text->get());
    if (!net) return net.error();
    condition.nets.push_back(*net);
    return Done{};
  }
  Result<Pattern> pattern = Pattern::parse(text->get());
  if (!pattern) return pattern.error();
  if (Status sensible = check_pattern(condition.key, text->get(), *pattern); !sensible)
    return sensible.error();
  condition.patterns.push_back(std::move(*pattern));
  return Done{};
}

// A key with one value or a list of them.
void read_condition(Table& table, const toml::node& node, std::string_view key, ValueKind kind,
                    Condition condition, std::vector<Condition>& out) {
  condition.text = std::string(key) + " = " + written(node);
  const auto add = [&](const toml::node& value) {
    if (Status added = add_value(value, kind, condition); !added)
      table.complain(value, key, added.error().text);
  };
  if (const toml::array* list = node.as_array(); list != nullptr && kind != ValueKind::truth) {
    if (list->empty()) table.complain(node, key, "at least one value is expected");
    for (const toml::node& value : *list) add(value);
  } else {
    add(node);
  }
  out.push_back(std::move(condition));
}

template <std::size_t N>
void read_conditions(Table& parent, std::string_view name, const KeyKind (&keys)[N],
                     std::vector<Condition>& out) {
  Table table(parent.table(name), parent.full(name), parent.file(), parent.problems());
  for (const KeyKind& known : keys) {
    const std::string_view key = config::name(known.key);
    const toml::node* node = table.find(key);
    if (node == nullptr) continue;
    Condition condition;
    condition.key = known.key;
    if (known.kind != ValueKind::headers) {
      read_condition(table, *node, key, known.kind, std::move(condition), out);
      continue;
    }
    const toml::table* headers = node->as_table();
    if (headers == nullptr || headers->empty()) {
      table.complain(*node, key, "a table such as { \"X-No-Images\" = \"*\" } is expected");
      continue;
    }
    for (const auto& [header, value] : *headers) {
      if (!is_field_name(header.str())) {
        table.complain(value, key, "a field name such as \"X-No-Images\" is expected before its value");
        continue;
      }
      condition.header = header.str();
      read_condition(table, value, "header." + std::string(header.str()), ValueKind::text, condition, out);
    }
  }
  table.finish();
}

// `on_fail = "accept"`, or a table of kinds with "default" for the others.
void read_on_fail(Table& table, OnFailTable& out) {
  const toml::node* node = table.find("on_fail");
  if (node == nullptr) return;
  const toml::table* kinds = node->as_table();
  if (kinds == nullptr) {
    Result<OnFail> all = Table::chosen<OnFail>(*node, {{"accept", OnFail::accept},
                                                       {"tempfail", OnFail::tempfail},
                                                       {"reject", OnFail::reject},
                                                       {"quarantine", OnFail::quarantine}});
    if (all)
      out.fill(*all);
    else
      table.complain(*node, "on_fail", all.error().text + ", or a table of them");
    return;
  }
  Table inner(*kinds, table.full("on_fail"), table.file(), table.problems());
  const auto choice = [&](std::string_view key, OnFail& value) {
    inner.choice<OnFail>(key, value,
                         {{"accept", OnFail::accept},
                          {"tempfail", OnFail::tempfail},
                          {"reject", OnFail::reject},
                          {"quarantine", OnFail::quarantine}});
  };
  if (kinds->contains("default")) {
    OnFail all = OnFail::accept;
    choice("default", all);
    out.fill(all);
  } else {
    inner.find("default");
  }
  for (std::size_t i = 0; i < kFailures; ++i) choice(config::name(static_cast<Failure>(i)), out[i]);
  inner.finish();
}

Result<Sources> parse_sources(const toml::node& node) {
  const Error expected{"a list of \"data\", \"part\", \"svg\", \"asset\", \"file\", \"http\" is expected"};
  const toml::array* list = node.as_array();
  if (list == nullptr) return expected;
  Sources sources{false, false, false, false, false, false};
  for (const toml::node& element : *list) {
    const auto* text = element.as_string();
    bool known = false;
    for (const auto& [name, member] : kSources) {
      if (text == nullptr || text->get() != name) continue;
      sources.*member = true;
      known = true;
    }
    if (!known) return expected;
  }
  return sources;
}

// "5.7.1 No images here": an enhanced status code of RFC 3463 and a text, or the text alone.
Result<std::string> parse_reply(const toml::node& node, MessageAction action) {
  const auto* text = node.as_string();
  if (text == nullptr) return Error{"a string is expected"};
  for (const char c : text->get())
    if (c < ' ' || c > '~') return Error{"printable ASCII in one line is expected"};
  const std::string_view code = status_code(text->get());
  if (action == MessageAction::reject && !code.empty() && code.front() != '5')
    return Error{"a status code of class 5 is expected, as the action is \"reject\""};
  if (action == MessageAction::tempfail && !code.empty() && code.front() != '4')
    return Error{"a status code of class 4 is expected, as the action is \"tempfail\""};
  return text->get();
}

// What readers are told: one line of UTF-8, which TOML has made sure of.
Result<std::string> parse_reason(const toml::node& node) {
  const auto* text = node.as_string();
  if (text == nullptr || ascii::trim(text->get()).empty()) return Error{"a text in one line is expected"};
  for (const char c : text->get())
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') return Error{"a text in one line is expected"};
  return text->get();
}

// A header field name of RFC 5322 that we may add.
bool may_be_added(std::string_view name) {
  return is_field_name(name) && name.size() <= 70 && !ascii::istarts_with(name, "content-") &&
         !ascii::iequals(name, "mime-version");
}

void read_add_headers(Table& table, std::vector<std::pair<std::string, std::string>>& out) {
  for (const auto& [name, value] : table.table("add_header")) {
    const auto* text = value.as_string();
    bool printable = text != nullptr;
    for (const char c : text != nullptr ? text->get() : std::string())
      printable = printable && c >= ' ' && c <= '~';
    if (!printable || !may_be_added(name.str()))
      table.complain(value, "add_header",
                     "a field name that is not about content, with one line of printable ASCII, is expected");
    else
      out.emplace_back(name.str(), text->get());
  }
}

ImageRule read_image_rule(Table& table, const std::string& name_of_rule) {
  ImageRule rule;
  rule.line = table.line();
  ImagePlan& plan = rule.plan;
  read_conditions(table, "match", kImageKeys, rule.conditions.match);
  read_conditions(table, "unless", kImageKeys, rule.conditions.unless);
  table.choice<ImageAction>("action", plan.action,
                            {{"embed", ImageAction::embed},
                             {"convert", ImageAction::convert},
                             {"keep", ImageAction::keep},
                             {"drop", ImageAction::drop},
                             {"placeholder", ImageAction::placeholder}});
  table.choice<ImageFormat>("format", plan.format,
                            {{"auto", ImageFormat::automatic},
                             {"png", ImageFormat::png},
                             {"jpeg", ImageFormat::jpeg},
                             {"gif", ImageFormat::gif}});
  table.number("quality", plan.quality, 1, 100);
  table.boolean("lossy", plan.lossy);
  table.choice<Resize>(
      "resize", plan.resize,
      {{"none", Resize::none}, {"fit", Resize::fit}, {"fill", Resize::fill}, {"force", Resize::force}});
  table.number("width", plan.width, 1, 30'000);
  table.number("height", plan.height, 1, 30'000);
  table.boolean("enlarge", plan.enlarge);
  table.real("density", plan.density, 0.1, 10);
  table.size("max_bytes", plan.max_bytes);
  table.choice<bool>("pages", plan.all_pages, {{"first", false}, {"all", true}});
  table.read("reason", plan.reason, parse_reason);
  table.finish();
  if (plan.reason.empty() && (plan.action == ImageAction::drop || plan.action == ImageAction::placeholder))
    plan.reason = "Image left out by rule \"" + name_of_rule + "\"";
  const bool sized = plan.width > 0 || plan.height > 0;
  if (const toml::node* resize = table.find("resize"); resize == nullptr) {
    // Sizes without a way to use them: as everybody means it.
    if (sized) plan.resize = Resize::fit;
  } else if (plan.resize == Resize::none) {
    // Of several rules the strictest counts, and there these sizes must not come in again.
    plan.width = plan.height = 0;
  } else if (plan.resize != Resize::fit && !sized) {
    table.complain(*resize, "resize",
                   "width or height is expected beside \"" + std::string(config::name(plan.resize)) + "\"");
  }
  // What asks for other bytes asks for a conversion.
  if (plan.action == ImageAction::automatic && plan.format != ImageFormat::automatic)
    plan.action = ImageAction::convert;
  return rule;
}

}  // namespace

void read_policy(Table& table, Policy& policy) {
  table.read("sources", policy.sources, parse_sources);
  read_on_fail(table, policy.on_fail);
  table.number("max_images", policy.max_images, 0, 100'000);
  table.size("max_message_bytes", policy.max_message_bytes);
  table.choice<StripMetadata>(
      "strip_metadata", policy.strip_metadata,
      {{"none", StripMetadata::none}, {"gps", StripMetadata::gps}, {"all", StripMetadata::all}});
  table.number("min_side", policy.min_side, 1, 30'000);
  table.read("assets", policy.assets, [](const toml::node& node) -> Result<std::string> {
    const auto* text = node.as_string();
    if (text == nullptr) return Error{"a string is expected"};
    const Status valid =
        text->get().starts_with('/') ? check_absolute(text->get()) : check_folder(text->get());
    if (!text->get().empty() && !valid) return valid.error();
    return text->get();
  });
  table.boolean("templates", policy.templates);
}

Rule read_rule(Table& table, std::size_t number, const Policy& defaults) {
  Rule rule;
  rule.name = "rule " + std::to_string(number);
  rule.line = table.line();
  rule.policy = defaults;
  table.string("name", rule.name);
  read_conditions(table, "match", kMessageKeys, rule.conditions.match);
  read_conditions(table, "unless", kMessageKeys, rule.conditions.unless);
  table.choice<MessageAction>("action", rule.action,
                              {{"rewrite", MessageAction::rewrite},
                               {"skip", MessageAction::skip},
                               {"reject", MessageAction::reject},
                               {"tempfail", MessageAction::tempfail},
                               {"quarantine", MessageAction::quarantine}});
  if (table.find("mode") != nullptr) {
    Mode mode = Mode::enforce;
    table.choice<Mode>("mode", mode,
                       {{"enforce", Mode::enforce}, {"audit", Mode::audit}, {"off", Mode::off}});
    rule.mode = mode;
  }
  read_policy(table, rule.policy);
  table.read("reply", rule.reply, [&](const toml::node& node) { return parse_reply(node, rule.action); });
  read_add_headers(table, rule.add_headers);
  std::size_t image_number = 0;
  for (const toml::table* image : table.tables("image")) {
    Table inner(*image, table.full("image[" + std::to_string(++image_number) + "]"), table.file(),
                table.problems());
    rule.images.push_back(read_image_rule(inner, rule.name));
  }
  table.finish();
  return rule;
}

}  // namespace pixmilter::config
