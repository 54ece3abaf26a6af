// Walks the cases of this folder: in.eml goes through `pixmilter rewrite -c policy.toml`, as a file with LF
// line ends and by standard input with CRLF, and what comes out is out.eml byte for byte. A second pass over
// that changes nothing. Cases without out.eml, whose pictures are encoded anew, are judged by judge_test.py;
// here they have to be the same message in both forms and after a second pass. A case with the file `refused`
// ends with its exit status and says its words, and nothing comes out.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

// tests/run starts this program in the top folder.
const char* const kCases = "tests/mail";

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string with_crlf(const std::string& text) {
  std::string out;
  out.reserve(text.size() + text.size() / 40);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) out += '\r';
    out += text[i];
  }
  return out;
}

// @CASE@ in a policy is the folder of its case, where its assets lie.
std::string with_folder(std::string text, const std::string& folder) {
  const std::string mark = "@CASE@";
  for (std::size_t at = 0; (at = text.find(mark, at)) != std::string::npos; at += folder.size())
    text.replace(at, mark.size(), folder);
  return text;
}

std::string shell_word(const std::string& argument) {
  std::string out = "'";
  for (const char c : argument) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

// build*/pixmilter, next to build*/tests/unit_front.
fs::path program() { return fs::read_symlink("/proc/self/exe").parent_path().parent_path() / "pixmilter"; }

// Folders of this process's own, gone with it.
class Scratch {
 public:
  Scratch() {
    std::string name = (fs::temp_directory_path() / "pixwalk-XXXXXX").string();
    path_ = mkdtemp(name.data()) != nullptr ? fs::path(name) : fs::path();
  }
  ~Scratch() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

struct Passed {
  int status = -1;
  std::string out;
  std::string errors;
};

Passed rewrite(const fs::path& folder, const std::string& message, bool by_file) {
  const Scratch scratch;
  const fs::path in = scratch.path() / "in";
  const fs::path errors = scratch.path() / "errors";
  std::ofstream(in, std::ios::binary) << message;
  const fs::path policy = scratch.path() / "policy.toml";
  std::ofstream(policy) << with_folder(read(folder / "policy.toml"), fs::absolute(folder).string());
  std::string command = shell_word(program().string()) + " rewrite -c " + shell_word(policy.string());
  std::ifstream arguments(folder / "args");
  for (std::string line; std::getline(arguments, line);) command += " " + shell_word(line);
  command += (by_file ? " " : " <") + shell_word(in.string()) + " 2>" + shell_word(errors.string());
  Passed run;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return run;
  char buffer[65536];
  for (std::size_t got = 0; (got = fread(buffer, 1, sizeof buffer, pipe)) > 0;) run.out.append(buffer, got);
  const int status = pclose(pipe);
  run.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  run.errors = read(errors);
  return run;
}

// Both texts around the first byte that differs, for a person to read.
testing::AssertionResult same(const std::string& expected, const std::string& got) {
  if (expected == got) return testing::AssertionSuccess();
  const auto at = static_cast<std::size_t>(
      std::mismatch(expected.begin(), expected.end(), got.begin(), got.end()).first - expected.begin());
  const std::size_t from = at < 120 ? 0 : at - 120;
  return testing::AssertionFailure() << "first difference at byte " << at << ", expected\n"
                                     << testing::PrintToString(expected.substr(from, 240)) << "\ngot\n"
                                     << testing::PrintToString(got.substr(std::min(from, got.size()), 240));
}

struct Case {
  std::string name;
  bool crlf;
};

void PrintTo(const Case& one, std::ostream* out) { *out << one.name << (one.crlf ? ", CRLF" : ", LF"); }

std::vector<Case> cases() {
  std::vector<std::string> names;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(kCases, none)) {
    if (fs::exists(entry.path() / "in.eml")) names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  std::vector<Case> found;
  for (const std::string& name : names) {
    found.push_back({name, false});
    found.push_back({name, true});
  }
  return found;
}

class MailCase : public testing::TestWithParam<Case> {};

TEST_P(MailCase, ComesOutAsItShould) {
  const fs::path folder = fs::path(kCases) / GetParam().name;
  const auto form = [&](const std::string& text) { return GetParam().crlf ? with_crlf(text) : text; };
  const std::string in = form(read(folder / "in.eml"));
  ASSERT_FALSE(read(folder / "why.txt").empty());
  const Passed first = rewrite(folder, in, !GetParam().crlf);
  if (fs::exists(folder / "refused")) {
    std::istringstream refused(read(folder / "refused"));
    int status = 0;
    std::string words;
    ASSERT_TRUE(refused >> status && std::getline(refused >> std::ws, words));
    EXPECT_EQ(first.status, status) << first.errors;
    EXPECT_NE(first.errors.find(words), std::string::npos) << first.errors;
    EXPECT_EQ(first.out, "");
    return;
  }
  ASSERT_EQ(first.status, 0) << first.errors;
  if (fs::exists(folder / "out.eml")) {
    EXPECT_TRUE(same(form(read(folder / "out.eml")), first.out)) << first.errors;
  } else {
    ASSERT_TRUE(fs::exists(folder / "expect.json"));
    // The line ends are the only difference between the two forms.
    if (GetParam().crlf) {
      const Passed other = rewrite(folder, read(folder / "in.eml"), true);
      EXPECT_TRUE(same(with_crlf(other.out), first.out));
    }
  }
  const Passed second = rewrite(folder, first.out, GetParam().crlf);
  ASSERT_EQ(second.status, 0) << second.errors;
  EXPECT_TRUE(same(first.out, second.out)) << "in the second pass: " << second.errors;
}

INSTANTIATE_TEST_SUITE_P(TestsMail, MailCase, testing::ValuesIn(cases()), [](const auto& parameter) {
  std::string name = parameter.param.name + (parameter.param.crlf ? "_crlf" : "_lf");
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(MailCases, AreThere) { EXPECT_GE(cases().size(), 80u); }

}  // namespace
