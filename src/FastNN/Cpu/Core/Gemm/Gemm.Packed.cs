namespace FastNN.Cpu;

/// <content>
/// B packed block by block. The order of BLIS for a tile of few rows and two vectors of columns: a panel of A (12 x 384
/// floats, 18 KiB) stays in the first-level cache while a block of B (384 x 384 floats, 576 KiB) streams past it from the
/// second level, 128 bytes for every 24 multiply-adds; the block of B stays there for all rows of A. So C moves once per 384
/// terms and A once per 384 columns. A is packed by the task that uses it, two panels at a time, straight into the cache.
/// </content>
internal static unsafe partial class Gemm<TLanes>
{
    /// <summary>Terms per block.</summary>
    private const int PackedK = 384;

    /// <summary>Columns of tiles per task: with <see cref="PackedK"/> terms half of a second level of 1 MiB.</summary>
    private const int TaskColTiles = 12;

    /// <summary>Rows of tiles per task; 24 tiles of AVX-512 are 30 us at the peak, small enough to share evenly.</summary>
    private const int TaskRowTiles = 2;

    /// <summary>Floats of B packed before a region: 3 MiB, a multiple of what a task reads.</summary>
    private const int PackedB = 768 * 1024;

    /// <summary>
    /// Rows of tasks that a thread takes at once from which on it packs B for itself: a tenth of the work at most. Shared packing
    /// costs more where caches are far apart: each core reads the half of B that another has just packed, and, as tasks are
    /// handed out anew for each block of terms, sums in C that another has just added to.
    /// </summary>
    private const int OwnRowTasks = 10;

    private static void RunPacked(WorkerPool pool, in Product p)
    {
        int rowTasks = Tiles(p.M, TaskRowTiles * R);
        if (pool.Threads > 1 && rowTasks >= OwnRowTasks * pool.Threads)
        {
            RunOwnPacked(pool, p, rowTasks);
            return;
        }

        using WorkerPool.Seat seat = pool.Enter();
        int blockLength = BlockLength(p.K, PackedK);
        int bStride = (blockLength * W) + Pack<TLanes>.Slack;
        int panels = Math.Max(1, PackedB / bStride);
        if (panels > TaskColTiles)
        {
            // Blocks of columns of equal length, as a short last one would leave threads without work at each block of terms.
            int most = panels / TaskColTiles, all = Tiles(p.N, TaskColTiles * W);
            panels = Tiles(all, Tiles(all, most)) * TaskColTiles;
        }

        var body = new PackedBody
        {
            Product = p,
            Pool = pool,
            BPanels = (float*)pool.Scratch(seat.Worker),
            BStride = bStride,
            AStride = (blockLength * R) + Pack<TLanes>.Slack,
            PackA = PaysPackingA(p),
        };
        for (int col = 0; col < p.N; col += panels * W)
        {
            for (int k0 = 0; k0 == 0 || k0 < p.K; k0 += blockLength)
            {
                body.SetBlock(col, Math.Min(panels * W, p.N - col), k0, Math.Min(blockLength, p.K - k0));
                body.Packing = true;
                pool.Run(body.PackTasks, ref body);
                body.Packing = false;
                pool.Run(body.RowTasks * body.ColTasks, ref body);
            }
        }
    }

    /// <summary>
    /// C cut into areas, each summed over all blocks of terms by one thread. How many areas there are depends on the number of
    /// threads; the sums, and so the bits, do not.
    /// </summary>
    private static void RunOwnPacked(WorkerPool pool, in Product p, int rowTasks)
    {
        int chunks = Math.Min(2 * pool.Threads, rowTasks / OwnRowTasks);
        int blockLength = BlockLength(p.K, PackedK);
        var body = new OwnPackedBody
        {
            Block = new PackedBody
            {
                Product = p,
                Pool = pool,
                BStride = (blockLength * W) + Pack<TLanes>.Slack,
                AStride = (blockLength * R) + Pack<TLanes>.Slack,
                PackA = PaysPackingA(p),
            },
            BlockLength = blockLength,
            Rows = Tiles(rowTasks, chunks) * TaskRowTiles * R,
            Columns = Tiles(Tiles(p.N, W), Tiles(p.N, TaskColTiles * W)) * W,
        };
        pool.Run(Tiles(p.M, body.Rows) * Tiles(p.N, body.Columns), ref body);
    }

    /// <summary>
    /// As it lies, A serves as well as packed where it is read by few columns of tiles. Otherwise its rows would fall on the
    /// same cache sets (a power of two apart) or, transposed, each step of k on another page.
    /// </summary>
    private static bool PaysPackingA(in Product p) => p.N >= 4 * W;

    private struct PackedBody : IParallelBody
    {
        public Product Product;
        public WorkerPool Pool;
        public float* BPanels;
        public int BStride;
        public int AStride;
        public bool PackA;
        public bool Packing;
        // Rows of B that are packed into one panel before the next: down a column of a wide B every row is on another page, and
        // the processor fetches nothing ahead; along a row it does.
        private const int PackedBand = 16;

        private int col0;
        private int cols;
        private int k0;
        private int length;
        private int taskCols;
        private int panelsPerTask;
        private Epilogue epilogue;

        public int PackTasks { readonly get; private set; }

        public int RowTasks { readonly get; private set; }

        public int ColTasks { readonly get; private set; }

        public void SetBlock(int col0, int cols, int k0, int length)
        {
            this.col0 = col0;
            this.cols = cols;
            this.k0 = k0;
            this.length = length;
            epilogue = Product.Epilogue.ForBlock(k0 == 0, k0 + length >= Product.K);
            panelsPerTask = Math.Clamp(Tiles(cols, W) / (2 * Pool.Threads), 4, 8);
            PackTasks = Tiles(Tiles(cols, W), panelsPerTask);
            RowTasks = Tiles(Product.M, TaskRowTiles * R);
            ColTasks = Tiles(cols, TaskColTiles * W);
            taskCols = Tiles(Tiles(cols, W), ColTasks) * W;
        }

        public readonly void Invoke(int task, int worker)
        {
            if (Packing)
            {
                int first = task * panelsPerTask * W;
                PackColumns(first, Math.Min(cols, first + (panelsPerTask * W)), BPanels + ((nint)(first / W) * BStride));
                return;
            }

            // Neighboring tasks share a block of B: the rows run fastest.
            int colTask = task / RowTasks;
            int row = (task - (colTask * RowTasks)) * TaskRowTiles * R;
            int col = colTask * taskCols;
            float* panels = BPanels + ((nint)(col / W) * BStride);
            Multiply(row, Math.Min(Product.M, row + (TaskRowTiles * R)), col, Math.Min(cols, col + taskCols), panels, worker);
        }

        public readonly void PackColumns(int first, int end, float* panel)
        {
            int band = Product.TransB ? length : PackedBand;
            for (int k = 0; k < length; k += band)
            {
                PackBand(first, end, k, Math.Min(band, length - k), panel);
            }
        }

        private readonly void PackBand(int first, int end, int k, int count, float* panel)
        {
            for (int col = first; col < end; col += W, panel += BStride)
            {
                int width = Math.Min(W, cols - col);
                if (Product.TransB)
                {
                    Pack<TLanes>.Transposed(
                        Product.B + ((col0 + col) * Product.Ldb) + k0 + k, Product.Ldb, width, count, panel, W);
                }
                else
                {
                    Pack<TLanes>.Straight(
                        Product.B + ((k0 + k) * Product.Ldb) + col0 + col, Product.Ldb, width, count, panel + ((nint)k * W), W);
                }
            }
        }

        /// <param name="panels">The packed columns from <paramref name="c0"/> on.</param>
        public readonly void Multiply(int row0, int row1, int c0, int c1, float* panels, int worker)
        {
            float* packed = (float*)Pool.Scratch(worker) + PackedB + BStride;
            for (int row = row0; PackA && row < row1; row += R)
            {
                PackRows(row, Math.Min(R, row1 - row), packed + ((row - row0) / R * AStride));
            }

            for (int row = row0; row < row1; row += R)
            {
                int rows = Math.Min(R, row1 - row);
                float* a = packed + ((row - row0) / R * AStride);
                for (int col = c0; col < c1; col += W)
                {
                    float* b = panels + ((nint)((col - c0) / W) * BStride);
                    int width = Math.Min(W, cols - col);
                    Epilogue tile = epilogue.At(col0 + col);
                    if (PackA)
                    {
                        float* c = Product.C + (row * Product.Ldc) + col0 + col;
                        Tile<TLanes>.Packed(&a, R, &b, W, 1, length, c, Product.Ldc, rows, width, tile);
                    }
                    else
                    {
                        TileColumn(Product, row, row + rows, col0 + col, width, k0, length, b, W, tile);
                    }
                }
            }
        }

        private readonly void PackRows(int row, int count, float* panel)
        {
            if (Product.TransA)
            {
                Pack<TLanes>.Straight(Product.A + (k0 * Product.Lda) + row, Product.Lda, count, length, panel, R);
            }
            else
            {
                Pack<TLanes>.Transposed(Product.A + (row * Product.Lda) + k0, Product.Lda, count, length, panel, R);
            }
        }
    }

    private struct OwnPackedBody : IParallelBody
    {
        public PackedBody Block;
        public int BlockLength;
        public int Rows;
        public int Columns;

        public readonly void Invoke(int task, int worker)
        {
            PackedBody block = Block;
            ref readonly Product p = ref Block.Product;
            int chunks = Tiles(p.M, Rows);
            int firstRow = task % chunks * Rows, endRow = Math.Min(p.M, firstRow + Rows);
            int col = task / chunks * Columns, columns = Math.Min(Columns, p.N - col);
            float* panels = (float*)block.Pool.Scratch(worker);
            for (int k0 = 0; k0 == 0 || k0 < p.K; k0 += BlockLength)
            {
                block.SetBlock(col, columns, k0, Math.Min(BlockLength, p.K - k0));
                block.PackColumns(0, columns, panels);
                for (int row = firstRow; row < endRow; row += TaskRowTiles * R)
                {
                    block.Multiply(row, Math.Min(endRow, row + (TaskRowTiles * R)), 0, columns, panels, worker);
                }
            }
        }
    }
}
