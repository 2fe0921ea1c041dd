namespace FastNN.Cpu;

/// <content>
/// A tiny C and a huge K (the gradient of a small weight over very many rows): K is cut into pieces by shape, each gives a
/// partial C in scratch memory, and these are added in their order.
/// </content>
internal static unsafe partial class Gemm<TLanes>
{
    private const int MinPiece = 4 * BlockK;

    private const int MaxPieces = 32;

    /// <summary>Bytes of partial sums; the scratch memory has room for them.</summary>
    private const long PartialBytes = 2 << 20;

    private static int PieceCount(in Product p)
    {
        if (p.Panels != null || p.K < 2 * MinPiece || Tiles(p.M, R) * (long)Tiles(p.N, W) > 8)
        {
            return 1;
        }

        long room = PartialBytes / sizeof(float) / ((long)p.M * p.N);
        return (int)Math.Min(Math.Min(p.K / MinPiece, MaxPieces), room);
    }

    private static void RunPieces(WorkerPool pool, in Product p, int pieces)
    {
        using WorkerPool.Seat seat = pool.Enter();

        // Behind the panel that a piece packs in the same scratch memory.
        float* partials = (float*)(pool.Scratch(seat.Worker) + WorkerPool.ScratchBytes - PartialBytes);
        var body = new PiecesBody { Product = p, Partials = partials, Pool = pool, Pieces = pieces };
        pool.Run(pieces, ref body);

        AddPieces(p, partials, pieces);
    }

    /// <summary>C (=|+=) f(the sum of the pieces + bias).</summary>
    private static void AddPieces(in Product p, float* partials, int pieces)
    {
        int size = p.M * p.N;
        for (int piece = 1; piece < pieces; piece++)
        {
            AddTo(partials, partials + ((nint)piece * size), size);
        }

        // The sum times one: the epilogue of a product, through the same tile.
        Product last = p;
        float one = 1;
        for (int row = 0; row < p.M; row++)
        {
            last.M = 1;
            last.K = 1;
            last.A = &one;
            last.Lda = 1;
            last.TransA = false;
            last.B = partials + ((nint)row * p.N);
            last.Ldb = p.N;
            last.TransB = false;
            last.C = p.C + (row * p.Ldc);
            TileBlock(last, 0, 1, 0, p.N, null);
        }
    }

    private static void AddTo(float* sum, float* term, int length)
    {
        int i = 0;
        for (; i <= length - TLanes.Count; i += TLanes.Count)
        {
            TLanes.Store(TLanes.Load(sum + i) + TLanes.Load(term + i), sum + i);
        }

        for (; i < length; i++)
        {
            sum[i] += term[i];
        }
    }

    private struct PiecesBody : IParallelBody
    {
        public Product Product;
        public float* Partials;
        public WorkerPool Pool;
        public int Pieces;

        public readonly void Invoke(int task, int worker)
        {
            int start = (int)((long)Product.K * task / Pieces);
            int end = (int)((long)Product.K * (task + 1) / Pieces);
            Product piece = Product;
            piece.K = end - start;
            piece.A += start * (Product.TransA ? Product.Lda : 1);
            piece.B += start * (Product.TransB ? 1 : Product.Ldb);
            piece.C = Partials + ((nint)task * Product.M * Product.N);
            piece.Ldc = Product.N;
            piece.Epilogue = Epilogue.Store;
            TileBlock(piece, 0, piece.M, 0, piece.N, (float*)Pool.Scratch(worker));
        }
    }
}
