#include "cli/mta_check.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <map>
#include <optional>
#include <set>

#include "base/ascii.h"
#include "base/unique_fd.h"

extern char** environ;

namespace pixmilter::cli {
namespace {

using Parameters = std::map<std::string, std::string, std::less<>>;

// One milter of a list, with what it says itself in the form { inet:…, default_action=tempfail }.
struct MilterEntry {
  std::string address;
  Parameters options;
};

// Names in a socket's address of milters that sign, and the ports of inet sockets that they use by default.
constexpr std::string_view kSigners[] = {"dkim", "rspamd", "openarc", "arc-milter", "amavis"};
constexpr std::string_view kSignerPorts[] = {"8891", "8892", "8893", "11332", "12301"};

std::vector<std::string> words(std::string_view text, std::string_view separators) {
  std::vector<std::string> out;
  for (std::size_t at = 0; (at = text.find_first_not_of(separators, at)) != std::string_view::npos;) {
    const std::size_t end = std::min(text.find_first_of(separators, at), text.size());
    out.emplace_back(text.substr(at, end - at));
    at = end;
  }
  return out;
}

std::vector<MilterEntry> milters(std::string_view list) {
  constexpr std::string_view kSeparators = ", \t\r\n";
  std::vector<MilterEntry> out;
  while (true) {
    const std::size_t begin = list.find_first_not_of(kSeparators);
    if (begin == std::string_view::npos) return out;
    list.remove_prefix(begin);
    const bool braces = list.front() == '{';
    const std::size_t end = std::min(braces ? list.find('}') : list.find_first_of(kSeparators), list.size());
    const std::string_view text = braces ? list.substr(1, end - 1) : list.substr(0, end);
    list.remove_prefix(std::min(end + (braces ? 1 : 0), list.size()));
    MilterEntry entry;
    for (const std::string& word : words(text, kSeparators)) {
      const std::size_t equals = word.find('=');
      if (entry.address.empty())
        entry.address = word;
      else if (equals != std::string::npos)
        entry.options[word.substr(0, equals)] = word.substr(equals + 1);
    }
    if (!entry.address.empty()) out.push_back(std::move(entry));
  }
}

// "name = value" lines, as postconf writes them.
Parameters parameters(std::string_view text) {
  Parameters out;
  for (const std::string& line : words(text, "\n")) {
    const std::size_t equals = line.find('=');
    if (equals == std::string::npos) continue;
    out[std::string(ascii::trim(std::string_view(line).substr(0, equals)))] =
        ascii::trim(std::string_view(line).substr(equals + 1));
  }
  return out;
}

// postconf(5): a number with s, m, h, d or w; seconds where there is none.
std::optional<std::chrono::milliseconds> time_value(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number < 0 || number > 1'000'000) return std::nullopt;
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  const std::pair<std::string_view, std::int64_t> units[] = {{"", 1},      {"s", 1},      {"m", 60},
                                                             {"h", 3'600}, {"d", 86'400}, {"w", 604'800}};
  for (const auto& [name, seconds] : units)
    if (unit == name) return std::chrono::seconds(number * seconds);
  return std::nullopt;
}

class Judge {
 public:
  Judge(const config::Settings& settings, const PostfixConfiguration& postfix)
      : settings_(settings), main_(parameters(postfix.parameters)) {
    for (const auto& [key, value] : parameters(postfix.overrides)) {
      const std::size_t slash = key.rfind('/');
      if (slash != std::string::npos) overrides_[key.substr(0, slash)][key.substr(slash + 1)] = value;
    }
    for (const std::string& line : words(postfix.services, "\n")) {
      const std::vector<std::string> fields = words(line, " \t");
      if (fields.size() >= 8) commands_[fields[0] + "/" + fields[1]] = fields[7];
    }
  }

  MtaFindings run() {
    const bool smtp = look_at("smtpd_milters", {}, "");
    if (!smtp)
      warn("smtpd_milters does not list pixmilter (" + settings_.milter.socket +
           "): mail that comes by SMTP is not looked at");
    if (!look_at("non_smtpd_milters", {}, ""))
      warn(
          "non_smtpd_milters does not list pixmilter: mail that programs hand to sendmail(1) is not looked "
          "at");
    look_at_protocol({}, "");
    if (no_milters(main_)) warn("receive_override_options = no_milters: no mail is looked at");
    for (const auto& [service, own] : overrides_) look_at_service(service, own);
    look_at_daemon_names();
    return std::move(out_);
  }

 private:
  void refuse(std::string text) { out_.errors.push_back(std::move(text)); }
  void warn(std::string text) {
    if (std::find(out_.warnings.begin(), out_.warnings.end(), text) == out_.warnings.end())
      out_.warnings.push_back(std::move(text));
  }

  std::string value(std::string_view name, const Parameters& own) const {
    if (const auto found = own.find(name); found != own.end()) return found->second;
    const auto found = main_.find(name);
    return found == main_.end() ? std::string() : found->second;
  }

  static bool no_milters(const Parameters& of) {
    const auto found = of.find("receive_override_options");
    if (found == of.end()) return false;
    const std::vector<std::string> options = words(found->second, ", \t");
    return std::find(options.begin(), options.end(), "no_milters") != options.end();
  }

  // Whether the address is where we listen. Postfix takes a unix path as below its queue directory when the
  // service is chrooted.
  bool is_ours(const MilterEntry& entry) const {
    const std::string& ours = settings_.milter.socket;
    const std::string_view address = entry.address;
    if (ours.starts_with("fd:")) return address.find("pixmilter") != std::string_view::npos;
    if (ours.starts_with("unix:") || ours.starts_with("local:")) {
      const std::string path = ours.substr(ours.find(':') + 1);
      const std::size_t colon = address.find(':');
      if (address.substr(0, colon) != "unix" && address.substr(0, colon) != "local") return false;
      const std::string theirs(address.substr(colon + 1));
      const std::string queue = value("queue_directory", {});
      return theirs == path || queue + "/" + theirs == path || queue + theirs == path;
    }
    // inet:PORT@HOST here, inet:HOST:PORT there.
    const std::size_t at = ours.find('@'), colon = address.rfind(':');
    if (!address.starts_with("inet:") || colon < 5) return false;
    const std::string_view port = std::string_view(ours).substr(ours.find(':') + 1, at - ours.find(':') - 1);
    return address.substr(colon + 1) == port && same_host(address.substr(5, colon - 5), ours.substr(at + 1));
  }
  static bool same_host(std::string_view theirs, std::string_view ours) {
    const auto local = [](std::string_view host) {
      return host == "localhost" || host.starts_with("127.") || host == "::1" || host == "[::1]" ||
             host == "0.0.0.0" || host == "::" || host == "[::]";
    };
    return ascii::iequals(theirs, ours) || (local(theirs) && local(ours)) || ours == "0.0.0.0" ||
           ours == "::";
  }
  static bool signs(const MilterEntry& entry) {
    for (const std::string_view name : kSigners)
      if (ascii::ifind(entry.address, name) != std::string_view::npos) return true;
    const std::string_view port = std::string_view(entry.address).substr(entry.address.rfind(':') + 1);
    return entry.address.starts_with("inet") &&
           std::find(std::begin(kSignerPorts), std::end(kSignerPorts), port) != std::end(kSignerPorts);
  }

  // One list of milters. Whether pixmilter is in it; if so, on what terms.
  bool look_at(const char* list, const Parameters& own, const std::string& where) {
    const MilterEntry* signer = nullptr;
    const std::vector<MilterEntry> entries = milters(value(list, own));
    for (const MilterEntry& entry : entries) {
      if (is_ours(entry)) {
        if (signer != nullptr)
          warn(where + list + ": " + signer->address +
               " seems to sign and stands before pixmilter, which leaves signed mail as it is: put pixmilter "
               "first");
        look_at_terms(entry, own, where);
        return true;
      }
      if (signer == nullptr && signs(entry)) signer = &entry;
    }
    return false;
  }

  void look_at_terms(const MilterEntry& entry, const Parameters& own, const std::string& where) {
    const auto said = entry.options.find("default_action");
    const std::string action =
        said != entry.options.end() ? said->second : value("milter_default_action", own);
    const std::string name =
        said != entry.options.end() ? entry.address + ": default_action" : "milter_default_action";
    if (action != "tempfail") {
      const bool corrupt = action == "accept" || action == "quarantine";
      refuse_once(
          where + name + " = " + action +
          (corrupt
               ? ": were pixmilter to end in the midst of a message, Postfix would queue half of the new body"
           : action == "reject" ? ": while pixmilter is away, mail would be refused for good"
                                : ": not tempfail") +
          "; set it to tempfail");
    }
    const auto timeout = entry.options.find("content_timeout");
    const std::string content =
        timeout != entry.options.end() ? timeout->second : value("milter_content_timeout", own);
    const auto limit = time_value(content);
    if (limit && *limit <= settings_.milter.deadline)
      refuse_once(where + "milter_content_timeout = " + content + " is not longer than [milter] deadline = " +
                  std::to_string(settings_.milter.deadline.count()) +
                  "ms: Postfix would give up on messages that pixmilter is still at work on, time and again");
    const auto protocol = entry.options.find("protocol");
    if (protocol != entry.options.end())
      look_at_version(protocol->second, where + entry.address + ": protocol");
  }

  void refuse_once(std::string text) {
    if (std::find(out_.errors.begin(), out_.errors.end(), text) == out_.errors.end()) refuse(std::move(text));
  }

  void look_at_protocol(const Parameters& own, const std::string& where) {
    look_at_version(value("milter_protocol", own), where + "milter_protocol");
  }
  void look_at_version(const std::string& text, const std::string& name) {
    const std::string version = text.substr(0, text.find_first_of(", \t"));
    if (version.size() == 1 && version < "6")
      warn(name + " = " + version + ": pixmilter is made for version 6");
  }

  // What master.cf says otherwise for one service.
  void look_at_service(const std::string& service, const Parameters& own) {
    const auto command = commands_.find(service);
    const std::string program = command == commands_.end() ? std::string() : command->second;
    const std::string where = "master.cf, " + service + ": ";
    if (no_milters(own))
      warn(where + "receive_override_options = no_milters: mail through it is not looked at");
    // cleanup(8) talks to the milters of non_smtpd_milters; the settings of how long and what then hold for
    // those of smtpd(8) in smtpd(8).
    for (const char* list : {"smtpd_milters", "non_smtpd_milters"}) {
      const bool cleanup = program == "cleanup";
      if (cleanup != (std::string_view(list) == "non_smtpd_milters") && !own.contains(list)) continue;
      if (!program.empty() && program != "smtpd" && program != "cleanup" && !own.contains(list)) continue;
      if (!look_at(list, own, where) && own.contains(list))
        warn(where + list + " = " + own.find(list)->second +
             ": does not list pixmilter, mail through it is not looked at");
    }
    if (own.contains("milter_protocol")) look_at_protocol(own, where);
  }

  // A rule that asks for a daemon_name that no listener bears.
  void look_at_daemon_names() {
    std::set<std::string> names{value("milter_macro_daemon_name", {})};
    for (const auto& [service, own] : overrides_)
      if (const auto name = own.find("milter_macro_daemon_name"); name != own.end())
        names.insert(name->second);
    for (const config::Rule& rule : settings_.rules)
      for (const config::Condition& condition : rule.conditions.match) {
        if (condition.key != config::Key::daemon_name) continue;
        const bool known = std::any_of(names.begin(), names.end(), [&](const std::string& name) {
          return std::any_of(condition.patterns.begin(), condition.patterns.end(),
                             [&](const config::Pattern& pattern) { return pattern.matches(name); });
        });
        if (!known)
          warn("rule \"" + rule.name + "\" asks for " + condition.text +
               ", and no service has such a milter_macro_daemon_name");
      }
  }

  const config::Settings& settings_;
  Parameters main_;
  std::map<std::string, Parameters> overrides_;  // service/type -> what master.cf says
  std::map<std::string, std::string> commands_;  // service/type -> program
  MtaFindings out_;
};

// What a program writes to its standard output. Its errors go to ours.
Result<std::string> output_of(const std::vector<std::string>& command) {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) return Error{std::string("pipe: ") + std::strerror(errno)};
  UniqueFd read_end(ends[0]), write_end(ends[1]);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, write_end.get(), STDOUT_FILENO);
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  pid_t pid = -1;
  int failed = ENOENT;
  // Not in the PATH of everybody.
  for (const char* folder : {"", "/usr/sbin/"}) {
    if (failed == 0) break;
    const std::string program = folder + command.front();
    failed = ::posix_spawnp(&pid, program.c_str(), &actions, nullptr, arguments.data(), environ);
  }
  ::posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return Error{command.front() + " cannot be run: " + std::strerror(failed)};
  write_end.reset();
  std::string out;
  char buffer[4096];
  for (ssize_t got = 0; (got = ::read(read_end.get(), buffer, sizeof buffer)) != 0;) {
    if (got < 0 && errno != EINTR) break;
    if (got > 0) out.append(buffer, static_cast<std::size_t>(got));
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return Error{command.front() + " has failed"};
  return out;
}

}  // namespace

MtaFindings judge_postfix(const config::Settings& settings, const PostfixConfiguration& postfix) {
  return Judge(settings, postfix).run();
}

Result<MtaFindings> check_mta(const config::Settings& settings, const std::string& directory) {
  std::vector<std::string> postconf = {"postconf"};
  if (!directory.empty()) postconf.insert(postconf.end(), {"-c", directory});
  PostfixConfiguration postfix;
  const std::pair<std::string*, std::vector<std::string>> questions[] = {
      {&postfix.parameters,
       {"-x", "smtpd_milters", "non_smtpd_milters", "milter_default_action", "milter_protocol",
        "milter_content_timeout", "milter_macro_daemon_name", "queue_directory", "receive_override_options"}},
      {&postfix.services, {"-M"}},
      {&postfix.overrides, {"-Px"}}};
  for (const auto& [answer, arguments] : questions) {
    std::vector<std::string> command = postconf;
    command.insert(command.end(), arguments.begin(), arguments.end());
    Result<std::string> output = output_of(command);
    if (!output) return output.error();
    *answer = std::move(*output);
  }
  return judge_postfix(settings, postfix);
}

}  // namespace pixmilter::cli
