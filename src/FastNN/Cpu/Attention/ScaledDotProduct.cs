using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>
/// Attention in blocks of keys, so that scores stay in the cache and memory grows with the length, not its square. Work is cut by
/// shape: forward by heads and spans of queries; backward by heads where there are enough of them, else once by keys, for their
/// and the values' gradients, and once by queries, which costs seven products of scores instead of five. Sums go over blocks in
/// their order.
/// </summary>
internal sealed unsafe partial class CpuAttention
{
    /// <summary>
    /// Queries of a forward task: each reads all keys once, transposed on the way, so few queries would pay for it.
    /// </summary>
    private const int SpanQueries = 192;

    /// <summary>Heads from which on each is one task.</summary>
    private const int ManyHeads = 8;

    /// <summary>Multiply-adds up to which a second thread costs more than it saves.</summary>
    private const double Serial = 500_000;

    public void AttentionForward(AttentionGeometry geometry, in AttentionOperands operands, Tensor y, Tensor? logSums)
    {
        int heads = geometry.Batch * geometry.Heads;
        int span = heads >= 2 * ManyHeads ? Math.Max(1, Math.Min(geometry.Queries, 8 * SpanQueries)) : SpanQueries;
        int spans = (geometry.Queries + span - 1) / span;
        var body = new ForwardTasks
        {
            Pool = Pool,
            Operands = new AttentionPointers(geometry, operands, y, null, logSums, null),
            Span = span,
            Spans = spans,
        };
        Run(heads * spans, geometry.Work, ref body);
    }

    public void AttentionBackward(
        AttentionGeometry geometry, in AttentionOperands operands, Tensor y, Tensor dY, Tensor logSums, Tensor? products,
        in AttentionGradients gradients)
    {
        int heads = geometry.Batch * geometry.Heads;
        var pointers = new AttentionPointers(geometry, operands, y, dY, logSums, products);
        if (products is not null)
        {
            RowLoop.Run(Pool, heads * geometry.Queries, geometry.ValueWidth, new OutputProducts(pointers));
        }

        var body = new BackwardTasks { Pool = Pool, Operands = pointers, Gradients = new GradientPointers(gradients) };
        int keyHeads = geometry.Batch * geometry.KeyHeads;
        if (keyHeads >= ManyHeads || geometry.Work <= Serial)
        {
            body.Cut = BackwardCut.Heads;
            Run(keyHeads, 3 * geometry.Work, ref body);
            return;
        }

        if (gradients.Key is not null || gradients.Value is not null)
        {
            body.Cut = BackwardCut.Keys;
            body.Spans = (geometry.Keys + AttentionBlock.Keys - 1) / AttentionBlock.Keys;
            Run(keyHeads * body.Spans, 2 * geometry.Work, ref body);
        }

        if (gradients.Query is not null)
        {
            body.Cut = BackwardCut.Queries;
            body.Spans = (geometry.Queries + SpanQueries - 1) / SpanQueries;
            Run(heads * body.Spans, 2 * geometry.Work, ref body);
        }
    }

    private void Run<TBody>(int tasks, double work, ref TBody body)
        where TBody : struct, IParallelBody
    {
        if (work > Serial)
        {
            Pool.Run(tasks, ref body);
            return;
        }

        using WorkerPool.Seat seat = Pool.Enter();
        for (int task = 0; task < tasks; task++)
        {
            body.Invoke(task, seat.Worker);
        }
    }

    private enum BackwardCut
    {
        Heads,
        Keys,
        Queries,
    }

    private struct ForwardTasks : IParallelBody
    {
        public WorkerPool Pool;
        public AttentionPointers Operands;
        public int Span;
        public int Spans;

        public readonly void Invoke(int task, int worker)
        {
            (int head, int span) = Math.DivRem(task, Spans);
            (int batch, head) = Math.DivRem(head, Operands.Geometry.Heads);
            int end = Math.Min(Operands.Geometry.Queries, (span + 1) * Span);
            var action = new ForwardAction(Operands, batch, head, span * Span, end, (float*)Pool.Scratch(worker));
            Simd.Dispatch(ref action);
        }
    }

    private readonly struct ForwardAction(
        AttentionPointers operands, int batch, int head, int first, int end, float* scratch) : ILanesAction
    {
        public void Invoke<TLanes>()
            where TLanes : struct, IVectorLanes<TLanes> =>
            ForwardAttention<TLanes>.Run(operands, batch, head, first, end, scratch);
    }

    private struct BackwardTasks : IParallelBody
    {
        public WorkerPool Pool;
        public AttentionPointers Operands;
        public GradientPointers Gradients;
        public BackwardCut Cut;
        public int Spans;

        public readonly void Invoke(int task, int worker)
        {
            AttentionGeometry geometry = Operands.Geometry;
            GradientPointers wanted = Gradients;
            var range = new BackwardRange { KeyEnd = geometry.Keys, QueryEnd = geometry.Queries };
            int heads = Cut == BackwardCut.Queries ? geometry.Heads : geometry.KeyHeads;
            (int index, int span) = Cut == BackwardCut.Heads ? (task, 0) : Math.DivRem(task, Spans);
            (range.Batch, int head) = Math.DivRem(index, heads);
            (range.HeadFirst, range.HeadEnd) = (head * geometry.Group, (head + 1) * geometry.Group);
            if (Cut == BackwardCut.Keys)
            {
                wanted.Query = null;
                range.KeyFirst = span * AttentionBlock.Keys;
                range.KeyEnd = Math.Min(geometry.Keys, range.KeyFirst + AttentionBlock.Keys);
            }
            else if (Cut == BackwardCut.Queries)
            {
                wanted.Key = null;
                wanted.Value = null;
                (range.HeadFirst, range.HeadEnd) = (head, head + 1);
                range.QueryFirst = span * SpanQueries;
                range.QueryEnd = Math.Min(geometry.Queries, range.QueryFirst + SpanQueries);
            }

            var action = new BackwardAction(Operands, wanted, range, (float*)Pool.Scratch(worker));
            Simd.Dispatch(ref action);
        }
    }

    private readonly struct BackwardAction(
        AttentionPointers operands, GradientPointers gradients, BackwardRange range, float* scratch) : ILanesAction
    {
        public void Invoke<TLanes>()
            where TLanes : struct, IVectorLanes<TLanes> =>
            BackwardAttention<TLanes>.Run(operands, gradients, range, scratch);
    }

    /// <summary>products [b, h, q] = the sum over a row of dY y.</summary>
    private readonly struct OutputProducts(AttentionPointers operands) : IRowBody
    {
        public void Invoke<TLanes>(nint start, nint end)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            AttentionGeometry geometry = operands.Geometry;
            for (nint row = start; row < end; row++)
            {
                (nint head, nint query) = Math.DivRem(row, geometry.Queries);
                (nint batch, head) = Math.DivRem(head, geometry.Heads);
                nint place = AttentionPointers.Place(geometry.Output, (int)batch, (int)head, (int)query);
                operands.Products[row] = (float)SumLoop.Range<TLanes, ProductTerms>(
                    new(operands.Output + place, operands.OutputGradient + place), 0, geometry.ValueWidth);
            }
        }
    }
}
