// Names of the program's threads, for `top -H`, debuggers and /proc/PID/task/*/comm.
#pragma once

#include <pthread.h>

namespace flintgauge {

/// Of the calling thread; at most 15 characters (pthread_setname_np(3)), a longer one changes nothing.
inline void name_thread(const char* name) { pthread_setname_np(pthread_self(), name); }

}  // namespace flintgauge
