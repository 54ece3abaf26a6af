// Names of assets in every spelling, and which files are opened for them. Escapes through the whole program
// are in tests/source/escapes_test.py.
#include "source/assets.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace pixmilter::source {
namespace {

namespace fs = std::filesystem;

const AssetRoot kRoot{"/srv/assets", {}};

std::string asset(std::string_view url) {
  const Result<AssetName> name = read_asset_url(url);
  return name ? name->path + (name->has_query ? "|" + name->query : "") : "error: " + name.error().text;
}

std::string file(std::string_view url, const AssetRoot& root = kRoot) {
  const Result<AssetName> name = read_file_url(url, root);
  return name ? name->path : "error: " + name.error().text;
}

std::string plain(std::string_view text) {
  const Result<AssetName> name = read_plain_name(text, kRoot);
  return name ? name->path : "error: " + name.error().text;
}

bool refused(const std::string& text) { return text.starts_with("error: "); }

TEST(AssetUrl, IsDecodedOnce) {
  EXPECT_EQ(asset("asset:logo.png"), "logo.png");
  EXPECT_EQ(asset("ASSET:logo.png"), "logo.png");
  EXPECT_EQ(asset("asset:icons/16/a%20b.png"), "icons/16/a b.png");
  EXPECT_EQ(asset("asset:%6cogo.png"), "logo.png");
  EXPECT_EQ(asset("asset:%256c.png"), "%6c.png");
  EXPECT_EQ(asset("asset:gr%C3%B6%C3%9Fe.png"),
            "gr\xC3\xB6\xC3\x9F"
            "e.png");
  EXPECT_EQ(asset("asset:a+b.png"), "a+b.png");
  EXPECT_EQ(asset("asset:..png"), "..png");
  EXPECT_EQ(asset("asset:...%2f.hidden"), ".../.hidden");
}

TEST(AssetUrl, ParsesQueryAndFragment) {
  EXPECT_EQ(asset("asset:badge.svg?name=J%20D&v=1"), "badge.svg|name=J%20D&v=1");
  EXPECT_EQ(asset("asset:badge.svg?"), "badge.svg|");
  EXPECT_EQ(asset("asset:badge.svg#a?b"), "badge.svg");
  EXPECT_EQ(asset("asset:badge.svg?a=1#b"), "badge.svg|a=1");
  EXPECT_EQ(asset("asset:is%3Fthat%23so.png"), "is?that#so.png");
}

TEST(AssetUrl, RefusesWhatIsNoPlainName) {
  for (const char* url : {"asset:",
                          "asset:?a=1",
                          "asset:#a",
                          "asset:/etc/passwd",
                          "asset://etc/passwd",
                          "asset:///a.png",
                          "asset:%2fetc/passwd",
                          "asset:..",
                          "asset:../a.png",
                          "asset:a/../b.png",
                          "asset:a/..",
                          "asset:%2e%2e/a.png",
                          "asset:..%2fa.png",
                          "asset:.",
                          "asset:./a.png",
                          "asset:a/./b.png",
                          "asset:a//b.png",
                          "asset:a/",
                          "asset:a.png%00",
                          "asset:%00",
                          "asset:..\\a.png",
                          "asset:a\\b.png",
                          "asset:%5c%5chost",
                          "asset:a%0ab.png",
                          "asset:a\tb.png",
                          "asset:a%7f.png",
                          "asset:100%",
                          "asset:%zz.png",
                          "asset:%2",
                          "http://h/a.png",
                          "logo.png"})
    EXPECT_TRUE(refused(asset(url))) << url;
  EXPECT_FALSE(refused(asset("asset:" + std::string(kLongestAssetName, 'a'))));
  EXPECT_TRUE(refused(asset("asset:" + std::string(kLongestAssetName + 1, 'a'))));
}

TEST(FileUrl, LiesBeneathTheRootByItsSpelling) {
  EXPECT_EQ(file("file:///srv/assets/logo.png"), "logo.png");
  EXPECT_EQ(file("FILE:/srv/assets/a/logo.png"), "a/logo.png");
  EXPECT_EQ(file("file://localhost/srv/assets/logo.png"), "logo.png");
  EXPECT_EQ(file("file://LOCALHOST/srv/assets/%6cogo.png"), "logo.png");
  EXPECT_EQ(file("file:///srv/assets/logo.png", {"/srv/assets/", {}}), "logo.png");
  EXPECT_EQ(file("file:///srv/assets/brand/logo.png", {"/srv/assets", "brand"}), "logo.png");
}

TEST(FileUrl, RefusesAnyOtherPlace) {
  for (const char* url : {"file:///etc/passwd",
                          "file:///srv/assets",
                          "file:///srv/assets/",
                          "file:///srv/assets2/logo.png",
                          "file:///srv/assetslogo.png",
                          "file:///srv/assets/../assets/logo.png",
                          "file:///srv/./assets/logo.png",
                          "file:///srv//assets/logo.png",
                          "file:////srv/assets/logo.png",
                          "file:///srv/assets//logo.png",
                          "file:///srv/assets/%2e%2e/x",
                          "file:///srv/Assets/logo.png",
                          "file://host/srv/assets/logo.png",
                          "file://127.0.0.1/srv/assets/logo.png",
                          "file://localhost:80/srv/assets/logo.png",
                          "file://localhost@h/srv/assets/logo.png",
                          "file:srv/assets/logo.png",
                          "file:logo.png",
                          "file:",
                          "file://",
                          "file:///",
                          "file:///srv/assets/a%00",
                          "file:///C:/Users/a.png",
                          "file:\\\\host\\a.png"})
    EXPECT_TRUE(refused(file(url))) << url;
  EXPECT_TRUE(refused(file("file:///srv/assets/logo.png", {"/srv/assets", "brand"})));
  EXPECT_TRUE(refused(file("file:///srv/assets/brandy/logo.png", {"/srv/assets", "brand"})));
  EXPECT_TRUE(refused(file("file:///logo.png", {{}, {}})));
}

TEST(PlainName, HasNoEscapes) {
  EXPECT_EQ(plain("chart.svg"), "chart.svg");
  EXPECT_EQ(plain("a%2fb?c#d.svg"), "a%2fb?c#d.svg");
  EXPECT_EQ(plain("/srv/assets/chart.svg"), "chart.svg");
  for (const std::string& name :
       {std::string(), std::string("../a"), std::string("a/../b"), std::string("/etc/passwd"),
        std::string("/srv/assets/../x"), std::string("a\0b", 3), std::string("a\\b")})
    EXPECT_TRUE(refused(plain(name))) << name;
}

class AssetFiles : public testing::Test {
 protected:
  AssetFiles() {
    std::string name = (fs::temp_directory_path() / "pixassets-XXXXXX").string();
    top_ = mkdtemp(name.data());
    fs::create_directories(top_ / "root/sub");
    fs::create_directories(top_ / "outside");
    write("root/a.png", "inside");
    write("root/sub/b.png", "below");
    write("outside/secret.png", "secret");
  }
  ~AssetFiles() override {
    std::error_code ignored;
    fs::remove_all(top_, ignored);
  }
  void write(const std::string& name, const std::string& text) const { std::ofstream(top_ / name) << text; }
  std::string read(const std::string& path, std::uint64_t max_bytes = 100,
                   const std::string& folder = {}) const {
    AssetName name;
    name.path = path;
    const Result<std::string> bytes = read_asset({(top_ / "root").string(), folder}, name, max_bytes);
    return bytes ? *bytes : "error: " + bytes.error().text;
  }

  fs::path top_;
};

TEST_F(AssetFiles, AreReadWhole) {
  EXPECT_EQ(read("a.png"), "inside");
  EXPECT_EQ(read("sub/b.png"), "below");
  EXPECT_EQ(read("b.png", 100, "sub"), "below");
  EXPECT_EQ(read("a.png", 6), "inside");
  EXPECT_EQ(read("a.png", 5), "error: its 6 bytes are more than [assets] max_bytes = 5");
  EXPECT_EQ(read("c.png"), "error: there is no such asset");
  EXPECT_EQ(read("a.png/x"), "error: there is no such asset");
}

TEST_F(AssetFiles, AreRegularFilesWithOneName) {
  ASSERT_EQ(::mkfifo((top_ / "root/fifo").c_str(), 0600), 0);
  fs::create_symlink("a.png", top_ / "root/link");
  fs::create_directory_symlink("../outside", top_ / "root/away");
  fs::create_directory_symlink("sub", top_ / "root/within");
  fs::create_hard_link(top_ / "outside/secret.png", top_ / "root/hard");
  write("root/empty", "");
  EXPECT_EQ(read("fifo"), "error: it is no regular file");
  EXPECT_EQ(read("sub"), "error: it is a folder");
  EXPECT_EQ(read("link"), "error: it is a symbolic link");
  EXPECT_EQ(read("away/secret.png"), "error: a symbolic link is on the way to it");
  EXPECT_EQ(read("within/b.png"), "error: a symbolic link is on the way to it");
  EXPECT_EQ(read("hard"), "error: it has more than one hard link");
  EXPECT_EQ(read("empty"), "error: it is empty");
  EXPECT_TRUE(refused(read("secret.png", 100, "away")));
  EXPECT_TRUE(refused(read("../outside/secret.png")));
}

TEST_F(AssetFiles, RootMayBeALinkButFoldersMayNot) {
  fs::create_directory_symlink("root", top_ / "current");
  AssetName name;
  name.path = "a.png";
  EXPECT_TRUE(read_asset({(top_ / "current").string(), {}}, name, 100).ok());
  EXPECT_TRUE(check_asset_root({(top_ / "current").string(), "sub"}).ok());
  EXPECT_FALSE(check_asset_root({(top_ / "current").string(), "none"}).ok());
  EXPECT_FALSE(check_asset_root({(top_ / "none").string(), {}}).ok());
  EXPECT_FALSE(check_asset_root({(top_ / "root/a.png").string(), {}}).ok());
}

TEST(AssetRoots, AreThoseOfAllRules) {
  config::Settings settings;
  settings.assets.root = "/srv/assets";
  settings.rules.resize(4);
  settings.rules[0].policy.assets = "brand-a";
  settings.rules[1].policy.assets = "/srv/b";
  settings.rules[2].policy.assets = "brand-a";
  settings.rules[3].policy.assets = "unused";
  settings.rules[3].policy.sources.asset = false;
  const std::vector<AssetRoot> roots = asset_roots(settings);
  ASSERT_EQ(roots.size(), 3u);
  EXPECT_EQ(roots[0].full(), "/srv/assets");
  EXPECT_EQ(roots[1].full(), "/srv/assets/brand-a");
  EXPECT_EQ(roots[2].full(), "/srv/b");
}

}  // namespace
}  // namespace pixmilter::source
