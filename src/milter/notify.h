// Notify: tells systemd how the service is (sd_notify(3)), without its library: one datagram each time.
#pragma once

#include <string_view>

namespace pixmilter::milter {

// Sends "READY=1" and the like to $NOTIFY_SOCKET; nothing happens where that is not set.
void notify_manager(std::string_view state);

// The same with the time stamp that Type=notify-reload wants beside RELOADING=1.
void notify_reloading();

}  // namespace pixmilter::milter
