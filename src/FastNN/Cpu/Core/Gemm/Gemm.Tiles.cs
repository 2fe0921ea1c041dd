namespace FastNN.Cpu;

/// <content>Tiles straight from A, and from B as it lies or as it was packed once.</content>
internal static unsafe partial class Gemm<TLanes>
{
    private static void RunTiles(WorkerPool pool, in Product p)
    {
        var body = new TilesBody { Product = p, Pool = pool, Grid = new TileGrid(p, pool.Threads) };
        if (body.Grid.Tasks == 1 && !p.TransB)
        {
            TileBlock(p, 0, p.M, 0, p.N, null);
        }
        else
        {
            pool.Run(body.Grid.Tasks, ref body);
        }
    }

    /// <summary>
    /// The product with B in panels on this thread, by tiles whatever the number of rows: the bits of a row do not depend on
    /// the rows beside it.
    /// </summary>
    public static void RunPanels(in Product p) => TileBlock(p, 0, p.M, 0, p.N, null);

    /// <summary>
    /// Rows [row0, row1) and columns [col0, col1) of C over all of K. A transposed B is turned into a panel in
    /// <paramref name="scratch"/>, where it is still in the cache when the tiles read it.
    /// </summary>
    private static void TileBlock(in Product p, int row0, int row1, int col0, int col1, float* scratch)
    {
        int blockLength = BlockLength(p.K, BlockK);
        for (int k0 = 0; k0 == 0 || k0 < p.K; k0 += blockLength)
        {
            int length = Math.Min(blockLength, p.K - k0);
            Epilogue block = p.Epilogue.ForBlock(k0 == 0, k0 + length >= p.K);
            for (int col = col0; col < col1; col += W)
            {
                int cols = Math.Min(W, col1 - col);
                float* b = scratch;
                nint bStride = W;
                if (p.Panels != null)
                {
                    b = p.Panels + (col / W * p.PanelStride) + ((nint)k0 * W);
                }
                else if (p.TransB)
                {
                    Pack<TLanes>.Transposed(p.B + (col * p.Ldb) + k0, p.Ldb, cols, length, scratch, W);
                }
                else
                {
                    b = p.B + (k0 * p.Ldb) + col;
                    bStride = p.Ldb;
                }

                TileColumn(p, row0, row1, col, cols, k0, length, b, bStride, block.At(col));
            }
        }
    }

    /// <summary>One column of tiles over one block of K: B comes once from afar, then from the first level.</summary>
    private static void TileColumn(
        in Product p, int row0, int row1, int col, int cols, int k0, int length, float* b, nint bStride, in Epilogue epilogue)
    {
        nint offset = 0;
        float** rowPointers = stackalloc float*[16];
        for (int row = row0; row < row1; row += R)
        {
            int rows = Math.Min(R, row1 - row);
            float* c = p.C + (row * p.Ldc) + col;
            if (p.TransA)
            {
                float* a = p.A + (k0 * p.Lda) + row;
                Tile<TLanes>.Panel(&a, p.Lda, &b, bStride, 1, length, c, p.Ldc, rows, cols, epilogue);
            }
            else
            {
                float* a = p.A + (row * p.Lda) + k0;
                for (int r = 0; r < R; r++)
                {
                    rowPointers[r] = a + (Math.Min(r, rows - 1) * p.Lda);
                }

                Tile<TLanes>.Rows(rowPointers, &offset, 1, length, b, bStride, c, p.Ldc, rows, cols, epilogue);
            }
        }
    }

    /// <summary>
    /// C cut into tasks of about <see cref="TaskWork"/>, a multiple of the threads: whole tiles, and with a transposed B,
    /// where B is packed on the way, all rows of a column of tiles together. How it is cut changes no bit, so it may depend on
    /// the number of threads.
    /// </summary>
    private readonly struct TileGrid
    {
        /// <summary>Tasks for each <see cref="TaskWork"/> of a product that is worth sharing.</summary>
        private const int Finer = 4;

        /// <summary>Multiples of <see cref="TaskWork"/> from which a product is shared. Weights in panels do not change, so they
        /// lie in both cores' caches; in a training step of mnist-mlp one core reads what the other has just written.</summary>
        private const double LeastWork = 1.5, LeastPacked = 0.15;

        private readonly int rows;
        private readonly int cols;
        private readonly int rowTiles;
        private readonly int colTiles;
        private readonly int rowTasks;

        public TileGrid(in Product p, int threads)
        {
            rows = p.M;
            cols = p.N;
            long tileWork = (long)Math.Min(p.M, R) * Math.Min(p.N, W) * Math.Max(p.K, 1);
            int tilesM = Tiles(p.M, R), tilesN = Tiles(p.N, W);
            (rowTiles, colTiles) = (tilesM, tilesN);
            double work = tileWork * (double)tilesM * tilesN / TaskWork;
            if (work > (p.Panels != null ? LeastPacked : LeastWork))
            {
                // Rounds of one task for each thread, several where one is long: a thread that is done takes from the others.
                int rounds = (int)Math.Clamp(Math.Floor(work * Finer / threads), 1, 64);
                double shortest = double.PositiveInfinity;
                for (int columns = 1; columns <= Math.Min(tilesN, rounds * threads); columns++)
                {
                    int ofRows = p.TransB ? 1 : Math.Min(tilesM, Tiles(rounds * threads, columns));
                    int high = Tiles(tilesM, ofRows), wide = Tiles(tilesN, columns);
                    double length = (double)high * wide * Tiles(Tiles(tilesM, high) * Tiles(tilesN, wide), threads);

                    // Threads keep their rows from product to product, so columns are cut only where that is shorter.
                    if (length < shortest * 0.97)
                    {
                        (shortest, rowTiles, colTiles) = (length, high, wide);
                    }
                }
            }

            rowTasks = Tiles(tilesM, rowTiles);
            Tasks = rowTasks * Tiles(tilesN, colTiles);
        }

        public int Tasks { get; }

        public void Range(int task, out int row0, out int row1, out int col0, out int col1)
        {
            int colTask = task / rowTasks;
            row0 = (task - (colTask * rowTasks)) * rowTiles * R;
            row1 = Math.Min(rows, row0 + (rowTiles * R));
            col0 = colTask * colTiles * W;
            col1 = Math.Min(cols, col0 + (colTiles * W));
        }
    }

    private struct TilesBody : IParallelBody
    {
        public Product Product;
        public WorkerPool Pool;
        public TileGrid Grid;

        public readonly void Invoke(int task, int worker)
        {
            Grid.Range(task, out int row0, out int row1, out int col0, out int col1);
            TileBlock(Product, row0, row1, col0, col1, (float*)Pool.Scratch(worker));
        }
    }
}
