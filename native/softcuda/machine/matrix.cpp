// mma.sync and ldmatrix. A tensor core's own order of summation is not documented: here the products of one element of D are exact, are
// summed up with its C in double, and the sum is rounded once.
#include "access.hpp"
#include "decoder.hpp"
#include "floating.hpp"

namespace softcuda {

namespace {

enum class Element { Half, Bfloat, Tf32 };

// Operands: D at o[0..3], A at o[4..7], B at o[8..9], C at o[10..13].
constexpr std::size_t ASlot = 4, BSlot = 8, CSlot = 10;

template <Element E>
double elementOf(u32 bits, int index) {
    if (E == Element::Half) return static_cast<double>(toFloat(Half{static_cast<u16>(bits >> (16 * index))}));
    if (E == Element::Bfloat) return static_cast<double>(toFloat(Bfloat{static_cast<u16>(bits >> (16 * index))}));
    return static_cast<double>(std::bit_cast<float>(bits & ~0x1fffu));
}

/// D (16 x 8) = A (16 x K) * B (K x 8) + C, spread over the lanes as PTX lays fragments out.
template <Element E, int K, bool HalfSum>
void multiply(Warp& warp, const Instr& instr, Mask mask) {
    if (mask != AllLanes) {
        warp.block->report(FindingKind::InvalidInstruction, warp, instr, std::countr_zero(mask), 0, "'mma' needs all lanes of the warp");
        return;
    }
    constexpr int PerRegister = E == Element::Tf32 ? 1 : 2;
    constexpr int Step = 4 * PerRegister;  // columns of A that one register of all lanes covers
    constexpr int Columns = K / Step;
    double a[16][K], b[K][8], c[16][8];
    for (int lane = 0; lane < Lanes; ++lane) {
        int group = lane / 4, within = lane % 4;
        for (int column = 0; column < Columns; ++column) {
            for (int i = 0; i < PerRegister; ++i) {
                int k = column * Step + within * PerRegister + i;
                for (int half = 0; half < 2; ++half)
                    a[group + 8 * half][k] = elementOf<E>(row<const u32>(warp, instr.o[ASlot + static_cast<std::size_t>(2 * column + half)])[lane], i);
                b[k][group] = elementOf<E>(row<const u32>(warp, instr.o[BSlot + static_cast<std::size_t>(column)])[lane], i);
            }
        }
        for (int half = 0; half < 2; ++half) {
            for (int i = 0; i < 2; ++i) {
                double& place = c[group + 8 * half][2 * within + i];
                if (HalfSum) place = elementOf<Element::Half>(row<const u32>(warp, instr.o[CSlot + static_cast<std::size_t>(half)])[lane], i);
                else place = static_cast<double>(row<const float>(warp, instr.o[CSlot + static_cast<std::size_t>(2 * half + i)])[lane]);
            }
        }
    }
    for (int m = 0; m < 16; ++m)
        for (int k = 0; k < K; ++k)
            for (int n = 0; n < 8; ++n) c[m][n] += a[m][k] * b[k][n];
    for (int lane = 0; lane < Lanes; ++lane) {
        int group = lane / 4, within = lane % 4;
        for (int half = 0; half < 2; ++half) {
            const double* sums = &c[group + 8 * half][2 * within];
            if (HalfSum) {
                row<u32>(warp, instr.o[static_cast<std::size_t>(half)])[lane] = toHalf(sums[0], Rounding::Nearest).bits | static_cast<u32>(toHalf(sums[1], Rounding::Nearest).bits) << 16;
            } else {
                for (std::size_t i = 0; i < 2; ++i) row<float>(warp, instr.o[static_cast<std::size_t>(2 * half) + i])[lane] = canonical(static_cast<float>(sums[i]));
            }
        }
    }
}

/// D (8 x 8) = A (8 x 4) * B (4 x 8) + C in double: D at o[0..1], A at o[4], B at o[8], C at o[10..11].
void multiplyDouble(Warp& warp, const Instr& instr, Mask mask) {
    if (mask != AllLanes) {
        warp.block->report(FindingKind::InvalidInstruction, warp, instr, std::countr_zero(mask), 0, "'mma' needs all lanes of the warp");
        return;
    }
    const double* a = row<const double>(warp, instr.o[ASlot]);
    const double* b = row<const double>(warp, instr.o[BSlot]);
    alignas(64) double sums[2][Lanes];
    for (std::size_t i = 0; i < 2; ++i) {
        const double* c = row<const double>(warp, instr.o[CSlot + i]);
        for (std::size_t lane = 0; lane < Lanes; ++lane) {
            double sum = c[lane];
            for (std::size_t k = 0; k < 4; ++k) sum = std::fma(a[lane / 4 * 4 + k], b[(2 * (lane % 4) + i) * 4 + k], sum);
            sums[i][lane] = canonical(sum);
        }
    }
    for (std::size_t i = 0; i < 2; ++i) std::memcpy(row<double>(warp, instr.o[i]), sums[i], sizeof sums[i]);
}

bool decodeDoubleMma(Decoder& d) {
    if (!d.take("row") || !d.take("col")) d.fail("'mma' needs .row.col");
    for (int i = 0; i < 4; ++i)
        if (d.takeType() != Type::F64) d.fail("these types of 'mma' are not supported for this shape");
    d.expectOperands(4);
    constexpr std::size_t Slots[] = {0, ASlot, BSlot, CSlot}, Counts[] = {2, 1, 1, 2};
    for (std::size_t i = 0; i < 4; ++i) {
        const Operand& list = d.operand(i);
        if (list.kind != OperandKind::Vector || list.elements.size() != Counts[i]) d.fail("'mma' takes " + std::to_string(Counts[i]) + " registers here");
        for (std::size_t n = 0; n < Counts[i]; ++n) {
            if (i == 0) d.define(Slots[i] + n, list.elements[n], Type::F64);
            else d.use(Slots[i] + n, list.elements[n], Type::F64);
        }
    }
    d.out.flops = 2 * 8 * 8 * 4 / Lanes;
    d.out.run = multiplyDouble;
    return true;
}

bool decodeMma(Decoder& d) {
    if (!d.take("sync") || !d.take("aligned")) d.fail("'mma' needs .sync.aligned");
    if (d.take("m8n8k4")) return decodeDoubleMma(d);
    int k = d.take("m16n8k16") ? 16 : d.take("m16n8k8") ? 8 : d.take("m16n8k4") ? 4 : 0;
    if (!k) d.fail("this shape of 'mma' is not supported");
    if (!d.take("row") || !d.take("col")) d.fail("'mma' needs .row.col");
    Type to = d.takeType(), a = d.takeType(), b = d.takeType(), c = d.takeType();
    if (a != b || to != c || (to != Type::F32 && !(to == Type::F16 && a == Type::F16))) d.fail("these types of 'mma' are not supported");
    Handler handler = nullptr;
    bool halfSum = to == Type::F16;
    if (a == Type::F16 && k == 16) handler = halfSum ? multiply<Element::Half, 16, true> : multiply<Element::Half, 16, false>;
    if (a == Type::F16 && k == 8) handler = halfSum ? multiply<Element::Half, 8, true> : multiply<Element::Half, 8, false>;
    if (a == Type::BF16 && k == 16) handler = multiply<Element::Bfloat, 16, false>;
    if (a == Type::BF16 && k == 8) handler = multiply<Element::Bfloat, 8, false>;
    if (a == Type::TF32 && k == 8) handler = multiply<Element::Tf32, 8, false>;
    if (a == Type::TF32 && k == 4) handler = multiply<Element::Tf32, 4, false>;
    if (!handler) d.fail("these types of 'mma' are not supported for this shape");
    std::size_t columns = static_cast<std::size_t>(k) / (a == Type::TF32 ? 4 : 8), sums = halfSum ? 2 : 4;
    d.expectOperands(4);
    auto elements = [&](std::size_t index, std::size_t count) -> const std::vector<Operand>& {
        const Operand& list = d.operand(index);
        if (list.kind != OperandKind::Vector || list.elements.size() != count) d.fail("'mma' takes " + std::to_string(count) + " registers here");
        return list.elements;
    };
    const auto& results = elements(0, sums);
    const auto& left = elements(1, 2 * columns);
    const auto& right = elements(2, columns);
    const auto& addends = elements(3, sums);
    Type sumType = halfSum ? Type::B32 : Type::F32;
    for (std::size_t i = 0; i < sums; ++i) d.define(i, results[i], sumType);
    for (std::size_t i = 0; i < 2 * columns; ++i) d.use(ASlot + i, left[i], Type::B32);
    for (std::size_t i = 0; i < columns; ++i) d.use(BSlot + i, right[i], Type::B32);
    for (std::size_t i = 0; i < sums; ++i) d.use(CSlot + i, addends[i], sumType);
    d.out.flops = static_cast<u8>(2 * 16 * 8 * k / Lanes);
    d.out.run = handler;
    return true;
}

// ldmatrix: destinations at o[0..3], the address at o[4]; count matrices of 8 rows of 16 bytes. Lanes 8 i to 8 i + 7 give the rows of matrix i.
template <bool Transposed>
void loadMatrix(Warp& warp, const Instr& instr, Mask mask) {
    BlockState& block = *warp.block;
    if (mask != AllLanes) {
        block.report(FindingKind::InvalidInstruction, warp, instr, std::countr_zero(mask), 0, "'ldmatrix' needs all lanes of the warp");
        return;
    }
    Request request;
    request.size = 16;
    request.lanes = instr.count == 4 ? AllLanes : (1u << (8 * instr.count)) - 1;
    gatherAddresses(warp, instr.o[4], instr, request);
    if (instr.space == Space::Generic)
        for (u64& address : request.address) address -= SharedWindow;
    classify(request);
    if (!openShared(warp, instr, request, Mode::Read)) return;
    alignas(64) u32 result[4][Lanes];
    for (u32 matrix = 0; matrix < instr.count; ++matrix) {
        for (u32 lane = 0; lane < Lanes; ++lane) {
            u16 pair[2];
            for (u32 i = 0; i < 2; ++i) {
                u32 line = lane / 4, column = 2 * (lane % 4) + i;
                if (Transposed) std::swap(line, column);
                std::memcpy(&pair[i], block.shared + request.address[8 * matrix + line] + 2 * column, 2);
            }
            result[matrix][lane] = static_cast<u32>(pair[0]) | static_cast<u32>(pair[1]) << 16;
        }
    }
    for (u32 matrix = 0; matrix < instr.count; ++matrix) writeLanes<u32>(warp, instr.o[matrix], mask, [&](int lane) { return result[matrix][lane]; });
}

bool decodeLoadMatrix(Decoder& d) {
    if (!d.take("sync") || !d.take("aligned")) d.fail("'ldmatrix' needs .sync.aligned");
    if (!d.take("m8n8")) d.fail("this shape of 'ldmatrix' is not supported");
    int count = d.take("x1") ? 1 : d.take("x2") ? 2 : d.take("x4") ? 4 : 0;
    if (!count) d.fail("'ldmatrix' needs .x1, .x2 or .x4");
    bool transposed = d.take("trans");
    auto space = d.takeSpace();
    if (space && space != Space::Shared) d.fail("'ldmatrix' reads shared memory");
    if (d.takeType() != Type::B16) d.fail("'ldmatrix' is of .b16");
    d.expectOperands(2);
    const Operand& list = d.operand(0);
    if (list.kind != OperandKind::Vector || list.elements.size() != static_cast<std::size_t>(count)) d.fail("the number of registers does not fit");
    for (std::size_t i = 0; i < list.elements.size(); ++i) d.define(i, list.elements[i], Type::B32);
    auto named = d.address(4, d.operand(1));
    if (named && named != Space::Shared) d.fail("'ldmatrix' reads shared memory");
    d.out.space = space || named ? Space::Shared : Space::Generic;
    d.out.count = static_cast<u8>(count);
    d.out.run = transposed ? loadMatrix<true> : loadMatrix<false>;
    return true;
}

}  // namespace

bool decodeMatrix(Decoder& d, std::string_view opcode) {
    if (opcode == "mma") return decodeMma(d);
    if (opcode == "ldmatrix") return decodeLoadMatrix(d);
    return false;
}

}  // namespace softcuda
