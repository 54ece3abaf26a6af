// Progress: tells somebody at a terminal what a command waits for, when it takes longer than a second.
//
// One line on standard error, written over and cleared in the end. Into a pipe or a file nothing is ever
// written.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "base/deadline.h"
#include "source/fetcher.h"
#include "worker/renderer.h"

namespace pixmilter::cli {

class Progress {
 public:
  // Shows nothing unless standard error is a terminal.
  Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  // Clears the line.
  ~Progress();

  // From now until the next call this is waited for: "rendering 3 pictures". Empty: nothing is. Safe from
  // every thread.
  void waits_for(std::string what);

 private:
  void show();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::string what_;
  Clock::time_point since_;
  bool over_ = false;
  bool shown_ = false;  // there is a line to clear
  std::thread thread_;
};

// Renders by another renderer, and says so. Borrows both.
class ShownRenderer : public worker::Renderer {
 public:
  ShownRenderer(worker::Renderer& renderer, Progress& progress) : renderer_(renderer), progress_(progress) {}
  std::vector<image::ImageResult> render(std::span<const image::ImageJob> jobs, Deadline deadline) override;

 private:
  worker::Renderer& renderer_;
  Progress& progress_;
};

// The same for what fetches; fetcher may be null as long as nobody asks.
class ShownFetcher : public source::Fetcher {
 public:
  ShownFetcher(source::Fetcher* fetcher, Progress& progress) : fetcher_(fetcher), progress_(progress) {}
  Result<std::string> allowed(std::string_view url) const override { return fetcher_->allowed(url); }
  std::vector<source::FetchResponse> fetch(std::span<const source::FetchRequest> requests,
                                           Deadline deadline) override;

 private:
  source::Fetcher* fetcher_;
  Progress& progress_;
};

}  // namespace pixmilter::cli
