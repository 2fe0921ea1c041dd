namespace FastNN.Cpu;

/// <content>Packing block by block.</content>
internal static unsafe partial class Gemm<TVec, TRung>
{
    /// <summary>Floats of a packed block of B, 1 MiB: it stays in the second or third level while all rows of A pass.</summary>
    private const int PackedB = 256 * 1024;

    /// <summary>Rows of A packed at a time: with BlockK terms each, 2 MiB.</summary>
    private const int PackedRows = 2016;

    /// <summary>Multiply-adds of a task among packed panels: 16 full tiles, about 14 us at the peak.</summary>
    private const long PackedTaskWork = 16 * 12 * 32 * 256;

    /// <summary>Rows of tiles in such a task: A's share (48 KiB) and B's together stay in the second level.</summary>
    private const int PackedRowTiles = 4;

    private static void RunPacked(WorkerPool pool, in Product p)
    {
        using WorkerPool.Seat seat = pool.Enter();
        float* scratch = (float*)pool.Scratch(seat.Worker);
        int blockLength = BlockLength(p.K);
        int bStride = (blockLength * W) + Pack<TVec, TRung>.Slack;
        int blockCols = Math.Min(p.N, Math.Max(1, PackedB / bStride) * W);
        bool packA = PaysPackingA(p);
        var body = new PackedBody
        {
            Product = p,
            BPanels = scratch,
            BStride = bStride,
            APanels = packA ? scratch + PackedB + bStride : null,
            AStride = (blockLength * R) + Pack<TVec,
            TRung>.Slack,
        };
        int blockRows = packA ? PackedRows / R * R : p.M;
        for (int col = 0; col < p.N; col += blockCols)
        {
            for (int k0 = 0; k0 == 0 || k0 < p.K; k0 += blockLength)
            {
                for (int row = 0; row < p.M; row += blockRows)
                {
                    body.SetBlock(
                        row, Math.Min(blockRows, p.M - row), col, Math.Min(blockCols, p.N - col),
                        k0, Math.Min(blockLength, p.K - k0), withB: row == 0);
                    pool.Run(body.PackTasks, ref body);
                    body.Packing = false;
                    pool.Run(body.Grid.Tasks, ref body);
                }
            }
        }
    }

    /// <summary>
    /// A is read once per panel of B. As it lies that is as fast as packed while its rows do not fall on the same cache sets
    /// and, transposed, while a step of k stays within few pages.
    /// </summary>
    private static bool PaysPackingA(in Product p) => p.N >= 4 * W && (long)p.M * p.K >= 64 * 1024;

    private struct PackedBody : IParallelBody
    {
        public Product Product;
        public TileGrid Grid;
        public float* BPanels;
        public float* APanels;
        public int BStride;
        public int AStride;
        public bool Packing;
        private const int PanelsPerTask = 4;
        private int row0;
        private int rows;
        private int col0;
        private int cols;
        private int k0;
        private int length;
        private int bTasks;
        private Epilogue epilogue;

        public int PackTasks { readonly get; private set; }

        public void SetBlock(int row0, int rows, int col0, int cols, int k0, int length, bool withB)
        {
            this.row0 = row0;
            this.rows = rows;
            this.col0 = col0;
            this.cols = cols;
            this.k0 = k0;
            this.length = length;
            epilogue = Product.Epilogue.ForBlock(k0 == 0, k0 + length >= Product.K);
            Grid = new TileGrid(rows, cols, length, PackedTaskWork, PackedRowTiles);
            Packing = true;
            bTasks = withB ? Tiles(Tiles(cols, W), PanelsPerTask) : 0;
            PackTasks = bTasks + (APanels != null ? Tiles(Tiles(rows, R), PanelsPerTask) : 0);
        }

        public readonly void Invoke(int task, int worker)
        {
            if (!Packing)
            {
                Grid.Range(task, out int r0, out int r1, out int c0, out int c1);
                Multiply(r0, r1, c0, c1);
            }
            else if (task < bTasks)
            {
                PackColumns(task * PanelsPerTask * W);
            }
            else
            {
                PackRows((task - bTasks) * PanelsPerTask * R);
            }
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

        private readonly void PackRows(int first)
        {
            for (int row = first; row < Math.Min(rows, first + (PanelsPerTask * R)); row += R)
            {
                int count = Math.Min(R, rows - row);
                float* panel = APanels + ((nint)(row / R) * AStride);
                if (Product.TransA)
                {
                    Pack<TVec, TRung>.Straight(
                        Product.A + (k0 * Product.Lda) + row0 + row, Product.Lda, count, length, panel, R);
                }
                else
                {
                    Pack<TVec, TRung>.Transposed(
                        Product.A + ((row0 + row) * Product.Lda) + k0, Product.Lda, count, length, panel, R);
                }
            }
        }

        private readonly void Multiply(int r0, int r1, int c0, int c1)
        {
            for (int col = c0; col < c1; col += W)
            {
                float* b = BPanels + ((nint)(col / W) * BStride);
                int width = Math.Min(W, cols - col);
                Epilogue tile = epilogue.At(col0 + col);
                if (APanels == null)
                {
                    TileColumn(Product, row0 + r0, row0 + r1, col0 + col, width, k0, length, b, W, tile);
                    continue;
                }

                for (int row = r0; row < r1; row += R)
                {
                    float* a = APanels + ((nint)(row / R) * AStride);
                    float* c = Product.C + ((row0 + row) * Product.Ldc) + col0 + col;
                    Tile<TVec, TRung>.Packed(&a, R, &b, W, 1, length, c, Product.Ldc, Math.Min(R, rows - row), width, tile);
                }
            }
        }
    }
}
