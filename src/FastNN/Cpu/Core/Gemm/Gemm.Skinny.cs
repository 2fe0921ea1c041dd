namespace FastNN.Cpu;

/// <content>One row, and few rows times a transposed B.</content>
internal static unsafe partial class Gemm<TLanes>
{
    /// <summary>Columns of a row-major B that one task takes at least, 4 KiB of each row.</summary>
    private const int TaskColumns = 1024;

    /// <summary>Columns from which a task goes band by band whatever the size of B.</summary>
    private const int WideColumns = 256;

    /// <summary>
    /// Elements of B from which a task goes band by band from three vectors of columns on: 128 KiB, which the first-level cache
    /// does not hold.
    /// </summary>
    private const int FarElements = 32 * 1024;

    /// <summary>Elements of a narrow B from which it is read row by row, and that a piece of it has at least: 256 KiB.</summary>
    private const int PieceElements = 64 * 1024;

    private static void RunVector(WorkerPool pool, in Product p)
    {
        if (p.Panels == null && p.N >= TLanes.Count && p.N < 2 * TaskColumns && (long)p.K * p.N >= 2 * PieceElements)
        {
            RunVectorPieces(pool, p);
            return;
        }

        int tiles = Tiles(p.N, W);
        int perTask = (int)Math.Clamp(TaskWork / 4 / ((long)Math.Min(p.N, W) * Math.Max(p.K, 1)), 1, tiles);
        perTask = p.Panels != null ? perTask : Math.Max(perTask, Math.Min(tiles, TaskColumns / W));
        var body = new VectorBody { Product = p, TilesPerTask = perTask };
        if (perTask == tiles)
        {
            body.Invoke(0, 0);
        }
        else
        {
            pool.Run(Tiles(tiles, perTask), ref body);
        }
    }

    /// <summary>
    /// A B with too few columns to share them: its rows, from one end to the other as memory is read fastest, in pieces for the
    /// threads. How many there are depends on the shape alone, and they are added in their order.
    /// </summary>
    private static void RunVectorPieces(WorkerPool pool, in Product p)
    {
        using WorkerPool.Seat seat = pool.Enter();
        float* partials = (float*)(pool.Scratch(seat.Worker) + WorkerPool.ScratchBytes - PartialBytes);
        int pieces = (int)Math.Min((long)p.K * p.N / PieceElements, MaxPieces);
        var body = new VectorPiecesBody { Product = p, Partials = partials, Pieces = pieces };
        pool.Run(pieces, ref body);
        AddPieces(p, partials, pieces);
    }

    private static void RunDots(WorkerPool pool, in Product p)
    {
        int quads = Tiles(p.N, 4);
        int perTask = (int)Math.Clamp(TaskWork / 2 / (4L * p.M * p.K), 1, quads);
        var body = new DotBody { Product = p, QuadsPerTask = perTask };
        if (perTask == quads)
        {
            body.Invoke(0, 0);
        }
        else
        {
            pool.Run(Tiles(quads, perTask), ref body);
        }
    }

    private struct VectorBody : IParallelBody
    {
        public Product Product;
        public int TilesPerTask;

        public readonly void Invoke(int task, int worker)
        {
            int first = task * TilesPerTask * W, cols = Math.Min(Product.N - first, TilesPerTask * W);
            int between = InBands(cols) ? ((Product.K - 1) / Gemv<TLanes>.BandRows) - 1 : 0;
            if (between <= 0)
            {
                Columns(first, cols, 0, Product.K);
                return;
            }

            // The first band stores the sums, and the last one finishes them.
            int start = Gemv<TLanes>.BandRows, end = start + (between * Gemv<TLanes>.BandRows);
            Columns(first, cols, 0, start);
            float* x = Product.A + start, b = Product.B + (start * Product.Ldb) + first, y = Product.C + first;
            if (Product.IsFinite)
            {
                Gemv<TLanes>.AddNonzero(x, between, b, Product.Ldb, y, cols);
            }
            else
            {
                Gemv<TLanes>.AddBands(x, between, b, Product.Ldb, y, cols);
            }

            Columns(first, cols, end, Product.K);
        }

        private readonly bool InBands(int cols) =>
            Product.Panels == null && (cols > WideColumns || (cols > W && (long)Product.K * cols >= FarElements));

        /// <summary>The sums over some of the rows of B.</summary>
        private readonly void Columns(int first, int cols, int start, int end)
        {
            bool packed = Product.Panels != null;
            Epilogue block = Product.Epilogue.ForBlock(start == 0, end >= Product.K);
            for (int col = first; col < first + cols; col += W)
            {
                float* b = packed ? Product.Panels + (col / W * Product.PanelStride) : Product.B + (start * Product.Ldb) + col;
                nint bStride = packed ? W : Product.Ldb;
                Gemv<TLanes>.Columns(
                    Product.A + start, end - start, b, bStride, Product.C + col, Math.Min(W, first + cols - col), block.At(col));
            }
        }
    }

    private struct VectorPiecesBody : IParallelBody
    {
        public Product Product;
        public float* Partials;
        public int Pieces;

        public readonly void Invoke(int task, int worker)
        {
            int start = (int)((long)Product.K * task / Pieces);
            int end = (int)((long)Product.K * (task + 1) / Pieces);
            float* b = Product.B + (start * Product.Ldb), y = Partials + ((nint)task * Product.N);
            if (Product.N <= Gemv<TLanes>.MostColumns)
            {
                Gemv<TLanes>.Narrow(Product.A + start, end - start, b, Product.Ldb, y, Product.N);
                return;
            }

            var piece = new VectorBody { Product = Product, TilesPerTask = int.MaxValue / W };
            piece.Product.A += start;
            piece.Product.K = end - start;
            piece.Product.B = b;
            piece.Product.C = y;
            piece.Product.Epilogue = Epilogue.Store;
            piece.Invoke(0, worker);
        }
    }

    private struct DotBody : IParallelBody
    {
        public Product Product;
        public int QuadsPerTask;

        public readonly void Invoke(int task, int worker)
        {
            int last = Math.Min(Product.N, (task + 1) * QuadsPerTask * 4);
            float** a = stackalloc float*[4];
            float** b = stackalloc float*[4];
            float* sums = stackalloc float[16];
            for (int col = task * QuadsPerTask * 4; col < last; col += 4)
            {
                int cols = Math.Min(4, last - col);
                for (int j = 0; j < 4; j++)
                {
                    b[j] = Product.B + ((col + Math.Min(j, cols - 1)) * Product.Ldb);
                }

                for (int row = 0; row < Product.M; row += 4)
                {
                    int rows = Math.Min(4, Product.M - row);
                    for (int r = 0; r < 4; r++)
                    {
                        a[r] = Product.A + ((row + Math.Min(r, rows - 1)) * Product.Lda);
                    }

                    Dot<TLanes>.FourByFour(a, b, Product.K, sums);
                    Epilogue epilogue = Product.Epilogue.At(col);
                    epilogue.Apply(sums, 4, Product.C + (row * Product.Ldc) + col, Product.Ldc, rows, cols);
                }
            }
        }
    }
}
