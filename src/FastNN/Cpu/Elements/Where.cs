using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>
/// Selection: 13 bytes moved per float where all operands are whole, less where they repeat; eight conditions become eight masks.
/// </summary>
internal sealed unsafe partial class CpuElements
{
    public void WhereForward(Tensor condition, Tensor a, Tensor b, Tensor y)
    {
        if (y.Count == 0)
        {
            return;
        }

        var axes = StridedAxes.Broadcast(y.Shape, condition.Shape, a.Shape, b.Shape);
        switch (y.Type.Size())
        {
            case 1:
                RowLoop.Run(
                    Pool, axes.Outer, axes.Inner, new SelectRows<byte>(axes, Bytes(condition), Bytes(a), Bytes(b), Bytes(y)));
                break;
            case 2:
                RowLoop.Run(
                    Pool, axes.Outer, axes.Inner,
                    new SelectRows<ushort>(axes, Bytes(condition), (ushort*)a.Address, (ushort*)b.Address, (ushort*)y.Address));
                break;
            case 4 when axes.Rank <= 1:
                ElementLoop.Run(Pool, y.Count, new SelectBody<Assign>(Selection.Of(axes, condition, a, b), Floats(y)));
                break;
            case 4:
                RowLoop.Run(
                    Pool, axes.Outer, axes.Inner,
                    new SelectFloatRows<Assign>(axes, new(Bytes(condition), Floats(a), Floats(b), 1, 1, 1), Floats(y)));
                break;
            default:
                RowLoop.Run(
                    Pool, axes.Outer, axes.Inner,
                    new SelectRows<ulong>(axes, Bytes(condition), (ulong*)a.Address, (ulong*)b.Address, (ulong*)y.Address));
                break;
        }
    }

    public void WhereBackward(Tensor condition, bool when, Tensor dY, Tensor dX, bool accumulate)
    {
        if (accumulate)
        {
            SelectGradient<Accumulate>(condition, when, dY, dX);
        }
        else
        {
            SelectGradient<Assign>(condition, when, dY, dX);
        }
    }

    private void SelectGradient<TStore>(Tensor condition, bool when, Tensor dY, Tensor dX)
        where TStore : struct, IStore
    {
        if (dY.Count == 0)
        {
            return;
        }

        // The other branch is a single zero.
        float zero = 0;
        var axes = when
            ? StridedAxes.Broadcast(dY.Shape, condition.Shape, dY.Shape, default)
            : StridedAxes.Broadcast(dY.Shape, condition.Shape, default, dY.Shape);
        var operands = when
            ? new Selection(Bytes(condition), Floats(dY), &zero, 1, 1, 0)
            : new Selection(Bytes(condition), &zero, Floats(dY), 1, 0, 1);
        RowLoop.Run(Pool, axes.Outer, axes.Inner, new SelectFloatRows<TStore>(axes, operands, Floats(dX)));
    }

    /// <summary>The operands of a run of elements, each with its step from element to element, 1 or 0.</summary>
    private readonly struct Selection(byte* condition, float* a, float* b, long conditionStep, long aStep, long bStep)
    {
        public static Selection Of(in StridedAxes axes, Tensor condition, Tensor a, Tensor b) => axes.Rank == 0
            ? new(Bytes(condition), Floats(a), Floats(b), 0, 0, 0)
            : new(Bytes(condition), Floats(a), Floats(b), axes.First[0], axes.Second[0], axes.Third[0]);

        public Selection At(nint first, nint second, nint third, in StridedAxes axes)
        {
            int inner = axes.Rank - 1;
            return inner < 0 ? new(condition, a, b, 0, 0, 0)
                : new(condition + first, a + second, b + third, axes.First[inner], axes.Second[inner], axes.Third[inner]);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector256<float> Eight(nint i)
        {
            Vector256<float> left = aStep == 0 ? Vector256.Create(*a) : Vector256.Load(a + i);
            Vector256<float> right = bStep == 0 ? Vector256.Create(*b) : Vector256.Load(b + i);
            Vector256<uint> mask;
            if (conditionStep == 0)
            {
                mask = Vector256.Create((uint)*condition);
            }
            else
            {
                Vector128<ushort> words = Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(ulong*)(condition + i)).AsByte());
                mask = Vector256.Create(Vector128.WidenLower(words), Vector128.WidenUpper(words));
            }

            return Vector256.ConditionalSelect(Vector256.Equals(mask, Vector256<uint>.Zero).AsSingle(), right, left);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public float One(nint i) => condition[i * conditionStep] != 0 ? a[i * aStep] : b[i * bStep];
    }

    private readonly struct SelectBody<TStore>(Selection operands, float* y) : IElementBody
        where TStore : struct, IStore
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke<TLanes>(nint i, int count)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            nint end = i + count;
            for (; i <= end - 8; i += 8)
            {
                TStore.Store(y + i, new Lanes256(operands.Eight(i)), 8);
            }

            for (; i < end; i++)
            {
                TStore.Store(y + i, new Lanes1(operands.One(i)), 1);
            }
        }
    }

    private readonly struct SelectFloatRows<TStore>(StridedAxes axes, Selection operands, float* y) : IRowBody
        where TStore : struct, IStore
    {
        public void Invoke<TLanes>(nint start, nint end)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            for (nint row = start; row < end; row++)
            {
                axes.Locate(row, out nint first, out nint second, out nint third);
                ElementLoop.Range<Lanes256,
                SelectBody<TStore>>(new(operands.At(first, second, third, axes), y + (row * axes.Inner)), 0, axes.Inner);
            }
        }
    }

    private readonly struct SelectRows<T>(StridedAxes axes, byte* condition, T* a, T* b, T* y) : IRowBody
        where T : unmanaged
    {
        public void Invoke<TLanes>(nint start, nint end)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            int inner = axes.Rank - 1;
            (long c, long left, long right) = inner < 0 ? (0, 0, 0) : (axes.First[inner], axes.Second[inner], axes.Third[inner]);
            for (nint row = start; row < end; row++)
            {
                axes.Locate(row, out nint first, out nint second, out nint third);
                T* to = y + (row * axes.Inner);
                for (nint i = 0; i < axes.Inner; i++)
                {
                    to[i] = condition[first + (i * c)] != 0 ? a[second + (i * left)] : b[third + (i * right)];
                }
            }
        }
    }
}
