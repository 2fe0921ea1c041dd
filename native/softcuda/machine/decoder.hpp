// From syntax to decoded instructions. What an opcode means is told by one decode function for each family of instructions.
#pragma once
#include <set>
#include <string>

#include "program.hpp"

namespace softcuda {

enum class RegisterClass : std::uint8_t { Predicate, Word, Wide };

/// A register before rows are assigned.
struct VirtualRegister {
    RegisterClass kind;
    bool pinned = false;  // a special register: its row is its own
};

enum class Role : std::uint8_t { None, Use, Define };
using Roles = std::array<Role, MostOperands>;

/// Constants of a kernel, each once.
class ConstantPool {
public:
    ConstantPool();
    std::uint32_t word(std::uint32_t value);
    std::uint32_t wide(std::uint64_t value);
    std::vector<std::uint64_t> take() { return std::move(data_); }

private:
    std::vector<std::uint64_t> data_;
    std::map<std::pair<bool, std::uint64_t>, std::uint32_t> known_;
};

/// Gathers what a kernel is made of while its functions are decoded.
struct KernelBuilder {
    const ModuleSyntax& syntax;
    Module& module;
    Kernel& kernel;
    ConstantPool constants;
    std::vector<VirtualRegister> registers;
    std::vector<Roles> roles;  // one for each instruction of kernel.code
    std::map<Special, std::uint32_t> specials;  // to virtual registers
    std::map<std::string_view, std::uint32_t> sharedOffsets, localOffsets;  // module-level .shared and .local variables
    std::map<const FunctionSyntax*, std::uint32_t> entryPoints;
    struct Frame {
        std::map<std::pair<int, std::string_view>, std::uint32_t> offsets;  // .local and .param variables by scope
    };
    std::map<const FunctionSyntax*, Frame> frames;
    struct CallSite {
        std::uint32_t pc;
        const FunctionSyntax* callee;
    };
    std::vector<CallSite> callees;
    struct Range {
        std::uint32_t begin, end;
    };
    std::map<const FunctionSyntax*, Range> ranges;
};

/// Decodes the instructions of one function.
class Decoder {
public:
    Decoder(KernelBuilder& builder, const FunctionSyntax& function);
    void run();

    // What decode functions use.
    const Instruction* source = nullptr;
    Instr out;
    KernelBuilder& builder;
    const FunctionSyntax& function;

    [[noreturn]] void fail(const std::string& message) const { throw SyntaxError(source->line, message); }
    /// Takes a modifier wherever it stands.
    bool take(std::string_view modifier);
    std::optional<Type> takeTypeIf();
    Type takeType();
    bool hasModifier(std::string_view modifier) const;
    /// Takes the next modifier that names a space.
    std::optional<Space> takeSpace();
    void expectOperands(std::size_t least, std::size_t most);
    void expectOperands(std::size_t count) { expectOperands(count, count); }
    std::size_t operands() const { return source->operands.size(); }
    const Operand& operand(std::size_t index) const { return source->operands[index]; }

    /// `loose`: the register may be wider than the type, as loads, stores and conversions allow.
    void use(std::size_t slot, const Operand& operand, Type type, bool loose = false);
    void define(std::size_t slot, const Operand& operand, Type type, bool loose = false);
    void usePredicate(std::size_t slot, const Operand& operand);
    void definePredicate(std::size_t slot, std::string_view name);
    void useConstant(std::size_t slot, std::uint64_t value, bool wide);
    /// A register that nothing reads.
    std::uint32_t scratch(RegisterClass kind);
    void setScratch(std::size_t slot, RegisterClass kind);
    /// d, a, b, ... of these types, then the handler.
    void simple(Handler handler, std::initializer_list<Type> types);

    struct Symbol {
        Space space;
        std::uint64_t address;
        std::uint64_t bytes;
    };
    /// A variable, or nothing: its address within its space.
    std::optional<Symbol> findVariable(std::string_view name) const;
    std::optional<Type> findRegister(std::string_view name, std::uint32_t* virtualRegister = nullptr);
    /// An address operand: its base at o[slot], its offset in `immediate`. The space of a variable, if it names one.
    std::optional<Space> address(std::size_t slot, const Operand& operand);
    std::uint32_t label(std::string_view name, int line);
    std::optional<Special> specialNamed(const Operand& operand) const;
    std::uint32_t specialRegister(Special special);

    void setRole(std::size_t slot, Role role) { roles_[slot] = role; }

private:
    void decode(const Instruction& instruction);
    const Variable* lookUp(std::string_view name, int& scope) const;

    std::vector<std::string_view> modifiers_;
    Roles roles_{};
    std::uint32_t begin_ = 0;
    std::map<std::pair<int, std::string_view>, std::uint32_t> known_;  // registers by scope and name
};

// Each returns false where the opcode is not of its family.
bool decodeInteger(Decoder& decoder, std::string_view opcode);
bool decodeLogic(Decoder& decoder, std::string_view opcode);
bool decodeFloat(Decoder& decoder, std::string_view opcode);
bool decodeNarrowFloat(Decoder& decoder, std::string_view opcode);
bool decodeCompare(Decoder& decoder, std::string_view opcode);
bool decodeConvert(Decoder& decoder, std::string_view opcode);
bool decodeMove(Decoder& decoder, std::string_view opcode);
bool decodeMemory(Decoder& decoder, std::string_view opcode);
bool decodeAtomic(Decoder& decoder, std::string_view opcode);
bool decodeWarp(Decoder& decoder, std::string_view opcode);
bool decodeMatrix(Decoder& decoder, std::string_view opcode);
bool decodeControl(Decoder& decoder, std::string_view opcode);

/// Finds reconvergence points, assigns rows to registers and estimates how many registers a thread needs.
void assignRows(KernelBuilder& builder);

}  // namespace softcuda
