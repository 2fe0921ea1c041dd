#include "harness.hpp"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>

namespace softcuda::test {

namespace {
u64 checks = 0, failures = 0;
constexpr u64 MostPrinted = 60;
constexpr std::size_t MostRows = 8192;

std::string formatList(const char* format, va_list list) {
    char buffer[4096];
    std::vsnprintf(buffer, sizeof buffer, format, list);
    return buffer;
}

std::string replaceAll(std::string text, const std::string& from, const std::string& to) {
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) text.replace(at, from.size(), to);
    return text;
}
}  // namespace

std::string format(const char* format, ...) {
    va_list list;
    va_start(list, format);
    std::string text = formatList(format, list);
    va_end(list);
    return text;
}

bool expect(bool holds, const char* format, ...) {
    ++checks;
    if (holds) return true;
    if (++failures <= MostPrinted) {
        va_list list;
        va_start(list, format);
        std::printf("FAILED: %s\n", formatList(format, list).c_str());
        va_end(list);
        if (failures == MostPrinted) std::printf("... further failures are not printed\n");
    }
    return false;
}

void count(u64 more) { checks += more; }

int finish(const char* family) {
    std::printf("%s: %llu checks, %llu failed\n", family, static_cast<unsigned long long>(checks), static_cast<unsigned long long>(failures));
    return failures ? 1 : 0;
}

const char* nameOf(Outcome outcome) {
    static const char* const names[] = {"Ok", "IllegalAddress", "MisalignedAddress", "IllegalInstruction", "Trap", "Timeout"};
    return names[static_cast<int>(outcome)];
}

const char* nameOf(FindingKind kind) {
    static const char* const names[] = {"OutOfBounds",         "Misaligned",         "UninitialisedRead", "SharedRace", "DivergentBarrier",
                                        "UninitialisedShared", "InvalidInstruction", "Trap",              "Leak",       "HostAccess",
                                        "GlobalRace",          "StaleRead",          "AsyncCopy",
                                        "LaneMask"};
    return names[static_cast<int>(kind)];
}

std::string header() { return ".version 7.0\n.target sm_80\n.address_size 64\n"; }

std::string kernel(std::string_view name, std::string_view parameters, std::string_view body, std::string_view directives) {
    std::string declared, loads, registers;
    std::istringstream list{std::string(parameters)};
    for (std::string item; std::getline(list, item, ',');) {
        std::istringstream words(item);
        std::string type, parameter;
        words >> type >> parameter;
        declared += format("%s.param .%s %s_%s", declared.empty() ? "" : ", ", type.c_str(), std::string(name).c_str(), parameter.c_str());
        registers += format(" .reg .%s %%%s;", type.c_str(), parameter.c_str());
        loads += format(" ld.param.%s %%%s, [%s_%s];", type.c_str(), parameter.c_str(), std::string(name).c_str(), parameter.c_str());
    }
    return ".visible .entry " + std::string(name) + "(" + declared + ") " + std::string(directives) +
           "\n{ .reg .pred %p<64>; .reg .b16 %h<64>; .reg .b32 %r<64>; .reg .f32 %f<64>; .reg .b64 %rd<64>; .reg .f64 %d<64>;"
           " .reg .b32 %thread, %lane, %gid;" +
           registers + " mov.u32 %thread, %tid.x; mov.u32 %lane, %laneid; mov.u32 %gid, %ctaid.x; mov.u32 %r63, %ntid.x;"
           " mad.lo.s32 %gid, %gid, %r63, %thread;" + loads + "\n" + std::string(body) + "\nret; }\n";
}

Bench::Bench(std::string_view ptx, u64 capacity) : memory(capacity), text_(ptx) {
    options.workers = 1;
    // So that another assembler can be asked whether these modules are PTX at all.
    if (const char* folder = std::getenv("SOFTCUDA_TEST_DUMP")) {
        static int number = 0;
        std::ofstream(format("%s/%04d.ptx", folder, number++)) << text_;
    }
    module = load(ptx, memory, error);
}

u64 Bench::allocate(u64 bytes) {
    u64 address = memory.allocate(bytes);
    if (!address) expect(false, "no memory for %llu bytes", static_cast<unsigned long long>(bytes));
    return address;
}

u64 Bench::upload(const void* data, u64 bytes) {
    u64 address = allocate(bytes);
    std::memcpy(memory.host(address), data, bytes);
    memory.markWritten(address, bytes);
    return address;
}

Outcome Bench::start(std::string_view name, Dim3 grid, Dim3 block, u32 dynamicShared, std::vector<u8>& arguments) {
    counters = {};
    findings.clear();
    if (!module) {
        expect(false, "module refused: line %d (%s): %s", error.line, error.text.c_str(), error.message.c_str());
        return outcome = Outcome::IllegalInstruction;
    }
    const Kernel* found = findKernel(*module, name);
    if (!expect(found != nullptr, "no kernel %s", std::string(name).c_str())) return outcome = Outcome::IllegalInstruction;
    if (arguments.size() < info(*found).parameterBytes) arguments.resize(info(*found).parameterBytes);
    return outcome = run(*found, grid, block, dynamicShared, arguments.data(), memory, options, counters, findings);
}

bool Bench::requireClean(std::string_view name) const {
    bool ok = expect(outcome == Outcome::Ok, "%s ended with %s", std::string(name).c_str(), nameOf(outcome));
    for (const Finding& finding : findings) ok &= expect(false, "%s: unexpected finding: %s", std::string(name).c_str(), describe(finding).c_str());
    return ok;
}

int Bench::lineOf(std::string_view text) const {
    std::size_t at = text_.find(text);
    if (at == std::string::npos || text_.find(text, at + 1) != std::string::npos) {
        expect(false, "'%s' is not on exactly one line", std::string(text).c_str());
        return 0;
    }
    int line = 1;
    for (std::size_t i = 0; i < at; ++i) line += text_[i] == '\n';
    return line;
}

namespace {
struct Shape {
    std::vector<std::string> outputs, inputs;
};

Shape parseShape(const std::string& text) {
    Shape shape;
    std::istringstream words(text);
    bool inputs = false;
    for (std::string word; words >> word;) {
        if (word == "=") inputs = true;
        else (inputs ? shape.inputs : shape.outputs).push_back(word);
    }
    return shape;
}

u64 maskOf(const std::string& type) { return type == "p" ? 1 : type == "64" ? ~0ull : (1ull << std::stoi(type)) - 1; }
constexpr u64 Sentinel = 0xA5A5A5A5A5A5A5A5ull;

std::string tableKernel(const std::string& name, const std::string& text, const Shape& shape, bool half) {
    std::string body = "mul.lo.u32 %r0, %gid, " + std::to_string(8 * shape.inputs.size()) + "; cvt.u64.u32 %rd0, %r0; add.s64 %rd0, %in, %rd0;" +
                       " mul.lo.u32 %r1, %gid, " + std::to_string(8 * shape.outputs.size()) +
                       "; cvt.u64.u32 %rd1, %r1; add.s64 %rd1, %out, %rd1;\n";
    std::vector<std::string> names;
    auto declare = [&](const std::string& type, std::string prefix) {
        names.push_back("%" + prefix + std::to_string(names.size()));
        body += " .reg ." + (type == "p" ? "pred" : "b" + type) + " " + names.back() + ";";
        return names.back();
    };
    for (const std::string& type : shape.outputs) {
        std::string name = declare(type, "out_");
        if (type == "p") body += " setp.eq.u32 " + name + ", %lane, %lane;";
        else body += format(" mov.b%s %s, 0x%llx;", type.c_str(), name.c_str(), static_cast<unsigned long long>(Sentinel & maskOf(type)));
    }
    for (std::size_t i = 0; i < shape.inputs.size(); ++i) {
        std::string name = declare(shape.inputs[i], "in_");
        if (shape.inputs[i] == "p") body += format(" ld.global.b32 %%r2, [%%rd0+%zu]; setp.ne.u32 %s, %%r2, 0;", 8 * i, name.c_str());
        else body += format(" ld.global.b%s %s, [%%rd0+%zu];", shape.inputs[i].c_str(), name.c_str(), 8 * i);
    }
    std::string instruction = text;
    if (text.find('$') == std::string::npos) {
        for (std::size_t i = 0; i < names.size(); ++i) instruction += (i ? ", $" : " $") + std::to_string(i);
        instruction += ";";
    }
    for (std::size_t i = names.size(); i-- > 0;) instruction = replaceAll(instruction, "$" + std::to_string(i), names[i]);
    body += "\n";
    if (!half) body += instruction + "\n";
    else if (instruction.find(';') + 1 == instruction.size()) body += "and.b32 %r3, %lane, 1; setp.eq.u32 %p0, %r3, 0;\n@%p0 " + instruction + "\n";
    else body += "and.b32 %r3, %lane, 1; setp.ne.u32 %p0, %r3, 0; @%p0 bra SKIP;\n" + instruction + "\nSKIP:\n";
    for (std::size_t i = 0; i < shape.outputs.size(); ++i) {
        if (shape.outputs[i] == "p") body += format(" selp.u32 %%r2, 1, 0, %s; st.global.b32 [%%rd1+%zu], %%r2;", names[i].c_str(), 8 * i);
        else body += format(" st.global.b%s [%%rd1+%zu], %s;", shape.outputs[i].c_str(), 8 * i, names[i].c_str());
    }
    return kernel(name, "u64 in, u64 out", body);
}
}  // namespace

static void runTable(const std::string& text, const std::string& shapeText, const std::vector<Row>& rows, const Match& match, bool divergent) {
    Shape shape = parseShape(shapeText);
    std::size_t outputs = shape.outputs.size(), inputs = shape.inputs.size();
    Bench bench(header() + tableKernel("all", text, shape, false) + (divergent ? tableKernel("half", text, shape, true) : ""));
    if (!expect(bench.loaded(), "%s: refused, line %d (%s): %s", text.c_str(), bench.error.line, bench.error.text.c_str(), bench.error.message.c_str())) return;
    u32 blocks = static_cast<u32>((rows.size() + 63) / 64);
    std::size_t threads = blocks * 64;
    std::vector<u64> in(threads * std::max<std::size_t>(inputs, 1));
    for (std::size_t i = 0; i < threads; ++i)
        for (std::size_t k = 0; k < inputs; ++k) in[i * inputs + k] = rows[i % rows.size()][outputs + k];
    u64 input = bench.upload(in), output = bench.allocate(threads * outputs * 8);
    for (bool half : {false, true}) {
        if (half && !divergent) break;
        if (!bench.clean(half ? "half" : "all", {blocks}, {64}, 0, input, output)) {
            expect(false, "in the table of %s", text.c_str());
            return;
        }
        std::vector<u64> out = bench.download<u64>(output, threads * outputs);
        std::size_t wrong = 0;
        for (std::size_t i = 0; i < threads; ++i) {
            for (std::size_t k = 0; k < outputs; ++k) {
                u64 mask = maskOf(shape.outputs[k]), actual = out[i * outputs + k] & mask, expected = rows[i % rows.size()][k] & mask;
                const u64* sources = rows[i % rows.size()].data() + outputs;
                bool idle = half && i % 2;
                if (idle) expected = Sentinel & mask;
                bool ok = actual == expected || (!idle && match && match(sources, expected, actual));
                if (ok) continue;
                if (++wrong > 4) continue;
                std::string operands;
                for (std::size_t s = 0; s < inputs; ++s) operands += format(" %llx", static_cast<unsigned long long>(sources[s]));
                expect(false, "%s%s: inputs%s: output %zu is %llx, expected %llx", text.c_str(), idle ? " (idle lane)" : "", operands.c_str(), k,
                       static_cast<unsigned long long>(actual), static_cast<unsigned long long>(expected));
            }
        }
        if (wrong > 4) expect(false, "%s: %zu wrong outputs in all", text.c_str(), wrong);
        count(rows.size() * outputs);
    }
}

void table(const std::string& text, const std::string& shape, const std::vector<Row>& rows, const Match& match) {
    runTable(text, shape, rows, match, true);
}

void warpTable(const std::string& text, const std::string& shape, const std::vector<Row>& rows, const Match& match) {
    expect(!rows.empty() && rows.size() % 32 == 0, "%s: %zu rows are not whole warps", text.c_str(), rows.size());
    runTable(text, shape, rows, match, false);
}

void sweep(const std::string& text, const std::string& shape, const std::vector<Values>& sources, const Reference& reference, const Match& match) {
    std::size_t all = 1;
    for (const Values& values : sources) all *= values.size();
    std::mt19937_64 random(all);
    std::vector<Row> rows;
    for (std::size_t i = 0; i < std::min(all, MostRows); ++i) {
        std::size_t index = all <= MostRows ? i : random() % all;
        Row row(1);
        for (const Values& values : sources) {
            row.push_back(values[index % values.size()]);
            index /= values.size();
        }
        row[0] = reference(row.data() + 1);
        rows.push_back(std::move(row));
    }
    table(text, shape, rows, match);
}

}  // namespace softcuda::test
