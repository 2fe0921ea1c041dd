using System.Runtime.CompilerServices;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>
/// Integers and truths, in 64 bits: rows term by term, and columns 64 side by side, so that each is read from memory once.
/// </summary>
internal sealed unsafe partial class CpuReductions
{
    private interface IIntegerStep
    {
        static abstract long Start { get; }

        static abstract long Step(long fold, long term);
    }

    public void FoldIntegers(IntegerFold fold, Tensor x, Tensor y, IntegerReduceGeometry geometry)
    {
        switch (fold)
        {
            case IntegerFold.Sum:
                FoldIntegers<SumStep>(x, y, geometry);
                break;
            case IntegerFold.Prod:
                FoldIntegers<ProductStep>(x, y, geometry);
                break;
            case IntegerFold.Min:
                FoldIntegers<SmallestStep>(x, y, geometry);
                break;
            case IntegerFold.Max:
                FoldIntegers<LargestStep>(x, y, geometry);
                break;
            case IntegerFold.Any:
                FoldIntegers<AnyStep>(x, y, geometry);
                break;
            default:
                FoldIntegers<AllStep>(x, y, geometry);
                break;
        }
    }

    private void FoldIntegers<TStep>(Tensor x, Tensor y, IntegerReduceGeometry geometry)
        where TStep : struct, IIntegerStep
    {
        if (x.Type == DType.Bool)
        {
            RowLoop.Run(Pool, geometry.Outputs, geometry.Terms, new IntegerRows<TStep, byte>(Bytes(x), y, geometry));
        }
        else
        {
            RowLoop.Run(Pool, geometry.Outputs, geometry.Terms, new IntegerRows<TStep, int>((int*)x.Address, y, geometry));
        }
    }

    private readonly struct IntegerRows<TStep, T>(T* x, Tensor y, IntegerReduceGeometry geometry) : IRowBody
        where TStep : struct, IIntegerStep
        where T : unmanaged
    {
        private const int Columns = 64;

        public void Invoke<TLanes>(nint start, nint end)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            StridedAxes kept = geometry.Kept, reduced = geometry.Reduced;
            nint step = reduced.Rank == 0 ? 0 : (nint)reduced.First[reduced.Rank - 1];
            long* folds = stackalloc long[Columns];
            for (nint output = start; output < end;)
            {
                T* from = x + kept.FirstOf(output);
                nint side = geometry.IsColumns
                    ? Math.Min(Math.Min(Columns, end - output), kept.Inner - (output % kept.Inner))
                    : 1;
                new Span<long>(folds, (int)side).Fill(TStep.Start);
                for (nint outer = 0; outer < reduced.Outer; outer++)
                {
                    reduced.Locate(outer, out nint at, out _, out _);
                    T* row = from + at;
                    for (nint i = 0; i < reduced.Inner; i++, row += step)
                    {
                        for (nint column = 0; column < side; column++)
                        {
                            folds[column] = TStep.Step(folds[column], Number(row[column]));
                        }
                    }
                }

                for (nint column = 0; column < side; column++)
                {
                    Store(output + column, folds[column]);
                }

                output += side;
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static long Number(T value) =>
            typeof(T) == typeof(byte) ? (byte)(object)value != 0 ? 1 : 0 : (int)(object)value;

        private void Store(nint at, long fold)
        {
            switch (y.Type)
            {
                case DType.Int64:
                    ((long*)y.Address)[at] = fold;
                    break;
                case DType.Int32:
                    ((int*)y.Address)[at] = (int)fold;
                    break;
                default:
                    ((byte*)y.Address)[at] = (byte)fold;
                    break;
            }
        }
    }

    private readonly struct SumStep : IIntegerStep
    {
        public static long Start => 0;

        public static long Step(long fold, long term) => fold + term;
    }

    private readonly struct ProductStep : IIntegerStep
    {
        public static long Start => 1;

        public static long Step(long fold, long term) => fold * term;
    }

    private readonly struct SmallestStep : IIntegerStep
    {
        public static long Start => int.MaxValue;

        public static long Step(long fold, long term) => Math.Min(fold, term);
    }

    private readonly struct LargestStep : IIntegerStep
    {
        public static long Start => int.MinValue;

        public static long Step(long fold, long term) => Math.Max(fold, term);
    }

    private readonly struct AnyStep : IIntegerStep
    {
        public static long Start => 0;

        public static long Step(long fold, long term) => term != 0 ? 1 : fold;
    }

    private readonly struct AllStep : IIntegerStep
    {
        public static long Start => 1;

        public static long Step(long fold, long term) => term == 0 ? 0 : fold;
    }
}
