namespace FastNN.Cpu;

/// <content>
/// B packed block by block. The order of BLIS for a tile of few rows and two vectors of columns: a panel of A (12 x 384
/// floats, 18 KiB) stays in the first-level cache while a block of B (384 x 384 floats, 576 KiB) streams past it from the
/// second level, 128 bytes for every 24 multiply-adds; the block of B stays there for all rows of A. So C moves once per 384
/// terms and A once per 384 columns. A is packed by the task that uses it, two panels at a time, straight into the cache.
/// </content>
internal static unsafe partial class Gemm<TVec, TRung>
{
    /// <summary>Terms per block.</summary>
    private const int PackedK = 384;

    /// <summary>Columns of tiles per task: with <see cref="PackedK"/> terms they fill half of a second-level cache of 1 MiB.</summary>
    private const int TaskColTiles = 12;

    /// <summary>Rows of tiles per task; 24 tiles of AVX-512 are about 30 us at the peak, small enough to share out evenly.</summary>
    private const int TaskRowTiles = 2;

    /// <summary>Floats of B packed before a region: 3 MiB, a multiple of what a task reads.</summary>
    private const int PackedB = 768 * 1024;

    private static void RunPacked(WorkerPool pool, in Product p)
    {
        using WorkerPool.Seat seat = pool.Enter();
        int blockLength = BlockLength(p.K, PackedK);
        int bStride = (blockLength * W) + Pack<TVec, TRung>.Slack;
        int panels = Math.Max(1, PackedB / bStride);
        panels = panels > TaskColTiles ? panels / TaskColTiles * TaskColTiles : panels;
        var body = new PackedBody
        {
            Product = p,
            Pool = pool,
            BPanels = (float*)pool.Scratch(seat.Worker),
            BStride = bStride,
            AStride = (blockLength * R) + Pack<TVec, TRung>.Slack,
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
        private const int PanelsPerTask = 4;
        private int col0;
        private int cols;
        private int k0;
        private int length;
        private int taskCols;
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
            PackTasks = Tiles(Tiles(cols, W), PanelsPerTask);
            RowTasks = Tiles(Product.M, TaskRowTiles * R);
            ColTasks = Tiles(cols, TaskColTiles * W);
            taskCols = Tiles(Tiles(cols, W), ColTasks) * W;
        }

        public readonly void Invoke(int task, int worker)
        {
            if (Packing)
            {
                PackColumns(task * PanelsPerTask * W);
                return;
            }

            // Neighbouring tasks share a block of B: the rows run fastest.
            int colTask = task / RowTasks;
            int row = (task - (colTask * RowTasks)) * TaskRowTiles * R;
            int col = colTask * taskCols;
            Multiply(row, Math.Min(Product.M, row + (TaskRowTiles * R)), col, Math.Min(cols, col + taskCols), worker);
        }

        private readonly void PackColumns(int first)
        {
            for (int col = first; col < Math.Min(cols, first + (PanelsPerTask * W)); col += W)
            {
                int count = Math.Min(W, cols - col);
                float* panel = BPanels + ((nint)(col / W) * BStride);
                if (Product.TransB)
                {
                    Pack<TVec, TRung>.Transposed(
                        Product.B + ((col0 + col) * Product.Ldb) + k0, Product.Ldb, count, length, panel, W);
                }
                else
                {
                    Pack<TVec, TRung>.Straight(
                        Product.B + (k0 * Product.Ldb) + col0 + col, Product.Ldb, count, length, panel, W);
                }
            }
        }

        private readonly void Multiply(int row0, int row1, int c0, int c1, int worker)
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
                    float* b = BPanels + ((nint)(col / W) * BStride);
                    int width = Math.Min(W, cols - col);
                    Epilogue tile = epilogue.At(col0 + col);
                    if (PackA)
                    {
                        float* c = Product.C + (row * Product.Ldc) + col0 + col;
                        Tile<TVec, TRung>.Packed(&a, R, &b, W, 1, length, c, Product.Ldc, rows, width, tile);
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
                Pack<TVec, TRung>.Straight(Product.A + (k0 * Product.Lda) + row, Product.Lda, count, length, panel, R);
            }
            else
            {
                Pack<TVec, TRung>.Transposed(Product.A + (row * Product.Lda) + k0, Product.Lda, count, length, panel, R);
            }
        }
    }
}
