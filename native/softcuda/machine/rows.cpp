// Control flow and liveness of decoded functions: where divergent lanes meet again, which registers can share a row, and how many
// registers a thread would need.
#include <algorithm>

#include "decoder.hpp"

namespace softcuda {

namespace {

constexpr std::uint32_t WordRow = 128, WideRow = 256;

class BitSet {
public:
    explicit BitSet(std::size_t bits = 0) : words_((bits + 63) / 64) {}
    void set(std::size_t bit) { words_[bit / 64] |= 1ull << bit % 64; }
    void clear(std::size_t bit) { words_[bit / 64] &= ~(1ull << bit % 64); }
    bool has(std::size_t bit) const { return words_[bit / 64] >> bit % 64 & 1; }
    /// this = add | (this-from & ~remove); true where it changed.
    bool transfer(const BitSet& from, const BitSet& remove, const BitSet& add) {
        bool changed = false;
        for (std::size_t i = 0; i < words_.size(); ++i) {
            std::uint64_t value = add.words_[i] | (from.words_[i] & ~remove.words_[i]);
            changed |= value != words_[i];
            words_[i] = value;
        }
        return changed;
    }
    void unite(const BitSet& other) {
        for (std::size_t i = 0; i < words_.size(); ++i) words_[i] |= other.words_[i];
    }
    template <class F>
    void each(F body) const {
        for (std::size_t i = 0; i < words_.size(); ++i)
            for (std::uint64_t rest = words_[i]; rest; rest &= rest - 1) body(i * 64 + static_cast<std::size_t>(__builtin_ctzll(rest)));
    }

private:
    std::vector<std::uint64_t> words_;
};

struct Block {
    std::uint32_t begin = 0, end = 0;
    std::vector<std::uint32_t> successors, predecessors;  // blocks; the exit is the number of blocks
    BitSet defined, used, in, out;
};

class FunctionAnalysis {
public:
    FunctionAnalysis(KernelBuilder& builder, KernelBuilder::Range range) : builder_(builder), code_(builder.kernel.code), range_(range) {
        findBlocks();
        findReconvergence();
        findLiveness();
    }

    const std::vector<Block>& blocks() const { return blocks_; }
    const std::map<std::uint32_t, std::pair<std::uint32_t, std::uint32_t>>& intervals() const { return intervals_; }
    std::uint32_t mostRegisters() const { return mostRegisters_; }

    template <class F>
    void operands(std::uint32_t pc, F body) const {
        const Roles& roles = builder_.roles[pc];
        for (std::size_t slot = 0; slot < MostOperands; ++slot)
            if (roles[slot] != Role::None && !builder_.registers[code_[pc].o[slot]].pinned) body(code_[pc].o[slot], roles[slot]);
        if (!(code_[pc].guard & ConstantFlag)) body(code_[pc].guard, Role::Use);
    }

private:
    bool guarded(std::uint32_t pc) const { return code_[pc].guard != AlwaysTrue; }

    bool endsBlock(std::uint32_t pc) const {
        Control control = code_[pc].control;
        return control != Control::None && control != Control::Barrier && control != Control::Call;
    }

    void findBlocks() {
        std::vector<bool> leads(range_.end - range_.begin + 1);
        auto lead = [&](std::uint32_t pc) { leads[pc - range_.begin] = true; };
        lead(range_.begin);
        for (std::uint32_t pc = range_.begin; pc < range_.end; ++pc) {
            if (!endsBlock(pc)) continue;
            if (pc + 1 < range_.end) lead(pc + 1);
            if (code_[pc].control == Control::Branch) lead(code_[pc].target);
            if (code_[pc].control == Control::BranchIndexed)
                for (std::uint32_t target : builder_.kernel.branchTables[code_[pc].target]) lead(target);
        }
        blockOf_.resize(range_.end - range_.begin);
        for (std::uint32_t pc = range_.begin; pc < range_.end; ++pc) {
            if (leads[pc - range_.begin]) blocks_.emplace_back().begin = pc;
            blocks_.back().end = pc + 1;
            blockOf_[pc - range_.begin] = static_cast<std::uint32_t>(blocks_.size()) - 1;
        }
        auto exit = static_cast<std::uint32_t>(blocks_.size());
        for (std::uint32_t b = 0; b < exit; ++b) {
            std::uint32_t last = blocks_[b].end - 1;
            auto& next = blocks_[b].successors;
            auto fallThrough = [&] { next.push_back(b + 1 < exit ? b + 1 : exit); };
            auto blockAt = [&](std::uint32_t pc) { return blockOf_[pc - range_.begin]; };
            switch (code_[last].control) {
                case Control::Branch:
                    next.push_back(blockAt(code_[last].target));
                    if (guarded(last)) fallThrough();
                    break;
                case Control::BranchIndexed:
                    for (std::uint32_t target : builder_.kernel.branchTables[code_[last].target]) next.push_back(blockAt(target));
                    if (guarded(last)) fallThrough();
                    break;
                case Control::Return:
                case Control::Exit:
                case Control::Trap:
                    next.push_back(exit);
                    if (guarded(last)) fallThrough();
                    break;
                default: fallThrough();
            }
            std::sort(next.begin(), next.end());
            next.erase(std::unique(next.begin(), next.end()), next.end());
        }
        for (std::uint32_t b = 0; b < exit; ++b)
            for (std::uint32_t next : blocks_[b].successors)
                if (next < exit) blocks_[next].predecessors.push_back(b);
    }

    /// Immediate post-dominators, by the iteration of Cooper, Harvey and Kennedy on the reversed graph.
    void findReconvergence() {
        auto exit = static_cast<std::uint32_t>(blocks_.size());
        constexpr std::uint32_t Unknown = NoPc;
        std::vector<std::uint32_t> order;  // blocks, in post-order of the reversed graph
        std::vector<std::uint32_t> number(exit + 1, Unknown);
        std::vector<std::vector<std::uint32_t>> towardsExit(exit + 1);  // predecessors of each block
        for (std::uint32_t b = 0; b < exit; ++b)
            for (std::uint32_t next : blocks_[b].successors) towardsExit[next].push_back(b);
        std::vector<std::pair<std::uint32_t, std::size_t>> stack{{exit, 0}};
        std::vector<bool> seen(exit + 1);
        seen[exit] = true;
        while (!stack.empty()) {
            auto& [block, child] = stack.back();
            if (child < towardsExit[block].size()) {
                std::uint32_t next = towardsExit[block][child++];
                if (!seen[next]) {
                    seen[next] = true;
                    stack.emplace_back(next, 0);
                }
            } else {
                number[block] = static_cast<std::uint32_t>(order.size());
                order.push_back(block);
                stack.pop_back();
            }
        }
        std::vector<std::uint32_t> immediate(exit + 1, Unknown);
        immediate[exit] = exit;
        bool changed = true;
        while (changed) {
            changed = false;
            for (std::size_t i = order.size(); i-- > 0;) {
                std::uint32_t block = order[i];
                if (block == exit) continue;
                std::uint32_t meet = Unknown;
                for (std::uint32_t next : blocks_[block].successors) {
                    if (immediate[next] == Unknown) continue;
                    if (meet == Unknown) {
                        meet = next;
                        continue;
                    }
                    std::uint32_t other = next;
                    while (meet != other) {
                        while (number[meet] < number[other]) meet = immediate[meet];
                        while (number[other] < number[meet]) other = immediate[other];
                    }
                }
                if (immediate[block] != meet) {
                    immediate[block] = meet;
                    changed = true;
                }
            }
        }
        for (std::uint32_t b = 0; b < exit; ++b) {
            Instr& last = code_[blocks_[b].end - 1];
            if (last.control != Control::Branch && last.control != Control::BranchIndexed) continue;
            // Blocks from which no path leads to the exit meet nowhere.
            last.reconverge = immediate[b] == Unknown || immediate[b] == exit ? NoPc : blocks_[immediate[b]].begin;
        }
    }

    void findLiveness() {
        std::size_t bits = builder_.registers.size();
        for (Block& block : blocks_) {
            block.defined = block.used = block.in = block.out = BitSet(bits);
            for (std::uint32_t pc = block.begin; pc < block.end; ++pc) {
                operands(pc, [&](std::uint32_t r, Role role) {
                    if (role == Role::Use && !block.defined.has(r)) block.used.set(r);
                });
                // A guarded write keeps the old value of some lanes.
                if (guarded(pc)) continue;
                operands(pc, [&](std::uint32_t r, Role role) {
                    if (role == Role::Define) block.defined.set(r);
                });
            }
        }
        for (bool changed = true; changed;) {
            changed = false;
            for (std::size_t b = blocks_.size(); b-- > 0;) {
                Block& block = blocks_[b];
                for (std::uint32_t next : block.successors)
                    if (next < blocks_.size()) block.out.unite(blocks_[next].in);
                changed |= block.in.transfer(block.out, block.defined, block.used);
            }
        }
        for (const Block& block : blocks_) countBlock(block);
    }

    void extend(std::uint32_t r, std::uint32_t from, std::uint32_t to) {
        auto [interval, fresh] = intervals_.try_emplace(r, from, to);
        if (fresh) return;
        interval->second.first = std::min(interval->second.first, from);
        interval->second.second = std::max(interval->second.second, to);
    }

    void countBlock(const Block& block) {
        auto weight = [&](std::size_t r) -> std::uint32_t {
            switch (builder_.registers[r].kind) {
                case RegisterClass::Word: return 1;
                case RegisterClass::Wide: return 2;
                default: return 0;
            }
        };
        BitSet live = block.out;
        std::uint32_t count = 0;
        live.each([&](std::size_t r) {
            count += weight(r);
            extend(static_cast<std::uint32_t>(r), block.end - 1, block.end);
        });
        block.in.each([&](std::size_t r) { extend(static_cast<std::uint32_t>(r), block.begin, block.begin); });
        mostRegisters_ = std::max(mostRegisters_, count);
        for (std::uint32_t pc = block.end; pc-- > block.begin;) {
            operands(pc, [&](std::uint32_t r, Role role) {
                extend(r, pc, pc);
                if (role == Role::Define && !guarded(pc) && live.has(r)) {
                    live.clear(r);
                    count -= weight(r);
                }
            });
            operands(pc, [&](std::uint32_t r, Role role) {
                if (role != Role::Use || live.has(r)) return;
                live.set(r);
                count += weight(r);
            });
            mostRegisters_ = std::max(mostRegisters_, count);
        }
    }

    KernelBuilder& builder_;
    std::vector<Instr>& code_;
    KernelBuilder::Range range_;
    std::vector<Block> blocks_;
    std::vector<std::uint32_t> blockOf_;
    std::map<std::uint32_t, std::pair<std::uint32_t, std::uint32_t>> intervals_;
    std::uint32_t mostRegisters_ = 0;
};

/// Gives registers whose lives do not overlap the same row; linear over their starts.
class RowAllocator {
public:
    explicit RowAllocator(KernelBuilder& builder) : builder_(builder), rows_(builder.registers.size(), NoPc) {}

    void assign(const FunctionAnalysis& function) {
        struct Life {
            std::uint32_t begin, end, name;
        };
        std::vector<Life> lives;
        for (auto [name, interval] : function.intervals()) lives.push_back({interval.first, interval.second, name});
        std::sort(lives.begin(), lives.end(), [](const Life& a, const Life& b) { return a.begin != b.begin ? a.begin < b.begin : a.name < b.name; });
        std::vector<std::uint32_t> free[3];
        std::vector<Life> active;
        for (const Life& life : lives) {
            std::erase_if(active, [&](const Life& old) {
                if (old.end >= life.begin) return false;
                free[kindOf(old.name)].push_back(rows_[old.name]);
                return true;
            });
            auto& pool = free[kindOf(life.name)];
            if (pool.empty()) {
                rows_[life.name] = take(builder_.registers[life.name].kind);
            } else {
                rows_[life.name] = pool.back();
                pool.pop_back();
            }
            active.push_back(life);
        }
    }

    std::uint32_t take(RegisterClass kind) {
        if (kind == RegisterClass::Predicate) {
            // Sixteen predicates to a line of 64 bytes.
            if (predicates_ % 16 == 0) predicateLine_ = takeBytes(64);
            return predicateLine_ + 4 * (predicates_++ % 16);
        }
        return takeBytes(kind == RegisterClass::Wide ? WideRow : WordRow);
    }

    std::uint32_t row(std::uint32_t name) {
        if (rows_[name] == NoPc) rows_[name] = take(builder_.registers[name].kind);
        return rows_[name];
    }
    std::uint32_t bytes() const { return bytes_; }

private:
    std::size_t kindOf(std::uint32_t name) const { return static_cast<std::size_t>(builder_.registers[name].kind); }
    std::uint32_t takeBytes(std::uint32_t bytes) {
        std::uint32_t at = bytes_;
        bytes_ += bytes;
        return at;
    }

    KernelBuilder& builder_;
    std::vector<std::uint32_t> rows_;
    std::uint32_t bytes_ = 0, predicates_ = 0, predicateLine_ = 0;
};

}  // namespace

void assignRows(KernelBuilder& builder) {
    Kernel& kernel = builder.kernel;
    RowAllocator allocator(builder);
    std::uint32_t entryRegisters = 0, calledRegisters = 0;
    std::vector<std::uint32_t> undefined;
    for (auto& [function, range] : builder.ranges) {
        FunctionAnalysis analysis(builder, range);
        allocator.assign(analysis);
        std::uint32_t most = analysis.mostRegisters();
        if (function->entry) entryRegisters = most;
        else calledRegisters = std::max(calledRegisters, most);
        analysis.blocks().front().in.each([&](std::size_t r) { undefined.push_back(static_cast<std::uint32_t>(r)); });
    }
    for (auto [special, name] : builder.specials) kernel.specials.push_back({special, allocator.row(name), builder.registers[name].kind == RegisterClass::Wide});
    for (std::size_t pc = 0; pc < kernel.code.size(); ++pc) {
        Instr& instr = kernel.code[pc];
        for (std::size_t slot = 0; slot < MostOperands; ++slot)
            if (builder.roles[pc][slot] != Role::None) instr.o[slot] = allocator.row(instr.o[slot]);
        if (!(instr.guard & ConstantFlag)) instr.guard = allocator.row(instr.guard);
    }
    for (std::uint32_t name : undefined) {
        RegisterClass kind = builder.registers[name].kind;
        kernel.zeroed.push_back({allocator.row(name), kind == RegisterClass::Predicate ? 4 : kind == RegisterClass::Word ? WordRow : WideRow});
    }
    kernel.registerBytes = allocator.bytes();
    kernel.info.registers = std::max(16u, entryRegisters + calledRegisters);
}

}  // namespace softcuda
