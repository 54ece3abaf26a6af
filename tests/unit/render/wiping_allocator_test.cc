#include "render/wiping_allocator.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "../../lib/sanitizers.h"
#include "image/format.h"
#include "rendering.h"

namespace pixmilter::render {
namespace {

// Sixteen bytes that stand nowhere else: what is looked for is kept as its complement.
class Needle {
 public:
  Needle() {
    std::ifstream random("/dev/urandom", std::ios::binary);
    random.read(reinterpret_cast<char*>(inverse_.data()), static_cast<std::streamsize>(inverse_.size()));
    for (unsigned char& byte : inverse_) byte |= 1;  // no zeros in the complement
  }
  std::size_t size() const { return inverse_.size(); }
  void write(char* to) const {
    for (std::size_t i = 0; i < size(); ++i) to[i] = static_cast<char>(~inverse_[i]);
  }
  bool stands_at(const char* at) const {
    for (std::size_t i = 0; i < size(); ++i)
      if (static_cast<unsigned char>(at[i]) != static_cast<unsigned char>(~inverse_[i])) return false;
    return true;
  }

 private:
  std::array<unsigned char, 16> inverse_{};
};

// How often it stands, once nothing waits any more, in what the process may write, stacks left out.
std::size_t found_in_memory(const Needle& needle) {
  // No more than a system call: this would find its own buffer.
  static std::array<char, 1 << 16> buffer;
  wipe_what_waits();
  std::size_t found = 0;
  const int memory = ::open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
  std::ifstream maps("/proc/self/maps");
  std::uintptr_t guard = 0;  // the end of the last mapping that nobody may touch: a thread's stack follows
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t begin = 0, end = 0;
    std::array<char, 5> access{};
    if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " %4s", &begin, &end, access.data()) != 3)
      continue;
    if (access[0] == '-') guard = end;
    if (access[1] != 'w' || begin == guard || line.find("[stack]") != std::string::npos) continue;
    for (std::uintptr_t at = begin; at < end; at += buffer.size() - needle.size()) {
      const auto wanted = std::min<std::size_t>(buffer.size(), end - at);
      const ssize_t got = ::pread(memory, buffer.data(), wanted, static_cast<off_t>(at));
      const auto own = reinterpret_cast<std::uintptr_t>(buffer.data());
      if (got <= 0 || (at < own + buffer.size() && own < at + wanted)) continue;
      for (std::size_t i = 0; i + needle.size() <= static_cast<std::size_t>(got); ++i)
        found += needle.stands_at(buffer.data() + i);
    }
  }
  ::close(memory);
  buffer.fill(0);
  return found;
}

class WipingAllocator : public Rendering {
 protected:
  void SetUp() override {
    if (tests::kSanitized) GTEST_SKIP() << "a sanitizer has the allocator";
  }
  Needle needle_;

  // All pixels are the needle, so that no reader and no filter of rows hides them.
  std::string pixels() const {
    std::string bytes(64 * 48 * 4, '\0');
    for (std::size_t at = 0; at < bytes.size(); at += needle_.size()) needle_.write(bytes.data() + at);
    return bytes;
  }
};

TEST_F(WipingAllocator, SaysThatItIsInPlace) { EXPECT_TRUE(freed_memory_is_wiped()); }

TEST_F(WipingAllocator, TheSearchFindsWhatIsThere) {
  const std::string bytes = pixels();
  EXPECT_GE(found_in_memory(needle_), bytes.size() / needle_.size());
}

TEST_F(WipingAllocator, NothingIsLeftOfAnyBlock) {
  const auto fill = [&](char* block, std::size_t size) {
    for (std::size_t at = 0; at + needle_.size() <= size; at += needle_.size()) needle_.write(block + at);
  };
  for (const std::size_t size : {48u, 500u, 4000u, 100'000u, 3'000'000u}) {
    auto* block = static_cast<char*>(std::malloc(size));
    fill(block, size);
    std::free(block);
    EXPECT_EQ(found_in_memory(needle_), 0u) << "malloc and free of " << size;
    for (const std::size_t then : {size / 5, size / 2 + 1, size + 16, size * 3}) {
      block = static_cast<char*>(std::malloc(size));
      fill(block, size);
      block = static_cast<char*>(std::realloc(block, then));
      EXPECT_TRUE(needle_.stands_at(block) || then < needle_.size());
      std::free(block);
      EXPECT_EQ(found_in_memory(needle_), 0u) << "realloc from " << size << " to " << then;
    }
    auto* many = new std::string(size, 'x');
    fill(many->data(), size);
    delete many;
    EXPECT_EQ(found_in_memory(needle_), 0u) << "new and delete of " << size;
    void* aligned = nullptr;
    ASSERT_EQ(::posix_memalign(&aligned, 4096, size), 0);
    fill(static_cast<char*>(aligned), size);
    std::free(aligned);
    EXPECT_EQ(found_in_memory(needle_), 0u) << "posix_memalign of " << size;
  }
}

// As much as two megabytes of large blocks may wait, in whatever order and by whichever thread they are
// freed.
TEST_F(WipingAllocator, NothingIsLeftOfManyBlocksOfManyThreads) {
  std::vector<std::thread> threads;
  for (unsigned thread = 0; thread < 4; ++thread)
    threads.emplace_back([&, thread] {
      for (std::size_t round = 0; round < 200; ++round) {
        const std::size_t size = 10'000 + (round * 7919 + thread * 104'729) % 100'000;
        auto* block = static_cast<char*>(std::malloc(size));
        for (std::size_t at = 0; at + needle_.size() <= size; at += 1024) needle_.write(block + at);
        std::free(block);
        if (round % 50 == 49) wipe_what_waits();
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(found_in_memory(needle_), 0u);
}

TEST_F(WipingAllocator, ReallocDoesWhatTheStandardSays) {
  EXPECT_EQ(std::realloc(std::malloc(8), 0), nullptr);
  void* block = std::realloc(nullptr, 20);
  ASSERT_NE(block, nullptr);
  std::strcpy(static_cast<char*>(block), "kept");
  block = std::realloc(block, 100'000);
  ASSERT_NE(block, nullptr);
  EXPECT_STREQ(static_cast<char*>(block), "kept");
  // GCC takes a block for freed whose realloc() failed, unless it cannot see whose realloc() that is.
  void* (*volatile resize)(void*, std::size_t) = &std::realloc;
  void* (*volatile resize_array)(void*, std::size_t, std::size_t) = &::reallocarray;
  EXPECT_EQ(resize(block, SIZE_MAX / 2), nullptr);
  EXPECT_EQ(errno, ENOMEM);
  EXPECT_EQ(resize_array(block, SIZE_MAX / 2, 4), nullptr);
  EXPECT_STREQ(static_cast<char*>(block), "kept");
  std::free(block);
}

// With the environment of a worker, in which GLib's own allocator is off as well.
TEST_F(WipingAllocator, NoPictureLeavesItsPixels) {
  if (std::getenv("G_SLICE") == nullptr) {
    // Read once, when GLib starts.
    const std::string again = "G_SLICE=always-malloc exec /proc/" + std::to_string(::getpid()) +
                              "/exe --gtest_filter='WipingAllocator.NoPicture*' >/dev/null";
    EXPECT_EQ(std::system(again.c_str()), 0);
    return;
  }
  const auto rendered = [&](const std::function<image::ImageJob(const std::string&)>& job_of,
                            std::string bytes) {
    const image::ImageResult result = render_picture(job_of(bytes));
    EXPECT_EQ(result.status, image::Status::ok) << result.reason;
    return result.bytes;
  };
  const auto as_raw = [](const std::string& bytes) { return raw_job(bytes, 64, 48, 4); };
  const auto as_file = [](const std::string& bytes) {
    image::ImageJob job;
    job.bytes = bytes;
    job.format = image::sniff(bytes);
    job.settings.format = image::OutputFormat::png;
    return job;
  };
  std::string png = rendered(as_raw, pixels());
  EXPECT_EQ(found_in_memory(needle_), 0u) << "raw pixels";
  for (const char* suffix : {".png", ".webp[lossless]", ".tif", ".gif"}) {
    std::string file;
    {
      const std::string bytes = pixels();
      VipsImage* image =
          ::vips_image_new_from_memory_copy(bytes.data(), bytes.size(), 64, 48, 4, VIPS_FORMAT_UCHAR);
      image->Type = VIPS_INTERPRETATION_sRGB;
      void* buffer = nullptr;
      std::size_t size = 0;
      ASSERT_EQ(::vips_image_write_to_buffer(image, suffix, &buffer, &size, nullptr), 0) << suffix;
      file.assign(static_cast<const char*>(buffer), size);
      ::g_free(buffer);
      ::g_object_unref(image);
    }
    rendered(as_file, std::move(file));
    file.clear();
    file.shrink_to_fit();
    EXPECT_EQ(found_in_memory(needle_), 0u) << suffix;
  }
}

}  // namespace
}  // namespace pixmilter::render
