// Failures inside the library, and the one place where they become status codes.
#pragma once

#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <exception>
#include <new>
#include <string>

#include "tenon/tenon.h"

namespace tenon {

class Failure : public std::exception {
  public:
    Failure(tenon_status status, std::string message) : status_(status), message_(std::move(message)) {}
    tenon_status status() const { return status_; }
    const char* what() const noexcept override { return message_.c_str(); }

  private:
    tenon_status status_;
    std::string message_;
};

inline tenon_status report(tenon_error* err, tenon_status status, const char* message) noexcept {
    if (err != nullptr) {
        err->code = status;
        std::snprintf(err->message, sizeof err->message, "%s", message);
    }
    return status;
}

inline std::string format_text(const char* format, std::va_list args) {
    char text[480];
    std::vsnprintf(text, sizeof text, format, args);
    return text;
}

[[noreturn]] [[gnu::format(printf, 2, 3)]] inline void fail(tenon_status status, const char* format, ...) {
    std::va_list args;
    va_start(args, format);
    std::string text = format_text(format, args);
    va_end(args);
    throw Failure(status, std::move(text));
}

// For the caller's mistakes.
[[gnu::format(printf, 2, 3)]] inline void require(bool condition, const char* format, ...) {
    if (condition) return;
    std::va_list args;
    va_start(args, format);
    std::string text = format_text(format, args);
    va_end(args);
    throw Failure(TENON_INVALID_ARGUMENT, std::move(text));
}

// For legal requests without a native step.
[[gnu::format(printf, 2, 3)]] inline void require_supported(bool condition, const char* format, ...) {
    if (condition) return;
    std::va_list args;
    va_start(args, format);
    std::string text = format_text(format, args);
    va_end(args);
    throw Failure(TENON_UNSUPPORTED, std::move(text));
}

// Runs the body of an entry function; no exception leaves it.
template <typename Body>
tenon_status guard(tenon_error* err, Body&& body) noexcept {
    try {
        body();
        return TENON_OK;
    } catch (const Failure& e) {
        return report(err, e.status(), e.what());
    } catch (const std::bad_alloc&) {
        return report(err, TENON_OUT_OF_MEMORY, "the native heap is exhausted");
    } catch (const std::exception& e) {
        return report(err, TENON_INTERNAL, e.what());
    } catch (...) {
        return report(err, TENON_INTERNAL, "unknown exception");
    }
}

}  // namespace tenon
