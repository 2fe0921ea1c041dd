// Instructions in which the lanes of a warp exchange values: shfl, vote, match, redux, activemask, elect.
#include <algorithm>

#include "decoder.hpp"
#include "members.hpp"

namespace softcuda {

namespace {

// The lanes that take part are at o[4].
constexpr std::size_t MembersSlot = 4;

void checkMembers(Warp& warp, const Instr& instr, Mask mask) { checkMembers(warp, instr, mask, row<const u32>(warp, instr.o[MembersSlot])); }

/// Of a lane that takes the value of another: that one must execute the instruction and be a member.
void reportSource(Warp& warp, const Instr& instr, Mask mask, int lane, int from) {
    std::string text = "lane " + std::to_string(lane) + " takes the value of lane " + std::to_string(from) + ", ";
    text += mask >> from & 1 ? "which is not in its member mask" : absence(warp, from);
    warp.block->report(FindingKind::LaneMask, warp, instr, lane, 0, text + ": the result is undefined");
}

enum class Shuffle { Up, Down, Butterfly, Index };

// d, a, b, c at o[0..3]; the predicate at o[5] where count is 2.
template <Shuffle How>
void shuffle(Warp& warp, const Instr& instr, Mask mask) {
    checkMembers(warp, instr, mask);
    const u32* a = row<const u32>(warp, instr.o[1]);
    const u32* b = row<const u32>(warp, instr.o[2]);
    const u32* c = row<const u32>(warp, instr.o[3]);
    alignas(64) u32 result[Lanes];
    alignas(64) s32 inside[Lanes];
    const u32* members = row<const u32>(warp, instr.o[MembersSlot]);
    alignas(64) s32 sources[Lanes];
    Mask outside = 0;
    for (s32 lane = 0; lane < Lanes; ++lane) {
        s32 by = static_cast<s32>(b[lane] & 31), clamp = static_cast<s32>(c[lane] & 31), segment = static_cast<s32>(c[lane] >> 8 & 31);
        s32 least = lane & segment, most = least | (clamp & ~segment);
        s32 from = How == Shuffle::Up ? lane - by : How == Shuffle::Down ? lane + by : How == Shuffle::Butterfly ? lane ^ by : least | (by & ~segment);
        bool valid = How == Shuffle::Up ? from >= most : from <= most;
        result[lane] = a[valid ? from & 31 : lane];
        inside[lane] = valid ? -1 : 0;
        sources[lane] = from & 31;
        outside |= static_cast<Mask>(valid && !((mask & members[lane]) >> (from & 31) & 1)) << lane;
    }
    if ((outside & mask) && warp.block->checks) {
        int lane = std::countr_zero(outside & mask);
        reportSource(warp, instr, mask, lane, sources[lane]);
    }
    writeLanes<u32>(warp, instr.o[0], mask, [&](int lane) { return result[lane]; });
    if (instr.count == 2) setPredicate(warp, instr.o[5], gather(inside), mask);
}

// vote: the source predicate at o[1], negated where flags is 1.
Mask votes(Warp& warp, const Instr& instr, Mask mask) {
    Mask value = *row<Mask>(warp, instr.o[1]);
    return (instr.flags ? ~value : value) & mask;
}
enum class Vote { All, Any, Uniform };
template <Vote How>
void vote(Warp& warp, const Instr& instr, Mask mask) {
    checkMembers(warp, instr, mask);
    Mask value = votes(warp, instr, mask);
    const u32* members = row<const u32>(warp, instr.o[MembersSlot]);
    Mask result = 0;
    for (int lane = 0; lane < Lanes; ++lane) {
        Mask group = members[lane] & mask, yes = value & group;
        bool holds = How == Vote::All ? yes == group : How == Vote::Any ? yes != 0 : yes == group || yes == 0;
        result |= static_cast<Mask>(holds) << lane;
    }
    setPredicate(warp, instr.o[0], result, mask);
}
void ballot(Warp& warp, const Instr& instr, Mask mask) {
    checkMembers(warp, instr, mask);
    Mask value = votes(warp, instr, mask);
    const u32* members = row<const u32>(warp, instr.o[MembersSlot]);
    alignas(64) u32 result[Lanes];
    for (int lane = 0; lane < Lanes; ++lane) result[lane] = value & members[lane];
    writeLanes<u32>(warp, instr.o[0], mask, [&](int lane) { return result[lane]; });
}

template <class T>
void matchAny(Warp& warp, const Instr& instr, Mask mask) {
    checkMembers(warp, instr, mask);
    const u32* members = row<const u32>(warp, instr.o[MembersSlot]);
    Source<T> a(warp, instr.o[1]);
    alignas(64) u32 result[Lanes] = {};
    for (int lane = 0; lane < Lanes; ++lane)
        for (int other = 0; other < Lanes; ++other) result[lane] |= static_cast<u32>(a[lane] == a[other]) << other & members[lane] & mask;
    writeLanes<u32>(warp, instr.o[0], mask, [&](int lane) { return result[lane]; });
}
template <class T>
void matchAll(Warp& warp, const Instr& instr, Mask mask) {
    checkMembers(warp, instr, mask);
    const u32* members = row<const u32>(warp, instr.o[MembersSlot]);
    Source<T> a(warp, instr.o[1]);
    alignas(64) u32 result[Lanes] = {};
    Mask same = 0;
    for (int lane = 0; lane < Lanes; ++lane) {
        Mask group = members[lane] & mask;
        bool all = true;
        for (int other = 0; other < Lanes; ++other) all = all && (!(group >> other & 1) || a[lane] == a[other]);
        result[lane] = all ? group : 0;
        same |= static_cast<Mask>(all) << lane;
    }
    writeLanes<u32>(warp, instr.o[0], mask, [&](int lane) { return result[lane]; });
    if (instr.count == 2) setPredicate(warp, instr.o[5], same, mask);
}

void activeMask(Warp& warp, const Instr& instr, Mask mask) {
    writeLanes<u32>(warp, instr.o[0], mask, [&](int) { return mask; });
}

void elect(Warp& warp, const Instr& instr, Mask mask) {
    checkMembers(warp, instr, mask);
    const u32* members = row<const u32>(warp, instr.o[MembersSlot]);
    alignas(64) u32 leader[Lanes];
    Mask elected = 0;
    for (int lane = 0; lane < Lanes; ++lane) {
        leader[lane] = static_cast<u32>(std::countr_zero(members[lane] & mask)) & 31;
        elected |= static_cast<Mask>(leader[lane] == static_cast<u32>(lane)) << lane;
    }
    writeLanes<u32>(warp, instr.o[0], mask, [&](int lane) { return leader[lane]; });
    setPredicate(warp, instr.o[5], elected, mask);
}

struct Sum {
    template <class T>
    static T f(T a, T b) { return a + b; }
};
struct Minimum {
    template <class T>
    static T f(T a, T b) { return std::min(a, b); }
};
struct Maximum {
    template <class T>
    static T f(T a, T b) { return std::max(a, b); }
};
struct And {
    template <class T>
    static T f(T a, T b) { return a & b; }
};
struct Or {
    template <class T>
    static T f(T a, T b) { return a | b; }
};
struct Xor {
    template <class T>
    static T f(T a, T b) { return a ^ b; }
};
template <class T, class O>
void reduce(Warp& warp, const Instr& instr, Mask mask) {
    checkMembers(warp, instr, mask);
    const u32* members = row<const u32>(warp, instr.o[MembersSlot]);
    Source<T> a(warp, instr.o[1]);
    alignas(64) u32 result[Lanes] = {};
    for (Mask rest = mask; rest;) {
        // A lane outside of its own mask, which is reported, is a member here: rest must shrink.
        Mask first = rest & (0 - rest), group = (members[std::countr_zero(rest)] & mask) | first;
        T total = a[std::countr_zero(group)];
        for (Mask others = group & (group - 1); others; others &= others - 1) total = O::template f<T>(total, a[std::countr_zero(others)]);
        for (Mask own = group; own; own &= own - 1) result[std::countr_zero(own)] = static_cast<u32>(total);
        rest &= ~group;
    }
    writeLanes<u32>(warp, instr.o[0], mask, [&](int lane) { return result[lane]; });
}

void needSync(Decoder& d) {
    if (!d.take("sync")) d.fail("'" + std::string(d.source->opcode) + "' without .sync does not exist since sm_70");
}

bool decodeShuffle(Decoder& d) {
    needSync(d);
    bool up = d.take("up"), down = d.take("down"), butterfly = d.take("bfly"), index = d.take("idx");
    if (up + down + butterfly + index != 1) d.fail("'shfl' needs .up, .down, .bfly or .idx");
    if (d.takeType() != Type::B32) d.fail("'shfl' is of .b32");
    d.expectOperands(5);
    Operand destination = d.operand(0);
    if (!destination.second.empty()) {
        d.definePredicate(5, destination.second);
        d.out.count = 2;
        destination.second = {};
    }
    d.define(0, destination, Type::B32);
    for (std::size_t i = 1; i < 5; ++i) d.use(i, d.operand(i), Type::B32);
    d.out.run = up ? shuffle<Shuffle::Up> : down ? shuffle<Shuffle::Down> : butterfly ? shuffle<Shuffle::Butterfly> : shuffle<Shuffle::Index>;
    return true;
}

bool decodeVote(Decoder& d) {
    needSync(d);
    bool all = d.take("all"), any = d.take("any"), uniform = d.take("uni"), ballots = d.take("ballot");
    if (all + any + uniform + ballots != 1) d.fail("'vote' needs .all, .any, .uni or .ballot");
    Type type = d.takeType();
    if (type != (ballots ? Type::B32 : Type::Pred)) d.fail("'vote' gives .b32 for .ballot, .pred otherwise");
    d.expectOperands(3);
    if (ballots) d.define(0, d.operand(0), Type::B32);
    else d.definePredicate(0, d.operand(0).name);
    d.usePredicate(1, d.operand(1));
    d.out.flags = d.operand(1).negated;
    d.use(MembersSlot, d.operand(2), Type::B32);
    d.out.run = ballots ? ballot : all ? vote<Vote::All> : any ? vote<Vote::Any> : vote<Vote::Uniform>;
    return true;
}

bool decodeMatch(Decoder& d) {
    bool any = d.take("any"), all = d.take("all");
    if (any == all) d.fail("'match' needs .any or .all");
    needSync(d);
    Type type = d.takeType();
    bool wide = type == Type::B64;
    if (!wide && type != Type::B32) d.fail("'match' is of .b32 or .b64");
    d.expectOperands(3);
    Operand destination = d.operand(0);
    if (!destination.second.empty()) {
        if (any) d.fail("'match.any' has no predicate");
        d.definePredicate(5, destination.second);
        d.out.count = 2;
        destination.second = {};
    }
    d.define(0, destination, Type::B32);
    d.use(1, d.operand(1), type);
    d.use(MembersSlot, d.operand(2), Type::B32);
    d.out.run = any ? (wide ? matchAny<u64> : matchAny<u32>) : (wide ? matchAll<u64> : matchAll<u32>);
    return true;
}

bool decodeReduce(Decoder& d) {
    needSync(d);
    bool add = d.take("add"), least = d.take("min"), most = d.take("max"), both = d.take("and"), either = d.take("or"), one = d.take("xor");
    if (add + least + most + both + either + one != 1) d.fail("'redux' lacks an operation");
    Type type = d.takeType();
    d.expectOperands(3);
    d.define(0, d.operand(0), type);
    d.use(1, d.operand(1), type);
    d.use(MembersSlot, d.operand(2), Type::B32);
    if (type == Type::B32) d.out.run = both ? reduce<u32, And> : either ? reduce<u32, Or> : one ? reduce<u32, Xor> : nullptr;
    else if (type == Type::U32) d.out.run = add ? reduce<u32, Sum> : least ? reduce<u32, Minimum> : most ? reduce<u32, Maximum> : nullptr;
    else if (type == Type::S32) d.out.run = add ? reduce<s32, Sum> : least ? reduce<s32, Minimum> : most ? reduce<s32, Maximum> : nullptr;
    return true;
}

}  // namespace

bool decodeWarp(Decoder& d, std::string_view opcode) {
    if (opcode == "shfl") return decodeShuffle(d);
    if (opcode == "vote") return decodeVote(d);
    if (opcode == "match") return decodeMatch(d);
    if (opcode == "redux") return decodeReduce(d);
    if (opcode == "activemask") {
        if (d.takeType() != Type::B32) d.fail("'activemask' is of .b32");
        d.expectOperands(1);
        d.define(0, d.operand(0), Type::B32);
        d.out.run = activeMask;
        return true;
    }
    if (opcode == "elect") {
        needSync(d);
        d.expectOperands(2);
        Operand destination = d.operand(0);
        if (destination.second.empty()) d.fail("'elect' writes a register and a predicate");
        d.definePredicate(5, destination.second);
        destination.second = {};
        d.define(0, destination, Type::B32);
        d.use(MembersSlot, d.operand(1), Type::B32);
        d.out.run = elect;
        return true;
    }
    return false;
}

}  // namespace softcuda
