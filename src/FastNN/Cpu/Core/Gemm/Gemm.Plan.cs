using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>
/// The matrix product on one rung. Four ways, chosen by shape alone, so that the bits of the result depend neither on the
/// number of threads nor on which of them did what:
/// - one row: <see cref="Gemv{TLanes}"/>, which leaves out zeros where B is frozen;
/// - few rows times a transposed B: dot products (<see cref="Dot{TLanes}"/>), as transposing would cost more;
/// - small or skinny: tiles straight from A and B;
/// - otherwise B, and where it pays A, packed into panels block by block (Goto and van de Geijn, 2008).
/// Measured on one Zen 5 core of a busy machine, as a fraction of the register-only peak taken in the same run: 512 to 2048
/// square 77 to 83 %, 32x784x64 86 %, its weight gradient 86 %.
/// Sums run over at most <see cref="PackedK"/> terms before they are added to C, which also bounds the rounding error. Where
/// C is tiny and K huge, K is cut into pieces whose sums are added in a fixed order.
/// </summary>
internal static unsafe partial class Gemm<TLanes>
    where TLanes : struct, IVectorLanes<TLanes>
{
    /// <summary>
    /// Terms per block where B is not packed: its slice for one column of tiles, 256 x 32 floats or 32 KiB, then stays in a
    /// first-level cache of 48 KiB while all rows of A pass.
    /// </summary>
    public const int BlockK = 256;

    /// <summary>
    /// Multiply-adds of a task, about 18 us of work: below, moving operands and result between two cores' caches costs more than
    /// the second core saves (a step of mnist-mlp took 78 us on two threads with 2 us tasks, 45 us with these).
    /// </summary>
    private const long TaskWork = 2_000_000;

    /// <summary>Elements of a B that stays in the first-level cache however it lies.</summary>
    private const int SmallB = 8192;

    /// <summary>Panels of a frozen B that a task packs.</summary>
    private const int PanelsPerTask = 4;

    private static int R => TLanes.TileRows;

    private static int W => 2 * TLanes.Count;

    /// <summary>
    /// A product whose B never changes: it is packed once. Not for a single row, which reads B once and in order anyway, nor for
    /// a B that is used as it lies.
    /// </summary>
    public static void Run(WorkerPool pool, FrozenValues? frozen, Product p)
    {
        Freeze(pool, frozen, ref p);
        Run(pool, p);
    }

    /// <summary>Gives a product the panels of its frozen B where they pay; else B lies in its place then.</summary>
    public static void Freeze(WorkerPool pool, FrozenValues? frozen, ref Product p)
    {
        if (frozen is not null && p.M > 1 && p.Panels == null && (long)p.K * p.N > SmallB)
        {
            p.Panels = frozen.In(new FrozenPanels(pool, p), new PoolLoader(pool), p.B);
            p.PanelStride = (nint)p.K * W;
        }
        else
        {
            frozen?.Load(new PoolLoader(pool));
            if (frozen is not null && p.M == 1 && !p.TransB && p.N > W)
            {
                p.IsFinite = *frozen.In(new Finiteness(p), new PoolLoader(pool), p.B) != 0;
            }
        }
    }

    public static void Run(WorkerPool pool, in Product p)
    {
        if (p.M <= 0 || p.N <= 0)
        {
            return;
        }

        bool vector = p.M == 1 && (!p.TransA || p.Lda == 1 || p.K <= 1);
        if (vector && !p.TransB)
        {
            RunVector(pool, p);
        }
        else if (p.Panels == null && p.TransB && (!p.TransA || vector) && (long)p.M * 16 <= p.K)
        {
            RunDots(pool, p);
        }
        else if (PieceCount(p) is int pieces and > 1)
        {
            RunPieces(pool, p, pieces);
        }
        else if (p.Panels != null || IsDirect(p))
        {
            RunTiles(pool, p);
        }
        else
        {
            RunPacked(pool, p);
        }
    }

    /// <summary>How K is cut: blocks of equal length, none longer than that.</summary>
    private static int BlockLength(int k, int longest)
    {
        int blocks = Math.Max(1, (k + longest - 1) / longest);
        return Math.Max(1, (k + blocks - 1) / blocks);
    }

    /// <summary>
    /// Whether B is used as it lies: it is small enough for the cache, or read too few times to be worth packing. Transposed,
    /// it is packed by the task that uses it, while one task can take all the rows.
    /// </summary>
    private static bool IsDirect(in Product p) => p.TransB
        ? p.M <= 12 * R
        : p.M <= 4 * R || (long)p.K * p.N <= SmallB;

    private static int Tiles(int length, int size) => (length + size - 1) / size;

    /// <summary>One number: 1 where B has finite numbers alone, else 0.</summary>
    private readonly struct Finiteness(Product p) : IFrozenForm
    {
        public FrozenKey Key => new("finite", p.K, p.N);

        public long Floats => 1;

        public void Fill(float* values, float* target) => *target = Gemv<TLanes>.IsFinite(values, p.Ldb, p.K, p.N) ? 1 : 0;
    }

    /// <summary>B in panels.</summary>
    private struct FrozenPanels(WorkerPool pool, Product p) : IFrozenForm, IParallelBody
    {
        private float* _values;
        private float* _target;

        public readonly FrozenKey Key => new(p.TransB ? "panels of the transpose" : "panels", p.K, p.N);

        public readonly long Floats => ((long)Tiles(p.N, W) * W * p.K) + Pack<TLanes>.Slack;

        public readonly void Fill(float* values, float* target)
        {
            var body = new FrozenPanels(pool, p) { _values = values, _target = target };
            pool.Run(Tiles(Tiles(p.N, W), PanelsPerTask), ref body);
        }

        // A panel of two vectors is written to its end and no further, so tasks do not meet.
        public readonly void Invoke(int task, int worker)
        {
            int first = task * PanelsPerTask * W, count = Math.Min(PanelsPerTask * W, p.N - first);
            Pack<TLanes>.Panels(
                _values + (p.TransB ? first * p.Ldb : first), p.Ldb, count, p.K, p.TransB, _target + ((nint)p.K * first));
        }
    }
}
