using FastNN.Functions;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>
/// Reductions over any axes: 4 bytes read per term forward; backward 8 or 12 bytes per element, outputs staying in the cache.
/// </summary>
internal sealed unsafe partial class CpuReductions
{
    public void Fold(FoldFunction fold, Tensor x, Tensor? center, Tensor y, ReduceGeometry geometry, float scale, bool root)
    {
        var operands = new FoldOperands(geometry, Floats(x), Floats(center), Floats(y), scale, root);
        FoldLoops.Of(fold).Run(Pool, operands);
    }

    public void Spread(
        SlopeFunction slope, Tensor x, Tensor y, Tensor saved, Tensor more, Tensor dY, Tensor dX, ReduceGeometry geometry,
        float scale, bool accumulate)
    {
        if (dX.Count == 0)
        {
            return;
        }

        var operands = new SpreadOperands(
            geometry.Axes, Floats(x), Floats(y), Floats(saved), Floats(more), Floats(dY), Floats(dX), scale);
        SlopeLoops.Of(slope).Run(Pool, operands, accumulate);
    }

    /// <summary>The loop of one fold, which the JIT compiles for it; found by its row.</summary>
    private abstract class FoldLoops
    {
        private static readonly FoldLoops[] All = [.. FunctionTable.Folds.Select(row => row.Accept(default(Compiled)))];

        public static FoldLoops Of(FoldFunction fold) => All[fold.Id - 1];

        public abstract void Run(WorkerPool pool, in FoldOperands operands);

        private readonly struct Compiled : IFoldVisitor<FoldLoops>
        {
            public FoldLoops Visit<TFold>(FoldFunction fold)
                where TFold : struct, IFold => new FoldLoops<TFold>();
        }
    }

    private sealed class FoldLoops<TFold> : FoldLoops
        where TFold : struct, IFold
    {
        public override void Run(WorkerPool pool, in FoldOperands operands) => FoldLoop<TFold>.Run(pool, operands);
    }

    /// <summary>The loop of one slope.</summary>
    private abstract class SlopeLoops
    {
        private static readonly SlopeLoops[] All = [.. FunctionTable.Slopes.Select(row => row.Accept(default(Compiled)))];

        public static SlopeLoops Of(SlopeFunction slope) => All[slope.Id - 1];

        public abstract void Run(WorkerPool pool, in SpreadOperands operands, bool accumulate);

        private readonly struct Compiled : ISlopeVisitor<SlopeLoops>
        {
            public SlopeLoops Visit<TSlope>(SlopeFunction slope)
                where TSlope : struct, ISlope => new SlopeLoops<TSlope>();
        }
    }

    private sealed class SlopeLoops<TSlope> : SlopeLoops
        where TSlope : struct, ISlope
    {
        public override void Run(WorkerPool pool, in SpreadOperands operands, bool accumulate)
        {
            if (accumulate)
            {
                Run<Accumulate>(pool, operands);
            }
            else
            {
                Run<Assign>(pool, operands);
            }
        }

        private static void Run<TStore>(WorkerPool pool, in SpreadOperands operands)
            where TStore : struct, IStore
        {
            StridedAxes axes = operands.Axes;
            if (axes.Rank <= 1)
            {
                // One run, which may be cut anywhere.
                ElementLoop.Run(pool, axes.Inner, new SpreadBody<TSlope, TStore>(operands, 0, 0));
            }
            else
            {
                RowLoop.Run(pool, axes.Outer, axes.Inner, new SpreadRowsBody<TSlope, TStore>(operands));
            }
        }
    }
}
