#include "decoder.hpp"

#include <algorithm>
#include <bit>
#include <charconv>

namespace softcuda {

namespace {

constexpr std::size_t RowWords = 16, WideRowWords = 32;  // of 64 bits

const std::map<std::string_view, Special> SpecialNames = {
    {"%tid.x", Special::TidX}, {"%tid.y", Special::TidY}, {"%tid.z", Special::TidZ},
    {"%ntid.x", Special::NtidX}, {"%ntid.y", Special::NtidY}, {"%ntid.z", Special::NtidZ},
    {"%ctaid.x", Special::CtaidX}, {"%ctaid.y", Special::CtaidY}, {"%ctaid.z", Special::CtaidZ},
    {"%nctaid.x", Special::NctaidX}, {"%nctaid.y", Special::NctaidY}, {"%nctaid.z", Special::NctaidZ},
    {"%laneid", Special::LaneId}, {"%warpid", Special::WarpId}, {"%nwarpid", Special::NwarpId}, {"%smid", Special::SmId},
    {"%nsmid", Special::NsmId}, {"%gridid", Special::GridId}, {"%lanemask_eq", Special::LanemaskEq}, {"%lanemask_le", Special::LanemaskLe},
    {"%lanemask_lt", Special::LanemaskLt}, {"%lanemask_ge", Special::LanemaskGe}, {"%lanemask_gt", Special::LanemaskGt},
    {"%dynamic_smem_size", Special::DynamicSmemSize}, {"%total_smem_size", Special::TotalSmemSize}, {"%clock", Special::Clock},
    {"%clock64", Special::Clock64}, {"%globaltimer", Special::GlobalTimer},
};

bool isWide(Special special) { return special == Special::Clock64 || special == Special::GlobalTimer || special == Special::GridId; }

RegisterClass classOf(Type type) {
    return type == Type::Pred ? RegisterClass::Predicate : bitsOf(type) == 64 ? RegisterClass::Wide : RegisterClass::Word;
}

/// PTX's rule: equal sizes, and a float only meets floats or untyped bits.
bool compatible(Type instruction, Type declared, bool loose) {
    if ((instruction == Type::Pred) != (declared == Type::Pred)) return false;
    if (loose) return bitsOf(declared) >= bitsOf(instruction) && (bitsOf(declared) == bitsOf(instruction) || !isFloat(declared) || declared == Type::F16x2);
    if (bitsOf(declared) != bitsOf(instruction)) return false;
    // Packed and 16-bit brain floats live in untyped registers; nvcc also keeps them in .b and .u registers.
    return isUntyped(instruction) || isUntyped(declared) || isFloat(instruction) == isFloat(declared) || bitsOf(instruction) == 16 ||
           instruction == Type::F16x2 || instruction == Type::BF16x2 || instruction == Type::TF32;
}

}  // namespace

ConstantPool::ConstantPool() : data_(RowWords) { data_[0] = 0xffffffffu; }

std::uint32_t ConstantPool::word(std::uint32_t value) {
    auto [known, fresh] = known_.try_emplace({false, value}, static_cast<std::uint32_t>(data_.size() * 8) | ConstantFlag);
    if (fresh) data_.insert(data_.end(), RowWords, static_cast<std::uint64_t>(value) << 32 | value);
    return known->second;
}

std::uint32_t ConstantPool::wide(std::uint64_t value) {
    auto [known, fresh] = known_.try_emplace({true, value}, static_cast<std::uint32_t>(data_.size() * 8) | ConstantFlag);
    if (fresh) data_.insert(data_.end(), WideRowWords, value);
    return known->second;
}

Decoder::Decoder(KernelBuilder& builder, const FunctionSyntax& function) : builder(builder), function(function) {}

void Decoder::run() {
    begin_ = static_cast<std::uint32_t>(builder.kernel.code.size());
    for (const Instruction& instruction : function.instructions) decode(instruction);
    // A body may end in a label, or without ret.
    Instr end;
    end.control = Control::Return;
    end.line = function.instructions.empty() ? function.line : function.instructions.back().line;
    builder.kernel.code.push_back(end);
    builder.roles.emplace_back();
    builder.ranges[&function] = {begin_, static_cast<std::uint32_t>(builder.kernel.code.size())};
}

void Decoder::decode(const Instruction& instruction) {
    source = &instruction;
    out = {};
    out.line = instruction.line;
    roles_ = {};
    modifiers_ = instruction.modifiers;
    if (!instruction.guard.empty()) {
        std::uint32_t predicate = 0;
        auto type = findRegister(instruction.guard, &predicate);
        if (!type) fail("'" + std::string(instruction.guard) + "' is not declared");
        if (*type != Type::Pred) fail("'" + std::string(instruction.guard) + "' is not a predicate");
        out.guard = predicate;
        out.guardInversion = instruction.guardNegated ? ~0u : 0;
    }
    bool known = decodeInteger(*this, instruction.opcode) || decodeLogic(*this, instruction.opcode) || decodeFloat(*this, instruction.opcode) ||
                 decodeNarrowFloat(*this, instruction.opcode) || decodeCompare(*this, instruction.opcode) || decodeConvert(*this, instruction.opcode) ||
                 decodeMove(*this, instruction.opcode) || decodeMemory(*this, instruction.opcode) || decodeAtomic(*this, instruction.opcode) ||
                 decodeWarp(*this, instruction.opcode) || decodeMatrix(*this, instruction.opcode) || decodeControl(*this, instruction.opcode);
    if (!known) fail("unknown instruction '" + std::string(instruction.opcode) + "'");
    if (!modifiers_.empty()) fail("unknown modifier ." + std::string(modifiers_.front()) + " of '" + std::string(instruction.opcode) + "'");
    if (!out.run && out.control == Control::None) fail("'" + std::string(instruction.opcode) + "' does not exist for this type");
    builder.kernel.code.push_back(out);
    builder.roles.push_back(roles_);
}

bool Decoder::take(std::string_view modifier) {
    auto found = std::find(modifiers_.begin(), modifiers_.end(), modifier);
    if (found == modifiers_.end()) return false;
    modifiers_.erase(found);
    return true;
}

bool Decoder::hasModifier(std::string_view modifier) const { return std::find(modifiers_.begin(), modifiers_.end(), modifier) != modifiers_.end(); }

std::optional<Type> Decoder::takeTypeIf() {
    for (auto modifier = modifiers_.begin(); modifier != modifiers_.end(); ++modifier) {
        if (auto type = typeNamed(*modifier)) {
            modifiers_.erase(modifier);
            return type;
        }
    }
    return std::nullopt;
}

Type Decoder::takeType() {
    auto type = takeTypeIf();
    if (!type) fail("'" + std::string(source->opcode) + "' lacks a type");
    return *type;
}

std::optional<Space> Decoder::takeSpace() {
    if (take("global")) return Space::Global;
    if (take("shared") || take("shared::cta")) return Space::Shared;
    if (take("local")) return Space::Local;
    if (take("const")) return Space::Const;
    if (take("param") || take("param::entry") || take("param::func")) return Space::Param;
    return std::nullopt;
}

void Decoder::expectOperands(std::size_t least, std::size_t most) {
    if (operands() >= least && operands() <= most) return;
    std::string wanted = least == most ? std::to_string(least) : std::to_string(least) + " to " + std::to_string(most);
    fail("'" + std::string(source->opcode) + "' takes " + wanted + " operands, not " + std::to_string(operands()));
}

std::optional<Type> Decoder::findRegister(std::string_view name, std::uint32_t* virtualRegister) {
    for (int scope = source->scope; scope >= 0; scope = function.scopes[static_cast<std::size_t>(scope)].parent) {
        const Scope& declared = function.scopes[static_cast<std::size_t>(scope)];
        std::optional<Type> type;
        if (auto known = declared.registers.find(name); known != declared.registers.end()) {
            type = known->second;
        } else {
            for (const RegisterRange& range : declared.ranges) {
                if (name.size() <= range.prefix.size() || name.substr(0, range.prefix.size()) != range.prefix) continue;
                std::string_view digits = name.substr(range.prefix.size());
                std::uint32_t number = 0;
                auto [rest, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
                if (problem != std::errc() || rest != digits.data() + digits.size() || number >= range.count) continue;
                if (digits.size() > 1 && digits[0] == '0') continue;
                type = range.type;
            }
        }
        if (!type) {
            if (declared.variables.contains(name)) return std::nullopt;
            continue;
        }
        auto [known, fresh] = known_.try_emplace({scope, name}, static_cast<std::uint32_t>(builder.registers.size()));
        if (fresh) builder.registers.push_back({classOf(*type)});
        if (virtualRegister) *virtualRegister = known->second;
        return type;
    }
    return std::nullopt;
}

std::optional<Special> Decoder::specialNamed(const Operand& operand) const {
    std::string name(operand.name);
    if (!operand.component.empty()) name += "." + std::string(operand.component);
    auto known = SpecialNames.find(name);
    return known == SpecialNames.end() ? std::nullopt : std::optional(known->second);
}

std::uint32_t Decoder::specialRegister(Special special) {
    auto [known, fresh] = builder.specials.try_emplace(special, static_cast<std::uint32_t>(builder.registers.size()));
    if (fresh) builder.registers.push_back({isWide(special) ? RegisterClass::Wide : RegisterClass::Word, true});
    return known->second;
}

void Decoder::useConstant(std::size_t slot, std::uint64_t value, bool wide) {
    out.o[slot] = wide ? builder.constants.wide(value) : builder.constants.word(static_cast<std::uint32_t>(value));
    roles_[slot] = Role::None;
}

void Decoder::use(std::size_t slot, const Operand& operand, Type type, bool loose) {
    bool wide = bitsOf(type) == 64;
    switch (operand.kind) {
        case OperandKind::Integer: {
            if (isFloat(type) && bitsOf(type) != 16 && type != Type::F16x2 && type != Type::BF16x2 && type != Type::TF32)
                fail("an integer where ." + std::string(nameOf(type)) + " is expected");
            std::uint64_t value = operand.bits;
            if (bitsOf(type) < 32) value &= (1ull << bitsOf(type)) - 1;
            useConstant(slot, value, wide);
            return;
        }
        case OperandKind::Float32:
        case OperandKind::Float64: {
            if (!isFloat(type) && !isUntyped(type)) fail("a float where ." + std::string(nameOf(type)) + " is expected");
            bool single = operand.kind == OperandKind::Float32;
            double value = single ? std::bit_cast<float>(static_cast<std::uint32_t>(operand.bits)) : std::bit_cast<double>(operand.bits);
            if (bitsOf(type) == 64) useConstant(slot, single ? std::bit_cast<std::uint64_t>(value) : operand.bits, true);
            else if (type == Type::F32 || type == Type::B32)
                useConstant(slot, single ? operand.bits : std::bit_cast<std::uint32_t>(static_cast<float>(value)), false);
            else fail("a float where ." + std::string(nameOf(type)) + " is expected");
            return;
        }
        case OperandKind::Name: break;
        default: fail("an operand of the wrong form");
    }
    if (operand.negated) fail("'!' before an operand that is no predicate");
    if (!operand.second.empty()) fail("an operand of the wrong form");
    if (operand.name == "WARP_SZ") {
        useConstant(slot, 32, wide);
        return;
    }
    if (auto special = specialNamed(operand)) {
        if (wide != isWide(*special) && !(loose && isWide(*special) == false)) fail("the size of '" + std::string(operand.name) + "' does not fit ." + nameOf(type));
        out.o[slot] = specialRegister(*special);
        roles_[slot] = Role::Use;
        return;
    }
    if (!operand.component.empty() || operand.offset != 0) fail("an operand of the wrong form");
    std::uint32_t virtualRegister = 0;
    auto declared = findRegister(operand.name, &virtualRegister);
    if (!declared) fail("'" + std::string(operand.name) + "' is not declared");
    if (!compatible(type, *declared, loose)) fail("'" + std::string(operand.name) + "' is ." + nameOf(*declared) + " where ." + nameOf(type) + " is expected");
    out.o[slot] = virtualRegister;
    roles_[slot] = Role::Use;
}

void Decoder::define(std::size_t slot, const Operand& operand, Type type, bool loose) {
    if (operand.kind == OperandKind::Sink) {
        setScratch(slot, classOf(type));
        return;
    }
    if (operand.kind != OperandKind::Name || operand.negated || !operand.component.empty() || !operand.second.empty() || operand.offset != 0)
        fail("the destination must be a register");
    std::uint32_t virtualRegister = 0;
    auto declared = findRegister(operand.name, &virtualRegister);
    if (!declared) fail("'" + std::string(operand.name) + "' is not declared");
    if (!compatible(type, *declared, loose)) fail("'" + std::string(operand.name) + "' is ." + nameOf(*declared) + " where ." + nameOf(type) + " is expected");
    out.o[slot] = virtualRegister;
    roles_[slot] = Role::Define;
}

void Decoder::usePredicate(std::size_t slot, const Operand& operand) {
    if (operand.kind == OperandKind::Integer) {
        out.o[slot] = operand.bits ? AlwaysTrue : AlwaysFalse;
        return;
    }
    if (operand.kind != OperandKind::Name || !operand.component.empty() || operand.offset != 0) fail("expected a predicate");
    std::uint32_t virtualRegister = 0;
    auto declared = findRegister(operand.name, &virtualRegister);
    if (!declared) fail("'" + std::string(operand.name) + "' is not declared");
    if (*declared != Type::Pred) fail("'" + std::string(operand.name) + "' is not a predicate");
    out.o[slot] = virtualRegister;
    roles_[slot] = Role::Use;
}

void Decoder::definePredicate(std::size_t slot, std::string_view name) {
    if (name == "_") {
        setScratch(slot, RegisterClass::Predicate);
        return;
    }
    std::uint32_t virtualRegister = 0;
    auto declared = findRegister(name, &virtualRegister);
    if (!declared) fail("'" + std::string(name) + "' is not declared");
    if (*declared != Type::Pred) fail("'" + std::string(name) + "' is not a predicate");
    out.o[slot] = virtualRegister;
    roles_[slot] = Role::Define;
}

std::uint32_t Decoder::scratch(RegisterClass kind) {
    builder.registers.push_back({kind});
    return static_cast<std::uint32_t>(builder.registers.size()) - 1;
}

void Decoder::setScratch(std::size_t slot, RegisterClass kind) {
    out.o[slot] = scratch(kind);
    roles_[slot] = Role::Define;
}

void Decoder::simple(Handler handler, std::initializer_list<Type> types) {
    expectOperands(types.size());
    out.run = handler;
    std::size_t slot = 0;
    for (Type type : types) {
        const Operand& operand = source->operands[slot];
        if (type == Type::Pred) slot == 0 ? definePredicate(0, operand.name) : usePredicate(slot, operand);
        else if (slot == 0) define(0, operand, type);
        else use(slot, operand, type);
        ++slot;
    }
}

const Variable* Decoder::lookUp(std::string_view name, int& scope) const {
    for (scope = source->scope; scope >= 0; scope = function.scopes[static_cast<std::size_t>(scope)].parent) {
        const auto& variables = function.scopes[static_cast<std::size_t>(scope)].variables;
        if (auto known = variables.find(name); known != variables.end()) return &known->second;
    }
    auto known = builder.syntax.variableIndex.find(name);
    return known == builder.syntax.variableIndex.end() ? nullptr : &builder.syntax.variables[known->second];
}

std::optional<Decoder::Symbol> Decoder::findVariable(std::string_view name) const {
    int scope = 0;
    const Variable* variable = lookUp(name, scope);
    if (!variable) return std::nullopt;
    if (variable->space == Space::Global || variable->space == Space::Const) {
        auto placed = builder.module.globals.find(name);
        if (placed == builder.module.globals.end()) fail("'" + std::string(name) + "' is declared but not defined");
        return Symbol{variable->space, placed->second.address, placed->second.bytes};
    }
    if (scope < 0) {
        const auto& offsets = variable->space == Space::Shared ? builder.sharedOffsets : builder.localOffsets;
        return Symbol{variable->space, offsets.at(name), variable->bytes};
    }
    if (variable->space == Space::Shared) return Symbol{Space::Shared, builder.sharedOffsets.at(variable->name), variable->bytes};
    // The parameters of an entry are its parameter bank; those of functions lie in local memory.
    Space space = variable->space == Space::Param && !(function.entry && scope == 0 && std::any_of(function.parameters.begin(), function.parameters.end(),
                  [&](const Variable& parameter) { return parameter.name == name; })) ? Space::Local : variable->space;
    return Symbol{space, builder.frames.at(&function).offsets.at({scope, variable->name}), variable->bytes};
}

std::optional<Space> Decoder::address(std::size_t slot, const Operand& operand) {
    if (operand.kind != OperandKind::Address) fail("expected an address in brackets");
    out.immediate = operand.offset;
    if (operand.name.empty()) {
        useConstant(slot, 0, true);
        return std::nullopt;
    }
    std::uint32_t virtualRegister = 0;
    if (auto declared = findRegister(operand.name, &virtualRegister)) {
        if ((bitsOf(*declared) != 64 && bitsOf(*declared) != 32) || isFloat(*declared)) fail("'" + std::string(operand.name) + "' cannot hold an address");
        out.wideAddress = bitsOf(*declared) == 64;
        out.o[slot] = virtualRegister;
        roles_[slot] = Role::Use;
        return std::nullopt;
    }
    auto symbol = findVariable(operand.name);
    if (!symbol) fail("'" + std::string(operand.name) + "' is not declared");
    useConstant(slot, symbol->address, true);
    return symbol->space;
}

std::uint32_t Decoder::label(std::string_view name, int line) {
    for (int scope = source->scope; scope >= 0; scope = function.scopes[static_cast<std::size_t>(scope)].parent) {
        const auto& labels = function.scopes[static_cast<std::size_t>(scope)].labels;
        if (auto known = labels.find(name); known != labels.end()) return begin_ + static_cast<std::uint32_t>(known->second);
    }
    throw SyntaxError(line, "the label '" + std::string(name) + "' is not defined");
}

}  // namespace softcuda
