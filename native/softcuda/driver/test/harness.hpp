// A test is a function with CHECKs; main runs all, prints what failed, and returns how many did.
#pragma once
#include <cstdio>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "cuda.hpp"
#include "softcuda.h"

namespace harness {

struct Test {
    const char* name;
    void (*body)();
};

inline std::vector<Test>& tests() {
    static std::vector<Test> all;
    return all;
}

inline int failures = 0;

struct Register {
    Register(const char* name, void (*body)()) { tests().push_back({name, body}); }
};

inline bool check(bool holds, const char* file, int line, const std::string& what) {
    if (!holds) {
        ++failures;
        std::printf("%s:%d: %s\n", file, line, what.c_str());
    }
    return holds;
}

template <class A, class B>
bool equal(const A& actual, const B& expected, const char* file, int line, const char* what) {
    return check(actual == static_cast<A>(expected), file, line,
                 std::string(what) + ": got " + std::to_string(actual) + ", expected " + std::to_string(expected));
}

inline std::string counters() {
    std::string text(softcudaCounters(nullptr, 0), '\0');
    softcudaCounters(text.data(), text.size());
    text.resize(std::strlen(text.c_str()));
    return text;
}

/// The number of a field, wherever its name appears first; -1 where it does not.
inline long long counter(const std::string& field) {
    std::string text = counters(), key = "\"" + field + "\": ";
    std::size_t at = text.find(key);
    return at == std::string::npos ? -1 : std::atoll(text.c_str() + at + key.size());
}

/// Both numbers of a kind of copy.
inline long long transfers(const std::string& kind, const std::string& field) {
    std::string text = counters();
    std::size_t at = text.find("\"" + kind + "\": {");
    if (at == std::string::npos) return -1;
    std::string key = "\"" + field + "\": ";
    at = text.find(key, at);
    return std::atoll(text.c_str() + at + key.size());
}

inline std::string findings() {
    std::string text(softcudaFindingText(nullptr, 0), '\0');
    softcudaFindingText(text.data(), text.size());
    text.resize(std::strlen(text.c_str()));
    return text;
}

inline int runAll() {
    for (const Test& test : tests()) {
        int before = failures;
        test.body();
        std::printf("%s %s\n", failures == before ? "ok  " : "FAIL", test.name);
    }
    std::fflush(stdout);
    return failures == 0 ? 0 : 1;
}

}  // namespace harness

#define TEST(name)                                                  \
    static void name();                                             \
    static const harness::Register name##Registered(#name, &name); \
    static void name()
#define CHECK(condition) harness::check((condition), __FILE__, __LINE__, #condition)
#define EQUAL(actual, expected) harness::equal((actual), (expected), __FILE__, __LINE__, #actual)
/// The result of a driver call.
#define RESULT(call, expected) harness::equal(static_cast<int>(call), static_cast<int>(expected), __FILE__, __LINE__, #call)
#define OK(call) RESULT(call, CUDA_SUCCESS)
