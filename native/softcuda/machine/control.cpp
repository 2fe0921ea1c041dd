// Branches, calls, barriers and what else the interpreter's loop carries out itself.
#include "control.hpp"

#include "decoder.hpp"
#include "members.hpp"

namespace softcuda {

namespace {

void nothing(Warp&, const Instr&, Mask) {}
void syncWarp(Warp& warp, const Instr& instr, Mask mask) {
    checkMembers(warp, instr, mask, row<const u32>(warp, instr.o[1]));
    warp.block->shadow.syncWarp(warp.index);
    if (warp.block->global) warp.block->global->syncWarp(warp.index);
}
/// Memory is consistent here: only who looks for races needs to know.
void fence(Warp& warp, const Instr&, Mask mask) {
    if (warp.block->global) warp.block->global->fence(warp.index, mask);
}

bool decodeCall(Decoder& d) {
    d.take("uni");
    // call (results), f, (arguments) with either list left out.
    std::size_t next = 0;
    const Operand* results = nullptr;
    const Operand* arguments = nullptr;
    d.expectOperands(1, 3);
    if (d.operand(0).kind == OperandKind::List) results = &d.operand(next++);
    if (next >= d.operands() || d.operand(next).kind != OperandKind::Name) d.fail("'call' lacks a function");
    std::string name(d.operand(next++).name);
    if (next < d.operands()) arguments = &d.operand(next++);
    if (next != d.operands() || (arguments && arguments->kind != OperandKind::List)) d.fail("calls through pointers are not supported");
    auto known = d.builder.syntax.functionIndex.find(name);
    if (known == d.builder.syntax.functionIndex.end()) d.fail(d.findRegister(name) ? "calls through pointers are not supported" : "the function '" + name + "' is not declared");
    const FunctionSyntax& callee = d.builder.syntax.functions[known->second];
    if (!callee.defined) d.fail("the function '" + name + "' is not defined");
    if (callee.entry) d.fail("a kernel cannot be called");
    std::vector<ParameterCopy> in, back;
    auto match = [&](const Operand* list, const std::vector<Variable>& formals, std::vector<ParameterCopy>& copies, bool out) {
        std::size_t count = list ? list->elements.size() : 0;
        if (count != formals.size()) d.fail("'" + name + "' takes another number of parameters");
        for (std::size_t i = 0; i < count; ++i) {
            auto actual = d.findVariable(list->elements[i].name);
            if (!actual || actual->space != Space::Local) d.fail("parameters of calls are .param variables");
            if (actual->bytes != formals[i].bytes) d.fail("a parameter of '" + name + "' has another size");
            auto formal = d.builder.frames.at(&callee).offsets.at({0, formals[i].name});
            auto own = static_cast<std::uint32_t>(actual->address), bytes = static_cast<std::uint32_t>(actual->bytes);
            copies.push_back(out ? ParameterCopy{formal, own, bytes} : ParameterCopy{own, formal, bytes});
        }
    };
    match(arguments, callee.parameters, in, false);
    match(results, callee.results, back, true);
    auto& copies = d.builder.kernel.copies;
    d.out.flags = static_cast<u16>(copies.size());  // of the arguments; the results' follow
    if (copies.size() + 2 > 0xffff) d.fail("too many calls");
    copies.push_back(std::move(in));
    copies.push_back(std::move(back));
    d.out.control = Control::Call;
    d.builder.callees.push_back({static_cast<std::uint32_t>(d.builder.kernel.code.size()), &callee});
    return true;
}

bool decodeBarrier(Decoder& d) {
    if (d.take("warp")) {
        // Warps run in step, so their lanes have met already; what they wrote is ordered from here on.
        if (!d.take("sync")) d.fail("'bar.warp' needs .sync");
        d.expectOperands(1);
        d.use(1, d.operand(0), Type::B32);
        d.out.run = syncWarp;
        return true;
    }
    if (d.hasModifier("cluster")) d.fail("clusters are not supported");
    d.take("cta");
    d.take("aligned");
    d.out.control = Control::Barrier;
    if (d.take("sync") || d.hasModifier("arrive")) {
        bool arrive = d.take("arrive");
        d.expectOperands(arrive ? 2 : 1, 2);
        d.use(1, d.operand(0), Type::B32);
        if (d.operands() == 2) {
            d.use(2, d.operand(1), Type::B32);
            d.out.flags |= HasCount;
        }
        d.out.flags |= arrive ? static_cast<u16>(BarrierKind::Arrive) : static_cast<u16>(BarrierKind::Sync);
    } else if (d.take("red")) {
        bool count = d.take("popc"), all = d.take("and"), any = d.take("or");
        if (count + all + any != 1) d.fail("'bar.red' needs .popc, .and or .or");
        Type type = d.takeType();
        if (type != (count ? Type::U32 : Type::Pred)) d.fail("'bar.red' gives .u32 for .popc, .pred otherwise");
        d.expectOperands(3, 4);
        if (count) d.define(0, d.operand(0), type);
        else d.definePredicate(0, d.operand(0).name);
        d.use(1, d.operand(1), Type::B32);
        if (d.operands() == 4) {
            d.use(2, d.operand(2), Type::B32);
            d.out.flags |= HasCount;
        }
        const Operand& predicate = d.operand(d.operands() - 1);
        d.usePredicate(3, predicate);
        if (predicate.negated) d.out.flags |= NegatedInput;
        d.out.flags |= static_cast<u16>(count ? BarrierKind::Count : all ? BarrierKind::All : BarrierKind::Any);
    } else {
        d.fail("'" + std::string(d.source->opcode) + "' needs .sync, .arrive or .red");
    }
    return true;
}

bool decodeFence(Decoder& d, bool membar) {
    d.expectOperands(0);
    if (!membar && !d.take("sc")) d.take("acq_rel");
    bool gpu = d.take(membar ? "gl" : "gpu") || d.take("sys");
    if (!gpu && !d.take("cta") && (membar || !d.take("cluster"))) d.fail(membar ? "'membar' needs .cta, .gl or .sys" : "'fence' needs a scope");
    // A block's own threads need barriers, whatever it fences.
    d.out.run = gpu ? fence : nothing;
    return true;
}

}  // namespace

bool decodeControl(Decoder& d, std::string_view opcode) {
    if (opcode == "bra") {
        d.take("uni");
        d.expectOperands(1);
        if (d.operand(0).kind != OperandKind::Name) d.fail("'bra' takes a label");
        d.out.control = Control::Branch;
        d.out.target = d.label(d.operand(0).name, d.source->line);
        return true;
    }
    if (opcode == "brx") {
        if (!d.take("idx")) d.fail("'brx' needs .idx");
        d.take("uni");
        d.expectOperands(2);
        d.use(1, d.operand(0), Type::U32);
        const std::vector<Scope::Target>* targets = nullptr;
        for (int scope = d.source->scope; scope >= 0 && !targets; scope = d.function.scopes[static_cast<std::size_t>(scope)].parent) {
            const auto& lists = d.function.scopes[static_cast<std::size_t>(scope)].branchTargets;
            if (auto known = lists.find(d.operand(1).name); known != lists.end()) targets = &known->second;
        }
        if (!targets) d.fail("the list '" + std::string(d.operand(1).name) + "' is not defined");
        std::vector<u32> table;
        for (auto [label, line] : *targets) table.push_back(d.label(label, line));
        d.out.target = static_cast<u32>(d.builder.kernel.branchTables.size());
        d.builder.kernel.branchTables.push_back(std::move(table));
        d.out.control = Control::BranchIndexed;
        return true;
    }
    if (opcode == "call") return decodeCall(d);
    if (opcode == "ret") {
        d.take("uni");
        d.expectOperands(0);
        d.out.control = Control::Return;
        return true;
    }
    if (opcode == "exit" || opcode == "trap" || opcode == "brkpt") {
        d.expectOperands(0);
        d.out.control = opcode == "exit" ? Control::Exit : Control::Trap;
        return true;
    }
    if (opcode == "bar" || opcode == "barrier") return decodeBarrier(d);
    if (opcode == "membar" || opcode == "fence") return decodeFence(d, opcode == "membar");
    if (opcode == "nanosleep") {
        Type type = d.takeType();
        if (type != Type::U32) d.fail("'nanosleep' is of .u32");
        d.expectOperands(1);
        d.use(1, d.operand(0), type);
        d.out.run = nothing;
        return true;
    }
    return false;
}

}  // namespace softcuda
