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
        int rows;
        for (int row = row0; row < row1; row += rows)
        {
            bool oneMore = Tile<TLanes>.TakesOneMore && row1 - row == R + 1 && !p.TransA;
            rows = oneMore ? R + 1 : Math.Min(R, row1 - row);
            float* c = p.C + (row * p.Ldc) + col;
            if (p.TransA)
            {
                float* a = p.A + (k0 * p.Lda) + row;
                Tile<TLanes>.Panel(&a, p.Lda, &b, bStride, 1, length, c, p.Ldc, rows, cols, epilogue);
            }
            else
            {
                float* a = p.A + (row * p.Lda) + k0;
                for (int r = 0; r < rows; r++, a += p.Lda)
                {
                    rowPointers[r] = a;
                }

                for (int r = rows; r < R; r++)
                {
                    rowPointers[r] = rowPointers[0];
                }

                if (oneMore)
                {
                    Tile<TLanes>.RowsAndOne(rowPointers, &offset, 1, length, b, bStride, c, p.Ldc, cols, epilogue);
                }
                else
                {
                    Tile<TLanes>.Rows(rowPointers, &offset, 1, length, b, bStride, c, p.Ldc, rows, cols, epilogue);
                }
            }
        }
    }

    /// <summary>
    /// C cut into tasks of about <see cref="TaskWork"/>, a multiple of the threads: whole tiles, and with a transposed B,
    /// where B is packed on the way, all rows of a column of tiles together. How it is cut changes no bit, so it may depend on
    /// the number of threads.
    /// </summary>
    private struct TileGrid
    {
        /// <summary>Tasks for each <see cref="TaskWork"/> of a product that is worth sharing.</summary>
        private const int Finer = 4;

        /// <summary>Multiples of <see cref="TaskWork"/> from which a product is shared. Weights in panels do not change, so they
        /// lie in both cores' caches; in a training step of mnist-mlp one core reads what the other has just written.</summary>
        private const double LeastWork = 1.5, LeastPacked = 0.15;

        private readonly int rows;
        private readonly int cols;
        private int taskRows;
        private int colTiles;
        private readonly int rowTasks;

        public TileGrid(in Product p, int threads)
        {
            rows = p.M;
            cols = p.N;
            long tileWork = (long)Math.Min(p.M, R) * Math.Min(p.N, W) * Math.Max(p.K, 1);
            int tilesM = Tiles(p.M, R), tilesN = Tiles(p.N, W);
            (taskRows, colTiles) = (p.M, tilesN);
            double work = tileWork * (double)tilesM * tilesN / TaskWork;
            if (threads > 1 && work > (p.Panels != null ? LeastPacked : LeastWork))
            {
                // Rounds of one task for each thread, several where one is long: a thread that is done takes from the others.
                int most = (int)Math.Clamp(Math.Floor(work * Finer / threads), 1, 64) * threads;
                double shortest = double.PositiveInfinity;
                for (int columns = 1; columns <= Math.Min(tilesN, most); columns++)
                {
                    int wide = Tiles(tilesN, columns);
                    Shorten(p.M, wide, threads, ref shortest);
                    if (!p.TransB)
                    {
                        // First the same number of rows for each thread, then as many tasks as allowed.
                        Shorten(Tiles(p.M, threads), wide, threads, ref shortest);
                        Shorten(Tiles(tilesM, Math.Min(tilesM, Tiles(most, columns))) * R, wide, threads, ref shortest);
                    }
                }
            }

            rowTasks = Tiles(p.M, taskRows);
            Tasks = rowTasks * Tiles(tilesN, colTiles);
        }

        public int Tasks { get; }

        /// <summary>Takes tasks of so many rows and columns of tiles if the longest thread has less to do so.</summary>
        private void Shorten(int high, int wide, int threads, ref double shortest)
        {
            high = Math.Min(high, rows);
            int rest = high % R;
            double tiles = (high / R) + (rest == 0 ? 0 : rest == 1 && high > R ? 0.2 : rest > 8 ? 1 : rest > 4 ? 0.75 : 0.4);

            // And what a task reads, each step of K from the second level: a tile multiplies for as long as 96 floats take.
            int tasks = Tiles(rows, high) * Tiles(Tiles(cols, W), wide);
            double length = ((tiles * wide) + (((wide * W) + high) / 96.0)) * Tiles(tasks, threads);

            // Threads keep their rows from product to product, so columns are cut only where that is shorter.
            if (length < shortest * 0.97)
            {
                (shortest, taskRows, colTiles) = (length, high, wide);
            }
        }

        public readonly void Range(int task, out int row0, out int row1, out int col0, out int col1)
        {
            int colTask = task / rowTasks;
            row0 = (task - (colTask * rowTasks)) * taskRows;
            row1 = Math.Min(rows, row0 + taskRows);
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
