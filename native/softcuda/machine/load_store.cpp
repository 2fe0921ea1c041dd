// ld, st, ldu, prefetch and cp.async.
#include "access.hpp"
#include "decoder.hpp"

namespace softcuda {

namespace {

// Loads have the address at o[4] and destinations at o[0..3]; stores the address at o[4] and values at o[0..3].
constexpr std::size_t AddressSlot = 4;
// cp.async with a number of bytes for each lane, or a predicate whose lanes read nothing, which may be negated.
constexpr u16 HasSizes = 2, IgnoresSource = 4, NegatedPredicate = 8;
constexpr u16 Uncounted = 1;  // parameters of called functions, which lie in local memory

/// Fills the destination rows of a load; at(lane) tells where a lane's elements lie.
template <class E, class D, int N, class At>
void moveIn(Warp& warp, const Instr& instr, const Request& request, At at) {
    if (request.lanes == AllLanes && request.shape == Shape::Contiguous) {
        const E* from = reinterpret_cast<const E*>(at(0));
        for (int n = 0; n < N; ++n) {
            D* to = row<D>(warp, instr.o[static_cast<std::size_t>(n)]);
#pragma GCC ivdep
            for (int lane = 0; lane < Lanes; ++lane) to[lane] = static_cast<D>(from[lane * N + n]);
        }
    } else if (request.shape == Shape::Uniform) {
        const E* from = reinterpret_cast<const E*>(at(request.first()));
        for (int n = 0; n < N; ++n) {
            D value = static_cast<D>(from[n]);
            writeLanes<D>(warp, instr.o[static_cast<std::size_t>(n)], request.lanes, [&](int) { return value; });
        }
    } else if (request.lanes == AllLanes) {
        D* to[N];
        for (int n = 0; n < N; ++n) to[n] = row<D>(warp, instr.o[static_cast<std::size_t>(n)]);
        for (int lane = 0; lane < Lanes; ++lane) {
            const E* from = reinterpret_cast<const E*>(at(lane));
            for (int n = 0; n < N; ++n) to[n][lane] = static_cast<D>(from[n]);
        }
    } else {
        for (Mask rest = request.lanes; rest; rest &= rest - 1) {
            int lane = std::countr_zero(rest);
            const E* from = reinterpret_cast<const E*>(at(lane));
            for (int n = 0; n < N; ++n) row<D>(warp, instr.o[static_cast<std::size_t>(n)])[lane] = static_cast<D>(from[n]);
        }
    }
}

template <class E, class D, int N, class At>
void moveOut(Warp& warp, const Instr& instr, const Request& request, At at) {
    if (request.lanes == AllLanes && request.shape == Shape::Contiguous) {
        E* to = reinterpret_cast<E*>(at(0));
        for (int n = 0; n < N; ++n) {
            const D* from = row<const D>(warp, instr.o[static_cast<std::size_t>(n)]);
#pragma GCC ivdep
            for (int lane = 0; lane < Lanes; ++lane) to[lane * N + n] = static_cast<E>(from[lane]);
        }
    } else {
        for (Mask rest = request.lanes; rest; rest &= rest - 1) {
            int lane = std::countr_zero(rest);
            E* to = reinterpret_cast<E*>(at(lane));
            for (int n = 0; n < N; ++n) to[n] = static_cast<E>(row<const D>(warp, instr.o[static_cast<std::size_t>(n)])[lane]);
        }
    }
}

/// Local memory interleaves the lanes by words, so elements of 8 bytes lie in two pieces.
template <class E>
E localValue(Warp& warp, u64 offset, int lane) {
    E value;
    if constexpr (sizeof(E) <= 4) {
        std::memcpy(&value, localAt(warp, offset, lane), sizeof(E));
    } else {
        u32 words[2];
        for (u64 half = 0; half < 2; ++half) std::memcpy(&words[half], localAt(warp, offset + 4 * half, lane), 4);
        std::memcpy(&value, words, 8);
    }
    return value;
}
template <class E>
void setLocal(Warp& warp, u64 offset, int lane, E value) {
    if constexpr (sizeof(E) <= 4) {
        std::memcpy(localAt(warp, offset, lane), &value, sizeof(E));
    } else {
        u32 words[2];
        std::memcpy(words, &value, 8);
        for (u64 half = 0; half < 2; ++half) std::memcpy(localAt(warp, offset + 4 * half, lane), &words[half], 4);
    }
}

template <class E, class D, int N>
void loadLocal(Warp& warp, const Instr& instr, const Request& request) {
    for (int n = 0; n < N; ++n) {
        D* to = row<D>(warp, instr.o[static_cast<std::size_t>(n)]);
        u64 step = static_cast<u64>(n) * sizeof(E);
        if constexpr (sizeof(E) == 4 && sizeof(D) == 4) {
            if (request.shape == Shape::Uniform && request.lanes == AllLanes) {
                std::memcpy(to, localAt(warp, request.address[0] + step, 0), sizeof(D) * Lanes);
                continue;
            }
        }
        for (Mask rest = request.lanes; rest; rest &= rest - 1) {
            int lane = std::countr_zero(rest);
            to[lane] = static_cast<D>(localValue<E>(warp, request.address[lane] + step, lane));
        }
    }
}
template <class E, class D, int N>
void storeLocal(Warp& warp, const Instr& instr, const Request& request) {
    for (int n = 0; n < N; ++n) {
        const D* from = row<const D>(warp, instr.o[static_cast<std::size_t>(n)]);
        u64 step = static_cast<u64>(n) * sizeof(E);
        if constexpr (sizeof(E) == 4 && sizeof(D) == 4) {
            if (request.shape == Shape::Uniform && request.lanes == AllLanes) {
                std::memcpy(localAt(warp, request.address[0] + step, 0), from, sizeof(D) * Lanes);
                continue;
            }
        }
        for (Mask rest = request.lanes; rest; rest &= rest - 1) {
            int lane = std::countr_zero(rest);
            setLocal<E>(warp, request.address[lane] + step, lane, static_cast<E>(from[lane]));
        }
    }
}

bool parametersInBounds(Warp& warp, const Instr& instr, const Request& request) {
    u64 room = warp.block->kernel->info.parameterBytes;
    auto fine = [&](int lane) {
        u64 address = request.address[lane];
        return address % request.size == 0 && address < room && request.size <= room - address;
    };
    if (request.shape == Shape::Uniform && fine(request.first())) return true;
    for (Mask rest = request.lanes; rest; rest &= rest - 1) {
        int lane = std::countr_zero(rest);
        if (fine(lane)) continue;
        u64 address = request.address[lane];
        warp.block->report(address % request.size ? FindingKind::Misaligned : FindingKind::OutOfBounds, warp, instr, lane, address,
                           "reads " + std::to_string(request.size) + " bytes of the kernel's parameters, which have " + std::to_string(room) + " bytes");
        return false;
    }
    return true;
}

template <class E, class D, int N>
void loadFrom(Warp& warp, const Instr& instr, Space space, Request& request) {
    BlockState& block = *warp.block;
    switch (space) {
        case Space::Global:
            if (!openGlobal(warp, instr, request, Mode::Read)) return;
            return moveIn<E, D, N>(warp, instr, request, [&](int lane) { return block.memory->host(request.address[lane]); });
        case Space::Const:
            if (!openConst(warp, instr, request)) return;
            return moveIn<E, D, N>(warp, instr, request, [&](int lane) { return block.memory->host(request.address[lane]); });
        case Space::Shared:
            if (!openShared(warp, instr, request, Mode::Read)) return;
            return moveIn<E, D, N>(warp, instr, request, [&](int lane) { return block.shared + request.address[lane]; });
        case Space::Local:
            if (!openLocal(warp, instr, request, Mode::Read, !(instr.flags & Uncounted))) return;
            return loadLocal<E, D, N>(warp, instr, request);
        case Space::Param:
            if (!parametersInBounds(warp, instr, request)) return;
            return moveIn<E, D, N>(warp, instr, request, [&](int lane) { return block.launch->parameters + request.address[lane]; });
        default: return;
    }
}

template <class E, class D, int N>
void load(Warp& warp, const Instr& instr, Mask mask) {
    Request request;
    request.lanes = mask;
    request.size = sizeof(E) * N;
    gatherAddresses(warp, instr.o[AddressSlot], instr, request);
    if (instr.space == Space::Generic) {
        bySpace(request, [&](Space space, Request& part) { loadFrom<E, D, N>(warp, instr, space, part); });
        return;
    }
    classify(request);
    loadFrom<E, D, N>(warp, instr, instr.space, request);
}

/// A kernel parameter at a constant offset: the same for all lanes, in bounds by construction.
template <class E, class D, int N>
void loadParameter(Warp& warp, const Instr& instr, Mask mask) {
    const u8* from = warp.block->launch->parameters + instr.immediate;
    for (int n = 0; n < N; ++n) {
        E element;
        std::memcpy(&element, from + static_cast<std::size_t>(n) * sizeof(E), sizeof(E));
        D value = static_cast<D>(element);
        writeLanes<D>(warp, instr.o[static_cast<std::size_t>(n)], mask, [&](int) { return value; });
    }
}

/// At(lane) is the host's place of a lane's elements.
template <class E, class D, int N, class At>
void storeChecked(Warp& warp, const Instr& instr, Request& request, At at) {
    BlockState& block = *warp.block;
    auto valuesOf = [&](int lane, E* values) {
        for (int n = 0; n < N; ++n) values[n] = static_cast<E>(row<const D>(warp, instr.o[static_cast<std::size_t>(n)])[lane]);
    };
    E values[N];
    // Writing what is there already does no harm.
    for (Mask rest = request.suspects; rest; rest &= rest - 1) {
        int lane = std::countr_zero(rest);
        valuesOf(lane, values);
        if (std::memcmp(values, at(lane), sizeof values) == 0) continue;
        reportSuspect(warp, instr, lane, request);
        break;
    }
    moveOut<E, D, N>(warp, instr, request, at);
    if (!request.repeats || !block.checks) return;
    // Lanes that wrote other values to one place: the last one's are left.
    for (Mask rest = request.lanes; rest; rest &= rest - 1) {
        int lane = std::countr_zero(rest);
        valuesOf(lane, values);
        if (std::memcmp(values, at(lane), sizeof values) == 0) continue;
        int other = lane + 1;
        while (other < 31 && !((request.lanes >> other & 1) && request.address[other] == request.address[lane])) ++other;
        request.other = warp.index * Lanes + static_cast<u32>(other);
        request.otherBlock = block.index;
        request.otherWrote = true;
        if (block.global && instr.space != Space::Shared) request.fault = GlobalShadow::Fault::Race;
        reportSuspect(warp, instr, lane, request);
        break;
    }
}

template <class E, class D, int N>
void storeTo(Warp& warp, const Instr& instr, Space space, Request& request) {
    BlockState& block = *warp.block;
    switch (space) {
        case Space::Global:
            if (!openGlobal(warp, instr, request, Mode::Write)) return;
            return storeChecked<E, D, N>(warp, instr, request, [&](int lane) { return block.memory->host(request.address[lane]); });
        case Space::Shared:
            if (!openShared(warp, instr, request, Mode::Write)) return;
            return storeChecked<E, D, N>(warp, instr, request, [&](int lane) { return block.shared + request.address[lane]; });
        case Space::Local:
            if (!openLocal(warp, instr, request, Mode::Write, !(instr.flags & Uncounted))) return;
            return storeLocal<E, D, N>(warp, instr, request);
        default:
            block.report(FindingKind::OutOfBounds, warp, instr, request.first(), request.address[request.first()], "writes to the kernel's parameters, which are constant");
            return;
    }
}

template <class E, class D, int N>
void store(Warp& warp, const Instr& instr, Mask mask) {
    Request request;
    request.lanes = mask;
    request.size = sizeof(E) * N;
    gatherAddresses(warp, instr.o[AddressSlot], instr, request);
    if (instr.space == Space::Generic) {
        bySpace(request, [&](Space space, Request& part) { storeTo<E, D, N>(warp, instr, space, part); });
        return;
    }
    classify(request);
    storeTo<E, D, N>(warp, instr, instr.space, request);
}

// Choosing the handler.
enum class Form { Load, LoadParameter, Store };
template <class E, class D, int N>
Handler formOf(Form form) { return form == Form::Load ? load<E, D, N> : form == Form::LoadParameter ? loadParameter<E, D, N> : store<E, D, N>; }
template <class E, class D>
Handler byCount(Form form, int count) { return count == 1 ? formOf<E, D, 1>(form) : count == 2 ? formOf<E, D, 2>(form) : formOf<E, D, 4>(form); }
template <class E>
Handler byRegister(Form form, int count, bool wide) { return wide ? byCount<E, u64>(form, count) : byCount<E, u32>(form, count); }

Handler pickAccess(Form form, Type type, int count, bool wide) {
    if (isSigned(type) && form != Form::Store) {
        switch (bitsOf(type)) {
            case 8: return byRegister<s8>(form, count, wide);
            case 16: return byRegister<s16>(form, count, wide);
            case 32: return byRegister<s32>(form, count, wide);
        }
    }
    switch (bitsOf(type)) {
        case 8: return byRegister<u8>(form, count, wide);
        case 16: return byRegister<u16>(form, count, wide);
        case 32: return byRegister<u32>(form, count, wide);
        case 64: return wide ? byCount<u64, u64>(form, count) : nullptr;
        default: return nullptr;
    }
}

/// Semantics, scopes and cache hints: memory is consistent here, so they only need to be known.
void takeOrdering(Decoder& d, bool isStore) {
    bool scoped = d.take("relaxed"), orders = !scoped && d.take(isStore ? "release" : "acquire");
    if (scoped || orders || (!d.take("weak") && d.take("volatile"))) d.out.flags |= StrongAccess;
    if (orders && isStore) d.out.flags |= FencingAccess;
    scoped = scoped || orders;
    bool scope = d.take("cta") || d.take("cluster") || d.take("gpu") || d.take("sys");
    if (scoped != scope) d.fail(scoped ? "the scope is missing" : "a scope without .relaxed or .acquire");
    for (std::string_view hint : {"L1::evict_normal", "L1::evict_unchanged", "L1::evict_first", "L1::evict_last", "L1::no_allocate", "L2::64B", "L2::128B", "L2::256B",
                                  "L2::evict_last", "L2::evict_normal", "L2::evict_first"})
        d.take(hint);
    constexpr std::string_view LoadCache[] = {"ca", "cg", "cs", "lu", "cv", "nc"}, StoreCache[] = {"wb", "cg", "cs", "wt"};
    if (isStore) for (std::string_view hint : StoreCache) d.take(hint);
    else
        for (std::string_view hint : LoadCache)
            if (d.take(hint) && hint == "nc") d.out.flags |= ConstantAccess;
}

/// The address and the space it lies in.
void decodeAddress(Decoder& d, const Operand& operand, std::optional<Space> named) {
    auto space = d.address(AddressSlot, operand);
    if (named == Space::Param && (space == Space::Local || (!space && !d.function.entry))) {
        // A parameter of a called function.
        d.out.space = Space::Local;
        d.out.flags |= Uncounted;
        return;
    }
    if (named && space && *named != *space) d.fail("'" + std::string(operand.name) + "' lies in ." + nameOf(*space) + ", not ." + nameOf(*named));
    if (!named && space) {
        d.out.space = *space;  // a variable's own name without a space: as good as its generic address
        return;
    }
    d.out.space = named.value_or(Space::Generic);
}

bool decodeLoadStore(Decoder& d, bool isStore, bool uniformLoad) {
    bool hint = d.take("L2::cache_hint");
    takeOrdering(d, isStore);
    auto named = d.takeSpace();
    if (uniformLoad && named && named != Space::Global) d.fail("'ldu' reads global memory");
    if (isStore && named == Space::Const) d.fail("constant memory cannot be written");
    int count = d.take("v2") ? 2 : d.take("v4") ? 4 : 1;
    Type type = d.takeType();
    if (type == Type::Pred || type == Type::F16x2 || type == Type::BF16x2 || type == Type::TF32 || type == Type::F16 || type == Type::BF16)
        d.fail("memory holds no ." + std::string(nameOf(type)));
    d.expectOperands(hint ? 3 : 2);
    const Operand& values = d.operand(isStore ? 1 : 0);
    const Operand& place = d.operand(isStore ? 0 : 1);
    if (hint) d.use(5, d.operand(2), Type::B64);
    decodeAddress(d, place, named);
    if (count == 1 ? values.kind == OperandKind::Vector && values.elements.size() != 1 : values.kind != OperandKind::Vector || values.elements.size() != static_cast<std::size_t>(count))
        d.fail("the number of registers does not fit the vector's size");
    if (static_cast<int>(bitsOf(type)) * count > 128) d.fail("a vector access has at most 16 bytes");
    std::optional<bool> wide;
    for (int n = 0; n < count; ++n) {
        const Operand& value = values.kind == OperandKind::Vector ? values.elements[static_cast<std::size_t>(n)] : values;
        auto declared = value.kind == OperandKind::Name ? d.findRegister(value.name) : std::nullopt;
        if (declared) {
            bool isWide = bitsOf(*declared) == 64;
            if (wide && *wide != isWide) d.fail("the registers of a vector access have one size");
            wide = isWide;
        }
        auto slot = static_cast<std::size_t>(n);
        if (isStore) d.use(slot, value, type, true);
        else d.define(slot, value, type, true);
    }
    bool isWide = wide.value_or(bitsOf(type) == 64);
    // Sinks and constants have the size of the type; they must not be mixed with wider registers.
    if (isWide != (bitsOf(type) == 64)) {
        for (int n = 0; n < count; ++n) {
            const Operand& value = values.kind == OperandKind::Vector ? values.elements[static_cast<std::size_t>(n)] : values;
            if (value.kind != OperandKind::Name) d.fail("a constant or '_' beside wider registers");
        }
    }
    Form form = isStore ? Form::Store : Form::Load;
    if (!isStore && d.out.space == Space::Param && d.out.o[AddressSlot] & ConstantFlag) {
        auto symbol = place.name.empty() ? std::nullopt : d.findVariable(place.name);
        std::int64_t offset = place.offset + static_cast<std::int64_t>(symbol ? symbol->address : 0);
        int bytes = bitsOf(type) / 8 * count;
        if (offset < 0 || offset + bytes > static_cast<std::int64_t>(d.builder.kernel.info.parameterBytes)) d.fail("a read beyond the kernel's parameters");
        if (offset % bytes != 0) d.fail("a misaligned read of the kernel's parameters");
        d.out.immediate = offset;
        form = Form::LoadParameter;
    }
    if (d.out.space == Space::Param && isStore) d.fail("the parameters of a kernel cannot be written");
    d.out.bytes = static_cast<u8>(bitsOf(type) / 8);
    d.out.count = static_cast<u8>(count);
    d.out.run = pickAccess(form, type, count, isWide);
    if (!d.out.run) d.fail("this access does not exist");
    return true;
}

void nothing(Warp&, const Instr&, Mask) {}

/// Of a cp.async: how many bytes each lane reads.
template <u32 Size>
void sourceBytes(Warp& warp, const Instr& instr, Mask mask, u32* counts) {
    std::fill_n(counts, Lanes, Size);
    if (instr.flags & HasSizes) {
        const u32* sizes = row<const u32>(warp, instr.o[6]);
        for (Mask rest = mask; rest; rest &= rest - 1) {
            int lane = std::countr_zero(rest);
            counts[lane] = std::min(sizes[lane], Size);
            if (sizes[lane] > Size && warp.block->checks)
                warp.block->report(FindingKind::InvalidInstruction, warp, instr, lane, 0,
                                   "reads " + std::to_string(sizes[lane]) + " bytes to copy " + std::to_string(Size) + ", which is undefined");
        }
    } else if (instr.flags & IgnoresSource) {
        Mask ignored = *row<Mask>(warp, instr.o[6]) ^ (instr.flags & NegatedPredicate ? AllLanes : 0);
        for (int lane = 0; lane < Lanes; ++lane) counts[lane] = ignored >> lane & 1 ? 0 : Size;
    }
}

/// Checks and counts what a cp.async reads. Lanes that read less than a whole element read it in pieces; those that read nothing may be anywhere.
template <u32 Size>
bool openSource(Warp& warp, const Instr& instr, Mask mask, const Request& from, const u32* counts) {
    auto open = [&](u32 size, auto picks, auto offsetOf) {
        Request part = from;
        part.size = size;
        part.lanes = 0;
        for (Mask rest = mask; rest; rest &= rest - 1) {
            int lane = std::countr_zero(rest);
            if (!picks(counts[lane])) continue;
            part.lanes |= 1u << lane;
            part.address[lane] += offsetOf(counts[lane]);
        }
        if (!part.lanes) return true;
        classify(part);
        return openGlobal(warp, instr, part, Mode::Read);
    };
    for (Mask rest = mask; rest; rest &= rest - 1) {
        int lane = std::countr_zero(rest);
        if (counts[lane] % Size == 0 || from.address[lane] % Size == 0) continue;
        warp.block->report(FindingKind::Misaligned, warp, instr, lane, from.address[lane], "copies from an address that is not a multiple of " + std::to_string(Size));
        return false;
    }
    if (!open(Size, [](u32 count) { return count == Size; }, [](u32) { return 0u; })) return false;
    for (u32 piece = Size / 2; piece; piece /= 2)
        if (!open(piece, [&](u32 count) { return count < Size && count & piece; }, [&](u32 count) { return count & ~(2 * piece - 1); })) return false;
    return true;
}

/// cp.async: checks and remembers the copy. The bytes arrive when the thread waits; until then the destination holds what it held.
template <u32 Size>
void copyAsync(Warp& warp, const Instr& instr, Mask mask) {
    Request from, to;
    from.lanes = to.lanes = mask;
    from.size = to.size = Size;
    gatherAddresses(warp, instr.o[AddressSlot], instr, to);
    Instr source = instr;
    source.immediate = static_cast<std::int64_t>(static_cast<std::int32_t>(instr.target));
    source.wideAddress = instr.count == 8;
    gatherAddresses(warp, instr.o[5], source, from);
    classify(to);
    u32 counts[Lanes];
    sourceBytes<Size>(warp, instr, mask, counts);
    if (!openSource<Size>(warp, instr, mask, from, counts)) return;
    if (!openShared(warp, instr, to, Mode::Write)) return;
    if (to.suspects) {
        int lane = std::countr_zero(to.suspects);
        reportRace(warp, instr, lane, to.address[lane], Mode::Write, to.other, to.otherWrote);
    }
    BlockState& block = *warp.block;
    for (Mask rest = mask; rest; rest &= rest - 1) {
        int lane = std::countr_zero(rest);
        AsyncCopies::Copy copy{&instr, warp.index * Lanes + static_cast<u32>(lane), static_cast<u32>(to.address[lane]), Size, 0, from.address[lane], counts[lane], {}};
        if (copy.count) std::memcpy(copy.seen.data(), block.memory->host(copy.source), copy.count);
        block.copies.add(copy);
    }
}

/// The bytes of a copy arrive. Only now they count as written, so that other threads need a barrier behind the wait.
void arrive(Warp& warp, const AsyncCopies::Copy& copy) {
    BlockState& block = *warp.block;
    auto lane = static_cast<u8>(copy.thread % Lanes);
    u8* to = block.shared + copy.offset;
    std::memset(to, 0, copy.bytes);
    if (copy.count) std::memcpy(to, block.memory->host(copy.source), copy.count);
    if (!block.checks) return;
    if (std::memcmp(to, copy.seen.data(), copy.count) != 0)
        block.report(FindingKind::AsyncCopy, warp, *copy.instr, lane, copy.source,
                     "copies " + std::to_string(copy.count) + " bytes of global memory that change before the thread waits for the copy");
    u64 addresses[Lanes];
    addresses[lane] = copy.offset;
    block.shadow.scattered(SharedShadow::Kind::Write, warp.index, &lane, 1, 0, addresses, copy.bytes);
}

void commitCopies(Warp& warp, const Instr&, Mask mask) {
    for (Mask rest = mask; rest; rest &= rest - 1) warp.block->copies.commit(warp.index * Lanes + static_cast<u32>(std::countr_zero(rest)));
}

void waitForCopies(Warp& warp, const Instr& instr, Mask mask) {
    if (!warp.block->copies.any()) return;
    warp.block->copies.wait(warp.index, mask, instr.immediate, [&](const AsyncCopies::Copy& copy) { arrive(warp, copy); });
}

bool decodeCopyAsync(Decoder& d) {
    if (!d.take("async")) return false;
    if (d.take("commit_group")) {
        d.expectOperands(0);
        d.out.run = commitCopies;
        return true;
    }
    if (d.take("wait_all")) {
        d.expectOperands(0);
        d.out.immediate = -1;
        d.out.run = waitForCopies;
        return true;
    }
    if (d.take("wait_group")) {
        d.expectOperands(1);
        if (d.operand(0).kind != OperandKind::Integer) d.fail("'cp.async.wait_group' takes a number");
        d.out.immediate = static_cast<std::int64_t>(d.operand(0).bits);
        d.out.run = waitForCopies;
        return true;
    }
    bool all = d.take("ca"), level2 = d.take("cg");
    if (all == level2) d.fail("'cp.async' needs .ca or .cg");
    if (!(d.take("shared") || d.take("shared::cta")) || !d.take("global")) d.fail("'cp.async' copies from .global to .shared");
    for (std::string_view hint : {"L2::64B", "L2::128B", "L2::256B"}) d.take(hint);
    d.expectOperands(3, 4);
    if (d.operand(2).kind != OperandKind::Integer) d.fail("the size of 'cp.async' must be a number");
    u64 size = d.operand(2).bits;
    if (level2 ? size != 16 : size != 4 && size != 8 && size != 16) d.fail("'cp.async' copies 4, 8 or 16 bytes (.cg: 16)");
    d.address(5, d.operand(1));
    bool sourceWide = d.out.wideAddress;
    d.out.target = static_cast<u32>(d.out.immediate);
    d.out.wideAddress = true;
    d.address(AddressSlot, d.operand(0));
    d.out.count = sourceWide ? 8 : 4;
    if (d.operands() == 4) {
        const Operand& last = d.operand(3);
        if (last.kind == OperandKind::Name && d.findRegister(last.name) == Type::Pred) {
            d.usePredicate(6, last);
            d.out.flags |= IgnoresSource | (last.negated ? NegatedPredicate : 0);
        } else {
            d.use(6, last, Type::U32);
            d.out.flags |= HasSizes;
        }
    }
    d.out.bytes = static_cast<u8>(size);
    d.out.space = Space::Shared;
    d.out.run = size == 4 ? copyAsync<4> : size == 8 ? copyAsync<8> : copyAsync<16>;
    return true;
}

}  // namespace

bool decodeMemory(Decoder& d, std::string_view opcode) {
    if (opcode == "ld") return decodeLoadStore(d, false, false);
    if (opcode == "ldu") return decodeLoadStore(d, false, true);
    if (opcode == "st") return decodeLoadStore(d, true, false);
    if (opcode == "cp") return decodeCopyAsync(d);
    if (opcode == "prefetch" || opcode == "prefetchu") {
        d.takeSpace();
        d.take("L2::evict_last") || d.take("L2::evict_normal");
        if (!d.take("L1") && !d.take("L2")) d.fail("'prefetch' needs .L1 or .L2");
        d.expectOperands(1);
        d.address(AddressSlot, d.operand(0));
        d.out.run = nothing;
        return true;
    }
    return false;
}

}  // namespace softcuda
