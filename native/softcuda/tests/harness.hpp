// What all tests of the machine share: counted checks, a module with its memory, and tables of one instruction.
#pragma once
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "machine.hpp"

namespace softcuda::test {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using s8 = std::int8_t;
using s16 = std::int16_t;
using s32 = std::int32_t;
using s64 = std::int64_t;

/// Counts a check, and prints the message where it fails.
[[gnu::format(printf, 2, 3)]] bool expect(bool holds, const char* format, ...);
/// As many checks at once, for comparisons that print their own differences.
void count(u64 checks);
/// Prints how many checks were made; the exit status of a test.
int finish(const char* family);

std::string format(const char* format, ...) __attribute__((format(printf, 1, 2)));
const char* nameOf(Outcome outcome);
const char* nameOf(FindingKind kind);

/// ".version", ".target" and ".address_size" as clang writes them, in three lines.
std::string header();
/// A kernel around a body. `parameters` is "u64 in, u32 n"; each is loaded into a register of the same name (%in, %n).
/// %r, %f, %d, %h, %rd and %p are declared, 64 of each; %thread, %lane and %gid hold the thread's numbers.
std::string kernel(std::string_view name, std::string_view parameters, std::string_view body, std::string_view directives = "");

/// A module and the memory it works on.
class Bench {
public:
    explicit Bench(std::string_view ptx, u64 capacity = 16u << 20);

    bool loaded() const { return module != nullptr; }
    u64 allocate(u64 bytes);
    u64 upload(const void* data, u64 bytes);
    template <class T>
    u64 upload(const std::vector<T>& values) {
        return upload(values.data(), values.size() * sizeof(T));
    }
    template <class T>
    std::vector<T> download(u64 address, u64 count) const {
        std::vector<T> values(count);
        std::memcpy(values.data(), memory.host(address), count * sizeof(T));
        return values;
    }
    /// Runs with arguments laid out by their own sizes; forgets earlier findings and counters.
    template <class... A>
    Outcome launch(std::string_view name, Dim3 grid, Dim3 block, u32 dynamicShared, A... arguments) {
        std::vector<u8> buffer;
        (append(buffer, arguments), ...);
        return start(name, grid, block, dynamicShared, buffer);
    }
    /// The same, and checks that it ended well with nothing found.
    template <class... A>
    bool clean(std::string_view name, Dim3 grid, Dim3 block, u32 dynamicShared, A... arguments) {
        launch(name, grid, block, dynamicShared, arguments...);
        return requireClean(name);
    }
    bool requireClean(std::string_view name) const;
    /// The number of the only PTX line that contains the text.
    int lineOf(std::string_view text) const;

    Memory memory;
    std::shared_ptr<Module> module;
    LoadError error;
    LaunchOptions options;
    Counters counters;
    std::vector<Finding> findings;
    Outcome outcome = Outcome::Ok;

private:
    template <class T>
    static void append(std::vector<u8>& buffer, const T& value) {
        static_assert(std::is_trivially_copyable_v<T>);
        while (buffer.size() % alignof(T)) buffer.push_back(0);
        const u8* bytes = reinterpret_cast<const u8*>(&value);
        buffer.insert(buffer.end(), bytes, bytes + sizeof(T));
    }
    Outcome start(std::string_view name, Dim3 grid, Dim3 block, u32 dynamicShared, std::vector<u8>& arguments);
    std::string text_;
};

using Values = std::vector<u64>;
/// Outputs, then inputs.
using Row = std::vector<u64>;
/// Says whether an output is right.
using Match = std::function<bool(const u64* in, u64 expected, u64 actual)>;
using Reference = std::function<u64(const u64* in)>;

/// Runs one instruction, or a few, on every row, once in all lanes and once in every other lane, whose neighbours must keep what they had.
/// `shape` gives the registers: "32 = 32 16 p" has one 32-bit output; a 32-bit, a 16-bit and a predicate input.
/// Operands are appended to the text, unless it names them itself: $0, $1, ... are outputs first, then inputs.
void table(const std::string& text, const std::string& shape, const std::vector<Row>& rows, const Match& match = {});
/// Only in all lanes, for instructions in which lanes work together: row i is lane i % 32 of a warp. Rows fill whole warps.
void warpTable(const std::string& text, const std::string& shape, const std::vector<Row>& rows, const Match& match = {});
/// A table of all combinations of values (a sample of them where there are very many) against a function.
void sweep(const std::string& text, const std::string& shape, const std::vector<Values>& sources, const Reference& reference,
           const Match& match = {});

}  // namespace softcuda::test
