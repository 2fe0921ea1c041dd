// Loading: variables placed, kernels laid out and decoded.
#include <algorithm>
#include <bit>
#include <cstring>
#include <functional>
#include <set>

#include "decoder.hpp"

namespace softcuda {

Module::Module(std::string_view text, Memory& memory) : text_(text), memory_(memory) {
    lines_.push_back(0);
    for (std::size_t i = 0; i < text_.size(); ++i)
        if (text_[i] == '\n') lines_.push_back(i + 1);
}

Module::~Module() {
    for (const auto& [name, global] : globals) memory_.release(global.address);
}

std::string Module::line(int number) const {
    if (number < 1 || static_cast<std::size_t>(number) > lines_.size()) return {};
    std::size_t begin = lines_[static_cast<std::size_t>(number) - 1];
    std::size_t end = text_.find('\n', begin);
    std::string line = text_.substr(begin, end == std::string::npos ? end : end - begin);
    std::replace(line.begin(), line.end(), '\t', ' ');
    constexpr const char* Blanks = " \r\f\v";
    std::size_t first = line.find_first_not_of(Blanks), last = line.find_last_not_of(Blanks);
    return first == std::string::npos ? std::string() : line.substr(first, last - first + 1);
}

namespace {

void writeInitials(const Variable& variable, const Module& module, const ModuleSyntax& syntax, std::uint8_t* to) {
    std::size_t bytes = static_cast<std::size_t>(bitsOf(variable.type)) / 8;
    for (std::size_t i = 0; i < variable.values.size(); ++i) {
        const Initial& initial = variable.values[i];
        std::uint64_t value = initial.bits;
        if (!initial.symbol.empty()) {
            auto known = module.globals.find(initial.symbol);
            if (known == module.globals.end()) {
                bool exists = syntax.variableIndex.contains(initial.symbol) || syntax.functionIndex.contains(initial.symbol);
                throw SyntaxError(initial.line, exists ? "only addresses of .global and .const variables can be initial values"
                                                       : "'" + std::string(initial.symbol) + "' is not declared");
            }
            if (bytes != 8) throw SyntaxError(initial.line, "an address needs 64 bits");
            value += known->second.address;
        } else if (initial.kind == TokenKind::Float64 && variable.type == Type::F32) {
            value = std::bit_cast<std::uint32_t>(static_cast<float>(std::bit_cast<double>(initial.bits)));
        } else if (initial.kind == TokenKind::Float32 && variable.type == Type::F64) {
            value = std::bit_cast<std::uint64_t>(static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(initial.bits))));
        } else if (initial.kind != TokenKind::Integer && bytes != (initial.kind == TokenKind::Float32 ? 4u : 8u)) {
            throw SyntaxError(initial.line, "a float does not fit the variable's type");
        }
        std::memcpy(to + i * bytes, &value, bytes);
    }
}

/// Names that a function mentions, and functions that it calls, itself included.
void reach(const ModuleSyntax& syntax, const FunctionSyntax& function, std::vector<const FunctionSyntax*>& path, std::vector<const FunctionSyntax*>& reached,
           std::set<std::string_view>& names) {
    if (std::find(path.begin(), path.end(), &function) != path.end())
        throw SyntaxError(function.line, "'" + std::string(function.name) + "' calls itself: recursion is not supported");
    if (std::find(reached.begin(), reached.end(), &function) != reached.end()) return;
    path.push_back(&function);
    std::function<void(const Operand&)> visit = [&](const Operand& operand) {
        if (!operand.name.empty()) names.insert(operand.name);
        for (const Operand& element : operand.elements) visit(element);
    };
    for (const Instruction& instruction : function.instructions) {
        for (const Operand& operand : instruction.operands) visit(operand);
        if (instruction.opcode != "call") continue;
        for (const Operand& operand : instruction.operands) {
            auto callee = operand.kind == OperandKind::Name ? syntax.functionIndex.find(operand.name) : syntax.functionIndex.end();
            if (callee == syntax.functionIndex.end() || !syntax.functions[callee->second].defined) continue;
            reach(syntax, syntax.functions[callee->second], path, reached, names);
        }
    }
    path.pop_back();
    reached.push_back(&function);
}

std::uint64_t place(std::uint64_t& end, const Variable& variable, std::uint32_t leastAlignment) {
    std::uint64_t alignment = std::max(variable.alignment, leastAlignment);
    std::uint64_t at = (end + alignment - 1) / alignment * alignment;
    end = at + variable.bytes;
    return at;
}

/// Lays out shared, local and parameter memory of a kernel and what it calls.
void layOut(KernelBuilder& builder, const FunctionSyntax& entry, const std::vector<const FunctionSyntax*>& reached, const std::set<std::string_view>& names) {
    Kernel& kernel = builder.kernel;
    std::uint64_t shared = 0, local = 0, parameters = 0, dynamicAlignment = 16;
    std::vector<std::string_view> dynamic;
    auto placeShared = [&](const Variable& variable) {
        if (variable.external && variable.bytes == 0) {
            dynamic.push_back(variable.name);
            dynamicAlignment = std::max<std::uint64_t>(dynamicAlignment, variable.alignment);
        } else if (!builder.sharedOffsets.contains(variable.name)) {
            builder.sharedOffsets[variable.name] = static_cast<std::uint32_t>(place(shared, variable, 1));
        }
    };
    for (const Variable& variable : builder.syntax.variables) {
        if (!names.contains(variable.name)) continue;
        if (variable.space == Space::Shared) placeShared(variable);
        else if (variable.space == Space::Local) builder.localOffsets[variable.name] = static_cast<std::uint32_t>(place(local, variable, 4));
    }
    std::uint64_t calls = 0;  // bytes of parameters of called functions: no local memory on a GPU
    for (const FunctionSyntax* function : reached) {
        auto& offsets = builder.frames[function].offsets;
        for (int scope = 0; scope < static_cast<int>(function->scopes.size()); ++scope) {
            // In the order of declaration, so that layouts do not depend on names.
            std::vector<const Variable*> variables;
            for (const auto& [name, variable] : function->scopes[static_cast<std::size_t>(scope)].variables) variables.push_back(&variable);
            std::stable_sort(variables.begin(), variables.end(), [](const Variable* a, const Variable* b) { return a->line < b->line; });
            bool isEntry = function == &entry && entry.entry && scope == 0;
            auto isParameter = [&](const Variable* variable) {
                return isEntry && std::any_of(entry.parameters.begin(), entry.parameters.end(), [&](const Variable& p) { return p.name == variable->name; });
            };
            for (const Variable* variable : variables) {
                if (variable->space == Space::Shared) {
                    placeShared(*variable);
                } else if (variable->space == Space::Local) {
                    offsets[{scope, variable->name}] = static_cast<std::uint32_t>(place(local, *variable, 4));
                } else if (variable->space == Space::Param && !isParameter(variable)) {
                    std::uint64_t before = local;
                    offsets[{scope, variable->name}] = static_cast<std::uint32_t>(place(local, *variable, 4));
                    calls += local - before;
                } else if (variable->space == Space::Global || variable->space == Space::Const) {
                    throw SyntaxError(variable->line, "variables of functions lie in .local, .shared or .param");
                }
            }
        }
    }
    if (entry.entry) {
        auto& offsets = builder.frames[&entry].offsets;
        for (const Variable& parameter : entry.parameters) {
            if (!parameter.sized) throw SyntaxError(parameter.line, "a parameter needs a size");
            auto at = static_cast<std::uint32_t>(place(parameters, parameter, 1));
            offsets[{0, parameter.name}] = at;
            kernel.info.parameters.push_back({std::string(parameter.name), at, static_cast<std::uint32_t>(parameter.bytes), parameter.alignment});
        }
    }
    if (parameters > 32764) throw SyntaxError(entry.line, "more than 32764 bytes of parameters");
    if (local > (1u << 24)) throw SyntaxError(entry.line, "too much local memory");
    if (shared > 232448) throw SyntaxError(entry.line, "too much shared memory");
    kernel.info.parameterBytes = static_cast<std::uint32_t>(parameters);
    kernel.info.staticShared = static_cast<std::uint32_t>(shared);
    kernel.info.local = static_cast<std::uint32_t>(local - calls);
    kernel.localBytes = static_cast<std::uint32_t>((local + 15) / 16 * 16);
    kernel.dynamicSharedAt = static_cast<std::uint32_t>((shared + dynamicAlignment - 1) / dynamicAlignment * dynamicAlignment);
    for (std::string_view name : dynamic) builder.sharedOffsets[name] = kernel.dynamicSharedAt;
}

/// The narrowest access that can go to a space.
std::uint32_t narrowest(const std::vector<Instr>& code, Space space) {
    std::uint32_t unit = 4;
    for (const Instr& instr : code)
        if (instr.bytes > 0 && (instr.space == space || instr.space == Space::Generic)) unit = std::min<std::uint32_t>(unit, instr.bytes * instr.count);
    return unit;
}

}  // namespace

void placeGlobals(const ModuleSyntax& syntax, Module& module, Memory& memory) {
    for (const Variable& variable : syntax.variables) {
        if (variable.space != Space::Global && variable.space != Space::Const) continue;
        if (variable.external) continue;  // an error where it is used
        // Memory aligns to 256 bytes; an empty array still needs an address.
        std::uint64_t address = memory.allocate(std::max<std::uint64_t>(variable.bytes, 1));
        if (address == 0) throw SyntaxError(variable.line, "out of memory for '" + std::string(variable.name) + "'");
        module.globals.emplace(std::string(variable.name), Module::Global{address, variable.bytes, variable.space == Space::Const});
    }
    for (const Variable& variable : syntax.variables) {
        auto placed = module.globals.find(variable.name);
        if (placed == module.globals.end() || variable.bytes == 0) continue;
        // Variables without initial values are zeros.
        std::memset(memory.host(placed->second.address), 0, variable.bytes);
        memory.markWritten(placed->second.address, variable.bytes);
        writeInitials(variable, module, syntax, memory.host(placed->second.address));
    }
}

std::unique_ptr<Kernel> decodeKernel(const ModuleSyntax& syntax, const FunctionSyntax& function, Module& module) {
    auto kernel = std::make_unique<Kernel>();
    kernel->info.name = std::string(function.name);
    kernel->info.maxThreads = function.maxThreads ? function.maxThreads : 1024;
    kernel->info.isBounded = function.maxThreads != 0;
    kernel->module = &module;
    KernelBuilder builder{syntax, module, *kernel, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}};
    std::vector<const FunctionSyntax*> path, reached;
    std::set<std::string_view> names;
    reach(syntax, function, path, reached, names);
    layOut(builder, function, reached, names);
    // The kernel itself comes first: its code starts at 0.
    for (auto called = reached.rbegin(); called != reached.rend(); ++called) {
        builder.entryPoints[*called] = static_cast<std::uint32_t>(kernel->code.size());
        Decoder(builder, **called).run();
    }
    for (auto [pc, callee] : builder.callees) kernel->code[pc].target = builder.entryPoints.at(callee);
    kernel->sharedUnit = narrowest(kernel->code, Space::Shared);
    kernel->globalUnit = narrowest(kernel->code, Space::Global);
    assignRows(builder);
    kernel->constants = builder.constants.take();
    return kernel;
}

std::shared_ptr<Module> load(std::string_view ptx, Memory& memory, LoadError& error) {
    auto module = std::make_shared<Module>(ptx, memory);
    try {
        // Names in the syntax are views of the module's own copy of the text.
        ModuleSyntax syntax = parse(module->text());
        module->version = syntax.version;
        module->target = syntax.target;
        placeGlobals(syntax, *module, memory);
        for (const FunctionSyntax& function : syntax.functions) {
            if (!function.defined) continue;
            auto kernel = decodeKernel(syntax, function, *module);
            if (function.entry) module->kernels.push_back(std::move(kernel));
        }
        return module;
    } catch (const SyntaxError& problem) {
        error = {problem.line, module->line(problem.line), problem.what()};
        return nullptr;
    }
}

const Kernel* findKernel(const Module& module, std::string_view name) {
    for (const auto& kernel : module.kernels)
        if (kernel->info.name == name) return kernel.get();
    return nullptr;
}

std::vector<const Kernel*> kernels(const Module& module) {
    std::vector<const Kernel*> all;
    for (const auto& kernel : module.kernels) all.push_back(kernel.get());
    return all;
}

const KernelInfo& info(const Kernel& kernel) { return kernel.info; }

bool findGlobal(const Module& module, std::string_view name, std::uint64_t& address, std::uint64_t& bytes) {
    auto known = module.globals.find(name);
    if (known == module.globals.end()) return false;
    address = known->second.address;
    bytes = known->second.bytes;
    return true;
}

int ptxVersion(const Module& module) { return module.version; }
int target(const Module& module) { return module.target; }

}  // namespace softcuda
