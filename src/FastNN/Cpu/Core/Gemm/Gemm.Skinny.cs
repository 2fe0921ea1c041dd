namespace FastNN.Cpu;

/// <content>One row, and few rows times a transposed B.</content>
internal static unsafe partial class Gemm<TLanes>
{
    /// <summary>Columns of a row-major B that one task takes at least, 4 KiB of each row.</summary>
    private const int TaskColumns = 1024;

    /// <summary>Columns from which a task goes band by band.</summary>
    private const int WideColumns = 256;

    private static void RunVector(WorkerPool pool, in Product p)
    {
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
            int last = Math.Min(Product.N, (task + 1) * TilesPerTask * W);
            int first = task * TilesPerTask * W;
            bool packed = Product.Panels != null;

            int blockLength = packed || last - first <= WideColumns ? Math.Max(1, Product.K) : Gemv<TLanes>.BandRows;
            for (int k0 = 0; k0 == 0 || k0 < Product.K; k0 += blockLength)
            {
                int length = Math.Min(blockLength, Product.K - k0);
                bool isFirst = k0 == 0, isLast = k0 + length >= Product.K;
                if (!isFirst && !isLast)
                {
                    Gemv<TLanes>.AddRows(
                        Product.A + k0, Product.B + (k0 * Product.Ldb) + first, Product.Ldb, Product.C + first, last - first);
                    continue;
                }

                Epilogue block = Product.Epilogue.ForBlock(isFirst, isLast);
                for (int col = first; col < last; col += W)
                {
                    float* b = packed ? Product.Panels + (col / W * Product.PanelStride) : Product.B + (k0 * Product.Ldb) + col;
                    nint bStride = packed ? W : Product.Ldb;
                    Gemv<TLanes>.Columns(
                        Product.A + k0, length, b, bStride, Product.C + col, Math.Min(W, last - col), block.At(col));
                }
            }
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
