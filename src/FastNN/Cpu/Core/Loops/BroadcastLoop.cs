using System.Runtime.CompilerServices;
using FastNN.Functions;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>Where results go, counted in elements: floats, or truths as bytes.</summary>
internal unsafe interface IPlace
{
    static abstract nint Size { get; }

    static abstract void Put<TLanes>(void* y, nint i, TLanes value, int count)
        where TLanes : struct, IVectorLanes<TLanes>;
}

internal readonly unsafe struct FloatPlace<TStore> : IPlace
    where TStore : struct, IStore
{
    public static nint Size => sizeof(float);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Put<TLanes>(void* y, nint i, TLanes value, int count)
        where TLanes : struct, IVectorLanes<TLanes> => TStore.Store((float*)y + i, value, count);
}

internal readonly unsafe struct TruthPlace : IPlace
{
    public static nint Size => sizeof(byte);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Put<TLanes>(void* y, nint i, TLanes value, int count)
        where TLanes : struct, IVectorLanes<TLanes> => TLanes.StoreTruth(value, (byte*)y + i, count);
}

/// <summary>y (=|+=) f(a, b) over joined axes: one run, or rows in which either operand runs or repeats.</summary>
internal static unsafe class BroadcastLoop<TOperator, TPlace>
    where TOperator : struct, IBinaryOperator
    where TPlace : struct, IPlace
{
    public static void Run(WorkerPool pool, in BroadcastAxes axes, float* a, float* b, void* y, long count)
    {
        if (count == 0)
        {
            return;
        }

        if (axes.Rank > 1)
        {
            RowLoop.Run(pool, axes.Outer, axes.Inner, new Rows(axes, a, b, y));
        }
        else if (axes.InnerA == axes.InnerB)
        {
            // Both are 0 where two numbers make a single one.
            ElementLoop.Run(pool, count, new Pairs<TOperator>(a, b, y));
        }
        else if (axes.InnerA == 0)
        {
            ElementLoop.Run(pool, count, new WithNumber<Swapped<TOperator>>(b, *a, y));
        }
        else
        {
            ElementLoop.Run(pool, count, new WithNumber<TOperator>(a, *b, y));
        }
    }

    private static void* At(void* y, nint i) => (byte*)y + (i * TPlace.Size);

    private readonly struct Pairs<TPair>(float* a, float* b, void* y) : IElementBody
        where TPair : struct, IBinaryOperator
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke<TLanes>(nint i, int count)
            where TLanes : struct, IVectorLanes<TLanes> =>
            TPlace.Put(y, i, default(TPair).Invoke(TLanes.Load(a + i, count), TLanes.Load(b + i, count)), count);
    }

    private readonly struct WithNumber<TPair>(float* a, float b, void* y) : IElementBody
        where TPair : struct, IBinaryOperator
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke<TLanes>(nint i, int count)
            where TLanes : struct, IVectorLanes<TLanes> =>
            TPlace.Put(y, i, default(TPair).Invoke(TLanes.Load(a + i, count), TLanes.Broadcast(b)), count);
    }

    private readonly struct Rows(BroadcastAxes axes, float* a, float* b, void* y) : IRowBody
    {
        // A short row is repeated in a buffer, so that vectors are full and few loops start.
        private const int Repeated = 512;

        public void Invoke<TLanes>(nint start, nint end)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            int length = axes.Inner;
            if (axes.Rank == 2 && axes.InnerA == 1 && axes.InnerB == 1 && length <= Repeated / 4
                && (axes.A[0] == 0 || axes.B[0] == 0))
            {
                if (axes.A[0] == 0)
                {
                    ShortRows<TLanes, Swapped<TOperator>>(b, a, start, end, length);
                }
                else
                {
                    ShortRows<TLanes, TOperator>(a, b, start, end, length);
                }

                return;
            }

            for (nint row = start; row < end; row++)
            {
                axes.Locate(row, out nint i, out nint k);
                void* to = At(y, row * length);
                if (axes.InnerA == axes.InnerB)
                {
                    ElementLoop.Range<TLanes, Pairs<TOperator>>(new(a + i, b + k, to), 0, length);
                }
                else if (axes.InnerA == 0)
                {
                    ElementLoop.Range<TLanes, WithNumber<Swapped<TOperator>>>(new(b + k, a[i], to), 0, length);
                }
                else
                {
                    ElementLoop.Range<TLanes, WithNumber<TOperator>>(new(a + i, b[k], to), 0, length);
                }
            }
        }

        private void ShortRows<TLanes, TPair>(float* whole, float* row, nint start, nint end, int length)
            where TLanes : struct, IVectorLanes<TLanes>
            where TPair : struct, IBinaryOperator
        {
            float* pattern = stackalloc float[Repeated];
            int times = (int)Math.Min(Repeated / length, end - start);
            for (int i = 0; i < times; i++)
            {
                Unsafe.CopyBlock(pattern + (i * length), row, (uint)length * sizeof(float));
            }

            for (nint i = start; i < end; i += times)
            {
                nint offset = i * length;
                nint some = Math.Min(times, end - i) * length;
                ElementLoop.Range<TLanes, Pairs<TPair>>(new(whole + offset, pattern, At(y, offset)), 0, some);
            }
        }
    }
}

/// <summary>y = f(a, b) of integers or truths, one by one.</summary>
internal static unsafe class IntegerLoop<TFunction, TIn, TOut>
    where TFunction : struct, IBinaryFunction
    where TIn : unmanaged
    where TOut : unmanaged
{
    public static void Run(WorkerPool pool, in BroadcastAxes axes, void* a, void* b, Tensor y) =>
        RowLoop.Run(pool, axes.Outer, axes.Inner, new Rows(axes, (TIn*)a, (TIn*)b, (TOut*)y.Address));

    private readonly struct Rows(BroadcastAxes axes, TIn* a, TIn* b, TOut* y) : IRowBody
    {
        public void Invoke<TLanes>(nint start, nint end)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            (nint left, nint right) = ((nint)axes.InnerA, (nint)axes.InnerB);
            for (nint row = start; row < end; row++)
            {
                axes.Locate(row, out nint first, out nint second);
                TOut* to = y + (row * axes.Inner);
                for (nint i = 0; i < axes.Inner; i++)
                {
                    Write(to + i, TFunction.Value(Read(a + first + (i * left)), Read(b + second + (i * right))).Value);
                }
            }
        }

        // The types are constants to the JIT.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static IntegerLane Read(TIn* from) => new(typeof(TIn) == typeof(int) ? *(int*)from : *(byte*)from != 0 ? 1 : 0);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Write(TOut* to, int value)
        {
            if (typeof(TOut) == typeof(int))
            {
                *(int*)to = value;
            }
            else
            {
                *(byte*)to = (byte)value;
            }
        }
    }
}
